//! The elected keeper: one does for all what one can do, and nobody depends on it.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use slateboard::{
    Board, PutOptions, Session,
    region::{LockFile, locks::ELECTED},
};
use slateboard_kit::{
    children::{Child, SOON, forked, role, say, stay},
    places::{folder, small},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const BEAT: Duration = Duration::from_millis(2);

/// Waits for what some keeper does at one of its next beats.
fn soon(mut what: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !what() {
        if started.elapsed() > SOON {
            return false;
        }
        std::thread::sleep(BEAT);
    }
    true
}

/// Whether some session is the elected one. Only for processes that have none.
fn somebody_is_elected(path: &Path) -> bool {
    LockFile::open(path).unwrap().is_held(ELECTED).unwrap()
}

/// A session of another process that holds an entry for as long as it lives.
fn member(path: &Path, name: &str) -> Child {
    let mut actor = Child::start("as_member", path, name);
    assert!(actor.says("attached"));
    actor
}

fn attach(path: &Path, name: &str) -> Session {
    let session = small().beat(BEAT).open(path).unwrap().attach(name).unwrap();
    let bound = PutOptions::new().ephemeral(true);
    session.put_with(&format!("bound/{name}"), name, bound).unwrap();
    session
}

#[test]
fn as_member() {
    let Some((path, name)) = role() else { return };
    let session = attach(&path, &name);
    say("attached");
    stay();
    drop(session);
    say("detached");
    // The process lives on without its session: the standard output ends with it.
    std::thread::sleep(SOON);
}

/// Whether the members of these names are gone, by an observer, which reaps nobody.
fn are_gone(path: &Path, names: &[&str]) -> bool {
    let reader = Board::options().open_read_only(path).unwrap();
    names.iter().all(|name| reader.get(&format!("bound/{name}")).unwrap().is_none())
}

/// Waits until the session beats.
fn soon_beats(path: &Path, name: &str) -> bool {
    let reader = Board::options().open_read_only(path).unwrap();
    let mut last = Duration::ZERO;
    soon(|| {
        let sessions = reader.sessions().unwrap();
        let age = sessions.iter().find(|info| info.name == name).unwrap().beat_age;
        std::mem::replace(&mut last, age) > age
    })
}

#[test]
fn the_dead_are_reaped_while_the_elected_one_is_stopped() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let elected = member(&path, "elected");
    assert!(soon(|| somebody_is_elected(&path)));
    let victims = ["first", "second"].map(|name| (name, member(&path, name)));
    let _other = member(&path, "other");
    elected.stop();
    victims.iter().for_each(|(_, victim)| victim.kill());
    assert!(soon(|| are_gone(&path, &["first", "second"])), "the others wait for the elected one");
    assert!(somebody_is_elected(&path), "a stopped one stays elected");
    assert!(!are_gone(&path, &["elected"]) && !are_gone(&path, &["other"]), "the living were reaped");
    elected.go_on();
}

#[test]
fn what_expired_is_ended_while_the_elected_one_is_stopped() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let elected = member(&path, "elected");
    assert!(soon(|| somebody_is_elected(&path)));
    let _other = member(&path, "other");
    elected.stop();
    // By a session whose own keeper ends nothing.
    let writer = small().beat(Duration::from_secs(1 << 20)).open(&path).unwrap().attach("writer").unwrap();
    let brief = PutOptions::new().ttl(Duration::from_nanos(1));
    writer.put_with("brief", b"", brief).unwrap();
    let reader = Board::options().open_read_only(&path).unwrap();
    assert!(soon(|| reader.metrics().unwrap().totals.expired == 1), "the others wait for the elected one");
    elected.go_on();
}

#[test]
fn another_is_elected_when_the_elected_one_dies() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let elected = member(&path, "elected");
    assert!(soon(|| somebody_is_elected(&path)));
    let _other = member(&path, "other");
    // It has tried already.
    assert!(soon_beats(&path, "other"));
    elected.kill();
    assert!(soon(|| somebody_is_elected(&path) && are_gone(&path, &["elected"])));
}

#[test]
fn a_session_that_ends_is_not_elected_any_more() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let mut elected = member(&path, "elected");
    assert!(soon(|| somebody_is_elected(&path)));
    elected.let_go();
    assert!(elected.says("detached"));
    assert!(!somebody_is_elected(&path), "the process kept what its session held");
}

#[test]
fn a_signal_ends_the_election() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let elected = Child::start("as_polite", &path, "elected");
    assert!(soon(|| somebody_is_elected(&path)));
    elected.ask_to_end(nix::sys::signal::Signal::SIGTERM);
    assert!(!somebody_is_elected(&path) && are_gone(&path, &["elected"]));
}

#[test]
fn as_polite() {
    let Some((path, name)) = role() else { return };
    let board = small().beat(BEAT).end_on_signals(true).open(&path).unwrap();
    let _session = board.attach(&name).unwrap();
    stay();
}

#[test]
fn as_parent() {
    let Some((path, name)) = role() else { return };
    let mut session = Some(attach(&path, &name));
    assert!(soon(|| session.as_ref().is_some_and(|_| somebody_is_elected(&path))));
    // Before and after the handles of the child are dropped.
    forked(stay);
    forked(|| {
        drop(session.take());
        say("forked");
        stay();
    });
    stay();
}

#[test]
fn a_forked_child_keeps_no_election_and_ends_none() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let mut parent = Child::start("as_parent", &path, "parent");
    assert!(parent.says("forked"));
    assert!(somebody_is_elected(&path), "the child's drop ended the parent's election");
    parent.kill();
    // A child that was just forked has its copies until its handler has run.
    assert!(soon(|| !somebody_is_elected(&path)), "a child keeps the election");
    parent.end_family();
}

#[test]
fn of_the_sessions_of_one_process_one_is_elected_after_the_other() {
    let (_folder, path) = folder();
    let board = small().beat(BEAT).create(&path).unwrap();
    let locks = LockFile::open(&path).unwrap();
    let mut sessions: Vec<_> = (0..4).map(|n| board.attach(&format!("s{n}")).unwrap()).collect();
    // Through another file than the certificates', so it may be asked.
    while let Some(session) = sessions.pop() {
        assert!(soon(|| locks.is_held(ELECTED).unwrap()));
        drop(session);
    }
    assert!(!locks.is_held(ELECTED).unwrap());
}
