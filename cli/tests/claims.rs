//! Leases, sessions and claims of the command: what they promise to scripts, and how they end, whatever ends them.

mod common;

use common::{Background, Done, Place, with_slate};
use rustix::process::{Pid, Signal, kill_process};
use slateboard::{Board, Expect, Session, layout::session as record, region, sync::Ordering};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

/// A script that says that it runs, and ends with status 9 when it gets this signal; with 77 if it never does.
fn ends_on(signal: &str) -> String {
    format!("trap 'echo got; exit 9' {signal}; echo ready; for i in $(seq 300); do sleep 0.05; done; exit 77")
}

/// A command that runs `slate` with these arguments, and then a script of the shell, which finds `slate`.
fn with_script(place: &Place, line: &str, script: &str) -> Command {
    let mut command = place.command(line.split(' ').chain(["--", "sh", "-c", script]));
    with_slate(&mut command).stdin(Stdio::null());
    command
}

fn script(place: &Place, line: &str, script: &str) -> Done {
    Done::from(with_script(place, line, script).output().expect("run"))
}

/// As `script`, in the background. Returns when the script has said `ready`.
fn ready(place: &Place, line: &str, script: &str) -> Background {
    let mut child = Background::of(with_script(place, line, script));
    assert_eq!(child.read_lines(1), ["ready"]);
    child
}

fn send(child: &Background, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().expect("a process id")).expect("a process id");
    kill_process(pid, signal).expect("the child can be signalled");
}

fn session(place: &Place, name: &str) -> Session {
    Board::open(place.region()).expect("board").attach(name).expect("session")
}

#[test]
fn a_lock_is_held_while_its_command_runs_and_ends_as_it_ends() {
    let place = Place::with_board();
    let inside =
        "echo $SLATE_FENCE; slate get deploy --json; slate lock deploy -- echo never; echo $?; exit 7";
    let done = script(&place, "lock deploy", inside).fails(7, &["slate holds the lease"]);
    let lines: Vec<&str> = done.out.lines().collect();
    let entry: serde_json::Value = serde_json::from_str(lines[1]).expect("a document");
    assert_eq!((lines[0], lines.last()), (entry["generation"].to_string().as_str(), Some(&"5")), "{done:?}");
    assert!(
        entry["expires_in_ms"].as_u64().is_some_and(|left| left <= 60_000) && !done.out.contains("never")
    );
    assert_eq!(place.slate("ls").ok(), "", "it is released");
    // Later leases have larger tokens.
    let token: u64 =
        script(&place, "lock deploy --ttl 1h", "echo $SLATE_FENCE").ok().trim().parse().expect("token");
    assert!(token > entry["generation"].as_u64().expect("generation"));
    script(&place, "lock deploy", "kill -KILL $$").fails(128 + 9, &[]);
    assert_eq!(place.slate("ls").ok(), "");
}

#[test]
fn a_command_that_cannot_be_run_is_told_and_the_lease_is_released() {
    let place = Place::with_board();
    fs::write(place.folder().join("no-program"), "text").expect("file");
    for verb in ["lock deploy", "run"] {
        place.slate(&format!("{verb} -- nowhere-at-all")).fails(127, &["nowhere-at-all"]);
        place.slate(&format!("{verb} -- ./no-program")).fails(126, &["./no-program"]);
        place.slate(verb).fails(2, &["COMMAND"]);
        place.slate(&format!("{verb} --board nowhere -- true")).fails(9, &["nowhere"]);
    }
    let failed = place.slate("run --json -- nowhere-at-all");
    assert!(failed.out.contains("\"kind\":\"no_command\""), "{failed:?}");
    place.run(["run", "--name", &"n".repeat(57), "--", "true"]).fails(2, &["56"]);
    assert_eq!((place.slate("ls").ok(), sessions(&place)), (String::new(), 0));
}

#[test]
fn a_command_has_the_input_and_the_arguments_that_were_given() {
    let place = Place::with_board();
    for verb in ["lock deploy", "run"] {
        let done = place.with_input(&format!("{verb} -- cat"), b"some input\n");
        assert_eq!(done.ok(), "some input\n");
        let words = place.run(verb.split(' ').chain(["--", "printf", "%s|", "--json", "a b", ""]));
        assert_eq!(words.ok(), "--json|a b||");
    }
}

