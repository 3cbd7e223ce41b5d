//! A project has one board: copies, links, missing folders, concurrent `init`s, and the remains of killed ones.

mod common;

use common::{InMemory, Place, command_in, remove};
use slateboard::Board;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// This user's boards in memory.
fn memory() -> PathBuf {
    let board = InMemory::new();
    board.region.parent().and_then(Path::parent).expect("base").to_owned()
}

/// The regions in memory that were created for this project.
fn regions_of(slate: &Path) -> Vec<PathBuf> {
    let base = memory();
    let note = format!("slate = [\"{}\"", slate.display());
    let is_made_for = |folder: &PathBuf| {
        fs::read_to_string(folder.join("project.toml")).is_ok_and(|text| text.contains(&note))
    };
    let folders = fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path());
    folders.filter(is_made_for).map(|folder| folder.join("region")).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("list").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status().expect("run");
    assert!(done.success());
}

fn run(folder: &Path, line: &str) -> common::Done {
    let output = command_in(folder, line.split(' ')).stdin(Stdio::null()).output().expect("run");
    common::Done::from(output)
}

#[test]
fn a_copied_project_never_touches_the_original_s_board() {
    let board = InMemory::new();
    board.place.slate("put k original").ok();
    let root = tempfile::tempdir().expect("folder");
    let copied = root.path().join("copy");
    copy(&board.place.folder(), &copied);
    for line in ["put k v", "get k", "ls", "status", "sessions", "init", "init --ensure", "where"] {
        let done = run(&copied, line);
        assert_eq!(done.status, 9, "{line}: {done:?}");
        assert!(format!("{}{}", done.out, done.err).contains("slate init --adopt"), "{line}: {done:?}");
    }
    // Both commands create a board for the copy, and keep the board of the original.
    for line in ["init --adopt --capacity 8M --json", "init --replace --capacity 8M --json"] {
        let again = root.path().join("again");
        copy(&board.place.folder(), &again);
        let document = run(&again, line).json();
        let region = PathBuf::from(document["path"].as_str().expect("path"));
        assert_ne!(region, board.region);
        run(&again, "put k copy").ok();
        assert_eq!(board.place.slate("get k").ok(), "original\n");
        run(&again, "init --adopt").fails(1, &["is not a copy"]);
        remove(&region);
        fs::remove_dir_all(&again).expect("removed");
    }
}

#[test]
fn a_copied_project_with_its_region_inside_gets_a_new_one() {
    let place = Place::with_board();
    place.slate("put k original").ok();
    let root = tempfile::tempdir().expect("folder");
    let copied = root.path().join("copy");
    copy(&place.folder(), &copied);
    run(&copied, "get k").fails(9, &["copy", "slate init --adopt"]);
    run(&copied, "init --adopt --capacity 8M").ok();
    run(&copied, "get k").fails(3, &[]);
    assert_eq!(place.slate("get k").ok(), "original\n");
    let regions = names(&copied.join(".slate"));
    assert_eq!(regions.iter().filter(|name| name.ends_with(".lock")).count(), 1, "{regions:?}");
    assert_eq!(run(&copied, "where --json").json()["placement"], "project");
}

#[test]
fn a_renamed_project_keeps_its_board() {
    let root = tempfile::tempdir().expect("folder");
    let [first, second] = ["first", "second"].map(|name| root.path().join(name));
    fs::create_dir(&first).expect("folder");
    let document = run(&first, "init --capacity 8M --json").json();
    run(&first, "put k v").ok();
    fs::rename(&first, &second).expect("renamed");
    assert_eq!(run(&second, "get k").ok(), "v\n");
    let found = run(&second, "where --json").json();
    assert_eq!((&found["uuid"], &found["reachable"]), (&document["uuid"], &true.into()));
    run(&second, "init --replace --capacity 8M").ok();
    let region = PathBuf::from(document["path"].as_str().expect("path"));
    assert!(!region.exists(), "the replaced board is removed");
    let document = run(&second, "where --json").json();
    remove(Path::new(document["path"].as_str().expect("path")));
}

