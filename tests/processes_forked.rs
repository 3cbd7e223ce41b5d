//! Processes that fork: the child has nothing of the parent's, and harms nothing of it.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use slateboard::{Board, Error, Lease, Liveness, PutOptions, Reader, Session, View, Watch};
use slateboard_kit::{
    children::{Child, SOON, ends, forked, role, say, stay},
    judge,
    places::{folder, small},
};
use std::{fs, ops::ControlFlow, path::Path, time::Duration};

/// Everything that a process may hold of a board.
struct Handles {
    board: Board,
    session: Session,
    observer: Reader,
    view: View,
    lease: Lease,
    watch: Watch,
    events: slateboard::Events,
    key: slateboard::KeyHandle,
}

impl Handles {
    fn new(path: &Path) -> Self {
        let board = small().beat(Duration::from_millis(1)).open(path).unwrap();
        let session = board.attach("parent").unwrap();
        session.put("x", b"1").unwrap();
        let bound = PutOptions::new().ephemeral(true);
        session.put_with("bound", b"1", bound).unwrap();
        // With an index, which is the parent's alone.
        (0..3).for_each(|_| assert!(!session.list("").into_vec().unwrap().is_empty()));
        Self {
            observer: board.read_only().unwrap(),
            view: session.view().unwrap(),
            lease: session.lease("lease", SOON).unwrap(),
            watch: session.watch(""),
            events: session.events(0),
            key: session.key("x").unwrap(),
            board,
            session,
        }
    }

    /// The calls of a child that do not say that they were made before the fork.
    fn not_refused(&mut self) -> Vec<&'static str> {
        let mut wrong = Vec::new();
        let mut check = |call, error: Option<Error>| {
            let refused = error.is_some_and(|error| error.is_forked());
            wrong.extend(Some(call).filter(|_| !refused));
        };
        let Self { board, session, observer, view, lease, watch, events, key } = self;
        check("attach", board.attach("child").err());
        check("board.sessions", board.sessions().err());
        check("board.metrics", board.metrics().err());
        check("put", session.put("x", b"2").err());
        check("remove", session.remove("x").err());
        check("update", session.update("x", |_| "3").err());
        check("acquire", session.lease("other", SOON).err());
        check("session.key", session.key("x").err());
        check("wait", session.wait_newer("x", 1, SOON).err());
        for reader in [observer, session.reader()] {
            check("get", reader.get("x").err());
            check("get_into", reader.get_into("x", &mut Vec::new()).err());
            check("list", reader.list("").into_vec().err());
            check("scan", reader.list("").scan(|_, _, _| ControlFlow::<()>::Continue(())).err());
            check("view", reader.view().err());
            check("view_at", reader.view_at(1).err());
            check("event", reader.event(1).err());
            check("sessions", reader.sessions().err());
            check("metrics", reader.metrics().err());
        }
        check("view.get", view.get("x").err());
        check("view.list", view.list("").into_vec().err());
        check("view.scan", view.list("").scan(|_, _, _| ControlFlow::<()>::Continue(())).err());
        check("key.get", key.get().err());
        check("key.get_into", key.get_into(&mut Vec::new()).err());
        check("key.version", key.version().err());
        check("key.get_newer_into", key.get_newer_into(0, &mut Vec::new()).err());
        check("key.put", key.put(b"4").err());
        check("key.wait_newer", key.wait_newer(1, SOON).err());
        check("lease.renew", lease.renew().err());
        check("watch", watch.next_timeout(SOON).err());
        check("pollable", session.watch("").pollable().err());
        check("stream", session.watch("").stream().err());
        check("events", events.next().and_then(Result::err));
        if events.next().is_some() {
            wrong.push("events go on");
        }
        if lease.is_held() {
            wrong.push("lease.is_held");
        }
        if (board.generation(), board.floor()) != (0, 0) {
            wrong.push("generation");
        }
        // Only what a child opens anew has threads.
        if fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() != 1) {
            wrong.push("threads");
        }
        wrong
    }
}