#[test]
fn each_signal_is_passed_on_and_the_lease_is_released() {
    let signals = [
        ("TERM", Signal::TERM),
        ("INT", Signal::INT),
        ("HUP", Signal::HUP),
        ("QUIT", Signal::QUIT),
        ("USR1", Signal::USR1),
        ("ALRM", Signal::ALARM),
    ];
    for (name, signal) in signals {
        let place = Place::with_board();
        for verb in ["lock deploy", "run"] {
            let child = ready(&place, verb, &ends_on(name));
            assert_eq!(place.slate("ls").ok().is_empty(), verb == "run");
            send(&child, signal);
            let done = child.finish().fails(9, &[]);
            assert_eq!(done.out, "got\n", "{name} {verb}");
            assert_eq!(sessions(&place), 0, "{name} {verb}");
        }
        assert_eq!(place.slate("ls").ok(), "", "{name}");
    }
}

#[test]
fn a_lease_that_is_lost_ends_the_command() {
    let place = Place::with_board();
    let child = ready(&place, "lock deploy --json", &ends_on("TERM"));
    session(&place, "thief").put("deploy", "by force").expect("put");
    let done = child.finish().fails(5, &["was lost", "SIGTERM", "status 9"]);
    let (said, document) = done.out.split_once('\n').expect("two lines");
    let document: serde_json::Value = serde_json::from_str(document).expect("a document");
    assert_eq!((said, &document["error"]["kind"]), ("got", &"held".into()), "{done:?}");
    assert_eq!(document["error"]["current"]["writer"], "thief");
    assert_eq!(place.slate("get deploy").ok(), "by force\n", "the lock removed what another has put");
    // A command that ends before the loss is seen.
    place.slate("rm deploy").ok();
    script(&place, "lock deploy", "slate put deploy mine --quiet").fails(5, &["was lost", "status 0"]);
}

#[test]
fn a_lock_whose_slate_is_killed_ends_with_its_session_and_its_command_is_told() {
    let place = Place::with_board();
    let mut child = ready(&place, "lock deploy --ttl 1h", &ends_on("TERM"));
    place.slate("lock deploy -- true").fails(5, &["slate holds the lease"]);
    child.kill();
    assert_eq!(child.read_lines(1), ["got"]);
    place.slate("lock deploy -- true").ok();
}

#[test]
fn a_key_with_a_value_is_locked_beside_it() {
    let place = Place::with_board();
    place.slate("put task/1 paint --quiet").ok();
    let seen = script(
        &place,
        "lock task/1",
        "slate get task/1; slate claim task/1 --quiet; echo $?; slate ls claim/",
    );
    assert_eq!(seen.out.lines().next(), Some("paint"));
    assert!(seen.out.ends_with("5\nclaim/task/1\n"), "{seen:?}");
}

#[test]
fn what_is_bound_inside_a_run_lives_as_long_as_the_run() {
    let place = Place::with_board();
    let inside = "slate put alive/worker yes --ephemeral --quiet; slate claim deploy; slate lock build -- slate ls; \
                  slate claim deploy; echo $?; slate get alive/worker --json; cd /; slate put note here --quiet";
    let done = script(&place, "run --name worker", inside);
    assert!(done.out.contains("\nalive/worker\nbuild\ndeploy\n"), "{done:?}");
    assert!(
        done.err.contains("the session of this command itself") && done.out.contains("\n5\n"),
        "{done:?}"
    );
    assert!(done.out.contains("\"writer\":\"worker\""), "{done:?}");
    assert_eq!(place.slate("ls").ok(), "note\n", "what was bound has ended with the run");
    let log = place.slate("log --json").lines();
    assert!(log.iter().any(|event| event["mutations"][0]["kind"] == "detached"), "{log:?}");
    // Outside, nothing lasts longer than its command.
    place.slate("put k v --ephemeral").fails(2, &["--ephemeral", "slate run"]);
}

#[test]
fn a_run_that_is_killed_takes_along_what_is_bound_to_it_and_fences_what_goes_on() {
    let place = Place::with_board();
    let inside = "trap '' TERM; slate put alive/worker yes --ephemeral --quiet; slate claim deploy --quiet >claimed; \
                  echo ready; while [ ! -e go ]; do sleep 0.05; done; \
                  slate put k v; echo $?; slate put k v --session other --quiet; echo $?; slate get k; echo over";
    let mut child = ready(&place, "run --name worker", inside);
    assert_eq!(place.slate("ls").ok(), "alive/worker\ndeploy\n");
    child.kill();
    place.slate("claim deploy").ok();
    assert_eq!(place.slate("ls").ok(), "deploy\n");
    fs::write(place.folder().join("go"), "").expect("file");
    assert_eq!(child.read_lines(4), ["1", "0", "v", "over"]);
}

