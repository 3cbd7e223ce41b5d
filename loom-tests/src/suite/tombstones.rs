//! The tombstone of a removed key is given back once, whoever takes its slot, reads or dies.

use super::{
    Model, Run,
    board::{Board, STORES_TO_FILL, STORES_TO_PUBLISH},
    fsck,
    slots::{removed, removed_of},
};
use slateboard::{
    layout::{HeadKind, State, StateKind},
    protocol::{
        Fault, Full,
        lane::{Claimed, Lane},
        publish::{Change, Expect, Outcome},
    },
    sync::modelled::killed_after,
};
use std::sync::Arc;

pub const MODELS: &[&Model] =
    &[&GIVEN_BACK, &GIVEN_BACK_TWICE, &GIVEN_BACK_READ, &GIVEN_BACK_KILLED, &LEFT_BEHIND, &GIVEN_BACK_EARLY];

/// Two inserts that both need the one slot of a removed key: its tombstone is given back, once.
static GIVEN_BACK: Model = Model {
    name: "slots::a_tombstone_is_given_back_once",
    budget: 4_000,
    least: 1_000,
    must_see: &["removed", "full"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 0);
        let puts = [(1, "c"), (2, "d")].map(|(session, key)| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || (board.change(&mut lane, key, &Change::put(&[9; 8], Expect::Any)), lane)
        });
        let [one, two] = puts;
        let ((first, one), (second, two)) = run.two(one, two);
        for outcome in [first, second] {
            match outcome {
                Ok(Outcome::Done { version: 3, .. }) => {}
                Err(Fault::Full(Full::Slots)) => run.saw("full"),
                other => panic!("an insert came to {other:?}"),
            }
        }
        assert!(board.get("c").is_some() != board.get("d").is_some(), "one slot holds one key");
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// As `removed`, with the slot of "a" retired by one who was killed before it gave the tombstone back; and a lane with a
/// block at hand.
fn retired(run: &Run) -> (Arc<Board>, Lane, Lane) {
    // Five blocks: one at hand of each, two in slots, one that is free again.
    let (board, mut setup) = removed_of(run, 5, 0);
    let (mut dead, one) = (board.ready_lane(2), board.ready_lane(1));
    // Besides the version base and the head.
    killed_after(STORES_TO_FILL + 2, || board.put(&mut dead, "e", 3));
    board.reap(&mut setup, 2);
    run.saw_if(board.head(0).is(HeadKind::Retired) && board.head(0).block() != 0, "retired");
    (board, setup, one)
}

/// Two who give one tombstone back, of whom one goes on until its block has begun another life.
static GIVEN_BACK_TWICE: Model = Model {
    name: "slots::a_tombstone_given_back_by_two_begins_one_life",
    budget: 6_000,
    least: 100,
    must_see: &["retired", "reused"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup, mut lane) = retired(run);
        let tombstone = board.head(0).block();
        let puts = {
            let board = board.clone();
            move || {
                board.put(&mut lane, "c", 4);
                board.put(&mut lane, "c", 5);
                lane
            }
        };
        let sweep = {
            let board = board.clone();
            move || {
                board.core().sweep_open(&[]);
            }
        };
        let (one, ()) = run.two(puts, sweep);
        assert_eq!(board.get("c").map(|got| got.2), Some(5));
        run.saw_if(board.head(0).block() == tombstone, "reused");
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A reader of a removed key, while its slot goes to another and its tombstone's block begins another life there.
static GIVEN_BACK_READ: Model = Model {
    name: "slots::a_reader_takes_no_reused_tombstone",
    budget: 6_000,
    least: 500,
    must_see: &["removed", "reused", "not yet"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed_of(run, 4, 0);
        let tombstone = board.head(0).block();
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "c", 9);
                board.put(&mut lane, "c", 10);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                assert_eq!(board.get("a"), None, "a removed key is there");
                let c = board.get("c");
                run.saw(if c.is_some_and(|got| got.2 == 10) { "reused" } else { "not yet" });
            }
        };
        let (one, ()) = run.two(insert, reader);
        assert_eq!(board.head(0).block(), tombstone, "the only block that was free");
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

