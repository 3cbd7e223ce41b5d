//! Where it cannot be known whether a board has users, the command says so, and removes and replaces nothing.
//!
//! Causes that are tried: the lock file is missing or was replaced, a file or folder may not be opened, and no descriptor is
//! left. The superuser may open everything, so some commands run as another user.

mod common;

use common::{Done, Place, remove};
use slateboard::{Board, Session};
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{BufRead, BufReader},
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A user who is not the superuser.
const NOBODY: u32 = 65534;

fn attached(region: &Path) -> Session {
    Board::open(region).expect("board").attach("busy").expect("session")
}

fn replace_lock(region: &Path) {
    let lock = region.with_extension("lock");
    fs::remove_file(&lock).expect("removed");
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock).expect("made");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn sessions_and_status_say_what_they_cannot_see() {
    let place = Place::with_board();
    let session = attached(&place.region());
    let document = place.slate("sessions --json").json();
    assert_eq!((&document["unknown"], document.get("why")), (&0.into(), None));
    let (lock, aside) = (place.region().with_extension("lock"), place.folder().join("aside"));
    fs::rename(&lock, &aside).expect("moved");
    for (why, words) in [("missing", "is missing"), ("replaced", "was replaced after they attached")] {
        if why == "replaced" {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock).expect("made");
        }
        let said = ["cannot determine whether 1 sessions are alive", words];
        let done = place.slate("sessions").fails(10, &said);
        assert!(done.out.contains("busy") && done.out.contains("unknown"), "{done:?}");
        let done = place.slate("sessions --json").fails(10, &said);
        let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
        assert_eq!(
            (&document["unknown"], &document["sessions"][0]["liveness"]),
            (&1.into(), &"unknown".into())
        );
        assert!(document["why"].as_str().is_some_and(|text| text.contains(words)), "{document}");
        let done = place.slate("status --json");
        let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
        assert_eq!((done.status, &document["healthy"]), (10, &false.into()));
        assert_eq!((&document["sessions_unknown"], &document["sessions_dead"]), (&1.into(), &0.into()));
        let text = place.slate("status");
        assert!(text.status == 10 && said.iter().all(|word| text.out.contains(word)), "{text:?}");
    }
    fs::remove_file(&lock).expect("removed");
    fs::rename(&aside, &lock).expect("moved");
    assert!(place.slate("sessions").ok().contains("alive"));
    place.slate("status").ok();
    drop(session);
}

#[test]
fn a_board_whose_lock_file_was_replaced_is_replaced_by_force_alone() {
    let place = Place::with_board();
    let session = attached(&place.region());
    replace_lock(&place.region());
    let said = ["cannot determine", "lock file was replaced", "--force"];
    place.slate("init --replace --capacity 8M").fails(1, &said);
    // Without the record, the region is asked that was made for the folder.
    let record = place.folder().join(".slate/board.toml");
    let text = fs::read(&record).expect("record");
    fs::write(&record, "placement = \"moon\"").expect("written");
    place.slate("init --replace --capacity 8M").fails(1, &said);
    fs::write(&record, text).expect("written");
    session.put("k", "v").expect("the board is there");
    assert_eq!(place.slate("get k").ok(), "v\n");
    place.slate("init --replace --force --capacity 8M").ok();
    place.slate("get k").fails(3, &[]);
}

#[test]
fn no_second_board_is_made_beside_one_that_cannot_be_asked() {
    let place = Place::with_board();
    let session = attached(&place.region());
    let slate = place.folder().join(".slate");
    fs::remove_file(slate.join("board.toml")).expect("removed");
    let (lock, aside) = (place.region().with_extension("lock"), place.folder().join("aside"));
    fs::rename(&lock, &aside).expect("moved");
    for line in ["init", "init --ensure", "init --replace"] {
        place.slate(&format!("{line} --capacity 8M")).fails(1, &["cannot determine", "is missing"]);
    }
    assert!(place.region().exists() && !slate.join("board.toml").exists());
    fs::rename(&aside, &lock).expect("moved");
    session.put("k", "v").expect("the board is there");
    place.slate("init --ensure").ok();
    assert_eq!(place.slate("get k").ok(), "v\n", "the region is recorded again");
}

