//! Children that are forked while every thread of the parent is at work, and that open and attach anew, as the error
//! `Forked` advises: none waits for a lock that a thread of the parent held at the fork.
#![allow(unsafe_code, reason = "fork is what is tested")]

use nix::{
    libc,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};
use slateboard::{Board, Options, Session};
use slateboard_kit::{
    children::{Child, SOON, role, say},
    places::{folder, rounds},
};
use std::{
    io::PipeReader,
    os::fd::AsFd,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

const BEAT: Duration = Duration::from_millis(1);
const KEEPERS: usize = 4;
const LEASES: usize = 25;

fn options() -> Options {
    Board::options().capacity(4 << 20).keys(1024).history(256).sessions(32).beat(BEAT)
}

/// What the children do, each step noted before it is made.
fn attach_anew(path: &Path, at: impl Fn(u8)) {
    at(b'o');
    let board = options().open(path).unwrap();
    at(b'a');
    let session = board.attach("child").unwrap();
    at(b'p');
    session.put("child", b"here").unwrap();
    at(b'l');
    let lease = session.lease("child/lease", SOON).unwrap();
    assert!(lease.is_held());
    at(b'g');
    assert_eq!(session.get("child").unwrap().unwrap().value, b"here");
    at(b'r');
    lease.release().unwrap();
    at(b'd');
    session.detach();
    at(b'c');
    drop(board);
    at(b'e');
}

/// Forks a child that does this and ends by `_exit`.
fn fork_child(path: &Path) -> (Pid, PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    // SAFETY: glibc makes its own locks usable in the child, the library takes none that a thread of this process
    // can hold, and the child ends without unwinding.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => (child, reader),
        ForkResult::Child => {
            let note = |step: u8| {
                let _ = rustix::io::write(writer.as_fd(), &[step]);
            };
            let outcome = std::panic::catch_unwind(|| attach_anew(path, note));
            // SAFETY: returns to nobody.
            unsafe { libc::_exit(i32::from(outcome.is_err())) }
        }
    }
}

/// Waits for a child; how far it came where it did not end well.
fn check_end(child: Pid, steps: &PipeReader) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)).unwrap() {
            WaitStatus::Exited(_, 0) => return Ok(()),
            WaitStatus::StillAlive if started.elapsed() < SOON => thread::sleep(Duration::from_micros(200)),
            WaitStatus::StillAlive => {
                let threads = threads_of(child);
                kill(child, Signal::SIGKILL).unwrap();
                waitpid(child, None).unwrap();
                return Err(format!("the child hangs at step {:?}:\n{threads}", steps_of(steps)));
            }
            other => return Err(format!("the child ended with {other:?} at step {:?}", steps_of(steps))),
        }
    }
}

/// The steps that a child that is gone made.
fn steps_of(mut steps: &PipeReader) -> String {
    let mut said = String::new();
    let _ = std::io::Read::read_to_string(&mut steps, &mut said);
    said
}

/// What each thread of a process waits for.
fn threads_of(process: Pid) -> String {
    let mut text = String::new();
    for thread in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let read = |name| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        text += &format!("{} {}: {}", read("comm").trim(), read("wchan"), read("syscall"));
    }
    text
}

/// Work for a session's keeper, and calls of its user, until the end.
fn keep_busy(session: &Session, number: usize, over: &AtomicBool) {
    let mut leases = Vec::new();
    while !over.load(Relaxed) {
        leases.truncate(LEASES - 3);
        leases.retain(slateboard::Lease::is_held);
        for lease in leases.len()..LEASES {
            let key = format!("lease/{number}/{lease}");
            leases.extend(session.lease(&key, Duration::from_millis(20)));
        }
        session.put(&format!("busy/{number}"), b"1").unwrap();
        thread::sleep(Duration::from_micros(20));
    }
}

fn watch(session: &Session, over: &AtomicBool) {
    let mut watch = session.watch("busy/");
    while !over.load(Relaxed) {
        let _ = watch.next_timeout(Duration::from_millis(10));
    }
}

/// The library's own threads start and end.
fn come_and_go(board: &Board, over: &AtomicBool) {
    while !over.load(Relaxed) {
        board.attach("guest").unwrap().put("guest", b"1").unwrap();
    }
}

/// Threads of the program start and end.
fn start_threads(over: &AtomicBool) {
    while !over.load(Relaxed) {
        thread::spawn(|| {}).join().unwrap();
    }
}

#[test]
fn as_busy_parent() {
    let Some((path, argument)) = role() else { return };
    let board = options().open(&path).unwrap();
    let sessions: Vec<Session> = (0..KEEPERS).map(|_| board.attach("busy").unwrap()).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for (number, session) in sessions.iter().enumerate() {
            scope.spawn(|| watch(session, &over));
            let over = &over;
            scope.spawn(move || keep_busy(session, number, over));
        }
        if argument.contains("guests") {
            scope.spawn(|| come_and_go(&board, &over));
        }
        if argument.contains("threads") {
            scope.spawn(|| start_threads(&over));
        }
        for round in 0..rounds(1000) {
            let (child, steps) = fork_child(&path);
            if let Err(text) = check_end(child, &steps) {
                say(&format!("children: in round {round} {}", text.replace('\n', " | ")));
                std::process::exit(1);
            }
        }
        over.store(true, Relaxed);
    });
    say("children: all ended");
}

fn all_children_end_beside(argument: &str) {
    let (_folder, path) = folder();
    options().create(&path).unwrap();
    let mut parent = Child::start("as_busy_parent", &path, argument);
    let outcome = parent.hear("children: ").expect("the parent says how its children ended");
    assert!(outcome == "all ended", "{outcome}");
    assert!(parent.ends_well());
}

#[test]
fn children_of_a_process_whose_keepers_are_busy_attach_anew() {
    all_children_end_beside("");
}

#[test]
fn children_of_a_process_whose_threads_come_and_go_attach_anew() {
    all_children_end_beside("guests, threads");
}
