//! Every failure is a message on standard error and, with `--json`, a document on standard output.

mod common;

use common::{Done, Place};
use serde_json::{Value, json};
use std::{
    fs::{self, OpenOptions},
    os::unix::{
        fs::{FileExt, PermissionsExt, symlink},
        net::UnixListener,
    },
};

/// The error of a command, which must fail with this status and kind.
#[track_caller]
fn error(done: Done, status: i32, kind: &str) -> Value {
    let done = done.fails(status, &[]);
    let last = done.out.lines().last().unwrap_or_default();
    let document: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no document: {done:?}"));
    let error = document["error"].clone();
    assert_eq!(error["kind"], kind, "{done:?}");
    let message = error["message"].as_str().expect("words");
    let words = done.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!message.is_empty() && words.contains(message), "{message:?} is not in {words:?}");
    error
}

#[test]
fn every_failure_of_every_command_is_a_document() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    place.slate("put words v").ok();
    for (line, status, kind) in [
        ("get none", 3, "no_key"),
        ("get k --at 99", 1, "future"),
        ("rm none", 3, "no_key"),
        ("rm k --if-version 9", 4, "conflict"),
        ("put k w --if-absent", 4, "conflict"),
        ("put k @missing", 1, "io"),
        ("put k { --codec json", 2, "usage"),
        ("put k v --ephemeral", 2, "usage"),
        ("touch none --ttl 1s", 3, "no_key"),
        ("update words --add 1", 1, "codec"),
        ("update words --merge {}", 1, "codec"),
        ("update words --exec false", 1, "failed"),
        ("ls --at 99", 1, "future"),
        ("wait k --timeout 10ms", 124, "timeout"),
        ("wait none --newer-than 3", 3, "no_key"),
        ("watch --timeout 10ms", 124, "timeout"),
        ("watch --session none --since 0 --timeout 10ms", 124, "timeout"),
        ("log --session none --last x", 2, "usage"),
        ("status --session me", 2, "usage"),
        ("rm --prefix=", 2, "usage"),
        ("status --board nowhere", 9, "not_found"),
        ("sessions --board nowhere", 9, "not_found"),
        ("release none --token 1", 3, "no_key"),
        ("evict none", 3, "no_session"),
        ("init", 1, "exists"),
        ("demo --kill 9", 2, "usage"),
        ("conjure", 2, "usage"),
        ("put", 2, "usage"),
    ] {
        let error = error(place.slate(&format!("{line} --json")), status, kind);
        let key = line.split(' ').nth(1).filter(|key| ["none", "k", "words"].contains(key));
        if ["no_key", "conflict", "codec"].contains(&kind) {
            assert_eq!(error["key"].as_str(), key, "{line}");
        }
        assert_eq!(error.get("current").is_some(), kind == "conflict", "{line}");
    }
    error(Place::empty().slate("ls --json"), 9, "not_found");
    // Without `--json`, standard output has only data.
    assert_eq!(place.slate("get none").fails(3, &["none"]).out, "");
    assert_eq!(place.slate("conjure").fails(2, &["conjure"]).out, "");
    assert_eq!(place.run(["get", "--", "--json"]).fails(3, &["--json"]).out, "");
}

#[test]
fn a_stream_says_what_it_leaves_out_in_a_line_of_its_own() {
    let place = Place::with_board();
    place.slate("put a first").ok();
    place.slate("put b second-and-damaged").ok();
    place.slate("put c third").ok();
    place.damage(b"second-and-damaged");
    let done = place.slate("log --json");
    assert!(done.status == 7 && done.err.contains("left out"), "{done:?}");
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    assert!(lines.iter().any(|line| line["error"]["kind"] == "corrupt"), "{done:?}");
    let generations: Vec<&Value> = lines.iter().filter_map(|line| line.get("generation")).collect();
    assert_eq!(generations, [&json!(1), &json!(3)]);
    let read = error(place.slate("get b --json"), 7, "corrupt");
    assert_eq!(read["key"], "b");
}

#[test]
fn what_is_not_a_board_is_said_to_be_that() {
    let place = Place::empty();
    let folder = place.folder();
    fs::write(folder.join("text"), "root:x:0:0\n".repeat(99)).expect("file");
    fs::write(folder.join("empty"), "").expect("file");
    fs::write(folder.join("short"), "hi").expect("file");
    fs::create_dir(folder.join("folder")).expect("folder");
    let _socket = UnixListener::bind(folder.join("socket")).expect("socket");
    let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().expect("mkfifo");
    assert!(pipe.success());
    for name in ["text", "empty", "short"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o644)).expect("mode");
    }
    for name in ["text", "empty", "short", "folder", "pipe", "/etc/passwd", "/dev/null", "/dev/zero"] {
        for line in ["get k", "put k v", "status", "ls", "init --ensure"] {
            let done = place.run(["--board", name].into_iter().chain(line.split(' ')));
            let done = done.fails(7, &["not a slateboard file", name]);
            assert!(!done.err.contains("chmod") && done.out.is_empty(), "{done:?}");
        }
    }
    // A socket cannot be opened, so it is rejected with another message.
    let done = place.slate("--board socket get k");
    assert!(done.status != 0 && !done.err.contains("chmod"), "{done:?}");
    assert_eq!(fs::read(folder.join("short")).expect("file"), b"hi");
}

#[test]
fn a_board_that_cannot_be_used_is_said_to_be_one() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let region = place.region();
    symlink(&region, place.folder().join("link")).expect("link");
    place.slate("--board link get k").fails(7, &["symbolic link"]);
    fs::set_permissions(&region, fs::Permissions::from_mode(0o644)).expect("mode");
    place.slate("get k").fails(7, &["chmod 600"]);
    fs::set_permissions(&region, fs::Permissions::from_mode(0o600)).expect("mode");
    let file = OpenOptions::new().write(true).open(&region).expect("region");
    let length = file.metadata().expect("region").len();
    file.set_len(length / 2).expect("cut");
    let cut = error(place.slate("get k --json"), 7, "corrupt");
    assert!(cut["path"].as_str().is_some_and(|path| path.ends_with("region")), "{cut}");
    file.set_len(100).expect("cut");
    error(place.slate("get k --json"), 7, "corrupt");
    let newer = Place::with_board();
    let file = OpenOptions::new().write(true).open(newer.region()).expect("region");
    file.write_all_at(&99u64.to_le_bytes(), 8).expect("written");
    let refused = error(newer.slate("get k --json"), 7, "incompatible");
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("format version 99")), "{refused}");
}
