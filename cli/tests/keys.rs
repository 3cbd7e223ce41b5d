//! put, get, update, rm, ls.

mod common;

use common::Place;
use serde_json::json;
use std::{fs, process::Stdio};

#[test]
fn a_value_comes_back_with_everything_known_of_it() {
    let place = Place::with_board();
    assert_eq!(place.slate("put task/42 open").ok(), "version 1 generation 1\n");
    assert_eq!(place.slate("put task/42 claimed --session planner").ok(), "version 2 generation 2\n");
    assert_eq!(place.slate("get task/42").ok(), "claimed\n");
    assert_eq!(place.slate("get task/42 --raw").ok(), "claimed");
    assert_eq!(place.slate("get task/42 --version-only").ok(), "2\n");
    assert_eq!(place.slate("get task/42 --at 1").ok(), "open\n");
    let entry = place.slate("get task/42 --json").json();
    for (member, value) in [
        ("key", json!("task/42")),
        ("value", json!("claimed")),
        ("version", json!(2)),
        ("generation", json!(2)),
        ("created", json!(1)),
        ("writer", json!("planner")),
        ("codec", json!("utf8")),
    ] {
        assert_eq!(entry[member], value, "{member}");
    }
    assert!(entry["time"].as_str().is_some_and(|time| time.ends_with('Z')) && entry["time_ns"].is_u64());
    assert!(entry.get("encoding").is_none());
}

#[test]
fn receipts_as_json_and_none_when_quiet() {
    let place = Place::with_board();
    let receipt = place.slate("put k v --json").json();
    assert_eq!(
        (&receipt["key"], &receipt["version"], &receipt["generation"]),
        (&json!("k"), &json!(1), &json!(1))
    );
    assert_eq!(place.slate("put k w --quiet").ok(), "");
    assert_eq!(place.slate("get k --quiet").ok(), "w\n");
}

#[test]
fn a_conflict_prints_what_stands_there() {
    let place = Place::with_board();
    place.slate("put k first --session other").ok();
    let refused = place.slate("put k second --if-absent").fails(4, &["\"k\""]);
    assert!(refused.out.contains("first") && refused.out.contains("other"), "{refused:?}");
    let refused = place.slate("put k second --if-version 7 --json").fails(4, &[]);
    let document: serde_json::Value = serde_json::from_str(&refused.out).expect("json");
    assert_eq!(document["error"], "conflict");
    assert_eq!(
        (&document["current"]["value"], &document["current"]["version"]),
        (&json!("first"), &json!(1))
    );
    let refused = place.slate("put missing v --if-version 1 --json").fails(4, &[]);
    let document: serde_json::Value = serde_json::from_str(&refused.out).expect("json");
    assert_eq!(document["current"], json!(null));
    assert_eq!(place.slate("put k second --if-version 1").ok(), "version 2 generation 2\n");
}

#[test]
fn values_from_files_and_pipes_text_or_not() {
    let place = Place::with_board();
    fs::write(place.folder().join("plan"), "one\ntwo\n").expect("file");
    place.slate("put plan @plan").ok();
    assert_eq!(place.slate("get plan").ok(), "one\ntwo\n");
    place.with_input("put bytes -", &[0xff, 0x00, 0x0a]).ok();
    assert_eq!(place.slate("get bytes --raw").raw, [0xff, 0x00, 0x0a]);
    let entry = place.slate("get bytes --json").json();
    assert_eq!(
        (&entry["value"], &entry["encoding"], &entry["codec"]),
        (&json!("/wAK"), &json!("base64"), &json!("raw"))
    );
    place.with_input("put implied", b"text").ok();
    assert_eq!(place.slate("get implied").ok(), "text\n");
    place.slate("put at @@name").ok();
    assert_eq!(place.slate("get at").ok(), "@name\n");
    place.with_input("put empty -", b"").ok();
    assert_eq!(place.slate("get empty --raw").ok(), "");
    place.slate("put k @missing").fails(1, &["missing"]);
}

#[test]
fn what_is_not_there_is_status_3() {
    let place = Place::with_board();
    place.slate("get nothing").fails(3, &["nothing"]);
    place.slate("rm nothing").fails(3, &["nothing"]);
    place.slate("get nothing --json").fails(3, &["nothing"]);
}

#[test]
fn bad_input_is_status_2_and_says_why() {
    let place = Place::with_board();
    let long = "x".repeat(1_025);
    place.run(["put", &long, "v"]).fails(2, &["1024"]);
    place.run(["put", "", "v"]).fails(2, &["at least one byte"]);
    place.slate("put k v --ephemeral").fails(2, &["--ephemeral", "session"]);
    place.slate("put k { --codec json").fails(2, &["not JSON"]);
    place.slate("put k v --ttl soon").fails(2, &["--ttl", "60s"]);
    place.slate("put k v --if-version 1 --if-absent").fails(2, &["cannot be used with"]);
    place.slate("put").fails(2, &["KEY"]);
    place.slate("update k").fails(2, &["--add"]);
    place.slate("update k --merge {").fails(2, &["not JSON"]);
    place.slate("conjure").fails(2, &["conjure"]);
    assert_eq!(place.slate("ls").ok(), "", "nothing was written");
}