/// Runs the command in the folder with so many descriptors.
fn with_descriptors(place: &Place, limit: u32, line: &str) -> Done {
    let script = format!("ulimit -n {limit}; exec \"{}\" {line}", env!("CARGO_BIN_EXE_slate"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(place.folder()).env_remove("SLATE_BOARD").stdin(Stdio::null());
    Done::from(shell.output().expect("run"))
}

#[test]
fn without_descriptors_no_second_board_is_made() {
    let place = Place::with_board();
    let session = attached(&place.region());
    let record = place.folder().join(".slate/board.toml");
    let mut refused = 0;
    for limit in 3..11 {
        fs::write(&record, "placement = \"moon\"").expect("written");
        let done = with_descriptors(&place, limit, "init --replace --capacity 8M");
        assert!(matches!(done.status, 1 | 127), "{limit}: {done:?}");
        fs::remove_file(&record).expect("removed");
        let done = with_descriptors(&place, limit, "init --capacity 8M");
        assert!(matches!(done.status, 0 | 1 | 127), "{limit}: {done:?}");
        refused += u32::from(done.status == 1);
        let regions = fs::read_dir(place.folder().join(".slate")).expect("list");
        let names: Vec<_> = regions.map(|entry| entry.expect("entry").file_name()).collect();
        let is_other = |name: &&std::ffi::OsString| name.to_string_lossy().starts_with("region-");
        assert_eq!(names.iter().find(is_other), None, "{limit}");
        if done.status == 0 {
            assert_eq!(place.slate("where --json").json()["path"], place.region().display().to_string());
        }
    }
    assert!(refused > 2, "{refused}");
    session.put("k", "v").expect("the board is there");
}

/// A project of another user.
struct Theirs(Place);

impl Theirs {
    /// `None` where this process cannot become another user.
    fn new() -> Option<Self> {
        let place = Place::empty();
        if chown(place.folder(), Some(NOBODY), Some(NOBODY)).is_err() {
            eprintln!("skipped: only the superuser can become another user");
            return None;
        }
        Some(Self(place))
    }

    fn slate(&self, line: &str) -> Done {
        let mut command = self.0.command(line.split(' '));
        Done::from(command.uid(NOBODY).gid(NOBODY).stdin(Stdio::null()).output().expect("run"))
    }

    /// A process that has the board open, and reads it until it is killed.
    fn watch(&self) -> Watch {
        let mut command = self.0.command(["watch", "--since", "0"]);
        command.uid(NOBODY).gid(NOBODY).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut watch = Watch(command.spawn().expect("run"));
        let output = watch.0.stdout.as_mut().expect("output");
        assert!(BufReader::new(output).lines().next().is_some(), "it prints the first event");
        watch
    }
}

struct Watch(std::process::Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_may_not_be_opened_is_neither_replaced_nor_removed() {
    let Some(theirs) = Theirs::new() else { return };
    let document = theirs.slate("init --capacity 8M --json").json();
    let region = PathBuf::from(document["path"].as_str().expect("path"));
    theirs.slate("put k v").ok();
    let watch = theirs.watch();
    theirs.slate("init --replace --capacity 8M").fails(1, &["in use"]);
    let (lock, folder) = (region.with_extension("lock"), region.parent().expect("folder").to_owned());
    let memory = folder.parent().expect("memory").to_owned();
    let slate = theirs.0.folder().join(".slate");
    let (record, text) = (slate.join("board.toml"), fs::read(slate.join("board.toml")).expect("record"));
    // With the record, with a record that cannot be read, and without one.
    let refuses = |path: &Path, mode: u32, lines: &[&str]| {
        set_mode(path, 0o000);
        for line in lines {
            theirs.slate(line).fails(1, &["cannot determine", "ermission denied"]);
        }
        fs::write(&record, "placement = \"moon\"").expect("written");
        theirs.slate("init --replace --capacity 8M").fails(1, &["cannot determine", "ermission denied"]);
        fs::remove_file(&record).expect("removed");
        theirs.slate("init --capacity 8M").fails(1, &["ermission denied"]);
        assert!(!record.exists(), "a second board was made");
        fs::write(&record, &text).expect("written");
        chown(&record, Some(NOBODY), Some(NOBODY)).expect("owner");
        set_mode(path, mode);
        assert!(region.exists(), "the board was removed");
    };
    refuses(&lock, 0o600, &["init --replace --capacity 8M"]);
    refuses(&folder, 0o700, &[]);
    refuses(&memory, 0o700, &[]);
    for path in [&folder, &memory] {
        set_mode(path, 0o000);
        for line in ["get k", "init --replace", "init --ensure"] {
            theirs.slate(line).fails(9, &["cannot access", "cannot determine"]);
        }
        set_mode(path, 0o700);
    }
    assert_eq!(theirs.slate("get k").ok(), "v\n");
    drop(watch);
    theirs.slate("init --replace --capacity 8M").ok();
    assert!(!folder.exists(), "what nobody uses is removed");
    let path = theirs.slate("where --json").json()["path"].as_str().map(PathBuf::from);
    remove(&path.expect("path"));
}
