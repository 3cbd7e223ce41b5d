//! Writers of one key: no put is lost, and none happens twice.

use super::{Model, Run, board::done, model};
use slateboard::protocol::publish::{Expect, Outcome};

pub const MODELS: &[Model] = &[
    model("publish::two_puts_of_one_key_make_a_chain", |run| two_puts(run, 2))
        .budget(5_000)
        .least(1_000)
        .must_see(&["first first", "second first"]),
    // In a ring of one event, every event lets the one before go.
    model("publish::two_puts_of_one_key_lap_a_ring_of_one", |run| two_puts(run, 1))
        .budget(5_000)
        .least(1_000)
        .must_see(&["first first", "second first"]),
    model("publish::one_of_two_swaps_of_one_version_happens", one_swap_wins)
        .least(1_000)
        .must_see(&["first wins", "second wins"]),
    model("publish::a_swap_meets_a_removal", swap_meets_removal)
        .least(1_000)
        .must_see(&["swap first", "removal first"]),
    model("publish::a_conflict_names_what_stood_there", conflict).least(500).must_see(&["before", "after"]),
];

/// Two puts of one key both happen, as a chain of versions.
fn two_puts(run: &Run, history: u64) {
    let mut board = run.small(5, history);
    board.put("a", 1);
    let puts = [1, 2].map(|session| {
        board.role(session, move |me| {
            let (version, generation) = me.put("a", 10 + session as u64);
            assert!(me.core().generation() >= generation, "a put is not counted when it returns");
            assert!(me.core().shard_changes(0) >= generation, "a put is not announced when it returns");
            (version, generation)
        })
    });
    let order = board.all(puts);
    assert!(order == [(2, 2), (3, 3)] || order == [(3, 3), (2, 2)], "versions and generations: {order:?}");
    let first_first = order[0] < order[1];
    assert_eq!(board.get("a"), Some((3, 3, if first_first { 12 } else { 11 })));
    board.check();
    board.saw(if first_first { "first first" } else { "second first" });
}

/// Of two compare-and-swaps of one version, one happens.
fn one_swap_wins(run: &Run) {
    let mut board = run.small(5, 2);
    board.put("a", 1);
    let swaps = [1, 2]
        .map(|session| board.role(session, move |me| me.try_put("a", session as u64, Expect::Version(1))));
    let [first, second] = board.all(swaps);
    let (won, lost, who) = match first {
        Ok(Outcome::Done { .. }) => (first, second, "first wins"),
        _ => (second, first, "second wins"),
    };
    assert_eq!(done(won), (2, 2));
    assert_eq!(lost, Ok(Outcome::Conflict { version: 2 }));
    board.check();
    board.saw(who);
}

/// A compare-and-swap meets a removal of the same key.
fn swap_meets_removal(run: &Run) {
    let mut board = run.small(5, 2);
    board.put("a", 1);
    let swap = board.role(1, |me| me.try_put("a", 2, Expect::Version(1)));
    let removal = board.role(2, |me| me.remove("a"));
    let (swapped, removed) = board.two(swap, removal);
    match swapped {
        Ok(Outcome::Done { version: 2, generation: 2, .. }) => {
            assert_eq!(removed, (3, 3));
            board.saw("swap first");
        }
        Ok(Outcome::Conflict { version: 0 }) => {
            assert_eq!(removed, (2, 2));
            board.saw("removal first");
        }
        other => panic!("a swap came to {other:?}"),
    }
    assert_eq!(board.get("a"), None);
    board.check();
}

/// A compare-and-swap expects a version that never was, while the key is put again and its block is freed and filled
/// with another key. The answer names a version that stood there.
fn conflict(run: &Run) {
    let mut board = run.small(6, 2);
    board.put("b", 1);
    for value in 1..4 {
        board.put("a", value);
    }
    board.floor_to(4);
    let busy = board.role(1, |me| {
        me.put("a", 4);
        me.floor_to(5);
        me.put("b", 2);
    });
    let swap = board.role(2, |me| me.try_put("a", 9, Expect::Version(9)));
    let ((), swapped) = board.two(busy, swap);
    match swapped {
        Ok(Outcome::Conflict { version: 3 }) => board.saw("before"),
        Ok(Outcome::Conflict { version: 4 }) => board.saw("after"),
        other => panic!("a swap came to {other:?}"),
    }
    board.drain();
}
