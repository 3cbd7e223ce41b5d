//! The commands put, get, update, rm and ls.

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
    let error = &document["error"];
    assert_eq!((&error["kind"], &error["key"]), (&json!("conflict"), &json!("k")));
    assert_eq!((&error["current"]["value"], &error["current"]["version"]), (&json!("first"), &json!(1)));
    let refused = place.slate("put missing v --if-version 1 --json").fails(4, &[]);
    let document: serde_json::Value = serde_json::from_str(&refused.out).expect("json");
    assert_eq!(document["error"].get("current"), Some(&json!(null)));
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
    place.slate("put at @@name").ok();
    assert_eq!(place.slate("get at").ok(), "@name\n");
    place.with_input("put empty -", b"").ok();
    assert_eq!(place.slate("get empty --raw").ok(), "");
    place.slate("put k @missing").fails(1, &["missing", "@@"]);
    place.slate("put k @.").fails(2, &["folder"]);
    place.slate("put k @/dev/null").fails(2, &["device", "`-`"]);
    place.run(["put", "given", ""]).ok();
    assert_eq!(place.slate("get given --raw").ok(), "");
}

#[test]
fn a_missing_value_is_not_read_from_standard_input() {
    let place = Place::with_board();
    place.slate("put plan kept").ok();
    place.with_input("put plan", b"lines that a loop reads\n").fails(2, &["VALUE|-|@FILE"]);
    for line in ["update plan --merge", "update plan --append", "update plan --exec", "update plan --add"] {
        place.with_input(line, b"1").fails(2, &["value is required"]);
    }
    place.run(["update", "plan", "--exec", " "]).fails(2, &["empty"]);
    place.run(["update", "plan", "--merge", ""]).fails(2, &["not JSON"]);
    assert_eq!(place.slate("get plan --json").json()["version"], 1);
    // A command does not consume the standard input of its script.
    let script = format!(
        "printf 'a\\nb\\n' | while read key; do '{0}' put $key v; '{0}' update n --add 1; '{0}' get $key; done",
        env!("CARGO_BIN_EXE_slate")
    );
    let ran = std::process::Command::new("sh").args(["-c", &script]).current_dir(place.folder()).output();
    assert!(ran.expect("script").status.success());
    assert_eq!(place.slate("get n").ok(), "2\n");
    assert_eq!(place.slate("ls").ok(), "a\nb\nn\nplan\n");
}

