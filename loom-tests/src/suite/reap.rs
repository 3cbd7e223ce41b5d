//! A session may die at any store; its reaper may too. What was acknowledged stays, what was begun
//! happens wholly or not at all, and no block is lost or freed twice.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH, number, shape},
    fsck,
};
use slateboard::{
    layout::{Shape, StateKind},
    protocol::{lane::Lane, read::Verify},
};
use std::sync::Arc;

pub const MODELS: &[&Model] = &[
    &PUT_AND_WRITER,
    &PUT_AND_READER,
    &PUT_REUSE,
    &REMOVE,
    &INSERT,
    &FLOOR,
    &FLOOR_TWO_KEYS,
    &REAP_ORDER,
    &LET_GO,
    &UNCOUNTED,
    &REAPER,
    &REAPER_OF_INTENT,
];

/// What the victim of most models was to put.
const LAST_WORDS: u64 = 77;

/// A victim that does `work` on the board, dies, and is reaped by the set-up's lane.
fn victim(
    run: &Arc<Run>,
    board: &Arc<Board>,
    mut reaper: Lane,
    work: fn(&Board, &mut Lane) -> (u64, u64),
) -> impl FnOnce() -> (Option<(u64, u64)>, Lane) + Send + 'static {
    let (board, run, mut lane) = (board.clone(), run.clone(), board.ready_lane(1));
    move || {
        let told = run.victim(|| work(&board, &mut lane));
        if told.is_some() {
            run.saw("lived");
            board.empty_hand(&mut lane);
        }
        board.reap(&mut reaper, 1);
        (told, reaper)
    }
}

/// Whether an event of the history put this value, and as what version.
fn event_of(board: &Board, value: u64) -> Option<(u64, u64)> {
    let core = board.core();
    (core.floor() + 1..=core.generation()).find_map(|position| {
        let event = core.event(position, Verify::Always, |_| true).expect("an event").expect("no filter");
        let ours = !event.item.value.is_empty() && number(&event.item.value) == value;
        ours.then_some((event.item.header.version, position))
    })
}