#[test]
fn a_session_that_is_no_session_of_this_board_is_refused() {
    let (place, other) = (Place::with_board(), Place::with_board());
    let keeps = session(&place, "keeps");
    let stale = session(&place, "stale").invite().expect("id").to_string();
    let elsewhere = session(&other, "elsewhere").invite().expect("id").to_string();
    let uninvited = keeps.id().to_string();
    let acts = |variable: &str, line: &str| {
        let run = place.command(line.split(' ')).env("SLATE_SESSION", variable).stdin(Stdio::null()).output();
        Done::from(run.expect("run"))
    };
    for line in
        ["put k v", "claim k", "release k", "lock k -- true", "update k --add 1", "put k v --ephemeral"]
    {
        for (variable, kind, status) in [
            (&stale, "has ended", 1),
            (&elsewhere, "not a session of this board", 1),
            (&uninvited, "lets nobody", 2),
        ] {
            acts(variable, line).fails(status, &[kind]);
        }
        for malformed in ["5", "5.17", "x.y@z", "5.17@"] {
            acts(malformed, line).fails(2, &["SLATE_SESSION", malformed]);
        }
    }
    let fenced = acts(&stale, "put k v --json");
    assert!(
        fenced.out.contains("\"kind\":\"fenced\"") && fenced.err.contains("unset SLATE_SESSION"),
        "{fenced:?}"
    );
    // An empty variable is none, and whoever gives a name writes under that.
    acts("", "put k v --quiet").ok();
    acts(&stale, "put k v --session me --quiet").ok();
    acts(&stale, "get k").ok();
    let lives = keeps.invite().expect("id").to_string();
    acts(&lives, "put k mine --quiet").ok();
    assert_eq!(keeps.get("k").expect("read").expect("value").writer.name, "keeps");
}

#[test]
fn a_claim_ends_by_its_token_or_its_time() {
    let place = Place::with_board();
    let token: u64 = place.slate("claim deploy").ok().trim().parse().expect("a token");
    let entry = place.slate("get deploy --json").json();
    assert!(entry["expires_in_ms"].as_u64().is_some_and(|left| left <= 60_000), "{entry}");
    place.slate("claim deploy").fails(5, &["slate holds the lease"]);
    place.slate("lock deploy -- true").fails(5, &["slate holds the lease"]);
    // It can be renewed.
    place.slate("touch deploy --ttl 1h --quiet --session another").ok();
    place.slate("release deploy").fails(2, &["--token"]);
    place.slate(&format!("release deploy --token {}", token + 1)).fails(5, &["holds the lease"]);
    assert_eq!(place.slate(&format!("release deploy --token {token}")).ok(), "released deploy\n");
    place.slate(&format!("release deploy --token {token}")).fails(3, &["not claimed"]);
    let document = place.slate("claim deploy --ttl 5m --json").json();
    assert_eq!((&document["key"], &document["ttl_ms"]), (&"deploy".into(), &300_000.into()));
    assert!(document["token"].as_u64() > Some(token) && document.get("session").is_none(), "{document}");
    let released = place.slate(&format!("release deploy --json --token {}", document["token"])).json();
    assert_eq!(released, serde_json::json!({"key": "deploy", "released": true}));
    assert_eq!(place.run(["claim", ""]).status, 2);
}

#[test]
fn the_next_task_is_the_first_that_nobody_has() {
    let place = Place::with_board();
    place.slate("claim --next task/").fails(3, &["no free task"]);
    for task in ["task/2", "task/1", "task/3"] {
        place.slate(&format!("put {task} paint --quiet")).ok();
    }
    // A key that ends by itself is no task.
    place.slate("put task/0 mark --ttl 1h --quiet").ok();
    let first = place.slate("claim --next task/").ok();
    let (token, key) = first.trim().split_once(' ').expect("a token and a key");
    assert_eq!((key, place.slate("get task/1").ok().as_str()), ("task/1", "paint\n"));
    place.slate("claim task/1").fails(5, &["holds the lease"]);
    assert_eq!(place.slate("claim --next task/ --json").json()["key"], "task/2");
    place.slate(&format!("release task/1 --token {token} --quiet")).ok();
    for next in ["task/1", "task/3"] {
        assert!(place.slate("claim --next task/").ok().ends_with(&format!(" {next}\n")), "{next}");
    }
    place.slate("claim --next task/").fails(3, &["no free task"]);
    // Inside a run, a claim needs no token, and ends with the run.
    place.slate("put job/1 paint --quiet").ok();
    let done =
        script(&place, "run", "slate claim --next job/ --json; slate release job/1; slate claim --next job/");
    let document: serde_json::Value =
        serde_json::from_str(done.out.lines().next().expect("line")).expect("json");
    assert!(document["session"].is_string() && document.get("ttl_ms").is_none(), "{document}");
    assert!(
        place.slate("claim --next job/").ok().ends_with(" job/1\n"),
        "the claim has outlived the run: {done:?}"
    );
}

