//! A board's file is cut short while processes have it mapped. With `Board::catch_truncation`, each call of theirs returns the
//! truth or `Moved`, and nothing is acknowledged that nobody else sees. Every other SIGBUS keeps its effect.
#![allow(
    unsafe_code,
    reason = "a program sets a handler of its own and touches a file of its own past its end"
)]

use nix::{
    libc,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction},
};
use slateboard::{Board, Expect, KeyHandle, Lease, Options, PutOptions, Reader, Result, Session, View};
use slateboard_kit::{
    children::{Child, SOON, role},
    places::{folder, small},
};
use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// No keeper and no lookout looks by itself.
const SELDOM: Duration = Duration::from_secs(3600);
const KEYS: usize = 40;
/// Only this test program writes it.
const MARK: &str = "a value that no other call writes";

fn quiet() -> Options {
    small().beat(SELDOM)
}

/// Everything that a process may have of a board.
struct Handles {
    board: Board,
    session: Session,
    key: KeyHandle,
    lease: Lease,
    observer: Reader,
    view: View,
}

impl Handles {
    fn at(path: &Path) -> Result<Self> {
        let board = quiet().create(path)?;
        let session = board.attach("writer")?;
        for number in 0..KEYS {
            session.put(&format!("key/{number:02}"), vec![number as u8; 100 * number])?;
        }
        let key = session.key("key/07")?;
        key.version()?;
        let lease = session.lease("lease", SELDOM)?;
        let observer = quiet().open_read_only(path)?;
        let view = observer.view()?;
        // One entry has left the history's end, one key is gone.
        session.remove("key/03")?;
        Ok(Self { board, session, key, lease, observer, view })
    }
}

