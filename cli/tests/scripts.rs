//! Commands that scripts and shells use: diff, watch with a command, log --follow, completions, man.

mod common;

use common::Place;
use serde_json::{Value, json};
use std::{fs, process::Command};

#[test]
fn a_diff_tells_what_became_of_each_key() {
    let place = Place::with_board();
    for line in [
        "put same x",
        "put a 1 --session planner",
        "put b 2",
        "put a 3 --session worker",
        "rm b",
        "put c x",
        "put d x",
        "rm d",
    ] {
        place.slate(line).ok();
    }
    let document = place.slate("diff 3 --json").json();
    assert_eq!((&document["from"], &document["to"]), (&json!(3), &json!(8)));
    assert!(document.get("error").is_none());
    let changes = document["changes"].as_array().expect("changes");
    let told: Vec<_> = changes
        .iter()
        .map(|change| [&change["kind"], &change["key"], &change["generation"], &change["writer"]])
        .collect();
    assert_eq!(
        json!(told),
        json!([["changed", "a", 4, "worker"], ["removed", "b", 5, "slate"], ["added", "c", 6, "slate"],])
    );
    assert_eq!((&changes[0]["before"]["value"], &changes[0]["after"]["value"]), (&json!("1"), &json!("3")));
    assert_eq!((&changes[1]["before"]["version"], &changes[1]["after"]), (&json!(1), &Value::Null));
    assert_eq!((&changes[2]["before"], &changes[2]["after"]["generation"]), (&Value::Null, &json!(6)));
    let text = place.slate("diff 3").ok();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["changed", "v1", "v2", "worker", "1", "3", "a"]);
    assert_eq!(lines[2], ["removed", "v1", "-", "slate", "2", "-", "b"]);
    // Each is as it stood at its generation.
    let past = place.slate("diff 0 3 --json").json();
    assert_eq!(past["changes"][0]["after"]["value"], "1", "{past}");
    assert_eq!(place.slate("diff 3 --prefix c --json").json()["changes"].as_array().map(Vec::len), Some(1));
    let none = place.slate("diff 6");
    assert_eq!(
        (none.status, none.out.as_str(), none.err.as_str()),
        (0, "", "no key differs between generations 6 and 8\n")
    );
    assert_eq!(place.slate("diff 8 --json").json()["changes"], json!([]));
}

#[test]
fn a_diff_that_cannot_be_made_says_why() {
    let place = Place::with_board();
    place.slate("put a 1").ok();
    place.slate("put b damaged-value").ok();
    place.slate("put c 1").ok();
    place.slate("diff 3 1").fails(2, &["diff 1 3"]);
    place.slate("diff -1").fails(2, &["must not be negative"]);
    place.slate("diff").fails(2, &["<GENERATION>"]);
    for line in ["diff 9", "diff 1 9", "diff 9 1"] {
        place.slate(line).fails(1, &["generation 9 has not happened yet"]);
    }
    place.slate("diff 1 --session me").fails(2, &["--session"]);
    Place::empty().slate("diff 1").fails(9, &["slate init"]);
    place.slate("diff 1 --board /etc/passwd").fails(7, &["not a slateboard file"]);
    place.damage(b"damaged-value");
    let done = place.slate("diff 0 --json").fails(7, &["one change was left out"]);
    let document: Value = serde_json::from_str(&done.out).expect("document");
    assert_eq!(document["error"]["kind"], "corrupt");
    let keys: Vec<&Value> =
        document["changes"].as_array().expect("changes").iter().map(|change| &change["key"]).collect();
    assert_eq!(keys, ["a", "c"]);
}

#[test]
fn a_diff_says_what_left_the_history() {
    let place = Place::with_board_of(&["--history", "64"]);
    let session = slateboard::Board::open(place.region()).expect("board").attach("writer").expect("session");
    session.put("old", "x").expect("put");
    for n in 0..500 {
        session.put("k", n.to_string()).expect("put");
    }
    let done = place.slate("diff 0 --json").fails(1, &["left the history", "generations 1 to"]);
    let document: Value = serde_json::from_str(&done.out).expect("document");
    let from = document["from"].as_u64().expect("from");
    let error = &document["error"];
    assert_eq!(
        (&error["kind"], &error["missed"], &error["resume_at"]),
        (&json!("lagged"), &json!(from), &json!(from))
    );
    let changes = document["changes"].as_array().expect("changes");
    assert_eq!(
        (changes.len(), &changes[0]["key"], &changes[0]["after"]["value"]),
        (1, &json!("k"), &json!("499"))
    );
    assert_eq!(changes[0]["before"]["generation"], from);
    let text = place.slate("diff 0").fails(1, &["left the history"]).out;
    assert_eq!(text.lines().count(), 2, "{text}");
    // Neither generation is there.
    let done = place.slate("diff 1 2 --json").fails(1, &["generation 2 has left the history"]);
    let document: Value = serde_json::from_str(&done.out).expect("document");
    assert_eq!(document["error"]["kind"], "lagged");
}

