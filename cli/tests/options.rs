//! Every option in the help has an effect.

mod common;

use common::{Done, Place};
use slateboard::{Board, Session};
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

/// A successful command line for each command.
const BASES: [(&str, &str); 21] = [
    ("put", "put k new"),
    ("get", "get k"),
    ("update", "update n --add 1"),
    ("touch", "touch k --ttl 1h"),
    ("rm", "rm k"),
    ("ls", "ls"),
    ("watch", "watch --since 0 --count 1"),
    ("wait", "wait k --newer-than 0"),
    ("log", "log"),
    ("diff", "diff 1"),
    ("completions", "completions bash"),
    ("man", "man"),
    ("status", "status"),
    ("sessions", "sessions"),
    ("lock", "lock deploy -- true"),
    ("run", "run -- true"),
    ("claim", "claim deploy"),
    ("release", "release held --token 4"),
    ("evict", "evict 99"),
    ("where", "where"),
    ("init", "init --ensure"),
];

/// The arguments with one more option, which stands before the command that they run.
fn with_option(base: &str, option: &str) -> String {
    match base.split_once(" -- ") {
        Some((own, command)) => format!("{own} {option} -- {command}"),
        None => format!("{base} {option}"),
    }
}

/// An option, and how its effect is observed.
struct Row {
    command: &'static str,
    option: &'static str,
    /// Arguments without the option; empty if the command would not end.
    base: &'static str,
    /// Arguments that are added.
    with: &'static str,
    /// The exit status with the option.
    status: i32,
    shows: Shows,
}