/// A call, with what it returned as text.
type Call = (&'static str, fn(&Handles) -> Result<String>);

fn text(found: &impl std::fmt::Debug) -> String {
    format!("{found:?}")
}

/// Calls that only read. To some of them a page of zeros would look like an absent key.
const READS: [Call; 20] = [
    ("get", |h| h.observer.get("key/39").map(|entry| text(&entry.map(|entry| entry.value)))),
    ("get of a missing key", |h| h.observer.get("key/03").map(|entry| text(&entry.map(|entry| entry.value)))),
    ("get_into", |h| {
        let mut buffer = Vec::new();
        let meta = h.session.get_into("key/20", &mut buffer)?;
        Ok(text(&(meta.map(|meta| meta.version), buffer)))
    }),
    ("key.get_into", |h| {
        let mut buffer = Vec::new();
        let meta = h.key.get_into(&mut buffer)?;
        Ok(text(&(meta.map(|meta| meta.version), buffer)))
    }),
    ("get by a new handle", |h| {
        h.session.key("key/30")?.get().map(|entry| text(&entry.map(|entry| entry.version)))
    }),
    ("key.get", |h| h.key.get().map(|entry| text(&entry.map(|entry| entry.version)))),
    ("key.version", |h| h.key.version().map(|version| text(&version))),
    ("key.get_newer_into", |h| {
        h.key.get_newer_into(0, &mut Vec::new()).map(|meta| text(&meta.map(|meta| meta.version)))
    }),
    ("get_many", |h| {
        let found = h.observer.get_many(["key/01", "key/03", "key/30"]);
        let found: Result<Vec<_>> = found.into_iter().collect();
        found.map(|found| text(&found.iter().map(Option::is_some).collect::<Vec<_>>()))
    }),
    ("list", |h| h.observer.list("key/").into_vec().map(|list| text(&list.len()))),
    ("list iterator", |h| h.session.list("key/").keys().collect::<Result<Vec<_>>>().map(|list| text(&list))),
    ("whole list", |h| {
        h.session.list("").whole().map(|list| text(&(list.entries.len(), list.damaged.len())))
    }),
    ("scan", |h| {
        let wanted = |key: &str, value: &[u8], _: &_| match value.len() {
            3800 => std::ops::ControlFlow::Break(key.to_owned()),
            _ => std::ops::ControlFlow::Continue(()),
        };
        h.session.list("").scan(wanted).map(|found| text(&found))
    }),
    ("view.get", |h| h.view.get("key/03").map(|entry| text(&entry.map(|entry| entry.value.len())))),
    ("view", |h| h.observer.view().map(|view| text(&view.generation()))),
    ("view_at", |h| h.observer.view_at(20).map(|view| text(&view.generation()))),
    ("event", |h| h.observer.event(30).map(|event| text(&event.mutations[0].key))),
    ("events", |h| {
        let events: Result<Vec<_>> = h.session.events(0).collect();
        events.map(|events| text(&events.iter().map(|event| event.generation).collect::<Vec<_>>()))
    }),
    ("wait_newer", |h| h.session.wait_newer("key/09", 0, Duration::ZERO).map(|found| text(&found.is_some()))),
    ("soundness", |h| {
        h.observer.soundness().map(|found| text(&(found.keys, found.events, found.damaged.len())))
    }),
];

/// Calls that write [`MARK`], or attach.
const WRITES: [Call; 10] = [
    ("put", |h| h.session.put("key/05", MARK).map(|receipt| text(&receipt.version))),
    ("put of a new key", |h| h.session.put("other", MARK).map(|receipt| text(&receipt.version))),
    ("put_if", |h| {
        h.session.put_if("key/06", MARK, Expect::Version(1)).map(|receipt| text(&receipt.version))
    }),
    ("put_if absent", |h| {
        let outcome = h.session.put_if("key/06", MARK, Expect::Absent);
        match outcome {
            Err(error) if error.is_conflict() => Ok("conflict".to_owned()),
            outcome => outcome.map(|receipt| text(&receipt.version)),
        }
    }),
    ("put_with", |h| {
        let options = PutOptions::new().ttl(SELDOM).ephemeral(true);
        h.session.put_with("bound", MARK, options).map(|receipt| text(&receipt.version))
    }),
    ("key.put", |h| h.key.put(MARK).map(|receipt| text(&receipt.version))),
    ("key.update", |h| {
        h.key
            .update(|old| [old.unwrap_or(b"nothing"), MARK.as_bytes()].concat())
            .map(|receipt| text(&receipt.version))
    }),
    ("update", |h| h.session.update("key/08", |_| MARK).map(|receipt| text(&receipt.version))),
    ("large put", |h| h.session.put("large", MARK.repeat(2000)).map(|receipt| text(&receipt.version))),
    ("lease of another", |h| match h.session.lease("lease", SELDOM) {
        Err(error) if error.is_held() => Ok("held".to_owned()),
        outcome => outcome.map(|lease| text(&lease.token())),
    }),
];

/// Calls that change something else, or tell of sessions.
const OTHERS: [Call; 6] = [
    ("attach", |h| h.board.attach("another").map(|session| session.name().to_owned())),
    ("remove", |h| h.session.remove("key/10").map(|removed| text(&removed.is_some()))),
    ("remove of a missing key", |h| h.session.remove("key/03").map(|removed| text(&removed.is_some()))),
    ("sessions", |h| {
        h.board.sessions().map(|found| text(&found.iter().map(|one| one.name.clone()).collect::<Vec<_>>()))
    }),
    ("metrics", |h| h.board.metrics().map(|found| text(&(found.keys, found.generation)))),
    ("renew", |h| h.lease.renew().map(|()| "renewed".to_owned())),
];

fn cut(path: &Path, bytes: u64) {
    File::options().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

/// The lengths to which a file is cut: each page of its beginning, where the tables are, and some after it.
fn lengths(path: &Path) -> Vec<u64> {
    let pages = fs::metadata(path).unwrap().len() / 4096;
    (0..pages).filter(|page| page % 7 == 0 || *page < 12).map(|page| page * 4096).collect()
}

/// Makes the call on boards that are cut to each length. Returns how many answered, and how many were told that it moved.
fn on_cut_boards(name: &str, call: fn(&Handles) -> Result<String>, writes: bool) -> (usize, usize) {
    let (_folder, path) = folder();
    let whole = call(&Handles::at(&path).unwrap()).unwrap();
    let (mut answered, mut told) = (0, 0);
    for length in lengths(&path) {
        let (_folder, path) = folder();
        let handles = Handles::at(&path).unwrap();
        cut(&path, length);
        match call(&handles) {
            Ok(found) => {
                assert_eq!(found, whole, "{name} on a board of {length} bytes");
                // Nothing that it needed was cut off.
                let is_there = || {
                    let file = fs::read(&path).unwrap();
                    file.windows(MARK.len()).any(|window| window == MARK.as_bytes())
                };
                assert!(
                    !writes || matches!(whole.as_str(), "conflict" | "held") || is_there(),
                    "{name}: {length}"
                );
                answered += 1;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(
                    error.is_moved() && text.contains("cut short"),
                    "{name} on a board of {length} bytes: {text}"
                );
                told += 1;
            }
        }
        if handles.session.put("last", MARK).is_err() {
            assert!(
                handles.session.get("key/01").unwrap_err().is_moved(),
                "{name}: no call returns after it"
            );
        }
    }
    (answered, told)
}

fn each(calls: &[Call], writes: bool) {
    Board::catch_truncation().unwrap();
    for (name, call) in calls {
        let (answered, told) = on_cut_boards(name, *call, writes);
        assert!(told > 0, "{name} was never told; {answered} answers");
    }
}

#[test]
fn reads_of_a_board_that_was_cut_short_tell_the_truth_or_that_it_moved() {
    each(&READS, false);
}

#[test]
fn writes_to_a_board_that_was_cut_short_are_in_the_file_or_not_acknowledged() {
    each(&WRITES, true);
}

#[test]
fn other_calls_on_a_board_that_was_cut_short_tell_the_truth_or_that_it_moved() {
    each(&OTHERS, false);
}

#[test]
fn boards_that_are_whole_are_not_concerned() {
    Board::catch_truncation().unwrap();
    let ((_one, first), (_two, second)) = (folder(), folder());
    let (lost, kept) = (Handles::at(&first).unwrap(), Handles::at(&second).unwrap());
    cut(&first, 0);
    assert!(lost.session.put("key/05", MARK).is_err_and(|error| error.is_moved()));
    kept.session.put("key/05", MARK).unwrap();
    drop(lost);
    assert_eq!(kept.observer.get("key/05").unwrap().unwrap().value, MARK.as_bytes());
}

#[test]
fn a_look_finds_a_cut_file_before_anybody_touches_it() {
    Board::catch_truncation().unwrap();
    let (_folder, path) = folder();
    drop(Handles::at(&path).unwrap());
    let observer = small().beat(Duration::from_millis(1)).open_read_only(&path).unwrap();
    // The last page holds a value at most, so no keeper touches it.
    cut(&path, fs::metadata(&path).unwrap().len() - 1);
    let started = Instant::now();
    while observer.view().is_ok() {
        assert!(started.elapsed() < SOON, "nobody looked");
    }
    assert!(observer.view().unwrap_err().is_moved());
}

#[test]
fn a_doorbell_that_was_cut_short_is_told() {
    Board::catch_truncation().unwrap();
    let (_folder, path) = folder();
    let board = small().beat(Duration::from_millis(1)).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    cut(&path.with_added_extension("bell"), 0);
    let started = Instant::now();
    // A put looks at the doorbell, and a beat finds what that met.
    let error = loop {
        match session.put("key", MARK) {
            Ok(_) => assert!(started.elapsed() < SOON, "nobody noticed"),
            Err(error) => break error,
        }
    };
    assert!(error.is_moved(), "{error}");
}

static CALLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn own(_: libc::c_int) {
    CALLED.fetch_add(1, Ordering::Relaxed);
}

fn act(handler: SigHandler) {
    // SAFETY: the handler counts, or the action is the default.
    unsafe { sigaction(Signal::SIGBUS, &SigAction::new(handler, SaFlags::empty(), SigSet::empty())) }
        .unwrap();
}

/// Reads a page that the file of a mapping of this program's own does not have.
fn touch_a_file_of_its_own() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(4096).unwrap();
    // SAFETY: the mapping is read once, by a volatile read of a byte.
    let map = unsafe { memmap2::Mmap::map(&file) }.unwrap();
    file.set_len(0).unwrap();
    std::hint::black_box(map[0]);
}

#[test]
fn as_a_program() {
    let Some((path, what)) = role() else { return };
    match what.as_str() {
        "own handler" => {
            act(SigHandler::Handler(own));
            Board::catch_truncation().unwrap();
            Board::catch_truncation().unwrap();
            raise(Signal::SIGBUS).unwrap();
            assert_eq!(CALLED.load(Ordering::Relaxed), 1);
        }
        "ignored" => {
            act(SigHandler::SigIgn);
            Board::catch_truncation().unwrap();
            raise(Signal::SIGBUS).unwrap();
        }
        "sent" => {
            act(SigHandler::SigDfl);
            Board::catch_truncation().unwrap();
            raise(Signal::SIGBUS).unwrap();
        }
        "own file" => {
            act(SigHandler::SigDfl);
            Board::catch_truncation().unwrap();
            let _handles = Handles::at(&path).unwrap();
            touch_a_file_of_its_own();
        }
        "ignored own file" => {
            act(SigHandler::SigIgn);
            Board::catch_truncation().unwrap();
            touch_a_file_of_its_own();
        }
        "not asked for" => {
            let handles = Handles::at(&path).unwrap();
            cut(&path, 0);
            let _ = handles.session.put("key/05", MARK);
        }
        "a child" => {
            Board::catch_truncation().unwrap();
            let handles = Handles::at(&path).unwrap();
            // SAFETY: the child only makes and cuts a board of its own, and ends.
            if let nix::unistd::ForkResult::Parent { child } = unsafe { nix::unistd::fork() }.unwrap() {
                let ended = nix::sys::wait::waitpid(child, None).unwrap();
                assert_eq!(ended, nix::sys::wait::WaitStatus::Exited(child, 7));
                handles.session.put("key/05", MARK).unwrap();
            } else {
                let path = path.with_added_extension("child");
                let own = Handles::at(&path).unwrap();
                drop(handles);
                cut(&path, 0);
                assert!(own.session.put("key/05", MARK).unwrap_err().is_moved());
                assert!(own.observer.get("key/05").unwrap_err().is_moved());
            }
        }
        _ => unreachable!("no such role"),
    }
    std::process::exit(7);
}

#[test]
fn every_other_sigbus_has_the_effect_that_it_had() {
    for (what, signal) in [
        ("own handler", None),
        ("ignored", None),
        ("a child", None),
        ("sent", Some(libc::SIGBUS)),
        ("own file", Some(libc::SIGBUS)),
        ("ignored own file", Some(libc::SIGBUS)),
        ("not asked for", Some(libc::SIGBUS)),
    ] {
        let (_folder, path) = folder();
        let mut program = Child::start("as_a_program", &path, what);
        program.let_go();
        while program.line().is_some() {}
        let ended = std::iter::from_fn(|| Some(program.status().unwrap())).flatten().next().unwrap();
        let code = if signal.is_none() { Some(7) } else { None };
        assert_eq!((ended.code(), ended.signal()), (code, signal), "{what}: {ended:?}");
    }
}
