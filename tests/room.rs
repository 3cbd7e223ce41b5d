//! Room: what is removed gives it back, nobody keeps it from others, and a full board says what holds it.

use slateboard::{Board, Error, Options, Session};
use slateboard_kit::{
    children::SOON,
    judge,
    places::{folder, small},
};
use std::{thread, time::Instant};

/// Puts until the board is full; how many went in, and the error.
fn fill(session: &Session, prefix: &str, bytes: usize) -> (u64, Error) {
    for n in 0.. {
        if let Err(error) = session.put(&format!("{prefix}/{n:06}"), vec![n as u8; bytes]) {
            return (n, error);
        }
    }
    unreachable!("a board is finite")
}

/// Values of so many bytes that a new board of these options holds.
fn held_by_a_new_board(options: &Options, bytes: usize) -> u64 {
    let (_folder, path) = folder();
    let board = options.clone().create(&path).unwrap();
    fill(&board.attach("first").unwrap(), "new", bytes).0
}

#[test]
fn one_value_removed_makes_room_for_one() {
    for (capacity, bytes) in [(1 << 20, 100), (1 << 20, 3000), (1 << 20, 60_000), (64 << 20, 1_000_000)] {
        let (_folder, path) = folder();
        let options = Board::options().capacity(capacity).keys(256 << 10).history(1024).sessions(8);
        let board = options.create(&path).unwrap();
        let session = board.attach("filler").unwrap();
        let (count, error) = fill(&session, "fill", bytes);
        assert!(error.is_full(), "{error}");
        for n in 0..2 * count.min(200) {
            session.remove(&format!("fill/{n:06}")).unwrap().expect("a value to remove");
            let put = session.put(&format!("fill/{:06}", count + n), vec![n as u8; bytes]);
            assert!(put.is_ok(), "put {n} of {bytes} bytes behind a removal: {put:?}");
        }
        assert_eq!(session.list("").into_vec().unwrap().len() as u64, count);
        drop(session);
        judge::assert_sound(&path);
    }
}

#[test]
fn a_value_can_always_be_replaced_on_a_board_that_had_room_for_one_more() {
    let (_folder, path) = folder();
    let board = Board::options().capacity(8 << 20).keys(64).history(1024).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    let (count, _) = fill(&session, "fill", 250_000);
    session.remove("fill/000000").unwrap().unwrap();
    for n in 0..3 * count {
        session.put(&format!("fill/{:06}", 1 + n % (count - 1)), vec![n as u8; 250_000]).unwrap();
    }
}

#[test]
fn an_emptied_board_takes_values_of_any_size() {
    for first in [1, 100, 900, 3000] {
        for second in [1, 700, 20_000, 120_000] {
            // So many that no chain needs overflow buckets, which stay for ever and keep their extents.
            let options = small().keys(256 << 10);
            let fresh = held_by_a_new_board(&options, second);
            let (_folder, path) = folder();
            let board = options.create(&path).unwrap();
            let session = board.attach("filler").unwrap();
            let (count, _) = fill(&session, "fill", first);
            for n in 0..count {
                session.remove(&format!("fill/{n:06}")).unwrap().expect("a value to remove");
            }
            let (again, error) = fill(&session, "again", second);
            assert!(error.is_full(), "{error}");
            drop(session);
            let buckets = judge::assert_sound(&path).blocks.buckets;
            assert!(
                again == fresh,
                "{count} values of {first} bytes were there; of {second} bytes {again} fit then, {fresh} at first, \
                 with {buckets} granules in buckets"
            );
        }
    }
}

#[test]
fn removed_keys_hold_no_block_once_they_left_the_history() {
    let (_folder, path) = folder();
    let board = small().keys(16 << 10).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    session.put("stays", "here").unwrap();
    let before = board.metrics().unwrap();
    for n in 0..500 {
        session.put(&format!("brief/{n}"), "brief").unwrap();
        session.remove(&format!("brief/{n}")).unwrap().unwrap();
    }
    // Nobody touches those keys again.
    for n in 0..64 {
        session.put("stays", [n; 8]).unwrap();
    }
    let after = board.metrics().unwrap();
    let summary = judge::assert_sound_with(&path, &[session.index()]);
    assert_eq!(summary.blocks.tombstones, 0, "{:?}", summary.blocks);
    assert!(after.live_bytes <= before.live_bytes + 1024, "{before:?} became {after:?}");
}

