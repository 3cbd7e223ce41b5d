//! No sleeper is forgotten: it sees the raised counter, or it is woken.

use super::{
    Model, Run,
    board::{Board, shape},
};
use slateboard::{layout::Shape, protocol::wake::BOARD};
use std::sync::Arc;

pub const MODELS: &[&Model] = &[&SHARD, &WHOLE_BOARD, &HELPED, &KILLED, &TOLD, &QUIET];

/// Asks to be woken by the counter and returns whether it would sleep. If not, what the counter tells is there.
fn doze(board: &Board, counter: usize) -> bool {
    let seen = board.core().ask_wake(counter);
    if seen != 1 {
        is_there(board, "a", seen);
    }
    seen == 1
}

/// Whoever read this number from any counter finds the key as new as that.
fn is_there(board: &Board, key: &str, told: u64) {
    let (_, generation, _) = board.get(key).expect("the key");
    assert!(generation >= told, "a counter tells {told}, and the key is of {generation}");
}

fn sleeper_and_writer(run: &Arc<Run>, counter: usize) {
    let board = Board::with_bell(4, 2);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "a", 1);
    let sleeper = {
        let board = board.clone();
        move || doze(&board, counter)
    };
    let writer = {
        let (board, mut lane) = (board.clone(), board.ready_lane(1));
        move || board.put(&mut lane, "a", 2)
    };
    let (slept, _) = run.two(sleeper, writer);
    assert!(!slept || board.rung(counter) > 0, "a sleeper is not woken");
    run.saw(if slept { "slept" } else { "saw it" });
}

/// A sleeper on its shard's counter.
static SHARD: Model = Model {
    name: "wake::a_sleeper_on_a_shard_is_woken",
    budget: 4_000,
    least: 50,
    must_see: &["slept", "saw it"],
    kills: false,
    roles: 2,
    run: |run| sleeper_and_writer(run, 1),
};

/// A sleeper on the board's counter.
static WHOLE_BOARD: Model = Model {
    name: "wake::a_sleeper_on_the_board_is_woken",
    budget: 4_000,
    least: 50,
    must_see: &["slept", "saw it"],
    kills: false,
    roles: 2,
    run: |run| sleeper_and_writer(run, BOARD),
};

/// The writer stands still after publishing; whoever helps it wakes.
static HELPED: Model = Model {
    name: "wake::helpers_count_and_wake",
    budget: 4_000,
    least: 100,
    must_see: &["slept", "saw it"],
    kills: false,
    roles: 3,
    run: |run| {
        let board = Board::with_bell(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        let sleeper = {
            let board = board.clone();
            move || doze(&board, 1)
        };
        let helpers = [setup, board.lane(2)].map(|mut lane| {
            let board = board.clone();
            move || board.core().log(&mut lane, put.block, put.tag).expect("an event")
        });
        let [one, two] = helpers;
        let (slept, _, _) = run.three(sleeper, one, two);
        assert!(!slept || board.rung(1) > 0, "a sleeper is not woken");
        run.saw(if slept { "slept" } else { "saw it" });
    },
};

/// The writer is killed; whoever reaps it wakes.
static KILLED: Model = Model {
    name: "wake::a_killed_writer_s_sleepers_are_woken",
    budget: 400,
    least: 500,
    must_see: &["slept", "saw it", "nothing to tell"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::with_bell(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let sleeper = {
            let board = board.clone();
            move || doze(&board, 1)
        };
        let victim = {
            let (board, run, mut lane) = (board.clone(), run.clone(), board.ready_lane(1));
            move || {
                run.victim(|| board.put(&mut lane, "a", 2));
                board.reap(&mut setup, 1);
            }
        };
        let (slept, ()) = run.two(sleeper, victim);
        let told = board.core().generation() == 2;
        assert!(!slept || !told || board.rung(1) > 0, "a sleeper is not woken");
        assert_eq!(board.core().shard_changes(0), board.core().generation(), "the shard's counter");
        run.saw(match (slept, told) {
            (true, true) => "slept",
            (false, _) => "saw it",
            (true, false) => "nothing to tell",
        });
    },
};

/// Whoever reads a shard's counter finds what it tells, also before the board's counter shows it.
static TOLD: Model = Model {
    name: "wake::a_shard_s_counter_tells_what_is_there",
    budget: 4_000,
    least: 50,
    must_see: &["one", "two"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || board.put(&mut lane, "a", 2)
        };
        let looker = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let core = board.core();
                let told = if run.first == 0 { core.shard_changes(0) } else { core.counter_value(1) };
                is_there(&board, "a", told);
                run.saw(if told == 2 { "two" } else { "one" });
            }
        };
        run.two(writer, looker);
    },
};

/// A sleeper on a shard where nothing happened, while a reaper tells every shard.
static QUIET: Model = Model {
    name: "wake::a_sleeper_on_a_quiet_shard_hears_a_reaper",
    budget: 4_000,
    least: 5,
    must_see: &["slept", "saw it"],
    kills: false,
    roles: 2,
    run: |run| {
        let shape = Shape { uniform_shards: 2, ..shape(4, 2) };
        let shards = usize::try_from(shape.uniform_shards).expect("two");
        let board = Board::with_bell_of(shape);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let quiet = (0..shards).find(|&shard| board.core().shard_changes(shard) == 0).expect("a quiet shard");
        let reaper = {
            let board = board.clone();
            move || board.core().announce_all()
        };
        let sleeper = {
            let board = board.clone();
            move || board.core().ask_wake(1 + quiet) == 0
        };
        let ((), slept) = run.two(reaper, sleeper);
        assert!(!slept || board.rung(1 + quiet) > 0, "a sleeper is not woken");
        run.saw(if slept { "slept" } else { "saw it" });
    },
};
