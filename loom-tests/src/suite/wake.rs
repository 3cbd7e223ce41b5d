//! No sleeper is forgotten: it sees the raised counter, or it is woken.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH, shape},
    model,
    scene::Scene,
};
use slateboard::{
    layout::Shape,
    protocol::{lane::Lane, publish::Now, wake::BOARD},
};

pub const MODELS: &[Model] = &[
    model("wake::a_sleeper_on_a_shard_is_woken", |run| sleeper_and_writer(run, 1))
        .least(50)
        .must_see(&["slept", "saw it"]),
    model("wake::a_sleeper_on_the_board_is_woken", |run| sleeper_and_writer(run, BOARD))
        .least(50)
        .must_see(&["slept", "saw it"]),
    model("wake::who_sleeps_on_the_board_is_woken_with_who_sleeps_on_the_shard", both)
        .least(50)
        .must_see(&["slept", "saw it"]),
    model("wake::helpers_count_and_wake", helped).least(100).must_see(&["slept", "saw it"]),
    model("wake::a_killed_writer_s_sleepers_are_woken", killed)
        .must_see(&["slept", "saw it", "nothing to tell"])
        .budget(400)
        .least(500),
    model("wake::a_killed_reaper_s_sleepers_are_woken", killed_reaper)
        .must_see(&["slept", "lived"])
        .budget(100)
        .least(100),
    model("wake::a_shard_s_counter_tells_what_is_there", told).least(50).must_see(&["one", "two"]),
    model("wake::a_sleeper_on_a_quiet_shard_hears_a_reaper", quiet).least(5).must_see(&["slept", "saw it"]),
];

/// A board with a doorbell and a value of "a".
fn board(run: &Run, shape: Shape) -> Scene {
    let mut board = Scene::over(Board::with_bell(run, shape)).ready_to_set_up();
    board.put("a", 1);
    board
}

/// Asks to be woken by the counter and returns whether it would sleep. If not, what the counter tells is there.
fn doze(board: &Board, counter: usize) -> bool {
    let seen = board.core().ask_wake(counter);
    if seen != 1 {
        is_there(board, "a", seen);
    }
    seen == 1
}

/// The key is at least as new as this number, which a counter told.
fn is_there(board: &Board, key: &str, told: u64) {
    let (_, generation, _) = board.get(key).expect("the key");
    assert!(generation >= told, "a counter tells {told}, and the key is of {generation}");
}

fn assert_woken(board: &Board, slept: bool, counter: usize) {
    assert!(!slept || board.rung(counter) > 0, "a sleeper is not woken");
    board.saw(if slept { "slept" } else { "saw it" });
}

/// A sleeper on a counter, and a writer.
fn sleeper_and_writer(run: &Run, counter: usize) {
    let mut board = board(run, shape(4, 2));
    let sleeper = board.reader(move |board| doze(board, counter));
    let writer = board.role(1, |me| me.put("a", 2));
    let (slept, _) = board.two(sleeper, writer);
    assert_woken(&board, slept, counter);
}

/// One sleeper on the shard, which sleeps already, and one on the board, beside a writer.
fn both(run: &Run) {
    let mut board = board(run, shape(4, 2));
    let slept_before = doze(&board, 1);
    let sleeper = board.reader(|board| doze(board, BOARD));
    let writer = board.role(1, |me| me.put("a", 2));
    let (slept, _) = board.two(sleeper, writer);
    assert_woken(&board, slept_before, 1);
    assert_woken(&board, slept, BOARD);
}

/// The writer stands still after publishing. Its helpers wake the sleeper.
fn helped(run: &Run) {
    let mut board = Scene::over(Board::with_bell(run, shape(4, 2))).ready_to_set_up();
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    let sleeper = board.reader(|board| doze(board, 1));
    let one = board.setup_role(move |me| me.log(put).expect("an event"));
    let two = board.role_of(board.party(2), move |me| me.log(put).expect("an event"));
    let (slept, _, _) = board.three(sleeper, one, two);
    assert_woken(&board, slept, 1);
}

/// The writer is killed. Its reaper wakes the sleeper.
fn killed(run: &Run) {
    let mut board = board(run, shape(4, 2));
    let sleeper = board.reader(|board| doze(board, 1));
    let victim = board.victim(board.ready(1), |me| me.put("a", 2));
    let (slept, _) = board.two(sleeper, victim);
    let told = board.core().generation() == 2;
    assert_eq!(board.core().shard_changes(0), board.core().generation(), "the shard's counter");
    if slept && !told {
        board.saw("nothing to tell");
    } else {
        assert_woken(&board, slept, 1);
    }
}

/// The writer is killed before it wakes anybody, and then a process that reaps it while it attaches. The next reaper wakes the
/// sleeper. Whoever attaches has no session yet, whose end would wake all sleepers besides.
fn killed_reaper(run: &Run) {
    let shape = Shape { sessions: 4, ..shape(4, 2) };
    let mut board = Scene::over(Board::with_bell(run, shape)).ready_to_set_up();
    let mut dead = board.ready(3);
    board.put("a", 1);
    let slept = doze(&board, 1);
    // Besides the ring word, the generation word, the shard's counter and the counter.
    dead.killed_after(STORES_TO_PUBLISH + 4, |me| me.put("a", 2));
    assert_eq!(
        (board.core().generation(), board.rung(1)),
        (2, 0),
        "the victim was to die before it woke anybody"
    );
    let reaper = board.setup_role(|me| {
        let core = me.core();
        let reap = || core.reap(&mut Lane::for_reaping(&core, 3), 3, Now::default()).expect("a reap");
        me.saw_if(me.run.victim(reap).is_some(), "lived");
        me.reap(3);
    });
    let late = board.reader(|board| doze(board, 1));
    let (_, late) = board.two(reaper, late);
    assert!(!late, "a counter went back");
    assert_woken(&board, slept, 1);
}

/// A reader of a shard's counter finds what it tells, also before the board's counter shows it.
fn told(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let writer = board.role(1, |me| me.put("a", 2));
    let looker = board.reader(|board| {
        let core = board.core();
        let told = if board.run.first == 0 { core.shard_changes(0) } else { core.counter_value(1) };
        is_there(board, "a", told);
        board.saw(if told == 2 { "two" } else { "one" });
    });
    board.two(writer, looker);
}

/// A sleeper on a shard where nothing happened, while a reaper tells every shard.
fn quiet(run: &Run) {
    let mut board = board(run, Shape { uniform_shards: 2, ..shape(4, 2) });
    let quiet = (0..2).find(|&shard| board.core().shard_changes(shard) == 0).expect("a quiet shard");
    let reaper = board.reader(|board| board.core().announce_all());
    let sleeper = board.reader(move |board| board.core().ask_wake(1 + quiet) == 0);
    let ((), slept) = board.two(reaper, sleeper);
    assert_woken(&board, slept, 1 + quiet);
}