#[test]
fn a_linked_folder_is_followed_and_nothing_is_passed_over() {
    let above = Place::with_board();
    let project = above.folder().join("project");
    fs::create_dir(&project).expect("folder");
    assert_eq!(run(&project, "put k above").status, 0);
    let elsewhere = Place::with_board();
    symlink(elsewhere.folder().join(".slate"), project.join(".slate")).expect("link");
    run(&project, "get k").fails(3, &[]);
    run(&project, "put k elsewhere").ok();
    assert_eq!(elsewhere.slate("get k").ok(), "elsewhere\n");
    run(&project, "init").fails(1, &["already"]);
    fs::remove_file(project.join(".slate")).expect("removed");
    symlink("nowhere", project.join(".slate")).expect("link");
    for line in ["get k", "init", "init --replace"] {
        run(&project, line).fails(7, &["dangling"]);
    }
    fs::remove_file(project.join(".slate")).expect("removed");
    fs::write(project.join(".slate"), "").expect("file");
    run(&project, "get k").fails(7, &["is not a folder"]);
    fs::remove_file(project.join(".slate")).expect("removed");
    fs::create_dir(project.join(".slate")).expect("folder");
    run(&project, "get k").fails(9, &["has no board yet", "slate init"]);
    run(&project, "init --placement project --capacity 8M").ok();
    run(&project, "get k").fails(3, &[]);
}

#[test]
fn a_link_to_another_user_s_folder_is_refused() {
    let place = Place::empty();
    // If this process is root, a folder of another user; otherwise a folder of root.
    let theirs = place.folder().join("theirs");
    fs::create_dir(&theirs).expect("folder");
    let target = match std::os::unix::fs::chown(&theirs, Some(12_345), None) {
        Ok(()) => theirs,
        Err(_) => PathBuf::from("/"),
    };
    symlink(target, place.folder().join(".slate")).expect("link");
    place.slate("ls").fails(7, &["another user"]);
    place.slate("init").fails(7, &["another user"]);
}

#[test]
fn a_folder_that_is_gone_keeps_no_named_board_away() {
    let place = Place::with_board();
    let region = place.region().display().to_string();
    let gone = place.folder().join("gone");
    let from_gone = |script: &str| {
        fs::create_dir_all(&gone).expect("folder");
        let slate = env!("CARGO_BIN_EXE_slate");
        let script = format!("rmdir \"$PWD\" && {}", script.replace("slate ", &format!("\"{slate}\" ")));
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(&gone).env_remove("SLATE_BOARD").stdin(Stdio::null());
        common::Done::from(shell.output().expect("run"))
    };
    let done = from_gone(&format!("slate --board {region} put k v"));
    assert_eq!(done.status, 0, "{done:?}");
    let done = from_gone(&format!("SLATE_BOARD={region} slate get k"));
    assert_eq!((done.status, done.out.as_str()), (0, "v\n"), "{done:?}");
    from_gone("slate --board relative get k").fails(1, &["relative", "absolute path"]);
    from_gone("slate get k").fails(9, &["current folder", "--board"]);
    from_gone("slate init").fails(9, &["current folder"]);
}

#[test]
fn many_inits_at_once_make_one_board() {
    for line in ["init --ensure --capacity 8M --json", "init --if-missing --capacity 8M --json"] {
        let place = Place::empty();
        let inits: Vec<_> = (0..8).map(|_| place.background(line)).collect();
        let documents: Vec<serde_json::Value> = inits.into_iter().map(|init| init.finish().json()).collect();
        let region = PathBuf::from(documents[0]["path"].as_str().expect("path"));
        assert!(documents.iter().all(|document| document["uuid"] == documents[0]["uuid"]), "{documents:?}");
        assert_eq!(documents.iter().filter(|document| document["created"] == true).count(), 1);
        let slate = place.folder().join(".slate");
        assert_eq!(regions_of(&slate), std::slice::from_ref(&region));
        assert_eq!(names(&slate), [".gitignore", "board.toml"]);
        place.slate("put k v").ok();
        remove(&region);
    }
}