#[test]
fn a_generation_that_has_not_been_is_refused() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let refused = place.slate("get k --at 99");
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.err.contains("99"), "{refused:?}");
}

#[test]
fn a_time_to_live_is_shown() {
    let place = Place::with_board();
    place.slate("put k v --ttl 1h").ok();
    let left = place.slate("get k --json").json()["expires_in_ms"].as_u64().expect("time left");
    assert!((1..=3_600_000).contains(&left), "{left}");
}

#[test]
fn updates_of_every_kind() {
    let place = Place::with_board();
    place.slate("update n --add 5").ok();
    place.slate("update n --add -7").ok();
    assert_eq!(place.slate("get n").ok(), "-2\n");
    place.slate("update notes --append one").ok();
    place.slate("update notes --append ,two").ok();
    assert_eq!(place.slate("get notes").ok(), "one,two\n");
    place.run(["update", "plan", "--merge", r#"{"owner":"a","steps":{"x":1}}"#]).ok();
    place.run(["update", "plan", "--merge", r#"{"owner":null,"steps":{"y":2}}"#]).ok();
    let plan: serde_json::Value = serde_json::from_str(&place.slate("get plan").ok()).expect("json");
    assert_eq!(plan, json!({"steps": {"x": 1, "y": 2}}));
    assert_eq!(place.slate("get plan --json").json()["codec"], "json");
    place.run(["update", "notes", "--exec", "tr a-z A-Z; printf ' %s %s' $SLATE_KEY $SLATE_VERSION"]).ok();
    assert_eq!(place.slate("get notes").ok(), "ONE,TWO notes 2\n");
}

#[test]
fn updates_that_cannot_be_leave_the_key_alone() {
    let place = Place::with_board();
    place.slate("put k words").ok();
    place.slate("update k --add 1").fails(1, &["\"k\"", "integer", "left as it is"]);
    place.slate("update k --merge {}").fails(1, &["\"k\"", "JSON"]);
    place.run(["update", "k", "--exec", "echo no; exit 3"]).fails(1, &["exit 3", "left as it is"]);
    place.run(["put", "big", &i64::MAX.to_string()]).ok();
    place.slate("update big --add 1").fails(1, &["64 bits"]);
    assert_eq!(place.slate("get k --json").json()["version"], 1);
}

#[test]
fn no_update_of_many_processes_is_lost() {
    let place = Place::with_board();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    place.slate("update count --add 1").ok();
                }
            });
        }
    });
    let entry = place.slate("get count --json").json();
    assert_eq!((&entry["value"], &entry["version"]), (&json!("40"), &json!(40)));
}

#[test]
fn removing() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    place.slate("rm k --if-version 9").fails(4, &["\"k\""]);
    assert_eq!(place.slate("rm k").ok(), "version 2 generation 2\n");
    place.slate("get k").fails(3, &[]);
    assert_eq!(place.slate("get k --at 1").ok(), "v\n");
}

#[test]
fn listings() {
    let place = Place::with_board();
    for key in ["task/2", "team/a", "task/1", "other"] {
        place.run(["put", key, "value"]).ok();
    }
    assert_eq!(place.slate("ls").ok(), "other\ntask/1\ntask/2\nteam/a\n");
    assert_eq!(place.slate("ls task/").ok(), "task/1\ntask/2\n");
    assert_eq!(place.slate("ls --at 1").ok(), "task/2\n");
    let long = place.slate("ls task/ --long").ok();
    let header = long.lines().next().expect("header");
    assert!(header.contains("VERSION") && header.contains("WRITER"), "{header}");
    assert_eq!(long.lines().count(), 3);
    let document = place.slate("ls task/ --json").json();
    assert_eq!(document["generation"], 4);
    assert_eq!(document["entries"][1]["key"], "task/2");
    assert_eq!(place.slate("ls none/ --json").json()["entries"], json!([]));
}

#[test]
fn nothing_that_a_terminal_obeys_comes_out_of_a_listing() {
    let place = Place::with_board();
    place.run(["put", "k", "\x1b[2Jgone\n"]).ok();
    let long = place.slate("ls --long").ok();
    assert!(!long.contains('\x1b') && long.contains("\\u{1b}"), "{long:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::with_board();
    for number in 0..20 {
        place.run(["put", &format!("k/{number}"), &"x".repeat(1_000)]).ok();
    }
    let mut child =
        place.command(["ls", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}