#[test]
fn input_is_read_up_to_what_a_value_may_have() {
    let place = Place::with_board();
    let limit = "1048576 bytes";
    let endless = |args: &[&str]| {
        let zero = fs::File::open("/dev/zero").expect("zeros");
        common::Done::from(place.command(args).stdin(zero).output().expect("run"))
    };
    endless(&["put", "k", "-"]).fails(2, &["standard input", limit]);
    endless(&["update", "k", "--append", "-"]).fails(2, &["standard input", limit]);
    endless(&["update", "k", "--merge", "-"]).fails(2, &["standard input", limit]);
    place.run(["update", "k", "--exec", "cat /dev/zero"]).fails(2, &["cat /dev/zero", limit]);
    let file = fs::File::create(place.folder().join("large")).expect("file");
    file.set_len(1 << 40).expect("a hole");
    place.slate("put k @large").fails(2, &["large", limit]);
    file.set_len(1 << 20).expect("shorter");
    place.slate("put k @large").ok();
    place.slate("update k --append x").fails(2, &["\"k\"", "1048576"]);
    assert_eq!(place.slate("get k --json").json()["version"], 1);
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
    let refused = place.run(["put", &long, "v", "--json"]).fails(2, &["1024"]);
    let document: serde_json::Value = serde_json::from_str(&refused.out).expect("json");
    assert_eq!(
        (&document["error"]["kind"], &document["error"]["key"]),
        (&json!("invalid_key"), &json!(long))
    );
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
fn what_is_over_is_shown_where_it_stood() {
    let place = Place::with_board();
    place.slate("put k first").ok();
    place.slate("put k second --ttl 1us").ok();
    place.slate("get k").fails(3, &[]);
    place.slate("wait k --newer-than 2 --timeout 60s").fails(3, &[]);
    assert_eq!(place.slate("ls").ok(), "");
    assert_eq!(
        (place.slate("get k --at 1").ok().as_str(), place.slate("ls --at 1").ok().as_str()),
        ("first\n", "k\n")
    );
    assert_eq!(place.slate("get k --at 2").ok(), "second\n");
    let entry = place.slate("ls --at 2 --json").json()["entries"][0].clone();
    assert_eq!((&entry["version"], &entry["expires_in_ms"]), (&json!(2), &json!(0)));
    // The next put publishes the end first.
    place.slate("put k third").ok();
    let events = place.slate("log --json").lines();
    let kinds: Vec<_> = events.iter().map(|event| event["mutations"][0]["kind"].clone()).collect();
    assert_eq!(kinds, ["put", "put", "expire", "put"]);
    place.slate("get k --at 3").fails(3, &[]);
    assert_eq!(place.slate("get k --at 4").ok(), "third\n");
}

#[test]
fn updates_of_every_kind() {
    let place = Place::with_board();
    assert_eq!(place.slate("update n --add 5").ok(), "5\n");
    assert_eq!(place.slate("update n --add -7").ok(), "-2\n");
    assert_eq!(place.slate("get n").ok(), "-2\n");
    let updated = place.slate("update n --add 1 --json").json();
    assert_eq!(
        (&updated["key"], &updated["value"], &updated["version"], &updated["generation"]),
        (&json!("n"), &json!("-1"), &json!(3), &json!(3))
    );
    assert_eq!(place.slate("update n --add 1 --quiet").ok(), "");
    assert_eq!(place.slate("update notes --append one").ok(), "one\n");
    assert_eq!(place.with_input("update notes --append -", b",two").ok(), "one,two\n");
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
    place.slate("update k --add 1").fails(1, &["\"k\"", "integer", "not changed"]);
    place.slate("update k --merge {}").fails(1, &["\"k\"", "JSON"]);
    place.run(["update", "k", "--exec", "echo no; exit 3"]).fails(1, &["exit 3", "was not changed"]);
    place.run(["put", "big", &i64::MAX.to_string()]).ok();
    place.slate("update big --add 1").fails(1, &["64 bits"]);
    for (number, word) in
        [("9223372036854775808", "64 bits"), ("1.5", "integer"), ("1e3", "integer"), ("", "integer")]
    {
        place.run(["put", "number", number]).ok();
        place.slate("update number --add 1").fails(1, &["\"number\"", word]);
        assert_eq!(place.slate("get number --raw").ok(), number);
    }
    assert_eq!(place.slate("get k --json").json()["version"], 1);
}

#[test]
fn a_merge_changes_what_it_names_and_nothing_else() {
    let place = Place::with_board();
    let kept = r#""z":12345678901234567890123,"a":1.0,"e":1E400,"u":"\u00e4","list":[1.10, 2],"z":0.10"#;
    place.run(["put", "doc", &format!("{{{kept},\"named\":{{\"x\":1.50}}}}")]).ok();
    let merged = format!("{{{kept},\"named\":{{\"x\":1.50,\"y\":9007199254740993.0}}}}\n");
    let patch = r#"{"named":{"y":9007199254740993.0}}"#;
    assert_eq!(place.run(["update", "doc", "--merge", patch]).ok(), merged);
    assert_eq!(place.slate("get doc").ok(), merged);
    fs::write(place.folder().join("patch"), r#"{"named":null,"list":null}"#).expect("patch");
    place.slate("update doc --merge @patch").ok();
    place.with_input("update doc --merge -", br#"{"e":2.00}"#).ok();
    let rest = r#"{"z":12345678901234567890123,"a":1.0,"e":2.00,"u":"\u00e4","z":0.10}"#;
    assert_eq!(place.slate("get doc").ok(), format!("{rest}\n"));
    place.run(["put", "text", &format!("{rest}\n"), "--codec", "json"]).ok();
    assert_eq!(place.slate("get text --raw").ok(), format!("{rest}\n"), "a put changes nothing at all");
}

#[test]
fn an_update_keeps_what_it_does_not_change() {
    let place = Place::with_board();
    let board = slateboard::Board::open(place.region()).expect("board");
    let owner = board.attach("owner").expect("session");
    let options = slateboard::PutOptions::new().ttl(std::time::Duration::from_secs(3_600)).ephemeral(true);
    owner.put_with("k", "1", options).expect("put");
    let before = owner.get("k").expect("read").expect("entry");
    for change in [&["--add", "1"][..], &["--append", "0"], &["--exec", "cat"], &["--merge", "7"]] {
        place.run([&["update", "k"], change].concat()).ok();
        let after = owner.get("k").expect("read").expect("entry");
        assert_eq!(after.writer.name, "slate");
        assert_eq!(
            (after.deadline, after.ephemeral, after.codec),
            (before.deadline, before.ephemeral.clone(), before.codec)
        );
    }
    let entry = place.slate("get k --json").json();
    assert_eq!(
        (&entry["value"], &entry["ephemeral"], &entry["version"]),
        (&json!("7"), &json!("owner"), &json!(5))
    );
    assert_eq!(place.slate("touch k --ttl 2h").ok(), "version 6 generation 6\n");
    let entry = place.slate("get k --json").json();
    assert!(entry["expires_in_ms"].as_u64().is_some_and(|left| left > 3_600_000), "{entry}");
    assert_eq!((&entry["value"], &entry["ephemeral"]), (&json!("7"), &json!("owner")));
    drop(owner);
    place.slate("get k").fails(3, &[]);
    place.slate("touch k --ttl 1h").fails(3, &["\"k\""]);
}

#[test]
fn how_a_value_is_encoded_stays_as_long_as_it_is_true() {
    let place = Place::with_board();
    place.run(["put", "k", "{}", "--codec", "json"]).ok();
    let codec = |change: &[&str]| {
        let args = [&["update", "k"], change, &["--json"]].concat();
        place.run(args).json()["codec"].as_str().expect("codec").to_owned()
    };
    assert_eq!(codec(&["--merge", r#"{"a":1}"#]), "json");
    assert_eq!(codec(&["--append", "x"]), "utf8");
    assert_eq!(codec(&["--exec", r"printf '\377'"]), "raw");
    let entry = place.run(["update", "k", "--append", "x", "--json"]).json();
    assert_eq!((&entry["value"], &entry["encoding"]), (&json!("/3g="), &json!("base64")));
}

#[test]
fn an_update_that_is_always_beaten_ends() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let beaten =
        format!("echo >> runs; '{}' put k faster > /dev/null; echo slower", env!("CARGO_BIN_EXE_slate"));
    let refused = place.run(["update", "k", "--exec", &beaten, "--json"]).fails(1, &["16 attempts"]);
    let document: serde_json::Value = serde_json::from_str(&refused.out).expect("json");
    assert_eq!(document["error"]["kind"], "retries_exhausted");
    assert_eq!(document["error"]["current"]["value"], "faster");
    assert_eq!(fs::read_to_string(place.folder().join("runs")).expect("runs").len(), 16);
}

#[test]
fn version_0_is_that_of_no_key() {
    let place = Place::with_board();
    assert_eq!(place.slate("put k first --if-version 0").ok(), "version 1 generation 1\n");
    let refused = place.slate("put k second --if-version 0").fails(4, &["expected nothing"]);
    assert!(refused.out.contains("first"), "{refused:?}");
    place.slate("rm k --if-version 0").fails(4, &["expected nothing"]);
    place.slate("rm none --if-version 0").fails(3, &["none"]);
    place.slate("rm k --if-version 1").ok();
    place.slate("put k third --if-version 0").ok();
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
fn different_keys_look_different() {
    let place = Place::with_board();
    let session = slateboard::Board::open(place.region()).expect("board").attach("w").expect("session");
    for key in ["a\nb", "a\\nb", "a\u{202e}b"] {
        session.put(key, "").expect("put");
    }
    assert_eq!(place.slate("ls").ok(), "a\\nb\na\\\\nb\na\\u{202e}b\n");
    assert_eq!(place.slate("ls -0").ok(), "a\nb\0a\\nb\0a\u{202e}b\0");
    assert_eq!(place.slate("ls --json").json()["entries"][0]["key"], "a\nb");
    let watched = place.slate("watch --since 0 --count 2").ok();
    let shown: Vec<&str> = watched.lines().filter_map(|line| line.split_whitespace().nth(4)).collect();
    assert_eq!(shown, ["a\\nb", "a\\\\nb"]);
}

#[test]
fn a_long_key_is_whole_and_comes_last() {
    let place = Place::with_board();
    let long = "x".repeat(1_024);
    place.run(["put", &long, "long"]).ok();
    place.run(["put", "short", "value"]).ok();
    let text = place.slate("ls --long").ok();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with("  KEY") && lines[1].ends_with("  short") && lines[2].ends_with(&long),
        "{text}"
    );
    assert!(lines[0].len() < 110 && lines[1].len() < 110, "{text}");
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
