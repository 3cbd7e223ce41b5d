//! The history is dense and unique, whoever helps, and lets nothing go that is not in it.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH},
    fsck,
};
use slateboard::{
    protocol::{
        Fault,
        history::Logged,
        publish::{Change, Expect, Outcome},
        read::Verify,
    },
    sync::modelled,
};

pub const MODELS: &[&Model] = &[
    &TWO_HELPERS,
    &STALE_HELPER,
    &STALE_HELPER_LAP,
    &LATE_FINISHER,
    &PAST_LIFE,
    &PRIVATE_BLOCK,
    &FLOOR,
    &POLLER,
    &PASSED_ON,
];

/// Two parties log the same block: one event, which both can see when they return.
static TWO_HELPERS: Model = Model {
    name: "history::two_helpers_of_one_put_make_one_event",
    budget: 5_000,
    least: 1_000,
    must_see: &[],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        let helpers = [dead, board.lane(2)].map(|mut lane| {
            let board = board.clone();
            move || {
                let core = board.core();
                assert_eq!(core.log(&mut lane, put.block, put.tag), Ok(Logged::At(2)));
                assert_eq!(core.generation(), 2, "a put is not counted when its generation is told");
                assert_eq!(core.shard_changes(0), 2, "a put is not announced when its generation is told");
                lane
            }
        });
        let [owner, helper] = helpers;
        let (_dead, two) = run.two(owner, helper);
        board.reap(&mut setup, 1);
        assert_eq!(board.get("a"), Some((2, 2, 2)));
        fsck::check(&board, &[&setup, &two]);
    },
};

/// The owner logs its put while the next writer of the key helps it and goes on.
static STALE_HELPER: Model = Model {
    name: "history::a_stale_view_overwrites_no_event",
    budget: 5_000,
    least: 1_000,
    must_see: &[],
    kills: false,
    roles: 2,
    run: |run| stale_helper(run, 2),
};

/// The same, where every event overwrites the one before.
static STALE_HELPER_LAP: Model = Model {
    name: "history::a_stale_view_overwrites_no_event_of_a_later_lap",
    budget: 5_000,
    least: 1_000,
    must_see: &[],
    kills: false,
    roles: 2,
    run: |run| stale_helper(run, 1),
};

fn stale_helper(run: &Run, history: u64) {
    let board = Board::small(4, history);
    let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
    board.put(&mut setup, "a", 1);
    let put = board.publish_only(&mut dead, "a", 2);
    let owner = {
        let board = board.clone();
        move || board.core().log(&mut dead, put.block, put.tag)
    };
    let writer = {
        let (board, mut lane) = (board.clone(), board.ready_lane(2));
        move || (board.put(&mut lane, "a", 3), lane)
    };
    let (logged, (put, two)) = run.two(owner, writer);
    assert_eq!((logged, put), (Ok(Logged::At(2)), (3, 3)));
    board.reap(&mut setup, 1);
    assert_eq!(board.get("a"), Some((3, 3, 3)));
    fsck::check(&board, &[&setup, &two]);
}

/// A helper finishes an event that others finished long ago.
static LATE_FINISHER: Model = Model {
    name: "history::a_late_finisher_takes_nothing_back",
    budget: 10_000,
    least: 100,
    must_see: &["late"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 3);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        // Until the ring word is stored.
        modelled::killed_after(STORES_TO_PUBLISH + 1, || board.put(&mut dead, "a", 2));
        assert_eq!(board.core().generation(), 1, "the victim was to die before it finished");
        let finisher = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                board.core().finish_pending(&mut setup).expect("a finish");
                run.saw_if(board.core().generation() == 3, "late");
                setup
            }
        };
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 3), lane)
        };
        let (mut setup, (put, two)) = run.two(finisher, writer);
        assert_eq!((put, board.core().generation()), ((3, 3), 3));
        board.reap(&mut setup, 1);
        fsck::check(&board, &[&setup, &two]);
    },
};