/// Killed anywhere in a put and reaped, beside a writer of the same key.
static PUT_AND_WRITER: Model = Model {
    name: "reap::a_killed_put_and_a_writer",
    budget: 250,
    least: 5_000,
    must_see: &["happened", "did not happen", "lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(6, 3);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let dying = victim(run, &board, setup, |board, lane| board.put(lane, "a", LAST_WORDS));
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let ((told, mut setup), (put, two)) = run.two(dying, writer);
        let happened = event_of(&board, LAST_WORDS);
        assert!(told.is_none() || told == happened, "the victim was told {told:?}, not {happened:?}");
        assert_eq!(event_of(&board, 2), Some(put), "an acknowledged put is lost");
        run.saw(if happened.is_some() { "happened" } else { "did not happen" });
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// The same beside a reader: it never sees a put that the history does not get.
static PUT_AND_READER: Model = Model {
    name: "reap::a_killed_put_and_a_reader",
    budget: 200,
    least: 3_000,
    must_see: &["seen", "not seen", "lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 1);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let dying = victim(run, &board, setup, |board, lane| board.put(lane, "a", LAST_WORDS));
        let reader = {
            let board = board.clone();
            move || {
                let seen = board.get("a").expect("the key");
                (seen, board.get("a").expect("the key"))
            }
        };
        let ((_, mut setup), (seen, then)) = run.two(dying, reader);
        let happened = event_of(&board, LAST_WORDS).is_some();
        for seen in [seen, then] {
            assert!(seen == (1, 1, 1) || (happened && seen == (2, 2, LAST_WORDS)), "a read saw {seen:?}");
        }
        assert!(then.0 >= seen.0, "time runs backwards");
        run.saw(if then.0 == 2 { "seen" } else { "not seen" });
        fsck::check_and_drain(&board, &mut setup, &[]);
    },
};

/// Killed anywhere in a put and reaped; the reaper uses what it freed, beside a writer and a reader.
static PUT_REUSE: Model = Model {
    name: "reap::what_a_killed_put_leaves_is_reused",
    budget: 60,
    least: 5_000,
    must_see: &["lived"],
    kills: true,
    roles: 3,
    run: |run| {
        let board = Board::small(6, 2);
        let mut setup = board.lane(0);
        board.put(&mut setup, "a", 1);
        let dying = {
            let dying = victim(run, &board, setup, |board, lane| board.put(lane, "a", LAST_WORDS));
            let board = board.clone();
            move || {
                let (_, mut reaper) = dying();
                (board.put(&mut reaper, "a", 3), reaper)
            }
        };
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let reader = {
            let board = board.clone();
            move || board.get("a").expect("the key")
        };
        let ((again, mut setup), (put, two), seen) = run.three(dying, writer, reader);
        assert!([1, 2, 3, LAST_WORDS].contains(&seen.2) && seen.0 == seen.1, "torn: {seen:?}");
        assert!((seen.2 == 2) == (seen.1 == put.1) && (seen.2 == 3) == (seen.1 == again.1), "torn: {seen:?}");
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// Killed anywhere in a removal and reaped, beside a writer of the same key.
static REMOVE: Model = Model {
    name: "reap::a_killed_removal_and_a_writer",
    budget: 200,
    least: 5_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(6, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let dying = victim(run, &board, setup, |board, lane| board.remove(lane, "a"));
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let ((_, mut setup), (put, two)) = run.two(dying, writer);
        let removed_after = board.core().generation() > put.1;
        assert_eq!(board.get("a").is_none(), removed_after, "the newest event decides");
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// Killed anywhere in an insert and reaped, beside an insert of the same key.
static INSERT: Model = Model {
    name: "reap::a_killed_insert_and_an_insert",
    budget: 200,
    least: 5_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 2);
        let setup = board.ready_lane(0);
        let dying = victim(run, &board, setup, |board, lane| board.put(lane, "a", LAST_WORDS));
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let ((_, mut setup), (put, two)) = run.two(dying, insert);
        assert_eq!(event_of(&board, 2), Some(put), "an acknowledged put is lost");
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// Killed anywhere in a step of the floor, also between that and the freeing.
static FLOOR: Model = Model {
    name: "reap::a_killed_floor_step_leaks_nothing",
    budget: 400,
    least: 200,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "a", 2);
        board.floor_to(&mut setup, 1);
        floor_step_and_put(run, &board, setup, "a");
    },
};

/// A victim's floor step beside a put that steps too: with two keys, what a stale step takes for the
/// superseded block may be another key's.
static FLOOR_TWO_KEYS: Model = Model {
    name: "reap::a_killed_floor_step_frees_no_other_key",
    budget: 400,
    least: 200,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 1);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        board.put(&mut setup, "a", 3);
        floor_step_and_put(run, &board, setup, "b");
    },
};

fn floor_step_and_put(run: &Arc<Run>, board: &Arc<Board>, setup: Lane, key: &'static str) {
    let dying = victim(run, board, setup, |board, lane| {
        board.empty_hand(lane);
        board.core().advance_floor(lane, false).expect("a step of the floor");
        (0, 0)
    });
    let writer = {
        let (board, mut lane) = (board.clone(), board.ready_lane(2));
        move || (board.put(&mut lane, key, 8), board.put(&mut lane, key, 9), lane)
    };
    let ((_, mut setup), (_, last, two)) = run.two(dying, writer);
    assert_eq!(board.get(key).map(|got| (got.1, got.2)), Some((last.1, 9)));
    fsck::check_and_drain(board, &mut setup, &[&two]);
}

/// A reaper decides whether a put was published, while that is superseded.
static REAP_ORDER: Model = Model {
    name: "reap::a_put_that_is_superseded_meanwhile_was_published",
    budget: 4_000,
    least: 1_000,
    must_see: &["inflight"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 3);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        run.saw_if(board.state(put.block).is(StateKind::Inflight), "inflight");
        let reaper = {
            let board = board.clone();
            move || {
                board.reap(&mut setup, 1);
                setup
            }
        };
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 3), lane)
        };
        let (mut setup, (put, two)) = run.two(reaper, writer);
        assert_eq!(put, (3, 3));
        assert_eq!(event_of(&board, 2), Some((2, 2)));
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// A reaper takes over a put of the dead, while that is superseded and let go by another.
static LET_GO: Model = Model {
    name: "reap::a_put_let_go_while_it_is_reaped",
    budget: 4_000,
    least: 500,
    must_see: &["inflight"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 3);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        board.put(&mut setup, "a", 3);
        board.floor_to(&mut setup, 2);
        run.saw_if(board.state(put.block).is(StateKind::Inflight), "inflight");
        let reaper = {
            let board = board.clone();
            move || {
                board.reap(&mut setup, 1);
                setup
            }
        };
        let floor = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || {
                board.floor_to(&mut lane, 3);
                board.put(&mut lane, "b", 4);
                lane
            }
        };
        let (mut setup, two) = run.two(reaper, floor);
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// The victim died after its event had its generation and before the counter: the reaper counts it.
static UNCOUNTED: Model = Model {
    name: "reap::an_uncounted_event_is_counted",
    budget: 4_000,
    least: 20,
    must_see: &["before", "after"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        // Besides the ring word, the generation word, the shard's counter.
        let stores = STORES_TO_PUBLISH + 3;
        slateboard::sync::modelled::killed_after(stores, || board.put(&mut dead, "a", 2));
        assert_eq!(board.core().generation(), 1, "the victim was to die before the counter");
        assert_eq!(board.get("a"), Some((2, 2, 2)));
        let reaper = {
            let board = board.clone();
            move || {
                board.reap(&mut setup, 1);
                assert_eq!(board.core().generation(), 2, "a reaped session's event is not counted");
                setup
            }
        };
        let poller = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let generation = board.core().generation();
                run.saw(if generation == 1 { "before" } else { "after" });
                let event = board.core().event(generation, Verify::Always, |_| true);
                assert!(matches!(event, Ok(Some(_))), "event {generation} reads as {event:?}");
            }
        };
        let (mut setup, ()) = run.two(reaper, poller);
        fsck::check_and_drain(&board, &mut setup, &[]);
    },
};

