//! Whether a session is alive may not be known: the lock file was replaced, is missing, belongs to others, or this process
//! has no descriptor left. Such a session is *unknown*, which is neither dead nor nobody: it is not reaped, its record is
//! not given away, and its board passes for a board in use.
//!
//! A read-only mount *can* be asked: `tests/moved.rs` tries that.

use nix::unistd::{Uid, setresgid, setresuid};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use slateboard::{Board, ErrorKind, Expect, Liveness, Options, Reader, Session};
use slateboard_kit::{
    children::{Child, SOON, role, say, stay},
    judge,
    places::{folder, small},
};
use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const BEAT: Duration = Duration::from_millis(10);
/// A keeper that beats this seldom never acts in a test.
const NEVER: Duration = Duration::from_secs(3600);
/// A user who is not the superuser.
const NOBODY: u32 = 65534;

fn quick() -> Options {
    small().beat(BEAT)
}

fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// Puts another, empty file in the place of the lock file.
fn replace_lock(path: &Path) {
    let lock = lock_of(path);
    fs::remove_file(&lock).unwrap();
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock).unwrap();
}

fn liveness(reader: &Reader, name: &str) -> Liveness {
    let sessions = reader.sessions().unwrap();
    sessions.iter().find(|session| session.name == name).unwrap_or_else(|| panic!("{name} is gone")).liveness
}

/// Dead, unknown, and all sessions, as the metrics count them.
fn counted(reader: &Reader) -> (u64, u64, u64) {
    let metrics = reader.metrics().unwrap();
    (metrics.sessions_dead, metrics.sessions_unknown, metrics.sessions)
}

/// Waits until the session's keeper, whose beats are asked for here, has beaten this often.
fn beats(session: &Session, times: u32) {
    let age = || {
        let all = session.reader().sessions().unwrap();
        all.iter().find(|one| one.name == session.name()).unwrap().beat_age
    };
    let started = Instant::now();
    let mut seen = 0;
    let mut last = age();
    while seen < times {
        std::thread::sleep(BEAT / 4);
        let now = age();
        seen += u32::from(now < last);
        last = now;
        assert!(started.elapsed() < SOON, "the keeper does not beat");
    }
}

#[test]
fn as_session() {
    let Some((path, name)) = role() else { return };
    let session = small().beat(NEVER).open(path).unwrap().attach(&name).unwrap();
    session.put_with("bound", &name, slateboard::PutOptions::new().ephemeral(true)).unwrap();
    say("attached");
    stay();
    session.put("done", &name).unwrap();
    say("wrote");
}

fn session_of_child(path: &Path, name: &str) -> Child {
    let mut child = Child::start("as_session", path, name);
    assert!(child.says("attached"));
    child
}

#[test]
fn a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let mut first = session_of_child(&path, "first");
    let watching = small().open_read_only(&path).unwrap();
    let before = small().open(&path).unwrap();
    replace_lock(&path);
    let refused = before.attach("before").unwrap_err();
    assert!(refused.kind() == ErrorKind::Refused && refused.to_string().contains("replaced"), "{refused}");
    assert_eq!(liveness(&watching, "first"), Liveness::Alive, "who had the lock file open before can ask");
    let late = quick().open(&path).unwrap().attach("late").unwrap();
    assert_eq!(liveness(late.reader(), "first"), Liveness::Unknown);
    assert_eq!(liveness(late.reader(), "late"), Liveness::Alive);
    assert_eq!(counted(late.reader()), (0, 1, 2));
    assert_eq!(liveness(&watching, "late"), Liveness::Unknown, "it has its byte in another file");
    assert_eq!(counted(&watching), (0, 1, 2));
    // Its keeper is the elected one, and looks at all sessions.
    beats(&late, 4);
    assert_eq!(late.get("bound").unwrap().unwrap().value, b"first", "the living was reaped");
    first.let_go();
    assert!(first.says("wrote") && first.ends_well());
    assert_eq!(late.get("done").unwrap().unwrap().value, b"first");
    assert!(
        late.get("bound").unwrap().is_none(),
        "a session that ends itself takes along what is bound to it"
    );
    assert_eq!(counted(late.reader()), (0, 0, 1));
    drop((late, watching, before));
    judge::assert_sound(&path);
}

#[test]
fn a_session_that_died_under_another_lock_file_stays_unknown() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let first = session_of_child(&path, "first");
    replace_lock(&path);
    first.kill();
    let late = quick().open(&path).unwrap().attach("late").unwrap();
    beats(&late, 4);
    assert_eq!(liveness(late.reader(), "first"), Liveness::Unknown);
    assert!(late.get("bound").unwrap().is_some());
}