#[test]
fn as_parent() {
    let Some((path, _)) = role() else { return };
    let mut handles = Some(Handles::new(&path));
    forked(|| {
        let mut handles = handles.take().unwrap();
        let wrong = handles.not_refused();
        drop(handles);
        say(&format!("child refused all but {wrong:?}"));
        let session = Board::open(&path).unwrap().attach("child").unwrap();
        session.put("child", b"here").unwrap();
        say("child attached anew");
        stay();
        drop(session);
        say("child detached");
    });
    // The parent goes on as if nothing were.
    let handles = handles.unwrap();
    for n in 0..200 {
        handles.session.put("parent", n.to_string()).unwrap();
    }
    assert_eq!(handles.key.get().unwrap().unwrap().value, b"1");
    assert!(handles.lease.is_held());
    say("parent went on");
    stay();
    // Until the test has seen the child's end: here the parent lives on.
}

/// Reads lines until all of these words came, in any order; two processes speak.
fn all_said(actor: &mut Child, words: &[&str]) {
    let mut left: Vec<&str> = words.to_vec();
    while !left.is_empty() {
        let line = actor.hear("").unwrap_or_else(|| panic!("never said: {left:?}"));
        assert!(!line.contains("panicked") && !line.contains("refused all but [\""), "{line}");
        left.retain(|word| !line.contains(word));
    }
}

const ALL_WELL: [&str; 3] = ["child refused all but []", "child attached anew", "parent went on"];

#[test]
fn a_forked_child_is_refused_everything_and_attaches_anew() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let mut parent = Child::start("as_parent", &path, "");
    all_said(&mut parent, &ALL_WELL);
    let session = board.attach("other").unwrap();
    let names: Vec<_> = board.sessions().unwrap().into_iter().map(|info| info.name).collect();
    assert!(names.contains(&"parent".into()) && names.contains(&"child".into()), "{names:?}");
    assert!(session.get("bound").unwrap().is_some(), "the child's drops ended the parent's session");
    assert!(parent.ends_well());
    assert_eq!(session.get("child").unwrap().unwrap().writer.name, "child");
    assert!(session.get("bound").unwrap().is_none(), "the parent's own end removes it");
    assert_eq!(board.sessions().unwrap().len(), 1);
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn a_killed_parents_death_is_seen_although_its_child_lives() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let mut parent = Child::start("as_parent", &path, "");
    all_said(&mut parent, &ALL_WELL);
    parent.kill();
    let sessions = board.sessions().unwrap();
    let liveness = |name: &str| sessions.iter().find(|info| info.name == name).map(|info| info.liveness);
    assert_eq!((liveness("parent"), liveness("child")), (Some(Liveness::Dead), Some(Liveness::Alive)));
    let session = board.attach("heir").unwrap();
    assert!(session.get("bound").unwrap().is_none() && session.get("lease").unwrap().is_none());
    assert_eq!(session.get("parent").unwrap().unwrap().text(), Some("199"));
    let names: Vec<_> = board.sessions().unwrap().into_iter().map(|info| info.name).collect();
    assert!(names.len() == 2 && names.contains(&"child".into()), "{names:?}");
    session.put("child", b"seen").unwrap();
    parent.end_family();
    assert_eq!(board.sessions().unwrap().len(), 1);
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn as_forking_parent() {
    let Some((path, _)) = role() else { return };
    let session = Board::open(&path).unwrap().attach("parent").unwrap();
    // At any moment of the keeper's work: with so many leases it nearly always renews one.
    let acquire = |n| session.lease(&format!("lease/{n}"), Duration::from_millis(1)).unwrap();
    let mut leases: Vec<_> = (0..100).map(acquire).collect();
    for round in 0..200 {
        session.put("parent", round.to_string()).unwrap();
        std::thread::sleep(Duration::from_micros(round * 7));
        let child = forked(|| leases.clear());
        assert!(ends(child), "the child waits for a thread that it does not have");
        if leases.iter().any(|lease| !lease.is_held()) {
            leases.clear();
            leases.extend((0..100).map(acquire));
        }
    }
    say("parent well");
}

#[test]
fn dropping_a_lease_in_a_child_never_waits_for_the_parents_threads() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let mut parent = Child::start("as_forking_parent", &path, "");
    assert!(parent.says("parent well") && parent.ends_well());
}