#[test]
fn the_same_process_id_in_several_containers_makes_one_board() {
    let place = Place::empty();
    let container = |args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork"]).args(args);
        command.current_dir(place.folder()).env_remove("SLATE_BOARD").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    if !container(&["true"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine gives no process namespace");
        return;
    }
    let line = [
        env!("CARGO_BIN_EXE_slate"),
        "init",
        "--ensure",
        "--placement",
        "project",
        "--capacity",
        "8M",
        "--json",
    ];
    let inits: Vec<_> = (0..4).map(|_| container(&line).spawn().expect("run")).collect();
    let uuids: Vec<_> = inits
        .into_iter()
        .map(|init| common::Done::from(init.wait_with_output().expect("run")).json()["uuid"].clone())
        .collect();
    assert!(uuids.iter().all(|uuid| *uuid == uuids[0]), "{uuids:?}");
}

#[test]
fn an_unreadable_record_is_replaced_only_where_nobody_uses_the_board() {
    let place = Place::with_board();
    fs::write(place.folder().join(".slate/board.toml"), "placement = \"moon\"").expect("written");
    let session = Board::open(place.region()).expect("board").attach("busy").expect("session");
    place.slate("init --replace").fails(1, &["busy", "in use"]);
    drop(session);
    place.slate("init --replace --placement project --capacity 8M").ok();
    let left = names(&place.folder().join(".slate"));
    assert_eq!(left.iter().filter(|name| name.starts_with("region")).count(), 3, "{left:?}");
}

#[test]
fn many_inits_in_the_project_at_once_make_one_board() {
    let place = Place::empty();
    let line = "init --ensure --placement project --capacity 8M --json";
    let inits: Vec<_> = (0..8).map(|_| place.background(line)).collect();
    let uuids: Vec<_> = inits.into_iter().map(|init| init.finish().json()["uuid"].clone()).collect();
    assert!(uuids.iter().all(|uuid| *uuid == uuids[0]), "{uuids:?}");
    let left = names(&place.folder().join(".slate"));
    assert_eq!(left, [".gitignore", "board.toml", "region", "region.bell", "region.lock"]);
}

#[test]
fn many_replacements_at_once_leave_one_board() {
    let board = InMemory::new();
    let slate = board.place.folder().join(".slate");
    let inits: Vec<_> = (0..12).map(|_| board.place.background("init --replace --capacity 8M")).collect();
    for init in inits {
        init.finish().ok();
    }
    let regions = regions_of(&slate);
    assert_eq!(regions.len(), 1, "{regions:?}");
    board.place.slate("put k v").ok();
    assert_eq!(names(&slate), [".gitignore", "board.toml"]);
    remove(&regions[0]);
}

#[test]
fn a_killed_init_leaves_nothing_for_ever() {
    for placement in ["memory", "project"] {
        let place = Place::empty();
        let line = format!("init --ensure --capacity 8M --placement {placement}");
        let replace = line.replace("--ensure", "--replace");
        for round in 0..24_u64 {
            let mut init = place.background(if round % 2 == 0 { &line } else { &replace });
            thread::sleep(Duration::from_micros(round * 400));
            init.kill();
        }
        let document = place.slate(&format!("{line} --json")).json();
        let region = PathBuf::from(document["path"].as_str().expect("path"));
        place.slate("put k v").ok();
        // The next replacement removes what all of them left behind.
        place.slate(&replace).ok();
        let document = place.slate("where --json").json();
        assert_eq!(document["reachable"], true);
        let now = PathBuf::from(document["path"].as_str().expect("path"));
        assert!(now != region && !region.exists());
        let slate = place.folder().join(".slate");
        match placement {
            "memory" => assert_eq!(regions_of(&slate), std::slice::from_ref(&now)),
            _ => {
                let regions = names(&slate).into_iter().filter(|name| name.starts_with("region"));
                assert!(regions.count() <= 3, "{:?}", names(&slate));
            }
        }
        let drafts = names(&slate).into_iter().filter(|name| name.ends_with(".new"));
        assert_eq!(drafts.count(), 0);
        if placement == "memory" {
            remove(&now);
        }
    }
}

#[test]
fn drafts_of_the_dead_go_and_those_of_the_living_stay() {
    let base = memory();
    let [dead, living] =
        ["dead", "living"].map(|name| base.join(format!(".new-{name}-{}", std::process::id())));
    for draft in [&dead, &living] {
        fs::create_dir_all(draft).expect("folder");
        fs::write(draft.join("region"), "half").expect("file");
    }
    let lock = fs::File::open(&living).expect("open");
    lock.lock().expect("locked");
    let board = InMemory::new();
    assert!(!dead.exists() && living.exists());
    drop(lock);
    let again = InMemory::new();
    assert!(!living.exists());
    drop((board, again));
}

#[test]
fn a_region_without_a_record_is_taken_up() {
    for line in ["init --capacity 8M", "init --capacity 8M --placement project"] {
        let place = Place::empty();
        place.slate(line).ok();
        place.slate("put k v").ok();
        let before = place.slate("where --json").json();
        // The state after an `init` was killed before it wrote the record, or after the record was removed.
        fs::remove_file(place.folder().join(".slate/board.toml")).expect("removed");
        place.slate("get k").fails(9, &["slate init"]);
        let document = place.slate("init --ensure --json").json();
        assert_eq!((&document["created"], &document["uuid"]), (&false.into(), &before["uuid"]));
        assert_eq!(place.slate("get k").ok(), "v\n");
        if line.ends_with("8M") {
            remove(Path::new(document["path"].as_str().expect("path")));
        }
    }
}

#[test]
fn a_board_that_is_gone_is_never_replaced_in_silence() {
    let board = InMemory::new();
    board.remove_region();
    board.place.slate("init --ensure").fails(9, &["was removed", "--replace"]);
    board.edit(|text| text.replace("boot_id = \"", "boot_id = \"another-"));
    board.place.slate("init --ensure").fails(9, &["restarted", "--replace"]);
    board.place.slate("init --if-missing").fails(9, &["restarted"]);
    assert!(!board.region.exists());
    let place = Place::with_board();
    let record = place.folder().join(".slate/board.toml");
    let text = fs::read_to_string(&record).expect("record");
    fs::write(&record, text.replace("boot_id = \"", "boot_id = \"another-")).expect("written");
    for line in ["get k", "put k v", "init --ensure", "init"] {
        place.slate(line).fails(9, &["restarted", "--replace"]);
    }
    place.slate("init --replace --capacity 8M").ok();
    place.slate("put k v").ok();
}

#[test]
fn a_board_in_use_is_replaced_by_force_alone_and_all_are_told() {
    let place = Place::with_board();
    let session = Board::open(place.region()).expect("board").attach("busy").expect("session");
    place.slate("init --replace").fails(1, &["busy", "in use", "--force"]);
    let lock = place.region().with_extension("lock");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).expect("mode");
    place.slate("init --replace").fails(1, &["busy", "in use"]);
    let status = place.slate("status --json");
    assert!(status.status == 10 && status.out.contains("chmod 600"), "{status:?}");
    assert!(place.slate("sessions").ok().contains("alive"));
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).expect("mode");
    let aside = place.folder().join("aside");
    fs::rename(&lock, &aside).expect("moved");
    place.slate("init --replace").fails(1, &["cannot determine", "--force"]);
    let status = place.slate("status");
    assert!(status.status == 10 && status.out.contains("unknown"), "{status:?}");
    fs::rename(&aside, &lock).expect("moved");
    drop(session);
    let watch = place.background("watch");
    while !Board::is_in_use(place.region()).expect("asked") {
        thread::sleep(Duration::from_millis(1));
    }
    place.slate("init --replace").fails(1, &["a process that reads it", "--force"]);
    let session = Board::open(place.region()).expect("board").attach("busy").expect("session");
    place.slate("init --force").fails(2, &["--replace"]);
    place.slate("init --replace --force --capacity 8M").ok();
    watch.finish().fails(9, &["was removed"]);
    let told = (0..60_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        session.put("k", "v").is_err_and(|error| error.is_moved())
    });
    assert!(told, "the session continues in a board that no other process finds");
    place.slate("get k").fails(3, &[]);
}