fn claim(board: &Board, lane: &mut Lane) -> Option<Claimed> {
    board.core().claim(lane, 1, false).ok()
}

/// Killed anywhere in giving a tombstone back, beside a put that wants its slot, and whose only block it is.
static GIVEN_BACK_KILLED: Model = Model {
    name: "slots::a_tombstone_half_given_back_is_given_back_by_others",
    budget: 60,
    least: 50,
    must_see: &["retired", "lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let (board, mut setup, mut lane) = retired(run);
        board.empty_hand(&mut setup);
        board.empty_hand(&mut lane);
        let held: Vec<_> = std::iter::from_fn(|| claim(&board, &mut setup)).take(3).collect();
        let victim = {
            let (board, run) = (board.clone(), run.clone());
            move || run.saw_if(run.victim(|| board.core().sweep_open(&[])).is_some(), "lived")
        };
        let insert = {
            let board = board.clone();
            move || (board.put(&mut lane, "c", 9), lane)
        };
        let ((), (put, two)) = run.two(victim, insert);
        assert_eq!((put.0, board.get("c").map(|got| got.2)), (3, Some(9)));
        held.into_iter().for_each(|claimed| board.core().free(&setup, claimed));
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// Two who want a block, while the only one is a tombstone that a floor step left in its slot, as one who is killed
/// behind it does: one of them gets it.
static LEFT_BEHIND: Model = Model {
    name: "slots::a_tombstone_left_behind_gives_room",
    budget: 4_000,
    least: 100,
    must_see: &["removed", "first", "second"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed_of(run, 4, 0);
        board.empty_hand(&mut setup);
        let held: Vec<_> = std::iter::from_fn(|| claim(&board, &mut setup)).take(2).collect();
        let claims = [1, 2].map(|session| {
            let (board, mut lane) = (board.clone(), board.lane(session));
            move || (board.core().claim(&mut lane, 1, false), lane)
        });
        let [one, two] = claims;
        let ((first, one), (second, two)) = run.two(one, two);
        let (claimed, lane, who) = match (first, second) {
            (Ok(claimed), Err(Fault::Full(Full::Blocks))) => (claimed, &one, "first"),
            (Err(Fault::Full(Full::Blocks)), Ok(claimed)) => (claimed, &two, "second"),
            both => panic!("one block, and {both:?}"),
        };
        run.saw(who);
        board.core().free(lane, claimed);
        held.into_iter().for_each(|claimed| board.core().free(&setup, claimed));
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// A tombstone that is given back while its writer settles it: one of the two frees it.
static GIVEN_BACK_EARLY: Model = Model {
    name: "slots::a_tombstone_is_given_back_beside_its_writer",
    budget: 6_000,
    least: 50,
    must_see: &["free", "left"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(7, 4);
        let (mut setup, mut owner) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        // A tombstone has no value to store.
        killed_after(STORES_TO_PUBLISH - 1, || board.remove(&mut owner, "a"));
        let block = board.block(board.head(0).block());
        let removal = Claimed { block, tag: board.state(block).tag() };
        board.core().log(&mut setup, removal.block, removal.tag).expect("an event");
        board.floor_to(&mut setup, 2);
        let settle = {
            let board = board.clone();
            move || {
                board.core().settle(&mut owner, removal);
                owner
            }
        };
        let let_go = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                board.core().let_go(&mut setup, false).expect("a step of the floor");
                let state = State(board.load(board.geo.state(block)));
                run.saw(if state.is(StateKind::Free) { "free" } else { "left" });
                setup
            }
        };
        let (owner, mut setup) = run.two(settle, let_go);
        assert_eq!(board.head(0).block(), 0, "the slot names a tombstone that was given back");
        fsck::check_and_drain(&board, &mut setup, &[&owner]);
    },
};
