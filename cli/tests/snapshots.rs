//! The help and the output of every command, as sessions at a shell in `cli/tests/snapshots`. Standard error is marked by `!`,
//! an exit status other than 0 by `?`. Times, uuids, paths and what depends on the machine are replaced.
//!
//! After a wanted change, `INSTA_UPDATE=always cargo test -p slateboard-cli --test snapshots` writes the files again; the
//! difference is then reviewed like any other.

mod common;

use common::Place;
use std::fmt::Write;

/// The visible commands, from the help.
fn commands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line with a deeper indentation continues the previous one.
    let named = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    named.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Runs the commands one after the other. A line may have input after ` < `.
fn session(place: &Place, lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let (command, input) = line.split_once(" < ").unwrap_or((line, ""));
        let done = place.with_input(command, input.replace("\\0", "\0").as_bytes());
        writeln!(text, "$ slate {line}").expect("text");
        text.push_str(&done.out.replace('\0', "\\0"));
        if !done.out.is_empty() && !done.out.ends_with('\n') {
            text.push('\n');
        }
        done.err.lines().for_each(|line| writeln!(text, "! {line}").expect("text"));
        if done.status != 0 {
            writeln!(text, "? {}", done.status).expect("text");
        }
    }
    text.replace(&place.folder().display().to_string(), "[FOLDER]")
}

fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, replacement) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\b[0-9a-f]{32}\b", "[UUID]"),
        (r"\d[\d.,]* [KMG]iB now", "[SIZE] now"),
        (
            r#""(time_ns|expires_in_ms|inode|device|file_system_free|now|pid|beat_age_ms|attached_ns)":\d+"#,
            r#""$1":[N]"#,
        ),
        (r"/dev/shm/slate-\d+/", "/dev/shm/slate-[UID]/"),
        (r"slate \d+\.\d+\.\d+", "slate [VERSION]"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn help() {
    let place = Place::empty();
    let help = place.slate("--help").ok();
    let commands = commands(&help);
    assert!(commands.len() > 12, "{commands:?}");
    check("help", &session(&place, &["--help", "--version"]));
    for command in commands {
        check(&format!("help-{command}"), &session(&place, &[&format!("{command} --help")]));
    }
}

#[test]
fn output_of_keys() {
    let place = Place::with_board();
    let lines = [
        "put task/1 open --session planner",
        "put task/2 {\"a\":1} --codec json --json",
        "get task/1",
        "get task/1 --json",
        "get task/1 --version-only",
        "get task/3",
        "put task/1 mine --if-version 9",
        "put task/1 mine --if-version 9 --json",
        "update count --add 5",
        "update count --add -2 --json",
        "update task/2 --merge {\"b\":null,\"c\":2}",
        "update task/1 --add 1",
        "touch task/1 --ttl 1h",
        "touch none --ttl 1h",
        "ls",
        "ls task/ --long",
        "ls task/ --json",
        "ls --null",
        "ls --at 1",
        "rm task/2",
        "rm task/2",
        "rm --prefix task/",
        "rm --prefix task/ --json",
        "get",
        "conjure --json",
    ];
    check("keys", &session(&place, &lines));
}

#[test]
fn output_of_streams() {
    let place = Place::with_board();
    place.slate("put task/1 open --session planner").ok();
    place.slate("put task/1 done --session worker").ok();
    place.slate("put team/plan ship --session planner").ok();
    place.slate("rm task/1").ok();
    let lines = [
        "log",
        "log task/ --last 1 --json",
        "log --session worker",
        "watch --since 2 --count 2",
        "watch --since 3 --count 1 --json",
        "watch --since 9 --timeout 1ms",
        "watch --since 2 --count 2 -- printenv SLATE_KEY",
        "watch --since 2 --count 2 -- false",
        "wait team/plan --newer-than 0",
        "wait team/plan --newer-than 0 --json",
        "wait team/plan --timeout 1ms",
        "wait task/1 --newer-than 2",
        "diff 1",
        "diff 1 3 --json",
        "diff 4",
        "diff 3 1",
        "diff 9 --json",
    ];
    check("streams", &session(&place, &lines));
}

#[test]
fn output_of_many_keys() {
    let place = Place::with_board();
    let lines = [
        "put --stdin < {\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"valu\":\"2\"}\n{\"key\":\"c\",\"value\":[3],\"if_absent\":true}",
        "put --stdin0 < d\\04\\0e",
        "get a none c",
        "get --stdin0 --version-only < a\\0d\\0",
        "get a c --raw",
    ];
    check("many-keys", &session(&place, &lines));
}

#[test]
fn output_of_boards() {
    let place = Place::empty();
    let lines = [
        "where",
        "get k --json",
        "init --placement project --capacity 8M",
        "init",
        "init --ensure --json",
        "where",
        "where --json",
        "sessions",
        "sessions --json",
        "get k --board nowhere",
        "man --to pages",
        "man conjure",
    ];
    check("boards", &session(&place, &lines));
}