#[test]
fn a_command_gets_each_event() {
    let place = Place::with_board();
    place.slate("put task/1 open --session planner").ok();
    place.slate("put other x").ok();
    place.slate("rm task/1").ok();
    let script = "echo $SLATE_GENERATION $SLATE_WRITER $SLATE_KIND $SLATE_KEY $SLATE_VERSION $SLATE_MISSED $SLATE_TIME; cat";
    let arguments = ["watch", "task/", "--since", "0", "--count", "2", "--", "sh", "-c", script];
    let text = place.run(arguments).ok();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("1 planner put task/1 1 0 20")
            && lines[2].starts_with("3 slate remove task/1 2 0 20"),
        "{text}"
    );
    let logged = place.slate("log task/ --json").ok();
    assert_eq!([lines[1], lines[3]], *logged.lines().collect::<Vec<_>>());
    // The command uses the same board, wherever it runs.
    let slate = env!("CARGO_BIN_EXE_slate");
    let nested = format!("cd / && '{slate}' put seen/$SLATE_GENERATION $SLATE_KEY");
    place
        .run(["--board", ".slate/region", "watch", "--since", "0", "--count", "2", "--", "sh", "-c", &nested])
        .ok();
    assert_eq!(place.slate("get seen/2").ok(), "other\n");
    // One at a time: each sees what the one before has left.
    let count = "echo x >> runs; test $(wc -l < runs) = $SLATE_GENERATION";
    place.run(["watch", "--since", "0", "--count", "3", "--", "sh", "-c", count]).ok();
    let of_planner = [
        "watch",
        "--since",
        "0",
        "--count",
        "1",
        "--session",
        "planner",
        "--",
        "sh",
        "-c",
        "echo $SLATE_WRITER",
    ];
    assert_eq!(place.run(of_planner).ok(), "planner\n");
    // A command that does not read a large event does not hang, and neither does the watch.
    place.with_input("put big -", "x".repeat(900_000).as_bytes()).ok();
    place.slate("watch big --since 0 --count 1 -- true").ok();
}

#[test]
fn a_command_that_fails_is_told_and_ends_the_watch_only_if_asked_to() {
    let place = Place::with_board();
    for n in 0..3 {
        place.slate(&format!("put task/{n} x")).ok();
    }
    let fails_once =
        ["watch", "--since", "0", "--count", "3", "--json", "--", "sh", "-c", "test $SLATE_KEY != task/1"];
    let done = place.run(fails_once).fails(1, &["generation 2", "exit status: 1", "1 of 3 runs"]);
    let document: Value = serde_json::from_str(&done.out).expect("one document");
    assert_eq!((&document["error"]["kind"], &document["error"]["key"]), (&json!("failed"), &json!("task/1")));
    let stops = [
        "watch",
        "--since",
        "0",
        "--stop-on-failure",
        "--",
        "sh",
        "-c",
        "echo $SLATE_KEY; test $SLATE_KEY != task/1",
    ];
    assert_eq!(place.run(stops).fails(1, &["generation 2"]).out, "task/0\ntask/1\n");
    place
        .run(["watch", "--since", "0", "--stop-on-failure", "--", "sh", "-c", "kill -9 $$"])
        .fails(1, &["signal: 9"]);
    place.slate("watch --since 0 -- ./missing").fails(1, &["cannot run the command \"./missing\""]);
    place.slate("watch --stop-on-failure").fails(2, &["COMMAND"]);
    place.slate("watch --since 0 --timeout 1s --count 9 -- true").fails(124, &["3 of 9"]);
    place.slate("watch --board /etc/passwd -- true").fails(7, &["not a slateboard file"]);
    Place::empty().slate("watch -- true").fails(9, &["slate init"]);
}

