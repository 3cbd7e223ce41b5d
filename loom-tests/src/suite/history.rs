//! The history is dense and unique, whoever helps, and lets nothing go that is not in it.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH},
    model,
};
use slateboard::protocol::{
    Fault,
    history::Logged,
    publish::{Expect, Outcome},
    read::Verify,
};

pub const MODELS: &[Model] = &[
    model("history::two_helpers_of_one_put_make_one_event", two_helpers).budget(5_000).least(1_000),
    model("history::a_stale_view_overwrites_no_event", |run| stale_helper(run, 2)).budget(5_000).least(1_000),
    // In a ring of one, every event overwrites the one before.
    model("history::a_stale_view_overwrites_no_event_of_a_later_lap", |run| stale_helper(run, 1))
        .budget(5_000)
        .least(1_000),
    model("history::a_late_finisher_takes_nothing_back", late_finisher)
        .budget(10_000)
        .least(100)
        .must_see(&["late"]),
    model("history::a_late_helper_logs_no_later_life", past_life)
        .budget(5_000)
        .least(50)
        .must_see(&["before", "past"]),
    model("history::a_helper_logs_no_private_block", private_block).budget(5_000).least(1_000),
    model("history::the_floor_stays_below_the_generation", floor)
        .budget(3_000)
        .least(40)
        .must_see(&["nothing", "let go"]),
    model("history::a_poller_finds_what_the_counter_tells", poller)
        .budget(5_000)
        .least(1_000)
        .must_see(&["one", "two", "three"]),
    model("history::who_counts_an_event_passes_it_on", passed_on)
        .budget(1_500)
        .least(100)
        .must_see(&["one", "two"]),
];

/// Two parties log the same block. They make one event, which both can see when they return.
fn two_helpers(run: &Run) {
    let mut board = run.small(4, 2);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    let helpers = [dead, board.party(2)].map(|party| {
        board.role_of(party, move |me| {
            assert_eq!(me.log(put), Ok(Logged::At(2)));
            let core = me.core();
            assert_eq!(core.generation(), 2, "a put is not counted when its generation is told");
            assert_eq!(core.shard_changes(0), 2, "a put is not announced when its generation is told");
        })
    });
    board.all(helpers);
    board.reap(1);
    assert_eq!(board.get("a"), Some((2, 2, 2)));
    board.check();
}

/// The owner logs its put while the next writer of the key helps it and goes on.
fn stale_helper(run: &Run, history: u64) {
    let mut board = run.small(4, history);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    let owner = board.role_of(dead, move |me| me.log(put));
    let writer = board.role(2, |me| me.put("a", 3));
    assert_eq!(board.two(owner, writer), (Ok(Logged::At(2)), (3, 3)));
    board.reap(1);
    assert_eq!(board.get("a"), Some((3, 3, 3)));
    board.check();
}

/// A helper finishes an event that others finished long ago.
fn late_finisher(run: &Run) {
    let mut board = run.small(4, 3);
    let mut dead = board.ready(1);
    board.put("a", 1);
    // Until the ring word is stored.
    dead.killed_after(STORES_TO_PUBLISH + 1, |me| me.put("a", 2));
    assert_eq!(board.core().generation(), 1, "the victim was to die before it finished");
    let finisher = board.setup_role(|me| {
        let (core, lane) = me.parts();
        core.finish_pending(lane).expect("a finish");
        me.saw_if(me.core().generation() == 3, "late");
    });
    let writer = board.role(2, |me| me.put("a", 3));
    let ((), put) = board.two(finisher, writer);
    assert_eq!((put, board.core().generation()), ((3, 3), 3));
    board.reap(1);
    board.check();
}

/// A helper wakes when the block that it meant to log is in its next life, which is still private.
fn past_life(run: &Run) {
    let mut board = run.small(4, 1);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    board.reap(1);
    // Supersedes the block and lets that event go: the block is in the stash.
    board.put("a", 3);
    board.empty_hand();
    board.floor_to(3);
    let late = board.party(2);
    // Begins the block's next life, in which it is never published.
    let writer = board.setup_role(|me| me.try_put("a", 4, Expect::Version(9)));
    let helper = board.role_of(late, move |me| me.log(put));
    let (put, logged) = board.two(writer, helper);
    assert_eq!(put, Ok(Outcome::Conflict { version: 3 }));
    match logged {
        Ok(Logged::At(2)) => board.saw("before"),
        Ok(Logged::Past) => board.saw("past"),
        other => panic!("a late helper came to {other:?}"),
    }
    assert_eq!(board.core().generation(), 3, "a put that never was became an event");
    board.check();
}

/// A writer loaded a head before its block was freed and begun anew by another.
fn private_block(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let busy = board.role(1, |me| {
        me.put("a", 2);
        me.empty_hand();
        me.floor_to(2);
        // Begins the freed block anew, and never publishes it.
        me.try_put("a", 3, Expect::Version(9))
    });
    let writer = board.role(2, |me| me.put("a", 4));
    let (swapped, _) = board.two(busy, writer);
    assert!(matches!(swapped, Ok(Outcome::Conflict { .. })), "{swapped:?}");
    assert_eq!(board.core().generation(), 3, "a put that never was became an event");
    board.check();
}

/// A step of the floor, when every event has left the history, meets a put.
fn floor(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    board.floor_to(1);
    let floor = board.role(1, |me| {
        let (core, lane) = me.parts();
        core.advance_floor(lane, false)
    });
    let writer = board.role(2, |me| me.put("a", 2));
    let (moved, put) = board.two(floor, writer);
    assert_eq!(put, (2, 2));
    board.saw(if moved == Ok(true) { "let go" } else { "nothing" });
    board.check();
}

/// A reader of a counter finds every event up to it, and no key older than it (G1).
fn poller(run: &Run) {
    let mut board = run.small(5, 2);
    board.put("a", 1);
    let writer = board.role(1, |me| {
        me.put("a", 2);
        me.put("a", 3);
    });
    let poller = board.reader(poll);
    board.two(writer, poller);
    board.check();
}

fn poll(board: &Board) {
    let core = board.core();
    let generation = core.generation();
    assert!(core.shard_changes(0) >= generation, "the shard's counter is behind the board's");
    match core.event(generation, Verify::Always, |_| true) {
        Ok(Some(event)) => assert_eq!(event.item.generation, generation),
        Err(Fault::Lagged) => {}
        other => panic!("event {generation} reads as {other:?}"),
    }
    let (version, at, value) = board.get("a").expect("the key");
    assert!(at >= generation, "the key is older than the counter: {at} < {generation}");
    assert_eq!((version, value), (at, at), "version, generation and value are of different puts");
    board.saw(["none", "one", "two", "three"][generation as usize]);
}

/// An owner finds its put logged by another who has not counted it, and counts it. A reader of the counter finds the
/// event.
fn passed_on(run: &Run) {
    let mut board = run.small(4, 2);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    let helper = board.setup_role(move |me| me.log(put));
    let owner = board.role_of(dead, move |me| me.log(put));
    let poller = board.reader(|board| {
        let generation = board.core().generation();
        let event = board.core().event(generation, Verify::Always, |_| true);
        assert!(matches!(event, Ok(Some(_))), "event {generation} reads as {event:?}");
        board.saw(if generation == 1 { "one" } else { "two" });
    });
    let (helped, logged, ()) = board.three(helper, owner, poller);
    assert_eq!((helped, logged), (Ok(Logged::At(2)), Ok(Logged::At(2))));
}