#[test]
fn without_descriptors_nobody_is_held_for_dead() {
    let place = Place::with_board();
    let _session = Board::open(place.region()).expect("board").attach("busy").expect("session");
    let slate = env!("CARGO_BIN_EXE_slate");
    for limit in [3, 4, 5, 6, 8, 12] {
        let script = format!("ulimit -n {limit}; exec \"{slate}\" init --replace --capacity 8M");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(place.folder()).env_remove("SLATE_BOARD");
        let output = shell.stdin(Stdio::null()).output().expect("run");
        assert!(!output.status.success(), "{limit}: {output:?}");
        assert!(place.region().exists(), "{limit}: a board in use was deleted");
    }
}

#[test]
fn where_says_which_board_and_how_it_was_found() {
    let place = Place::with_board();
    let document = place.slate("where --json").json();
    assert_eq!(document["path"], place.region().display().to_string());
    assert_eq!((&document["found_by"], &document["placement"]), (&"project".into(), &"project".into()));
    assert_eq!((&document["reachable"], document["uuid"].as_str().map(str::len)), (&true.into(), Some(32)));
    let text = place.slate("where").ok();
    assert!(text.contains("reachable  yes") && text.contains(".slate"), "{text}");
    let path = place.region().display().to_string();
    assert_eq!(place.run(["--board", &path, "where", "--json"]).json()["found_by"], "flag");
    fs::remove_file(place.region()).expect("removed");
    let done = place.slate("where --json");
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
    assert_eq!((done.status, &document["reachable"]), (9, &false.into()));
    assert!(document["why"].as_str().is_some_and(|why| why.contains("was removed")), "{document}");
    Place::empty().slate("where").fails(9, &["no board"]);
}