/// A reaper that dies itself; the next reaps both, beside a writer.
fn killed_reaper(run: &Arc<Run>, dying: fn(&Board, &mut Lane)) {
    let board = Board::new(Shape { sessions: 4, ..shape(6, 2) }, 1);
    let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(3));
    board.put(&mut setup, "a", 1);
    dying(&board, &mut dead);
    let reaper = {
        let (board, run, mut lane) = (board.clone(), run.clone(), board.lane(1));
        move || {
            let reaped = run.victim(|| board.reap(&mut lane, 3));
            if reaped.is_some() {
                run.saw("lived");
                board.empty_hand(&mut lane);
            }
            board.reap(&mut setup, 1);
            board.reap(&mut setup, 3);
            setup
        }
    };
    let writer = {
        let (board, mut lane) = (board.clone(), board.ready_lane(2));
        move || (board.put(&mut lane, "a", 9), lane)
    };
    let (mut setup, (put, two)) = run.two(reaper, writer);
    assert_eq!(board.get("a"), Some((put.0, put.1, 9)));
    fsck::check_and_drain(&board, &mut setup, &[&two]);
}

/// A reaper that dies over a put that was published and not logged.
static REAPER: Model = Model {
    name: "reap::a_killed_reaper_s_work_is_finished",
    budget: 250,
    least: 2_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        killed_reaper(run, |board, dead| {
            board.publish_only(dead, "a", 2);
        });
    },
};

/// A reaper that dies over a floor step that was not finished.
static REAPER_OF_INTENT: Model = Model {
    name: "reap::a_killed_reaper_s_intent_is_finished_once",
    budget: 250,
    least: 1_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        killed_reaper(run, |board, dead| {
            board.put(dead, "a", 2);
            board.floor_to(dead, 1);
            // Three that write the intent down, and the floor.
            let stores = 4;
            let step = || board.core().advance_floor(dead, false);
            assert_eq!(slateboard::sync::modelled::killed_after(stores, step), None);
            assert_eq!(board.core().floor(), 2, "the victim was to die after it moved the floor");
        });
    },
};
