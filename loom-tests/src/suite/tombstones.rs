//! The tombstone of a removed key is given back once, whoever takes its slot, reads or dies.

use super::{
    Model, Run,
    board::{STORES_TO_FILL, STORES_TO_PUBLISH},
    model,
    scene::{Party, Scene},
    slots::removed,
};
use slateboard::{
    layout::{HeadKind, State, StateKind},
    protocol::{
        Fault, Full,
        lane::Claimed,
        publish::{Expect, Outcome},
    },
};

pub const MODELS: &[Model] = &[
    model("slots::a_tombstone_is_given_back_once", once).least(1_000).must_see(&["removed", "full"]),
    model("slots::a_tombstone_given_back_by_two_begins_one_life", by_two)
        .budget(6_000)
        .least(100)
        .must_see(&["retired", "reused"]),
    model("slots::a_reader_takes_no_reused_tombstone", read)
        .budget(6_000)
        .least(500)
        .must_see(&["removed", "reused", "not yet"]),
    model("slots::a_tombstone_half_given_back_is_given_back_by_others", killed)
        .budget(60)
        .least(50)
        .must_see(&["retired", "lived"]),
    model("slots::a_tombstone_left_behind_gives_room", left_behind)
        .least(100)
        .must_see(&["removed", "first", "second"]),
    model("slots::a_tombstone_is_given_back_beside_its_writer", early)
        .budget(6_000)
        .least(50)
        .must_see(&["free", "left"]),
];

/// Two inserts both need the one slot of a removed key. Its tombstone is given back once.
fn once(run: &Run) {
    let mut board = removed(run, 8, 0);
    let puts = [(1, "c"), (2, "d")]
        .map(|(session, key)| board.role(session, move |me| me.try_put(key, 9, Expect::Any)));
    for outcome in board.all(puts) {
        match outcome {
            Ok(Outcome::Done { version: 3, .. }) => {}
            Err(Fault::Full(Full::Slots)) => board.saw("full"),
            other => panic!("an insert came to {other:?}"),
        }
    }
    assert!(board.get("c").is_some() != board.get("d").is_some(), "one slot holds one key");
    board.drain();
}

/// As [`removed`], where a party retired the slot of "a" and was killed before it gave the tombstone back. Returns
/// another party besides, with a block at hand.
fn retired(run: &Run) -> (Scene, Party) {
    // Five blocks: one at hand of each, two in slots, one that is free again.
    let mut board = removed(run, 5, 0);
    let (mut dead, one) = (board.ready(2), board.ready(1));
    // Besides the version base and the head.
    dead.killed_after(STORES_TO_FILL + 2, |me| me.put("e", 3));
    board.reap(2);
    board.saw_if(board.head(0).is(HeadKind::Retired) && board.head(0).block() != 0, "retired");
    (board, one)
}

/// Two parties give one tombstone back, and one of them goes on until the tombstone's block has begun another life.
fn by_two(run: &Run) {
    let (mut board, one) = retired(run);
    let tombstone = board.head(0).block();
    let puts = board.role_of(one, |me| {
        me.put("c", 4);
        me.put("c", 5);
    });
    let sweep = board.reader(|board| drop(board.core().sweep_open(&[])));
    board.two(puts, sweep);
    assert_eq!(board.value("c"), Some(5));
    board.saw_if(board.head(0).block() == tombstone, "reused");
    board.drain();
}

/// A reader of a removed key, while its slot goes to another and its tombstone's block begins another life there.
fn read(run: &Run) {
    let mut board = removed(run, 4, 0);
    let tombstone = board.head(0).block();
    let insert = board.role(1, |me| {
        me.put("c", 9);
        me.put("c", 10);
    });
    let reader = board.reader(|board| {
        assert_eq!(board.get("a"), None, "a removed key is there");
        board.saw(if board.value("c") == Some(10) { "reused" } else { "not yet" });
    });
    board.two(insert, reader);
    assert_eq!(board.head(0).block(), tombstone, "the only block that was free");
    board.drain();
}

/// Claims up to so many blocks.
fn hold(me: &mut Party, blocks: usize) -> Vec<Claimed> {
    std::iter::from_fn(|| me.claim(1).ok()).take(blocks).collect()
}

/// A victim is killed anywhere while it gives a tombstone back, beside a put that wants the tombstone's slot and needs
/// its block.
fn killed(run: &Run) {
    let (mut board, mut one) = retired(run);
    board.empty_hand();
    one.empty_hand();
    let held = hold(&mut board, 3);
    let victim = board.reader(|board| {
        let lived = board.run.victim(|| board.core().sweep_open(&[])).is_some();
        board.saw_if(lived, "lived");
    });
    let insert = board.role_of(one, |me| me.put("c", 9));
    let ((), put) = board.two(victim, insert);
    assert_eq!((put.0, board.value("c")), (3, Some(9)));
    board.free(held);
    board.drain();
}

/// Two parties want a block. The only one is a tombstone that a floor step left in its slot, as happens when the party
/// is killed right after the step. One of the two gets it.
fn left_behind(run: &Run) {
    let mut board = removed(run, 4, 0);
    board.empty_hand();
    let held = hold(&mut board, 2);
    let claims = [1, 2].map(|session| board.role_of(board.party(session), |me| me.claim(1)));
    let (claimed, who) = match board.all(claims) {
        [Ok(claimed), Err(Fault::Full(Full::Blocks))] => (claimed, "first"),
        [Err(Fault::Full(Full::Blocks)), Ok(claimed)] => (claimed, "second"),
        both => panic!("one block, and {both:?}"),
    };
    board.saw(who);
    board.free([claimed]);
    board.free(held);
    board.drain();
}

/// A tombstone is given back while its writer settles it. One of the two frees it.
fn early(run: &Run) {
    let mut board = run.small(7, 4);
    let mut owner = board.ready(1);
    board.put("a", 1);
    board.put("b", 2);
    // A tombstone has no value to store.
    owner.killed_after(STORES_TO_PUBLISH - 1, |me| me.remove("a"));
    let block = board.block(board.head(0).block());
    let removal = Claimed { block, tag: board.state(block).tag() };
    board.log(removal).expect("an event");
    board.floor_to(2);
    let settle = board.role_of(owner, move |me| {
        let (core, lane) = me.parts();
        core.settle(lane, removal);
    });
    let let_go = board.setup_role(move |me| {
        let (core, lane) = me.parts();
        core.let_go(lane, false).expect("a step of the floor");
        let state = State(me.load(me.geo.state(block)));
        me.saw(if state.is(StateKind::Free) { "free" } else { "left" });
    });
    board.two(settle, let_go);
    assert_eq!(board.head(0).block(), 0, "the slot names a tombstone that was given back");
    board.drain();
}
