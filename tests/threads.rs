//! What the threads of one process share: sessions, keys, watches, leases and the keeper behind them, used, cloned
//! and dropped at random. `.ci/tsan` runs these under ThreadSanitizer; elsewhere they are stories like the others.

use slateboard::{Board, ErrorKind, Expect, KeyHandle, Newer, Retry, Session};
use slateboard_kit::random::Random;
use std::{
    sync::{Barrier, mpsc::channel},
    thread::{self, scope},
    time::Duration,
};

/// So often that beats, reaps and renewals run all through a test.
const BEAT: Duration = Duration::from_millis(1);
const SOON: Duration = Duration::from_secs(20);
const THREADS: usize = 4;
/// Calls of a thread: few, for under ThreadSanitizer each takes long.
const ROUNDS: u64 = 60;

fn board() -> (tempfile::TempDir, Board) {
    let folder = tempfile::tempdir().unwrap();
    let options = Board::options().capacity(4 << 20).keys(1024).history(256).sessions(16).beat(BEAT);
    let board = options.create(folder.path().join("board")).unwrap();
    (folder, board)
}

fn number(text: Option<&str>) -> u64 {
    text.map_or(0, |text| text.parse().unwrap())
}

/// One thread's random use of a session that others use too.
fn use_session(board: &Board, session: &Session, seed: u64) -> u64 {
    let mut random = Random::with_seed(seed);
    let (mut clones, mut counted) = (vec![session.clone()], 0);
    for _ in 0..ROUNDS {
        let mine = &clones[random.usize(..clones.len())];
        match random.u64(..9) {
            0 => clones.push(session.clone()),
            1 if clones.len() > 1 => drop(clones.swap_remove(0)),
            2 => assert!(mine.get("file/other").unwrap().is_none()),
            3 => assert!(mine.list("file/").into_vec().unwrap().len() <= THREADS),
            4 => assert!(mine.put(&format!("file/{seed}"), vec![7; 700]).unwrap().version > 0),
            5 => drop(mine.remove(&format!("file/{seed}")).unwrap()),
            6 => drop((board.sessions().unwrap(), board.metrics().unwrap())),
            _ => {
                let add = |old: Option<&slateboard::Entry>| {
                    (number(old.and_then(|entry| entry.text())) + 1).to_string()
                };
                mine.update_with("team/count", Retry::UNLIMITED, add).unwrap();
                counted += 1;
            }
        }
    }
    counted
}

#[test]
fn threads_share_one_session_and_drop_it_in_any_order() {
    let (_folder, board) = board();
    let session = board.attach("shared").unwrap();
    let counted: u64 = scope(|scope| {
        let users: Vec<_> = (0..THREADS as u64)
            .map(|seed| {
                let (board, session) = (&board, session.clone());
                scope.spawn(move || use_session(board, &session, seed))
            })
            .collect();
        drop(session);
        users.into_iter().map(|user| user.join().unwrap()).sum()
    });
    let entry = board.reader().get("team/count").unwrap().unwrap();
    assert_eq!((number(entry.text()), entry.version), (counted, counted));
    assert!(board.sessions().unwrap().is_empty(), "the last handle detaches");
}

#[test]
fn handles_of_one_key_are_passed_from_thread_to_thread() {
    let (_folder, board) = board();
    let session = board.attach("keys").unwrap();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel::<KeyHandle>()).unzip();
    for sender in &senders {
        sender.send(session.key("team/shared").unwrap()).unwrap();
    }
    scope(|scope| {
        for (seed, receiver) in receivers.into_iter().enumerate() {
            let (next, session) = (senders[(seed + 1) % THREADS].clone(), session.clone());
            scope.spawn(move || {
                for round in 0..ROUNDS as usize {
                    let key = receiver.recv().unwrap();
                    key.put([seed as u8; 9]).unwrap();
                    if let Some(entry) = key.get().unwrap() {
                        assert!(entry.value.iter().all(|byte| *byte == entry.value[0]), "torn: {entry:?}");
                    }
                    if round % 16 == seed {
                        // What the handle remembers is over then, and found again.
                        session.remove("team/shared").unwrap();
                    }
                    // The last rounds find nobody who receives.
                    let _ = next.send(key);
                }
            });
        }
        drop(senders);
    });
    let last = board.reader().get("team/shared").unwrap().map(|entry| entry.version);
    assert!(last.is_none_or(|version| version >= THREADS as u64 * ROUNDS), "{last:?}");
}