/// A helper that wakes when the block it meant to log is in its next life, still private.
static PAST_LIFE: Model = Model {
    name: "history::a_late_helper_logs_no_later_life",
    budget: 5_000,
    least: 50,
    must_see: &["before", "past"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 1);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        board.reap(&mut setup, 1);
        // Supersedes the block and lets that event go: the block is in the stash.
        board.put(&mut setup, "a", 3);
        board.core().empty_stash(&mut setup);
        board.floor_to(&mut setup, 3);
        let mut late = board.lane(2);
        let writer = {
            let board = board.clone();
            // Begins the block's next life, in which it is never published.
            move || (board.change(&mut setup, "a", &Change::put(&[4; 8], Expect::Version(9))), setup)
        };
        let helper = {
            let board = board.clone();
            move || (board.core().log(&mut late, put.block, put.tag), late)
        };
        let ((put, setup), (logged, late)) = run.two(writer, helper);
        assert_eq!(put, Ok(Outcome::Conflict { version: 3 }));
        match logged {
            Ok(Logged::At(2)) => run.saw("before"),
            Ok(Logged::Past) => run.saw("past"),
            other => panic!("a late helper came to {other:?}"),
        }
        assert_eq!(board.core().generation(), 3, "a put that never was became an event");
        fsck::check(&board, &[&setup, &late]);
    },
};

/// A writer that loaded a head before its block was freed and begun anew by another.
static PRIVATE_BLOCK: Model = Model {
    name: "history::a_helper_logs_no_private_block",
    budget: 5_000,
    least: 1_000,
    must_see: &[],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let busy = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "a", 2);
                board.core().empty_stash(&mut lane);
                board.floor_to(&mut lane, 2);
                // Begins the freed block anew, and never publishes it.
                let swap = Change::put(&[3; 8], Expect::Version(9));
                (board.change(&mut lane, "a", &swap), lane)
            }
        };
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 4), lane)
        };
        let ((swapped, one), (_, two)) = run.two(busy, writer);
        assert!(matches!(swapped, Ok(Outcome::Conflict { .. })), "{swapped:?}");
        assert_eq!(board.core().generation(), 3, "a put that never was became an event");
        fsck::check(&board, &[&setup, &one, &two]);
    },
};

/// A step of the floor when every event has left the history, against a put.
static FLOOR: Model = Model {
    name: "history::the_floor_stays_below_the_generation",
    budget: 3_000,
    least: 40,
    must_see: &["nothing", "let go"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.floor_to(&mut setup, 1);
        let floor = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.core().advance_floor(&mut lane, false), lane)
        };
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let ((moved, one), (put, two)) = run.two(floor, writer);
        assert_eq!(put, (2, 2));
        run.saw(if moved == Ok(true) { "let go" } else { "nothing" });
        fsck::check(&board, &[&setup, &one, &two]);
    },
};

/// Whoever reads a counter finds every event up to it, and no key older than it (G1).
static POLLER: Model = Model {
    name: "history::a_poller_finds_what_the_counter_tells",
    budget: 5_000,
    least: 1_000,
    must_see: &["one", "two", "three"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 2);
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
        let poller = {
            let (board, run) = (board.clone(), run.clone());
            move || poll(&board, &run)
        };
        let (one, ()) = run.two(writer, poller);
        fsck::check(&board, &[&setup, &one]);
    },
};

fn poll(board: &Board, run: &Run) {
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
    run.saw(["none", "one", "two", "three"][generation as usize]);
}

/// An owner finds its put logged by another who has not counted it, and counts it: whoever reads the counter
/// finds the event.
static PASSED_ON: Model = Model {
    name: "history::who_counts_an_event_passes_it_on",
    budget: 1_500,
    least: 100,
    must_see: &["one", "two"],
    kills: false,
    roles: 3,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        let helper = {
            let board = board.clone();
            move || board.core().log(&mut setup, put.block, put.tag)
        };
        let owner = {
            let board = board.clone();
            move || board.core().log(&mut dead, put.block, put.tag)
        };
        let poller = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let generation = board.core().generation();
                let event = board.core().event(generation, Verify::Always, |_| true);
                assert!(matches!(event, Ok(Some(_))), "event {generation} reads as {event:?}");
                run.saw(if generation == 1 { "one" } else { "two" });
            }
        };
        let (helped, logged, ()) = run.three(helper, owner, poller);
        assert_eq!((helped, logged), (Ok(Logged::At(2)), Ok(Logged::At(2))));
    },
};
