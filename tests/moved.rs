//! A board is removed or replaced while processes use it. All of them learn it, and users of other boards do not.

use slateboard::{Board, Error, ErrorKind, KeyHandle, Lease, Liveness, Options, Reader, Session, Wait};
use slateboard_kit::{
    children::{Child, ROLE, SOON, role, say, stay},
    places::{folder, small},
};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{FileExt, PermissionsExt, symlink},
    path::Path,
    process::Command,
    sync::mpsc,
    time::{Duration, Instant},
};

const BEAT: Duration = Duration::from_millis(20);

fn quick() -> Options {
    small().beat(BEAT)
}

/// Waits until the call answers `Moved`, and gives that answer.
#[track_caller]
fn moved<T>(mut call: impl FnMut() -> Result<T, Error>) -> Error {
    let started = Instant::now();
    loop {
        match call() {
            Err(error) if error.is_moved() => return error,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => assert!(started.elapsed() < SOON, "nobody noticed"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The ways in which a board can go from its path.
const WAYS: [fn(&Path); 5] = [
    |path| fs::remove_file(path).unwrap(),
    |path| fs::rename(path, path.with_file_name("aside")).unwrap(),
    |path| {
        // No board is opened through a link, so others do not find this one any more.
        fs::rename(path, path.with_file_name("aside")).unwrap();
        symlink("aside", path).unwrap();
    },
    |path| fs::remove_dir_all(path.parent().unwrap()).unwrap(),
    |path| {
        let fresh = path.with_file_name("fresh");
        drop(Board::options().capacity(1 << 20).create(&fresh).unwrap());
        fs::rename(fresh, path).unwrap();
    },
];

struct Handles {
    session: Session,
    key: KeyHandle,
    lease: Lease,
    observer: Reader,
}

impl Handles {
    fn at(path: &Path) -> Self {
        let session = quick().open(path).unwrap().attach("writer").unwrap();
        session.put("k", "v").unwrap();
        Self {
            key: session.key("k").unwrap(),
            lease: session.lease("lease", Duration::from_secs(3600)).unwrap(),
            observer: quick().open_read_only(path).unwrap(),
            session,
        }
    }
}

#[test]
fn every_handle_learns_that_its_board_moved() {
    for go in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/board");
        drop(quick().create(&path).unwrap());
        let Handles { session, key, lease, observer } = Handles::at(&path);
        let board = quick().open(&path).unwrap();
        let view = observer.view().unwrap();
        assert_eq!(key.version().unwrap(), 1, "the handle notes it");
        go(&path);
        for error in [
            moved(|| session.put("k", "w")),
            moved(|| key.put("w")),
            moved(|| session.get("k")),
            moved(|| key.get()),
            moved(|| key.get_into(&mut Vec::new())),
            moved(|| observer.get("k")),
            moved(|| observer.get_into("k", &mut Vec::new())),
            moved(|| view.get("k")),
            moved(|| observer.list("").into_vec()),
            moved(|| observer.sessions()),
            moved(|| board.metrics()),
            moved(|| session.lease("other", BEAT)),
            moved(|| lease.renew()),
            moved(|| board.attach("late").map(drop)),
        ] {
            let text = error.to_string();
            assert!(text.contains(path.to_str().unwrap()) && text.contains("open the board again"), "{text}");
        }
        assert!(key.version().unwrap_err().is_moved());
        assert!(key.get_newer_into(1, &mut Vec::new()).unwrap_err().is_moved());
        assert!(!lease.is_held());
        let mut events = session.events(1);
        assert_eq!(events.by_ref().filter(|event| event.as_ref().is_err_and(Error::is_moved)).count(), 1);
        assert_eq!(events.generation(), 1, "reading resumes where it stopped");
        assert!(session.watch("").collect::<Vec<_>>().len() == 1, "an iterator says so once, and ends");
        assert!(moved(|| session.wait_newer("k", 1, Duration::ZERO)).is_moved());
    }
}

#[test]
fn who_sleeps_is_woken() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let session = quick().open(&path).unwrap().attach("writer").unwrap();
    let observer = quick().open_read_only(&path).unwrap();
    let (tell, told) = mpsc::channel();
    let mut waiting = 0;
    for reader in [session.reader(), &observer] {
        for wait in [Wait::Spin, Wait::Adaptive, Wait::Sleep] {
            let (mut watch, tell) = (reader.watch("").wait(wait), tell.clone());
            std::thread::spawn(move || tell.send(watch.next_timeout(Duration::MAX).map(drop)));
            waiting += 1;
        }
        let (reader, tell) = (reader.clone(), tell.clone());
        std::thread::spawn(move || tell.send(reader.wait_newer("k", 0, Duration::MAX).map(drop)));
        waiting += 1;
    }
    fs::remove_file(&path).unwrap();
    for _ in 0..waiting {
        let outcome = told.recv_timeout(SOON).expect("all are told");
        assert!(outcome.is_err_and(|error| error.is_moved()));
    }
}

#[test]
fn who_stays_after_its_session_is_told_too() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let session = quick().open(&path).unwrap().attach("writer").unwrap();
    let reader = session.reader().clone();
    drop(session);
    reader.get("k").unwrap();
    fs::remove_file(&path).unwrap();
    moved(|| reader.get("k"));
}

#[test]
fn a_renamed_folder_and_a_path_that_cannot_be_examined_move_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("project/board");
    drop(quick().create(&path).unwrap());
    let session = quick().open(&path).unwrap().attach("writer").unwrap();
    let renamed = folder.path().join("renamed");
    fs::rename(path.parent().unwrap(), &renamed).unwrap();
    std::thread::sleep(BEAT * 5);
    session.put("k", "u").unwrap();
    // Root examines it all the same.
    fs::set_permissions(&renamed, Permissions::from_mode(0o000)).unwrap();
    std::thread::sleep(BEAT * 5);
    session.put("k", "v").unwrap();
    fs::set_permissions(&renamed, Permissions::from_mode(0o700)).unwrap();
    let newcomer = quick().open(folder.path().join("renamed/board")).unwrap().attach("newcomer").unwrap();
    assert_eq!(newcomer.get("k").unwrap().unwrap().value, b"v");
}