#[test]
fn the_record_of_an_unknown_session_is_given_to_nobody() {
    let (_folder, path) = folder();
    drop(small().sessions(2).create(&path).unwrap());
    let mut first = session_of_child(&path, "first");
    replace_lock(&path);
    let board = small().beat(NEVER).open(&path).unwrap();
    let second = board.attach("second").unwrap();
    let refused = board.attach("third").unwrap_err();
    assert!(refused.is_full() && refused.to_string().contains("lock file was replaced"), "{refused}");
    drop(second);
    // The record that is free is to be had.
    drop(board.attach("third").unwrap());
    first.let_go();
    assert!(first.says("wrote") && first.ends_well());
    let both = ["one", "two"].map(|name| board.attach(name).unwrap());
    assert!(board.attach("three").unwrap_err().to_string().contains("with more"));
    drop(both);
}

#[test]
fn a_board_whose_lock_file_was_replaced_is_not_a_board_without_users() {
    let (_folder, path) = folder();
    drop(quick().create(&path).unwrap());
    let mut first = session_of_child(&path, "first");
    replace_lock(&path);
    let unknown = Board::is_in_use(&path).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Refused);
    assert!(unknown.to_string().contains("lock file was replaced while 1 sessions"), "{unknown}");
    first.let_go();
    assert!(first.says("wrote") && first.ends_well());
    assert!(!Board::is_in_use(&path).unwrap(), "it left an orderly board");
    // A session that died with its byte in the lock file that is there does not count.
    let dead = session_of_child(&path, "dead");
    dead.kill();
    assert!(!Board::is_in_use(&path).unwrap());
}

#[test]
fn what_cannot_be_reaped_is_left_alone_until_it_can() {
    let (_folder, path) = folder();
    let session = quick().create(&path).unwrap().attach("keeper").unwrap();
    let dead = session_of_child(&path, "dead");
    let aside = path.with_extension("aside");
    fs::rename(lock_of(&path), &aside).unwrap();
    dead.kill();
    beats(&session, 4);
    // The file that is still open here shows the death. The byte cannot be taken, so the session is not reaped.
    assert_eq!(liveness(session.reader(), "dead"), Liveness::Dead);
    assert_eq!(counted(session.reader()), (1, 0, 2));
    let late = small().open_read_only(&path).unwrap();
    assert_eq!(liveness(&late, "dead"), Liveness::Unknown);
    assert_eq!(counted(&late), (0, 2, 2));
    fs::rename(&aside, lock_of(&path)).unwrap();
    let started = Instant::now();
    while counted(session.reader()) != (0, 0, 1) {
        assert!(started.elapsed() < SOON, "the dead is not reaped");
        std::thread::sleep(BEAT);
    }
    assert!(session.get("bound").unwrap().is_none());
}

/// Makes this process one of another user, where it is the superuser's. The superuser may open everything.
fn become_nobody() {
    if Uid::effective().is_root() {
        setresgid(NOBODY.into(), NOBODY.into(), NOBODY.into()).unwrap();
        setresuid(NOBODY.into(), NOBODY.into(), NOBODY.into()).unwrap();
    }
}

fn is_denied(error: &slateboard::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("denied"))
}

#[test]
fn as_one_without_rights() {
    if role().is_none() {
        return;
    }
    become_nobody();
    let (_folder, path) = folder();
    let session = quick().create(&path).unwrap().attach("living").unwrap();
    let before = small().open_read_only(&path).unwrap();
    let lock = lock_of(&path);
    fs::set_permissions(&lock, Permissions::from_mode(0o000)).unwrap();
    let after = small().open_read_only(&path).unwrap();
    assert_eq!(
        (liveness(&before, "living"), liveness(&after, "living")),
        (Liveness::Alive, Liveness::Unknown)
    );
    assert_eq!((counted(&before), counted(&after)), ((0, 0, 1), (0, 1, 1)));
    let why = after.check_locks().unwrap_err();
    assert!(why.kind() == ErrorKind::Io && why.to_string().contains("denied"), "{why}");
    let unknown = Board::is_in_use(&path).unwrap_err();
    assert!(unknown.kind() == ErrorKind::Io && is_denied(&unknown), "{unknown:?}");
    assert_eq!(quick().open(&path).unwrap_err().kind(), ErrorKind::Io, "nobody attaches with it");
    beats(&session, 4);
    session.put_if("k", "v", Expect::Absent).unwrap();
    // A file that may be opened for reading can be asked.
    fs::set_permissions(&lock, Permissions::from_mode(0o400)).unwrap();
    let reading = small().open_read_only(&path).unwrap();
    assert_eq!(liveness(&reading, "living"), Liveness::Alive);
    assert!(reading.check_locks().is_ok() && Board::is_in_use(&path).unwrap());
    fs::set_permissions(&lock, Permissions::from_mode(0o600)).unwrap();
    // Neither can a folder be asked that may not be entered.
    let folder = path.parent().unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o000)).unwrap();
    let unknown = Board::is_in_use(&path).unwrap_err();
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    assert!(unknown.kind() == ErrorKind::Io && is_denied(&unknown), "{unknown:?}");
    // Nor can a board that may not be opened, whose sessions may have their bytes in another file.
    drop((before, after, reading));
    replace_lock(&path);
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let unknown = Board::is_in_use(&path).unwrap_err();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert!(unknown.kind() == ErrorKind::Io && is_denied(&unknown), "{unknown:?}");
    say("asked");
}

