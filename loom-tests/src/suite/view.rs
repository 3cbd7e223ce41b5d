//! A view shows every key as of one generation, and an event what it was, or says that they are gone.

use super::{
    Model, Run,
    board::{Board, number},
    fsck,
};
use slateboard::protocol::{Fault, lane::Lane, read::Verify, slots::Key, view::Point};
use slateboard::sync::modelled::read_only;
use std::sync::Arc;

pub const MODELS: &[&Model] = &[&VIEW, &VIEW_REUSE, &VIEW_RETIRED, &VIEW_NEXT, &VIEW_READ, &EVENT, &WALK];

/// The key's value at the point, which is its generation too; 0 where it has none.
fn value_at(board: &Board, key: &str, point: Point) -> Result<u64, Fault> {
    let key = Key::new(&board.geo, key);
    let item = read_only(|| board.core().get_at(&key, point, Verify::Always))?;
    Ok(item.map_or(0, |item| {
        let value = number(&item.value);
        assert_eq!((item.header.version == 0, item.generation), (false, value), "torn: {item:?}");
        value
    }))
}

/// Two keys, each put again while a reader looks at both.
fn two_keys(run: &Arc<Run>, blocks: u64, history: u64, floor: bool) {
    let board = Board::small(blocks, history);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "a", 1);
    board.put(&mut setup, "b", 2);
    let writer = {
        let (board, mut lane) = (board.clone(), board.ready_lane(1));
        move || {
            board.put(&mut lane, "a", 3);
            if floor {
                board.floor_to(&mut lane, 3);
            }
            board.put(&mut lane, "b", 4);
            lane
        }
    };
    let reader = {
        let (board, run) = (board.clone(), run.clone());
        move || look(&run, &board)
    };
    let (one, ()): (Lane, ()) = run.two(writer, reader);
    fsck::check_and_drain(&board, &mut setup, &[&one]);
}

fn look(run: &Run, board: &Board) {
    let point = read_only(|| board.core().point());
    let seen = value_at(board, "a", point).and_then(|a| Ok((a, value_at(board, "b", point)?)));
    match (point.generation, seen) {
        (2, Ok((1, 2))) => run.saw("at two"),
        (3, Ok((3, 2))) => run.saw("at three"),
        (4, Ok((3, 4))) => run.saw("at four"),
        (_, Err(Fault::Lagged)) => run.saw("lagged"),
        (generation, other) => panic!("a view at {generation} shows {other:?}"),
    }
}

/// A view while both keys change.
static VIEW: Model = Model {
    name: "view::a_view_is_of_one_generation",
    budget: 4_000,
    least: 1_000,
    must_see: &["at two", "at three", "at four"],
    kills: false,
    roles: 2,
    run: |run| two_keys(run, 5, 4, false),
};

/// A view of a removed key, while that is retired and its tombstone's block begins another life.
static VIEW_RETIRED: Model = Model {
    name: "view::a_view_takes_no_reused_tombstone",
    budget: 6_000,
    least: 500,
    must_see: &["reused", "not yet"],
    kills: false,
    roles: 2,
    run: |run| {
        // Four blocks: one at hand of each, two in slots.
        let board = Board::small(4, 4);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        board.remove(&mut setup, "a");
        board.floor_to(&mut setup, 3);
        let tombstone = board.head(0).block();
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "c", 4);
                board.put(&mut lane, "c", 5);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let point = read_only(|| board.core().point());
                assert_eq!(value_at(&board, "a", point), Ok(0), "at {point:?}");
                let c = board.get("c").map(|got| got.2);
                run.saw(if c == Some(5) { "reused" } else { "not yet" });
            }
        };
        let (one, ()): (Lane, ()) = run.two(writer, reader);
        assert_eq!(board.head(0).block(), tombstone, "the only block that was free");
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// The same where the blocks it needs are freed and filled again.
static VIEW_REUSE: Model = Model {
    name: "view::a_view_is_whole_or_lags",
    budget: 4_000,
    least: 1_000,
    must_see: &["at two", "lagged"],
    kills: false,
    roles: 2,
    run: |run| two_keys(run, 4, 2, true),
};

/// A view at the newest event, which a reader saw before it was counted.
static VIEW_NEXT: Model = Model {
    name: "view::the_next_generation_can_be_seen_when_it_is_entered",
    budget: 4_000,
    least: 100,
    must_see: &["future", "seen"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 1);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "a", 2);
                board.put(&mut lane, "a", 3);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || match read_only(|| board.core().point_at(2)) {
                Ok(point) => match value_at(&board, "a", point) {
                    Ok(2) => run.saw("seen"),
                    Err(Fault::Lagged) => {}
                    other => panic!("a view at 2 shows {other:?}"),
                },
                Err(Fault::Future) => run.saw("future"),
                Err(Fault::Lagged) => {}
                Err(other) => panic!("no point at 2: {other:?}"),
            }
        };
        let (one, ()) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A view at the generation of what was just read: it may not be counted yet, and is in the ring.
static VIEW_READ: Model = Model {
    name: "view::what_a_read_told_can_be_viewed",
    budget: 4_000,
    least: 100,
    must_see: &["one", "two", "not counted"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let (_, generation, _) = board.get("a").expect("the key");
                let point = read_only(|| board.core().point_at(generation));
                assert!(point.is_ok(), "a read told {generation}, and a view at it says {point:?}");
                run.saw(if generation == 1 { "one" } else { "two" });
                run.saw_if(board.core().generation() < generation, "not counted");
            }
        };
        let ((_, one), ()) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// An event with what it superseded, while the floor passes it and its blocks are filled again.
static EVENT: Model = Model {
    name: "view::an_event_is_whole_or_gone",
    budget: 4_000,
    least: 500,
    must_see: &["whole", "gone"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "a", 2);
        let writer = {
            let (board, mut lane) = (board.clone(), board.lane(1));
            move || {
                board.floor_to(&mut lane, 2);
                board.put(&mut lane, "b", 3);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || match read_only(|| board.core().event(2, Verify::Always, |_| true)) {
                Ok(Some(event)) => {
                    let previous = event.previous.expect("what the event superseded");
                    assert_eq!((number(&event.item.value), number(&previous.value)), (2, 1), "torn");
                    assert_eq!((event.item.header.version, previous.header.version), (2, 1), "torn");
                    run.saw("whole");
                }
                Err(Fault::Lagged) => run.saw("gone"),
                other => panic!("event 2 reads as {other:?}"),
            }
        };
        let (one, ()) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A walk over the slots that asks nothing of the history, while one key's block is freed and filled for the other.
static WALK: Model = Model {
    name: "view::a_walk_finds_every_key_that_stands",
    budget: 4_000,
    least: 500,
    must_see: &["moved on"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "a", 3);
                board.floor_to(&mut lane, 3);
                board.put(&mut lane, "b", 4);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let (core, mut keys) = (board.core(), Vec::new());
                let before = core.generation();
                let note = |key: Result<&[u8], _>| {
                    keys.push(key.map(<[u8]>::to_vec).expect("a sound record"));
                };
                read_only(|| core.present_keys("", note)).expect("a walk");
                keys.sort_unstable();
                assert_eq!(keys, [b"a", b"b"], "two keys stand all the while");
                run.saw_if(core.generation() > before, "moved on");
            }
        };
        let (one, ()): (Lane, ()) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};
