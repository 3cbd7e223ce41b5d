//! Child processes end with their parents, talk by lines, and are told apart when they end.

use nix::sys::{signal::Signal, wait::WaitStatus};
use slateboard::{Board, Liveness};
use slateboard_kit::{
    children::{Child, SOON, ends, forked, role, say, stay},
    places::{folder, small},
};
use std::{io::BufRead, time::Instant};

#[test]
fn as_child() {
    let Some((path, name)) = role() else { return };
    let _session = Board::open(path).unwrap().attach(&name).unwrap();
    say("attached");
    loop {
        std::thread::park();
    }
}

#[test]
fn as_parent() {
    let Some((path, _)) = role() else { return };
    let mut child = Child::start("as_child", &path, "grandchild");
    assert!(child.says("attached"));
    say("started");
    stay();
}

#[test]
fn a_child_ends_when_its_parent_is_killed() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let mut parent = Child::start("as_parent", &path, "");
    assert!(parent.says("started"));
    let lives = || board.sessions().unwrap().iter().any(|session| session.liveness == Liveness::Alive);
    assert!(lives());
    parent.kill();
    let started = Instant::now();
    while lives() {
        assert!(started.elapsed() < SOON, "the child outlives its parent");
    }
}

#[test]
fn as_echo() {
    let Some((_, argument)) = role() else { return };
    for line in std::io::stdin().lock().lines() {
        say(&format!("{argument} {}", line.unwrap()));
    }
}

#[test]
fn parent_and_child_talk_by_lines() {
    let (_folder, path) = folder();
    let mut child = Child::start("as_echo", &path, "again:");
    assert!(child.tell("one").is_ok());
    assert_eq!(child.hear("again:").as_deref(), Some("one"));
    assert_eq!(child.ask("two").unwrap(), "again: two");
    assert!(!child.has_ended());
    child.let_go();
    assert!(child.tell("three").is_err());
    assert!(child.ends_well() && child.has_ended());
}

#[test]
fn a_stopped_child_says_nothing_and_a_killed_one_has_ended() {
    let (_folder, path) = folder();
    let mut child = Child::start("as_echo", &path, "again:");
    child.stop();
    child.tell("late").unwrap();
    child.go_on();
    assert!(child.says("late"));
    child.kill();
    assert!(child.has_ended() && child.line().is_none());
    let other = Child::start("as_echo", &path, "again:");
    assert!(matches!(other.ask_to_end(Signal::SIGTERM), WaitStatus::Signaled(_, Signal::SIGTERM, _)));
}

#[test]
fn a_forked_child_ends_whether_it_panics_or_not() {
    assert!(ends(forked(|| {})));
    assert!(ends(forked(|| panic!("on purpose"))));
}
