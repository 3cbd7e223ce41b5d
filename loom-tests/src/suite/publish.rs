//! Writers of one key: nothing is lost, nothing happens twice.

use super::{
    Model, Run,
    board::{Board, done},
    fsck,
};
use slateboard::protocol::publish::{Change, Expect, Outcome};
use std::sync::Arc;

pub const MODELS: &[&Model] = &[&TWO_PUTS, &TWO_PUTS_LAP, &ONE_SWAP_WINS, &SWAP_MEETS_REMOVE, &CONFLICT];

/// Two puts of one key: both happen, as a chain of versions.
static TWO_PUTS: Model = Model {
    name: "publish::two_puts_of_one_key_make_a_chain",
    budget: 5_000,
    least: 1_000,
    must_see: &["first first", "second first"],
    kills: false,
    roles: 2,
    run: |run| two_puts(run, 2),
};

/// The same with a ring of one event: every event lets the one before go.
static TWO_PUTS_LAP: Model = Model {
    name: "publish::two_puts_of_one_key_lap_a_ring_of_one",
    budget: 5_000,
    least: 1_000,
    must_see: &["first first", "second first"],
    kills: false,
    roles: 2,
    run: |run| two_puts(run, 1),
};

fn two_puts(run: &Arc<Run>, history: u64) {
    let board = Board::small(5, history);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "a", 1);
    let puts = [1, 2].map(|session| {
        let (board, mut lane) = (board.clone(), board.ready_lane(session));
        move || {
            let (version, generation) = board.put(&mut lane, "a", 10 + session as u64);
            assert!(board.core().generation() >= generation, "a put is not counted when it returns");
            assert!(board.core().shard_changes(0) >= generation, "a put is not announced when it returns");
            (lane, version, generation)
        }
    });
    let [first, second] = puts;
    let ((one, version_1, at_1), (two, version_2, at_2)) = run.two(first, second);
    let order = [(version_1, at_1), (version_2, at_2)];
    assert!(order == [(2, 2), (3, 3)] || order == [(3, 3), (2, 2)], "versions and generations: {order:?}");
    let newest = if at_1 > at_2 { 11 } else { 12 };
    assert_eq!(board.get("a"), Some((3, 3, newest)));
    fsck::check(&board, &[&setup, &one, &two]);
    run.saw(if at_1 < at_2 { "first first" } else { "second first" });
}

/// Two compare-and-swaps of one version: one happens.
static ONE_SWAP_WINS: Model = Model {
    name: "publish::one_of_two_swaps_of_one_version_happens",
    budget: 4_000,
    least: 1_000,
    must_see: &["first wins", "second wins"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let swaps = [1, 2].map(|session| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || {
                let value = [session as u8; 8];
                (board.change(&mut lane, "a", &Change::put(&value, Expect::Version(1))), lane)
            }
        });
        let [first, second] = swaps;
        let ((first, one), (second, two)) = run.two(first, second);
        let (won, lost, who) = match first {
            Ok(Outcome::Done { .. }) => (first, second, "first wins"),
            _ => (second, first, "second wins"),
        };
        assert_eq!(done(won), (2, 2));
        assert_eq!(lost, Ok(Outcome::Conflict { version: 2 }));
        fsck::check(&board, &[&setup, &one, &two]);
        run.saw(who);
    },
};

/// A compare-and-swap against a removal of the same key.
static SWAP_MEETS_REMOVE: Model = Model {
    name: "publish::a_swap_meets_a_removal",
    budget: 4_000,
    least: 1_000,
    must_see: &["swap first", "removal first"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let swap = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.change(&mut lane, "a", &Change::put(&[2; 8], Expect::Version(1))), lane)
        };
        let removal = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.remove(&mut lane, "a"), lane)
        };
        let ((swapped, one), (removed, two)) = run.two(swap, removal);
        match swapped {
            Ok(Outcome::Done { version: 2, generation: 2, .. }) => {
                assert_eq!(removed, (3, 3));
                run.saw("swap first");
            }
            Ok(Outcome::Conflict { version: 0 }) => {
                assert_eq!(removed, (2, 2));
                run.saw("removal first");
            }
            other => panic!("a swap came to {other:?}"),
        }
        assert_eq!(board.get("a"), None);
        fsck::check(&board, &[&setup, &one, &two]);
    },
};

/// A compare-and-swap that expects what never was, while the key is put again, its block freed, and filled with
/// another key: the answer names a version that stood there.
static CONFLICT: Model = Model {
    name: "publish::a_conflict_names_what_stood_there",
    budget: 4_000,
    least: 500,
    must_see: &["before", "after"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(6, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "b", 1);
        for value in 1..4 {
            board.put(&mut setup, "a", value);
        }
        board.floor_to(&mut setup, 4);
        let busy = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "a", 4);
                board.floor_to(&mut lane, 5);
                board.put(&mut lane, "b", 2);
                lane
            }
        };
        let swap = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.change(&mut lane, "a", &Change::put(&[9; 8], Expect::Version(9))), lane)
        };
        let (one, (swapped, two)) = run.two(busy, swap);
        match swapped {
            Ok(Outcome::Conflict { version: 3 }) => run.saw("before"),
            Ok(Outcome::Conflict { version: 4 }) => run.saw("after"),
            other => panic!("a swap came to {other:?}"),
        }
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};