/// Four threads, one in each lane, put and remove values of all sizes.
fn use_all_lanes(session: &Session, round: usize) {
    thread::scope(|scope| {
        for lane in 0..4 {
            scope.spawn(move || {
                for n in 0..12 {
                    for bytes in [10, 100, 1000, 10_000, 50_000] {
                        let key = format!("brief/{round}/{lane}");
                        session.put(&key, vec![n; bytes]).unwrap();
                        session.remove(&key).unwrap();
                    }
                }
            });
        }
    });
}

#[test]
fn idle_sessions_leave_all_room_to_others() {
    idle_sessions_leave_room(8, 250_000, &Board::options().capacity(8 << 20).keys(1024).history(64));
    idle_sessions_leave_room(24, 1_000_000, &Board::options());
}

/// As many values of this length find room beside so many idle sessions as on a new board.
fn idle_sessions_leave_room(sessions: usize, len: usize, options: &Options) {
    let fresh = held_by_a_new_board(options, len);
    let (_folder, path) = folder();
    let board = options.clone().beat(std::time::Duration::from_millis(5)).create(&path).unwrap();
    let idle: Vec<Session> = (0..sessions).map(|n| board.attach(&format!("idle {n}")).unwrap()).collect();
    for (round, session) in idle.iter().enumerate() {
        use_all_lanes(session, round);
        let metrics = board.metrics().unwrap();
        assert!(metrics.private_bytes <= metrics.capacity / 64, "{metrics:?}");
    }
    let started = Instant::now();
    while board.metrics().unwrap().private_bytes > 0 {
        assert!(started.elapsed() < SOON, "idle sessions keep {:?}", board.metrics().unwrap());
        thread::yield_now();
    }
    let (count, error) = fill(&board.attach("filler").unwrap(), "fill", len);
    assert_eq!(count, fresh, "{error}");
}

#[test]
fn the_parts_add_up_and_the_error_names_them() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("filler").unwrap();
    let (_, error) = fill(&session, "fill", 3000);
    let text = error.to_string();
    for part in
        ["values hold", "the history", "at hand", "the reserve for removals", "free in smaller pieces"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains("remove keys"), "{text}");
    let metrics = board.metrics().unwrap();
    let parts = metrics.used + metrics.reserve_bytes + metrics.free_bytes;
    assert!(parts <= metrics.capacity && parts * 10 >= metrics.capacity * 9, "{metrics:?}");
    assert!(
        metrics.live_bytes + metrics.history_bytes + metrics.private_bytes <= metrics.used,
        "{metrics:?}"
    );
    assert!(metrics.live_bytes * 10 >= metrics.capacity * 8, "{metrics:?}");
}

#[test]
fn two_writers_of_two_sizes_cut_no_extent_by_turns_for_ever() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("filler").unwrap();
    // All but a little, so that each size has to wait for what the other leaves.
    let (count, _) = fill(&session, "fill", 30_000);
    for n in 0..3 {
        session.remove(&format!("fill/{:06}", count - 1 - n)).unwrap();
    }
    thread::scope(|scope| {
        for (name, bytes) in [("small", 2000), ("large", 60_000), ("middle", 9000)] {
            let writer = board.attach(name).unwrap();
            scope.spawn(move || {
                let mut done = 0;
                for n in 0..2000u64 {
                    match writer.put(&format!("{name}/{}", n % 3), vec![n as u8; bytes]) {
                        Ok(_) => done += 1,
                        Err(error) => assert!(error.is_full(), "{error}"),
                    }
                    if n % 3 == 2 {
                        for k in 0..3 {
                            writer.remove(&format!("{name}/{k}")).unwrap();
                        }
                    }
                }
                assert!(done > 0, "no put of {bytes} bytes happened");
            });
        }
    });
    drop(session);
    judge::assert_sound(&path);
}