#[test]
fn runs_and_locks_can_be_nested() {
    let place = Place::with_board();
    let inside = "slate lock a -- slate lock b -- slate run --name inner -- sh -c 'slate claim c --quiet; slate ls --long'; slate ls";
    let done = script(&place, "run --name outer", inside);
    let long: Vec<&str> =
        done.out.lines().filter(|line| line.contains("inner") || line.contains("outer")).collect();
    assert_eq!(long.len(), 3, "{done:?}");
    assert!(long[0].contains("outer") && long[2].contains("inner"), "{done:?}");
    assert_eq!(place.slate("ls").ok(), "", "{done:?}");
}

#[test]
fn a_stopped_session_is_evicted() {
    let place = Place::with_board();
    let mut child = ready(
        &place,
        "run --name stuck",
        "slate put alive yes --ephemeral --quiet; echo ready; exec sleep 100",
    );
    send(&child, Signal::STOP);
    let done = place.slate("evict stuck --json").json();
    assert_eq!((&done["done"], &done["pid"]), (&"killed".into(), &child.id().into()), "{done}");
    assert!(!child.is_running());
    assert_eq!((place.slate("ls").ok(), sessions(&place)), (String::new(), 0));
    place.slate("evict stuck").fails(3, &["no such session"]);
    place
        .slate(&format!("evict {}", done["session"].as_str().expect("numbers")))
        .fails(3, &["no such session"]);
    place.slate("evict 65000.1").fails(3, &["no such session"]);
    assert!(place.slate("evict 5.17 --json").out.contains("\"kind\":\"no_session\""));
    // A session whose process has ended is reaped.
    let mut child = ready(&place, "run --name dead", "echo ready; exec sleep 100");
    child.kill();
    assert!(place.slate("evict dead").ok().contains("had ended"));
    // A name that several sessions have names none of them.
    let (_one, _two) = (session(&place, "twice"), session(&place, "twice"));
    place.slate("evict twice").fails(2, &["several sessions", "0."]);
}

/// How many sessions are attached.
fn sessions(place: &Place) -> usize {
    place.slate("sessions --json").json()["sessions"].as_array().expect("a list").len()
}

/// Replaces words of a session's record.
fn forge(place: &Place, session: &Session, words: &[(usize, u64)]) {
    let file = region::open(&place.region(), region::Access::ReadWrite).expect("region");
    let at = file.geometry.session(session.index().into());
    for (word, value) in words {
        file.mapping.words()[at + word].store(*value, Ordering::Relaxed);
    }
}

#[test]
fn who_cannot_be_proved_to_be_a_session_is_not_killed() {
    let place = Place::with_board();
    let session = session(&place, "claimed");
    session.put_if("k", "v", Expect::Absent).expect("put");
    let mut bystander = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat");
    let pid = u64::from(bystander.id());
    let line = format!("evict {}.{} --timeout 0 --json", session.index(), session.incarnation());
    forge(&place, &session, &[(record::PID, pid), (record::PID_NAMESPACE, 1)]);
    let refused = place.slate(&line).fails(1, &["pid namespace", "cannot be evicted from here"]);
    assert!(refused.out.contains("\"kind\":\"unverified\""), "{refused:?}");
    // The id is another process's, so the session's has ended; its lock is held nevertheless.
    let own = region::ProcessIdentity::current();
    forge(&place, &session, &[(record::PID_NAMESPACE, own.pid_namespace)]);
    let timeout = place.slate(&line).fails(124, &["still held"]);
    assert!(timeout.out.contains("\"kind\":\"timeout\""), "{timeout:?}");
    // It lives: it still copies its input, and ends at the end of that.
    writeln!(bystander.stdin.as_ref().expect("input"), "still here").expect("the bystander was killed");
    drop(bystander.stdin.take());
    assert!(bystander.wait().expect("ended").success());
}
