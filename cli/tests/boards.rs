//! Creating and finding boards, status, sessions, help.

mod common;

use common::{InMemory, Place, command_in, remove};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

#[test]
fn a_board_in_memory_is_found_from_below() {
    let board = InMemory::new();
    assert!(board.region.starts_with("/dev/shm") && board.region.ends_with("region"), "{:?}", board.region);
    let mode = fs::metadata(board.region.parent().expect("folder")).expect("folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let record = fs::read_to_string(board.record()).expect("record");
    for word in [
        "placement = \"memory\"",
        "folder_inode = ",
        "path = ",
        "device = ",
        "inode = ",
        "uuid = ",
        "boot_id = ",
    ] {
        assert!(record.contains(word), "{word} is not in {record}");
    }
    board.place.slate("put k v").ok();
    let below = board.place.folder().join("a/b");
    fs::create_dir_all(&below).expect("folders");
    let output = command_in(&below, ["get", "k"]).output().expect("run");
    assert_eq!(output.stdout, b"v\n");
}

#[test]
fn a_region_that_is_gone_is_said_to_be_gone_and_why() {
    let board = InMemory::new();
    board.remove_region();
    board.place.slate("ls").fails(9, &["was removed", "slate init --replace"]);
    board.place.slate("init").fails(9, &["was removed"]);
    let boot = |text: String| text.replace("boot_id = \"", "boot_id = \"another-");
    board.edit(boot);
    board.place.slate("status").fails(9, &["restarted", "slate init --replace"]);
    let document = board.place.slate("init --replace --json").json();
    let region = PathBuf::from(document["path"].as_str().expect("path"));
    board.place.slate("put k v").ok();
    remove(&region);
}

#[test]
fn a_private_shared_memory_never_gets_a_second_board() {
    let board = InMemory::new();
    board.remove_region();
    let device = |text: String| text.replace("device = ", "device = 9");
    board.edit(device);
    board.place.slate("put k v").fails(9, &["sandbox", "--placement project"]);
    board.place.slate("init").fails(9, &["sandbox"]);
    board.place.slate("init --replace").fails(9, &["sandbox"]);
    assert!(!board.region.exists());
    board.place.slate("init --replace --placement project --capacity 8M").ok();
    board.place.slate("put k v").ok();
}

#[test]
fn a_project_keeps_its_board_to_itself() {
    let place = Place::empty();
    let said = place.slate("init --placement project --capacity 8M").ok();
    assert!(said.contains("region") && said.contains("reason "), "{said}");
    let slate = place.folder().join(".slate");
    assert_eq!(fs::metadata(&slate).expect("folder").permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(slate.join(".gitignore")).expect("ignore"), "*\n");
    place.slate("put k v").ok();
    place.slate("init").fails(1, &["already", "--replace"]);
    let document = place.slate("init --if-missing --json").json();
    assert_eq!(document["created"], false);
    assert_eq!(place.slate("get k").ok(), "v\n");
    place.slate("init --replace --placement project --capacity 8M").ok();
    place.slate("get k").fails(3, &[]);
    place.slate("put k w").ok();
    place.slate("init --replace --placement project --capacity 8M").ok();
    let regions = fs::read_dir(&slate).expect("list").flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("region") && !name.ends_with(".lock") && !name.ends_with(".bell")
    });
    assert_eq!(regions.count(), 1, "the replaced region is removed");
}

#[test]
fn sizes_out_of_range_are_usage_errors_that_name_least_and_most() {
    let place = Place::empty();
    for (option, words) in [
        ("--capacity 0", ["capacity 0", "1 MiB to 16 GiB"]),
        ("--capacity 3", ["capacity 3", "1 MiB to 16 GiB"]),
        ("--capacity 17G", ["capacity 18253611008", "1 MiB to 16 GiB"]),
        ("--keys 0", ["keys 0", "1 to 4,194,304"]),
        ("--keys 4194305", ["keys 4194305", "1 to 4,194,304"]),
        ("--history 63", ["history 63", "64 to 4,194,304"]),
        ("--sessions 0", ["sessions 0", "1 to 4,096"]),
        ("--sessions 18446744073709551615", ["sessions 18446744073709551615", "1 to 4,096"]),
    ] {
        for placement in ["memory", "project"] {
            place.slate(&format!("init --placement {placement} {option}")).fails(2, &words);
        }
        place.slate("ls").fails(9, &["no board"]);
    }
    place.slate("init --placement project").ok();
    place.slate("put k v --ttl 0").fails(2, &["greater than zero"]);
    // A status without any check would report a healthy board.
    place.slate("status --watch --count 0").fails(2, &["--count"]);
}

/// `init`, `status` and the file system report the same sizes of a board.
fn assert_told(place: &Place, init: &serde_json::Value, keys: u64, keys_fit: u64) {
    let region = fs::metadata(place.region()).expect("region");
    let status = place.slate("status --json").json();
    assert_eq!((&init["keys"], &init["keys_fit"]), (&keys.into(), &keys_fit.into()), "{init}");
    assert_eq!(
        (&init["keys"], &init["keys_fit"]),
        (&status["keys_made_for"], &status["keys_fit"]),
        "{status}"
    );
    for member in ["capacity", "history"] {
        assert_eq!(init[member], status[member]);
    }
    assert_eq!(init["sessions"], status["sessions_max"]);
    for document in [init, &status] {
        assert_eq!(document["file"]["at_most"], region.len());
        assert_eq!(document["file"]["now"], region.blocks() * 512);
    }
}