#[test]
fn as_other() {
    let Some((path, _)) = role() else { return };
    let session = quick().open(&path).unwrap().attach("other").unwrap();
    let lease = session.lease("lease", Duration::from_secs(3600)).unwrap();
    say("holding");
    stay();
    moved(|| session.put("k", "v"));
    say(if lease.is_held() { "held" } else { "lost" });
}

#[test]
fn a_stopped_holder_of_a_replaced_board_learns_it_when_it_goes_on() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let mut other = Child::start("as_other", &path, "");
    assert!(other.says("holding"));
    other.stop();
    WAYS.last().unwrap()(&path);
    let session = quick().open(&path).unwrap().attach("new").unwrap();
    let lease = session.lease("lease", Duration::from_secs(3600)).unwrap();
    other.go_on();
    other.let_go();
    assert!(other.says("lost"));
    assert!(lease.is_held(), "two had the lease");
}

#[test]
fn who_has_a_board_open_is_seen_by_the_lock_file_alone() {
    let (_folder, path) = folder();
    let board = quick().create(&path).unwrap();
    assert!(Board::is_in_use(&path).unwrap(), "whoever has it open reads it");
    drop(board);
    assert!(!Board::is_in_use(&path).unwrap());
    let [observer, second] = [(); 2].map(|()| Board::options().open_read_only(&path).unwrap());
    assert!(Board::is_in_use(&path).unwrap());
    drop(observer);
    assert!(Board::is_in_use(&path).unwrap(), "any number of readers are seen");
    drop(second);
    assert!(!Board::is_in_use(&path).unwrap());
    let session = quick().open(&path).unwrap().attach("writer").unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"damaged", 0).unwrap();
    assert!(Board::open(&path).is_err());
    assert!(Board::is_in_use(&path).unwrap());
    drop(session);
    assert!(!Board::is_in_use(&path).unwrap());
    fs::remove_file(path.with_extension("lock")).unwrap();
    let error = Board::is_in_use(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[test]
fn what_cannot_be_asked_is_unknown_and_never_dead() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let session = quick().open(&path).unwrap().attach("living").unwrap();
    let lock = path.with_extension("lock");
    let liveness = || {
        let observer = Board::options().open_read_only(&path).unwrap();
        (observer.sessions().unwrap()[0].liveness, observer.check_locks().map_err(|error| error.to_string()))
    };
    assert_eq!(liveness(), (Liveness::Alive, Ok(())));
    let aside = path.with_extension("aside");
    fs::rename(&lock, &aside).unwrap();
    let (unknown, why) = liveness();
    assert_eq!(unknown, Liveness::Unknown);
    assert!(why.unwrap_err().contains("is missing"));
    fs::create_dir(&lock).unwrap();
    let (unknown, why) = liveness();
    assert_eq!(unknown, Liveness::Unknown);
    assert!(why.unwrap_err().contains("not a slateboard file"));
    fs::remove_dir(&lock).unwrap();
    fs::rename(&aside, &lock).unwrap();
    assert_eq!(liveness(), (Liveness::Alive, Ok(())));
    // Rights that others have let nobody attach, and hide nobody.
    fs::set_permissions(&lock, Permissions::from_mode(0o644)).unwrap();
    let (alive, why) = liveness();
    assert_eq!(alive, Liveness::Alive);
    assert!(why.unwrap_err().contains("chmod 600"));
    assert!(Board::is_in_use(&path).unwrap());
    fs::set_permissions(&lock, Permissions::from_mode(0o400)).unwrap();
    assert_eq!(liveness(), (Liveness::Alive, Ok(())), "a file that can only be read can be asked");
    fs::set_permissions(&lock, Permissions::from_mode(0o600)).unwrap();
    drop(session);
}

#[test]
fn as_reader_of_a_read_only_mount() {
    let Some((path, _)) = role() else { return };
    let observer = Board::options().open_read_only(&path).unwrap();
    assert!(Board::open(&path).is_err(), "the mount is for reading");
    assert_eq!(observer.sessions().unwrap()[0].liveness, Liveness::Alive);
    assert!(observer.check_locks().is_ok() && Board::is_in_use(&path).unwrap());
    say("asked");
}

#[test]
fn on_a_read_only_mount_the_living_are_seen() {
    let (folder, path) = folder();
    let session = quick().create(&path).unwrap().attach("living").unwrap();
    let script = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exec echo "cannot mount"; shift; exec "$@""#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
    command.arg(folder.path()).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "as_reader_of_a_read_only_mount", "--nocapture", "--test-threads=1"]);
    let probe = Command::new("unshare").args(["--mount", "--map-root-user", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine gives no mount namespace");
        return;
    }
    let output = command.env(ROLE, &path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("cannot mount") {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    assert!(text.contains("asked"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    drop(session);
}