#[test]
fn who_may_not_open_the_lock_file_knows_nothing() {
    let (_folder, path) = folder();
    let mut child = Child::start("as_one_without_rights", &path, "");
    assert!(child.says("asked") && child.ends_well());
}

#[test]
fn as_one_who_became_another_user() {
    let Some((path, _)) = role() else { return };
    let session = quick().open(&path).unwrap().attach("changed").unwrap();
    become_nobody();
    say("changed");
    stay();
    beats(&session, 4);
    let of = |name| liveness(session.reader(), name);
    assert_eq!((of("living"), of("dead"), of("changed")), (Liveness::Alive, Liveness::Dead, Liveness::Alive));
    session.put("k", "v").unwrap();
    say("asked");
}

#[test]
fn who_became_another_user_still_asks_through_what_is_open() {
    if !Uid::effective().is_root() {
        eprintln!("skipped: only the superuser can become another user");
        return;
    }
    let (_folder, path) = folder();
    let living = small().beat(NEVER).create(&path).unwrap().attach("living").unwrap();
    let mut changed = Child::start("as_one_who_became_another_user", &path, "");
    assert!(changed.says("changed"));
    let dead = session_of_child(&path, "dead");
    dead.kill();
    changed.let_go();
    // It sees the death. It may not open the lock file to take the byte, so it leaves the session alone.
    assert!(changed.says("asked") && changed.ends_well());
    assert_eq!(liveness(living.reader(), "dead"), Liveness::Dead);
    assert_eq!(living.get("k").unwrap().unwrap().value, b"v");
}

/// Runs a call with so many descriptors at most.
fn with_descriptors<T>(limit: u64, call: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: before.maximum }).unwrap();
    let outcome = call();
    setrlimit(Resource::Nofile, before).unwrap();
    outcome
}

#[test]
fn as_one_short_of_descriptors() {
    let Some((path, _)) = role() else { return };
    let session = quick().open(&path).unwrap().attach("short").unwrap();
    let (mut unknown, mut cannot_tell) = (0, 0);
    for limit in 3..64 {
        let seen = with_descriptors(limit, || {
            small().open_read_only(&path).map(|reader| (liveness(&reader, "living"), reader.check_locks()))
        });
        match seen {
            Ok((Liveness::Alive, _)) => {}
            Ok((Liveness::Unknown, why)) => {
                assert!(why.unwrap_err().to_string().contains("RLIMIT_NOFILE"));
                unknown += 1;
            }
            Ok((other, _)) => panic!("{limit}: {other:?}"),
            Err(error) => assert!(error.to_string().contains("RLIMIT_NOFILE"), "{error}"),
        }
        match with_descriptors(limit, || Board::is_in_use(&path)) {
            Ok(is_in_use) => assert!(is_in_use, "{limit}"),
            Err(error) => {
                assert!(error.to_string().contains("RLIMIT_NOFILE"), "{error}");
                cannot_tell += 1;
            }
        }
    }
    assert!(unknown > 0 && cannot_tell > 0, "{unknown} {cannot_tell}");
    // Without descriptors its keeper can still ask, and cannot take the byte of the dead.
    with_descriptors(3, || {
        say("short");
        assert!(std::io::stdin().lines().next().is_some());
        beats(&session, 4);
        assert_eq!(liveness(session.reader(), "dead"), Liveness::Dead);
        assert_eq!(liveness(session.reader(), "living"), Liveness::Alive);
    });
    let started = Instant::now();
    while counted(session.reader()) != (0, 0, 2) {
        assert!(started.elapsed() < SOON, "the dead is not reaped");
        std::thread::sleep(BEAT);
    }
    say("asked");
}

#[test]
fn who_has_no_descriptor_left_knows_nothing() {
    let (_folder, path) = folder();
    let living = small().beat(NEVER).create(&path).unwrap().attach("living").unwrap();
    let dead = session_of_child(&path, "dead");
    let mut child = Child::start("as_one_short_of_descriptors", &path, "");
    assert!(child.says("short"));
    dead.kill();
    child.tell("it is dead").unwrap();
    assert!(child.says("asked") && child.ends_well());
    drop(living);
}