#[test]
fn what_a_board_takes_and_holds_is_told_as_it_is() {
    let place = Place::empty();
    let init = place.slate("init --placement project --json").json();
    assert_told(&place, &init, 65_536, 65_536);
    assert_eq!((&init["capacity"], &init["sessions"]), (&(64u64 << 20).into(), &256.into()));
    let text = place.slate("status").ok();
    assert!(
        text.contains("0, sized for 65,536") && text.contains("now, ") && text.contains(" at most"),
        "{text}"
    );

    let place = Place::empty();
    let text = place.slate("init --placement project --keys 100000 --capacity 1M").ok();
    for words in
        ["1 MiB for values", "sized for 100,000; the space for values holds at most 8,064", "MiB now, "]
    {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    let init = place.slate("init --if-missing --json").json();
    assert_told(&place, &init, 100_000, 8_064);

    let place = Place::empty();
    let text = place.slate("init --placement project --capacity 5000001").ok();
    assert!(text.contains("4,928 KiB for values"), "{text}");
}

#[test]
fn a_board_in_use_is_not_replaced() {
    let place = Place::with_board();
    let session = slateboard::Board::open(place.region()).expect("board").attach("busy").expect("session");
    place.slate("init --replace").fails(1, &["busy", "in use"]);
    drop(session);
    place.slate("init --replace --placement project --capacity 8M").ok();
}

#[test]
fn a_board_by_path() {
    let place = Place::empty();
    let region = place.folder().join("mine");
    let path = region.display().to_string();
    place.run(["--board", &path, "init", "--capacity", "8M"]).ok();
    place.run(["--board", &path, "put", "k", "v"]).ok();
    let output = place.command(["get", "k"]).env("SLATE_BOARD", &path).output().expect("run");
    assert_eq!(output.stdout, b"v\n");
    place.run(["--board", &path, "init"]).fails(1, &["mine"]);
    place.run(["--board", &path, "init", "--placement", "project"]).fails(2, &["--placement"]);
    place.run(["--board", "nowhere", "ls"]).fails(9, &["nowhere"]);
    fs::write(place.folder().join("text"), "not a board").expect("file");
    place.run(["--board", "text", "ls"]).fails(7, &["text"]);
    assert_eq!(fs::read(place.folder().join("text")).expect("file"), b"not a board");
}

#[test]
fn no_board_is_status_9_for_everything() {
    let place = Place::empty();
    for line in [
        "ls",
        "get k",
        "put k v",
        "update k --add 1",
        "rm k",
        "watch",
        "wait k",
        "log",
        "status",
        "session-status",
        "sessions",
    ] {
        place.slate(line).fails(9, &["no board", "slate init"]);
    }
}

#[test]
fn worktrees_share_their_repository_board() {
    let place = Place::empty();
    let root = place.folder();
    let private = root.join("main/.git/worktrees/w");
    fs::create_dir_all(&private).expect("folders");
    fs::create_dir_all(root.join("w/src")).expect("folders");
    fs::write(private.join("commondir"), "../..\n").expect("file");
    fs::write(root.join("w/.git"), format!("gitdir: {}\n", private.display())).expect("file");
    let run = |folder: &str, args: &[&str]| command_in(&root.join(folder), args).output().expect("run");
    let made = run("w/src", &["init", "--placement", "project", "--capacity", "8M"]);
    assert!(made.status.success() && root.join("main/.slate/board.toml").exists(), "{made:?}");
    assert!(run("main", &["put", "k", "v"]).status.success());
    assert_eq!(run("w/src", &["get", "k"]).stdout, b"v\n");
}

#[test]
fn who_is_attached_and_how_the_board_is() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let board = slateboard::Board::open(place.region()).expect("board");
    let session = board.attach("planner").expect("session");
    session.put("k", "w").expect("put");
    let document = place.slate("sessions --json").json();
    let planner = &document["sessions"][0];
    assert_eq!((&planner["name"], &planner["liveness"]), (&"planner".into(), &"alive".into()));
    assert_eq!((&planner["pid"], &planner["puts"]), (&std::process::id().into(), &1.into()));
    let text = place.slate("sessions").ok();
    assert!(text.contains("SESSION") && text.contains("planner"), "{text}");
    let document = place.slate("status --json").json();
    assert_eq!(
        (&document["healthy"], &document["generation"], &document["keys"]),
        (&true.into(), &2.into(), &1.into())
    );
    let text = place.slate("session-status").ok();
    assert!(text.contains("healthy") && text.contains("planner"), "{text}");
    drop((session, board));
    assert_eq!(place.slate("status --watch --count 2 --json").lines().len(), 2);
    let done = place.slate("sessions");
    assert!(done.status == 0 && done.err.contains("no session is attached"), "{done:?}");
}

#[test]
fn a_board_that_fills_up_needs_attention() {
    let place = Place::with_board_of(&["--sessions", "2"]);
    let board = slateboard::Board::open(place.region()).expect("board");
    let _sessions = [board.attach("one").expect("session"), board.attach("two").expect("session")];
    let done = place.slate("status --json");
    assert_eq!(done.status, 10, "{done:?}");
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("json");
    assert_eq!(document["healthy"], false);
    let sentence = document["attention"][0].as_str().expect("a sentence");
    assert!(sentence.contains("nearly full"), "{sentence}");
}

#[test]
fn help_of_every_command_has_examples() {
    let place = Place::empty();
    let commands = [
        "init", "put", "get", "update", "touch", "rm", "ls", "watch", "wait", "log", "status", "sessions",
        "demo",
    ];
    for command in commands {
        let help = place.run([command, "--help"]).ok();
        assert!(help.contains("Examples:") && help.contains(&format!("slate {command}")), "{help}");
    }
    let help = place.slate("--help").ok();
    assert!(commands.iter().all(|command| help.contains(command)) && help.contains("Exit status"), "{help}");
    assert!(!help.contains("demo-agent"), "{help}");
    assert!(place.slate("--version").ok().starts_with("slate "));
}