enum Shows {
    /// Words that appear only with the option: in the output of the command and, if it writes, also in the later output of
    /// `get` and `log` or in board.toml.
    Words(&'static str),
    /// Words that the command prints only without the option.
    No(&'static str),
    /// Exactly this output.
    Output(&'static str),
    /// An output that differs from the one without the option.
    Another,
}
use Shows::{Another, No, Output, Words};

const fn row(
    command: &'static str,
    option: &'static str,
    base: &'static str,
    with: &'static str,
    status: i32,
    shows: Shows,
) -> Row {
    Row { command, option, base, with, status, shows }
}

const IN_PROJECT: &str = "init --placement project --capacity 8M";

const ROWS: &[Row] = &[
    row("put", "--if-version", "put k new", "--if-version 9", 4, Words("expected version 9")),
    row("put", "--if-absent", "put k new", "--if-absent", 4, Words("expected nothing")),
    row("put", "--ttl", "put k new", "--ttl 1h", 0, Words("expires_in_ms")),
    row("put", "--codec", "put k 7", "--codec json", 0, Words("\"codec\":\"json\"")),
    row("get", "--at", "get k", "--at 1", 0, Output("one\n")),
    row("get", "--version-only", "get k", "--version-only", 0, Output("2\n")),
    row("get", "--raw", "get k", "--raw", 0, Output("two")),
    row("update", "--add", "update n", "--add 5", 0, Output("5\n")),
    row("update", "--merge", "update n", "--merge {\"a\":1}", 0, Output("{\"a\":1}\n")),
    row("update", "--append", "update n", "--append x", 0, Output("x\n")),
    row("update", "--exec", "update n", "--exec ./hello", 0, Output("hello\n")),
    row("update", "--attempts", "update k --exec ./beaten", "--attempts 3", 1, Words("after 3 attempts")),
    row("touch", "--ttl", "touch k", "--ttl 1h", 0, Words("expires_in_ms")),
    row("rm", "--if-version", "rm k", "--if-version 9", 4, Words("expected version 9")),
    row("rm", "--prefix", "", "rm --prefix task/", 0, Words("removed 1")),
    row("ls", "--long", "ls", "--long", 0, Words("WRITER")),
    row("ls", "--null", "ls", "--null", 0, Output("k\0task/1\0")),
    row("ls", "--at", "ls", "--at 1", 0, Output("k\n")),
    row("watch", "--since", "watch --count 1 --timeout 1s", "--since 0", 0, Words("one")),
    row("watch", "--count", "watch --since 0 --timeout 1s", "--count 1", 0, No("two")),
    row("watch", "--timeout", "", "watch --timeout 10ms", 124, Words("timeout: ")),
    row("wait", "--newer-than", "wait k --timeout 10ms", "--newer-than 0", 0, Output("two\n")),
    row("wait", "--timeout", "", "wait k --timeout 10ms", 124, Words("timeout: ")),
    row("log", "--since", "log", "--since 2", 0, No("one")),
    row("log", "--last", "log", "--last 1", 0, No("one")),
    row("diff", "--prefix", "diff 1", "--prefix task/", 0, No("two")),
    row("man", "--to", "man", "--to pages", 0, Words("pages/slate-put.1")),
    row("status", "--watch", "status --count 1", "--watch", 0, Words("generation 3")),
    row("status", "--count", "", "status --watch --count 1", 0, Words("generation 3")),
    row("demo", "--agents", "", "demo --agents 0", 2, Words("1..=64")),
    row("demo", "--kill", "", "demo --kill 9", 2, Words("--kill 9")),
    row("init", "--placement", "", IN_PROJECT, 0, Words("placement = \"project\"")),
    row("init", "--scope", IN_PROJECT, "--scope worktree", 0, Words("scope = \"worktree\"")),
    row("init", "--capacity", "init --placement project", "--capacity 16M", 0, Words("16 MiB")),
    row("init", "--history", IN_PROJECT, "--history 128", 0, Words("128 events")),
    row("init", "--keys", IN_PROJECT, "--keys 1000", 0, Another),
    row("init", "--sessions", IN_PROJECT, "--sessions 7", 0, Words("sessions  7")),
    row("init", "--replace", IN_PROJECT, "--replace", 0, Words("created  ")),
    row(
        "init",
        "--force",
        "init --placement project --capacity 8M --replace",
        "--force",
        0,
        Words("created  "),
    ),
    row("init", "--ensure", IN_PROJECT, "--ensure", 0, Words("existing ")),
    row("init", "--adopt", IN_PROJECT, "--adopt", 1, Words("is not a copy")),
];

/// Tested elsewhere: a command that does not end, what reads standard input or runs another command, and options about other
/// commands (`claims.rs`).
const ELSEWHERE: [(&str, &str); 12] = [
    ("log", "--follow"),
    ("put", "--ephemeral"),
    ("lock", "--ttl"),
    ("run", "--name"),
    ("claim", "--next"),
    ("claim", "--ttl"),
    ("release", "--token"),
    ("evict", "--timeout"),
    ("get", "--stdin0"),
    ("put", "--stdin"),
    ("put", "--stdin0"),
    ("watch", "--stop-on-failure"),
];
/// Options of every command.
const GLOBALS: [&str; 4] = ["--board", "--session", "--json", "--quiet"];

/// A place with a board, unless the row creates one. For `--force`, a session is attached.
fn place_for(row: &Row) -> (Place, Option<Session>) {
    if row.command == "init" && !matches!(row.option, "--replace" | "--force" | "--ensure" | "--adopt") {
        return (Place::empty(), None);
    }
    let place = Place::with_board();
    let board = Board::open(place.region()).expect("board");
    let session = board.attach("planner").expect("session");
    session.put_if("k", "one", slateboard::Expect::Absent).expect("put");
    session.put("task/1", "x").expect("put");
    session.put("k", "two").expect("put");
    let slate = env!("CARGO_BIN_EXE_slate");
    for (name, script) in [
        ("hello", "echo hello".to_owned()),
        ("beaten", format!("'{slate}' put k faster >/dev/null; echo slower")),
    ] {
        let path = place.folder().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
    }
    (place, Some(session).filter(|_| row.option == "--force"))
}

/// A place with a board and, for `release`, with a claim, whose token is the next generation.
fn place_with_claim(command: &str) -> Place {
    let (place, _) = place_for(&ROWS[0]);
    if command == "release" {
        assert_eq!(place.slate("claim held").ok(), "4\n");
    }
    place
}

/// The output of the command and, if it writes, the state of the board afterwards.
fn seen(place: &Place, done: &Done, writes: bool) -> String {
    if !writes {
        return [done.out.as_str(), &done.err].concat();
    }
    let record = fs::read_to_string(place.folder().join(".slate/board.toml")).unwrap_or_default();
    let after = ["get k --json", "log --last 1 --json"].map(|line| place.slate(line).out);
    [done.out.as_str(), &done.err, &record, &after[0], &after[1]].concat()
}

fn check(row: &Row) {
    let Row { command, option, base, with, status, shows } = row;
    let without = (!base.is_empty()).then(|| {
        let (place, _attached) = place_for(row);
        let done = place.slate(base);
        (seen(&place, &done, writes(command)), done.out.replace(&place.folder().display().to_string(), ""))
    });
    let (place, _attached) = place_for(row);
    let line = if base.is_empty() { (*with).to_owned() } else { format!("{base} {with}") };
    let done = place.slate(&line);
    assert_eq!(done.status, *status, "{line}: {done:?}");
    let now = seen(&place, &done, writes(command));
    let out = done.out.replace(&place.folder().display().to_string(), "");
    let shown = match (shows, without) {
        (Words(words), without) => {
            now.contains(words) && without.is_none_or(|(seen, _)| !seen.contains(words))
        }
        (No(words), without) => !out.contains(words) && without.is_some_and(|(_, out)| out.contains(words)),
        (Output(output), without) => out == *output && without.is_none_or(|(_, out)| out != *output),
        (Another, without) => without.is_some_and(|(_, before)| before != out),
    };
    assert!(shown, "{command} {option} has no effect: {line}: {done:?}");
}

/// The options of a command, from its help.
fn offered(place: &Place, command: &str) -> BTreeSet<String> {
    let help = place.run([command, "--help"]).ok();
    let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    let words = lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")));
    words.map(str::to_owned).filter(|option| option != "--help").collect()
}

#[test]
fn each_option_of_each_command_is_in_the_table() {
    let place = Place::empty();
    let help = place.slate("--help").ok();
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line with a deeper indentation continues the previous one.
    let named = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let commands: Vec<&str> = named.filter_map(|line| line.split(' ').next()).collect();
    assert!(commands.len() > 12, "{commands:?}");
    for command in commands {
        let known = ROWS.iter().map(|row| (row.command, row.option)).chain(ELSEWHERE);
        let own = known.filter(|(of, _)| *of == command).map(|(_, option)| option);
        let known: BTreeSet<String> = own.chain(GLOBALS).map(str::to_owned).collect();
        assert_eq!(offered(&place, command), known, "{command}");
    }
}

#[test]
fn options_of_reading_commands_do_something() {
    ROWS.iter().filter(|row| !writes(row.command)).for_each(check);
}

#[test]
fn options_of_writing_commands_do_something() {
    ROWS.iter().filter(|row| writes(row.command)).for_each(check);
}

fn writes(command: &str) -> bool {
    ["put", "update", "touch", "rm", "init"].contains(&command)
}

#[test]
fn every_command_takes_a_board() {
    let row = &ROWS[0];
    let (place, _attached) = place_for(row);
    for (_, base) in BASES.iter().filter(|(command, _)| !["init", "completions", "man"].contains(command)) {
        place.slate(&with_option(base, "--board nowhere")).fails(9, &["nowhere"]);
    }
    place.slate("init --ensure --board mine --capacity 8M").ok();
    assert!(place.folder().join("mine").is_file());
    place.slate("demo --board mine").fails(2, &["--board"]);
}

#[test]
fn a_session_is_a_writer_a_filter_or_refused() {
    // A watch for a session that never writes does not end.
    for (command, base) in BASES.into_iter().filter(|(command, _)| *command != "watch") {
        let place = place_with_claim(command);
        let done = place.slate(&with_option(base, "--session me"));
        match command {
            "put" | "update" | "touch" | "rm" | "lock" | "claim" | "release" => {
                assert_eq!(
                    place.slate("log --last 1 --json").lines()[0]["writer"],
                    "me",
                    "{command} {done:?}"
                );
            }
            "log" => assert_eq!(done.ok(), ""),
            _ => drop(done.fails(2, &["--session"])),
        }
    }
    let (place, _) = place_for(&ROWS[0]);
    place.slate("put k mine --session me").ok();
    let events = place.slate("watch --since 0 --count 1 --session me --json").lines();
    assert_eq!((&events[0]["writer"], &events[0]["generation"]), (&"me".into(), &4.into()));
    place.slate("watch --since 0 --count 2 --session me --timeout 1s").fails(124, &["1 of 2"]);
}

#[test]
fn documents_and_silence_of_every_command() {
    // What `lock` and `run` print is the command's; `claims.rs` has what a session to evict needs.
    let own = BASES.into_iter().filter(|(command, _)| !["lock", "run", "evict"].contains(command));
    for (command, base) in own {
        let place = place_with_claim(command);
        let documents = place.slate(&with_option(base, "--json")).lines();
        assert!(!documents.is_empty() && documents.iter().all(serde_json::Value::is_object), "{command}");
        let (place, quiet) = (place_with_claim(command), place_with_claim(command));
        let loud = place.slate(base).out.replace(&place.folder().display().to_string(), "");
        let done = quiet.slate(&with_option(base, "--quiet"));
        assert_eq!(done.err, "", "{command}");
        match command {
            // The times and names in their output differ.
            "watch" | "log" | "status" | "where" => assert!(!done.ok().is_empty(), "{command}"),
            _ if writes(command) || command == "release" => assert_eq!(done.ok(), "", "{command}"),
            _ => assert_eq!(done.ok(), loud, "{command}"),
        }
    }
}

#[test]
fn what_cannot_be_is_refused_and_not_offered() {
    let (place, _) = place_for(&ROWS[0]);
    place.slate("put k v --ephemeral").fails(2, &["--ephemeral", "--ttl"]);
    place.slate("put k v --ttl 0").fails(2, &["--ttl", "greater than zero"]);
    place.slate("put k v --ttl -5s").fails(2, &["--ttl", "must not be negative"]);
    place.slate("watch --since -1").fails(2, &["--since", "must not be negative"]);
    place.slate("get k --at 1.5").fails(2, &["--at", "whole number"]);
    place.slate("update k --attempts 0 --add 1").fails(2, &["--attempts"]);
    place.slate("update k --add 1.5").fails(2, &["--add", "whole number"]);
    place.slate("update k --add 9223372036854775808").fails(2, &["--add", "64 bits"]);
    place.slate("ls --null --json").fails(2, &["cannot be used with"]);
    for capacity in ["0", "-1", "99999999999G", "many"] {
        Place::empty().run(["init", "--capacity", capacity]).fails(2, &["capacity"]);
    }
    assert_eq!(place.slate("get k").ok(), "two\n");
}