#[test]
fn a_command_hears_how_many_events_were_missed() {
    let place = Place::with_board_of(&["--history", "64"]);
    let session = slateboard::Board::open(place.region()).expect("board").attach("writer").expect("session");
    for _ in 0..500 {
        session.put("k", "v").expect("put");
    }
    let script = "echo $SLATE_GENERATION $SLATE_MISSED";
    let done = place.run(["watch", "--since", "1", "--count", "2", "--", "sh", "-c", script]);
    assert!(done.status == 0 && done.err.contains("missed"), "{done:?}");
    let numbers: Vec<u64> = done.out.split_whitespace().map(|word| word.parse().expect("number")).collect();
    assert_eq!(numbers[0], numbers[1] + 2, "the events 2 to {} were missed", numbers[0] - 1);
    assert_eq!(numbers[2..], [numbers[0] + 1, 0]);
}

#[test]
fn following_ends_when_the_board_goes_or_the_reader_does() {
    let place = Place::with_board();
    place.slate("put k 1").ok();
    let slate = env!("CARGO_BIN_EXE_slate");
    let line = format!("'{slate}' log --follow --since 0 | head -1; exit ${{PIPESTATUS[0]}}");
    let shell = Command::new("bash")
        .args(["-c", &line])
        .current_dir(place.folder())
        .env_remove("SLATE_BOARD")
        .output();
    let shell = shell.expect("bash");
    assert!(shell.status.success() && shell.stdout.starts_with(b"1 "), "{shell:?}");
    let mut log = place.background("log --follow --since 0");
    assert_eq!(log.read_lines(1).len(), 1);
    place.slate("init --replace --force --placement project --capacity 8M").ok();
    log.finish().fails(9, &[]);
    Place::empty().slate("log --follow").fails(9, &["slate init"]);
    place.slate("log --follow --board /etc/passwd").fails(7, &["not a slateboard file"]);
    place.slate("log --follow --since x").fails(2, &["--since"]);
}

#[test]
fn completions_offer_what_help_shows() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.slate(&format!("completions {shell}")).ok();
        assert!(script.contains("diff") && script.contains("stop-on-failure"), "{shell}");
        assert!(!script.contains("demo-agent") && !script.contains("demo-sweep"), "{shell}");
        let document = place.slate(&format!("completions {shell} --json")).json();
        assert_eq!((&document["shell"], &document["script"]), (&json!(shell), &json!(script)));
    }
    // Bash itself completes by it.
    let script = place.folder().join("script");
    fs::write(&script, place.slate("completions bash").ok()).expect("script");
    let complete = |words: &str, at: usize| {
        let before = at - 1;
        let line = format!(
            "source ./script; COMP_WORDS=({words}); COMP_CWORD={at}; _slate slate \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{before}]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &line])
            .current_dir(place.folder())
            .output()
            .expect("bash");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    assert_eq!(complete("slate di", 1), "diff");
    assert_eq!(complete("slate init --placement pro", 3), "project");
    assert_eq!(complete("slate get --version", 2), "--version-only");
    place.slate("completions").fails(2, &["<SHELL>"]);
    place.slate("completions cmd").fails(2, &["bash", "zsh"]);
    let full = Command::new("sh")
        .args(["-c", &format!("'{}' completions bash >/dev/full", env!("CARGO_BIN_EXE_slate"))])
        .output();
    assert_eq!(full.expect("sh").status.code(), Some(1));
}

#[test]
fn manual_pages_of_every_command() {
    let place = Place::empty();
    let page = place.slate("man").ok();
    assert!(
        page.contains(".TH slate 1") && page.contains("slate\\-diff(1)") && !page.contains("demo\\-agent"),
        "{page}"
    );
    let put = place.slate("man put").ok();
    assert!(put.contains(".TH slate-put 1") && put.contains("slate put task/42 open"), "{put}");
    let document = place.slate("man put --json").json();
    assert_eq!((&document["page"], &document["text"]), (&json!("slate-put.1"), &json!(put)));
    let paths = place.slate("man --to pages/man1").ok();
    assert_eq!(fs::read_to_string(place.folder().join("pages/man1/slate-put.1")).expect("page"), put);
    let written = fs::read_dir(place.folder().join("pages/man1")).expect("folder").count();
    assert_eq!((paths.lines().count(), written > 15), (written, true));
    let document = place.slate("man --to pages/man1 --json").json();
    assert_eq!(
        (&document["folder"], document["pages"].as_array().map(Vec::len)),
        (&json!("pages/man1"), Some(written))
    );
    assert_eq!(place.slate("man --to other --quiet").ok(), "");
    place.slate("man conjure").fails(2, &["conjure"]);
    place.slate("man demo-agent").fails(2, &["demo-agent"]);
    place.slate("man put --to pages").fails(2, &["cannot be used with"]);
    fs::write(place.folder().join("file"), "").expect("file");
    place.slate("man --to file/pages").fails(1, &["file/pages"]);
}