#[test]
fn watches_see_what_threads_of_the_same_session_put() {
    let (_folder, board) = board();
    let session = board.attach("watched").unwrap();
    let ready = Barrier::new(3);
    scope(|scope| {
        for prefix in ["task/", "note/"] {
            let (session, ready) = (&session, &ready);
            scope.spawn(move || {
                let mut watch = session.watch(prefix);
                ready.wait();
                // Fewer than the history holds, so that none is missed.
                for round in 0..40 {
                    let event = watch.next_timeout(SOON).unwrap().expect("an event comes");
                    assert_eq!(event.mutations[0].key, format!("{prefix}{}", round % 5));
                }
            });
        }
        ready.wait();
        for round in 0..40 {
            session.put(&format!("task/{}", round % 5), "x").unwrap();
            session.clone().put(&format!("note/{}", round % 5), "y").unwrap();
        }
    });
}

#[test]
fn leases_are_taken_renewed_and_dropped_by_many_threads() {
    let (_folder, board) = board();
    let sessions = ["one", "two"].map(|name| board.attach(name).unwrap());
    let tokens: Vec<u64> = scope(|scope| {
        let workers: Vec<_> = sessions
            .iter()
            .chain(&sessions)
            .map(|session| {
                scope.spawn(|| {
                    let mut tokens = Vec::new();
                    for _ in 0..ROUNDS / 6 {
                        match session.lease("lock/one", Duration::from_millis(300)) {
                            Ok(lease) => {
                                tokens.push(lease.token());
                                // Lost only if nobody ran for that long.
                                let _ = lease.renew();
                                let _ = (lease.is_held(), lease.key().len());
                            }
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Held, "{error}"),
                        }
                    }
                    tokens
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let mut unique = tokens.clone();
    unique.sort_unstable();
    unique.dedup();
    assert!(!tokens.is_empty() && unique.len() == tokens.len(), "a token given twice: {tokens:?}");
}

#[test]
fn sessions_come_and_go_while_their_keepers_beat() {
    let (_folder, board) = board();
    scope(|scope| {
        for seed in 0..THREADS as u64 {
            let board = board.clone();
            scope.spawn(move || {
                for round in 0..ROUNDS / 12 {
                    let session = board.attach(&format!("brief-{seed}")).unwrap();
                    session.put_if(&format!("file/{seed}/{round}"), "x", Expect::Absent).unwrap();
                    let last = session.clone();
                    let other = thread::spawn(move || drop(session));
                    last.put(&format!("file/{seed}"), round.to_le_bytes()).unwrap();
                    drop(last);
                    other.join().unwrap();
                }
            });
        }
    });
    assert!(board.sessions().unwrap().is_empty());
}

#[test]
fn views_events_and_waits_run_beside_writers() {
    let (_folder, board) = board();
    let session = board.attach("busy").unwrap();
    session.put("team/now", "0").unwrap();
    scope(|scope| {
        scope.spawn(|| {
            for round in 1..ROUNDS {
                session.put("team/now", round.to_string()).unwrap();
            }
        });
        scope.spawn(|| {
            for _ in 0..ROUNDS / 4 {
                let view = board.reader().view().unwrap();
                match view.get("team/now") {
                    Ok(entry) => assert_eq!(entry.unwrap().generation, view.generation()),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Lagged, "{error}"),
                }
            }
        });
        scope.spawn(|| {
            let observer = board.read_only().unwrap();
            let mut version = 0;
            while version < ROUNDS {
                let newer = observer.wait_newer("team/now", version, SOON).unwrap();
                version = newer.and_then(Newer::entry).expect("a newer one comes").version;
            }
        });
    });
    assert_eq!(board.generation(), ROUNDS);
}
