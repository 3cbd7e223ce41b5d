//! The commands watch, wait and log.

mod common;

use common::Place;
use serde_json::{Value, json};

#[test]
fn a_watch_resumes_where_it_is_told_to() {
    let place = Place::with_board();
    place.slate("put task/1 open --session planner").ok();
    place.slate("put other x").ok();
    place.slate("put task/1 done --session worker").ok();
    place.slate("rm task/1").ok();
    let text = place.slate("watch task/ --since 0 --count 3").ok();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("1 ") && lines[0].contains("planner put task/1 v1 open"), "{text}");
    assert!(lines[2].contains("remove task/1 v3"), "{text}");
    let events = place.slate("watch task/ --since 1 --count 2 --json").lines();
    assert_eq!((&events[0]["generation"], &events[0]["writer"]), (&json!(3), &json!("worker")));
    let mutation = &events[0]["mutations"][0];
    assert_eq!(
        (&mutation["kind"], &mutation["key"], &mutation["value"]),
        (&json!("put"), &json!("task/1"), &json!("done"))
    );
    assert_eq!(
        (&mutation["previous"]["version"], &mutation["previous"]["value"]),
        (&json!(1), &json!("open"))
    );
    assert_eq!(events[1]["mutations"][0]["kind"], "remove");
    assert!(events[1]["mutations"][0].get("value").is_none());
}

#[test]
fn a_watch_sees_what_happens_after_it_began() {
    let place = Place::with_board();
    let mut watch = place.background("watch --count 1 --json");
    // The test cannot see when the watch has started, so it puts until the watch has ended.
    while watch.is_running() {
        place.slate("put k v").ok();
    }
    let done = watch.finish().ok();
    let event: Value = serde_json::from_str(&done).expect("one event");
    assert_eq!(event["mutations"][0]["key"], "k");
}

#[test]
fn a_watch_ends_when_its_time_is_over() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    place.slate("watch --timeout 10ms").fails(124, &["timeout: "]);
    let done = place.slate("watch --since 0 --count 2 --timeout 1s").fails(124, &["1 of 2"]);
    assert_eq!(done.out.lines().count(), 1);
}

#[test]
fn what_was_missed_is_said() {
    let place = Place::with_board_of(&["--history", "64"]);
    let session = slateboard::Board::open(place.region()).expect("board").attach("writer").expect("session");
    for _ in 0..500 {
        session.put("k", "v").expect("put");
    }
    let lines = place.slate("watch --since 1 --count 1 --json").lines();
    let missed = lines[0]["missed"].as_u64().expect("missed");
    let resume_at = lines[0]["resume_at"].as_u64().expect("resume_at");
    assert_eq!(missed, resume_at - 1);
    assert_eq!(lines[1]["generation"], resume_at + 1);
    let done = place.slate("watch --since 1 --count 1");
    assert!(done.status == 0 && done.err.contains("missed"), "{done:?}");
}

#[test]
fn waiting_for_a_newer_version() {
    let place = Place::with_board();
    place.slate("put k one").ok();
    assert_eq!(place.slate("wait k --newer-than 0").ok(), "one\n");
    let wait = place.background("wait k --newer-than 1 --json");
    place.slate("put k two").ok();
    let entry: Value = serde_json::from_str(&wait.finish().ok()).expect("entry");
    assert_eq!((&entry["value"], &entry["version"]), (&json!("two"), &json!(2)));
    place.slate("wait k --newer-than 2 --timeout 10ms").fails(124, &["\"k\"", "version 2"]);
}

#[test]
fn waiting_for_the_next_change_and_for_the_first() {
    let place = Place::with_board();
    let first = place.background("wait new --newer-than 0");
    place.slate("put new here").ok();
    assert_eq!(first.finish().ok(), "here\n");
    let mut next = place.background("wait new");
    while next.is_running() {
        place.slate("put new again").ok();
    }
    assert_eq!(next.finish().ok(), "again\n");
}

#[test]
fn a_removal_ends_the_wait() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let wait = place.background("wait k --newer-than 1");
    place.slate("rm k").ok();
    wait.finish().fails(3, &["\"k\"", "does not exist"]);
}

#[test]
fn the_log_by_number_generation_prefix_and_session() {
    let place = Place::with_board();
    for number in 1..=5 {
        place.run(["put", &format!("task/{number}"), "x", "--session", "planner"]).ok();
    }
    place.slate("put other y --session worker").ok();
    assert_eq!(place.slate("log").ok().lines().count(), 6);
    let last = place.slate("log --last 2 --json").lines();
    assert_eq!((&last[0]["generation"], &last[1]["generation"]), (&json!(5), &json!(6)));
    let of_tasks = place.slate("log task/ --last 2 --json").lines();
    assert_eq!((&of_tasks[0]["generation"], &of_tasks[1]["generation"]), (&json!(4), &json!(5)));
    assert_eq!(place.slate("log --session worker --json").lines().len(), 1);
    assert_eq!(place.slate("log --since 4 --json").lines().len(), 2);
    assert_eq!(place.slate("log --last 0").ok(), "");
    place.slate("log --since 4 --last 1").fails(2, &["cannot be used with"]);
}

#[test]
fn the_log_follows() {
    let place = Place::with_board();
    place.slate("put k 1").ok();
    let mut log = place.background("log --follow --since 0 --json");
    place.slate("put k 2").ok();
    place.slate("put k 3").ok();
    let generations: Vec<Value> = log
        .read_lines(3)
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("event")["generation"].clone())
        .collect();
    assert_eq!(generations, [1, 2, 3]);
    log.kill();
}

#[test]
fn a_wait_ends_with_the_time_to_live_and_the_past_keeps_the_entry() {
    let place = Place::with_board();
    place.slate("put k v --ttl 300ms").ok();
    // No session is attached that could publish the expiry, but the waiting process knows the deadline.
    place.slate("wait k --newer-than 1 --timeout 10m").fails(3, &["\"k\"", "does not exist"]);
    place.slate("get k").fails(3, &["\"k\""]);
    assert_eq!(place.slate("ls").ok(), "");
    assert_eq!(place.slate("get k --at 1").ok(), "v\n");
    assert_eq!(place.slate("ls --at 1").ok().lines().count(), 1);
}
