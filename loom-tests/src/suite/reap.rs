//! A session may die at any store, and its reaper may too. What was acknowledged stays, what was begun happens wholly
//! or not at all, and no block is lost or freed twice.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH, number, shape},
    model,
    scene::{Party, Scene},
};
use slateboard::{
    layout::{Shape, StateKind},
    protocol::read::Verify,
};

pub const MODELS: &[Model] = &[
    model("reap::a_killed_put_and_a_writer", put_and_writer)
        .must_see(&["happened", "did not happen", "lived"])
        .budget(250)
        .least(5_000),
    model("reap::a_killed_put_and_a_reader", put_and_reader)
        .budget(200)
        .least(3_000)
        .must_see(&["seen", "not seen", "lived"]),
    model("reap::what_a_killed_put_leaves_is_reused", put_reuse).budget(60).least(5_000).must_see(&["lived"]),
    model("reap::a_killed_removal_and_a_writer", remove).budget(200).least(5_000).must_see(&["lived"]),
    model("reap::a_killed_insert_and_an_insert", insert).budget(200).least(5_000).must_see(&["lived"]),
    model("reap::a_killed_floor_step_leaks_nothing", floor).budget(400).least(200).must_see(&["lived"]),
    model("reap::a_killed_floor_step_frees_no_other_key", floor_two_keys)
        .budget(400)
        .least(200)
        .must_see(&["lived"]),
    model("reap::a_put_that_is_superseded_meanwhile_was_published", reap_order)
        .least(1_000)
        .must_see(&["inflight"]),
    model("reap::a_put_let_go_while_it_is_reaped", let_go).least(500).must_see(&["inflight"]),
    model("reap::an_uncounted_event_is_counted", uncounted).least(20).must_see(&["before", "after"]),
    model("reap::a_killed_reaper_s_work_is_finished", |run| killed_reaper(run, unlogged))
        .budget(250)
        .least(2_000)
        .must_see(&["lived"]),
    model("reap::a_killed_reaper_s_intent_is_finished_once", |run| killed_reaper(run, unfinished))
        .budget(250)
        .least(1_000)
        .must_see(&["lived"]),
];

/// What the victim of most models was to put.
const LAST_WORDS: u64 = 77;

/// Whether an event of the history put this value, and as what version.
fn event_of(board: &Board, value: u64) -> Option<(u64, u64)> {
    let core = board.core();
    (core.floor() + 1..=core.generation()).find_map(|position| {
        let event = core.event(position, Verify::Always, |_| true).expect("an event").expect("no filter");
        let ours = !event.item.value.is_empty() && number(&event.item.value) == value;
        ours.then_some((event.item.header.version, position))
    })
}

/// A put is killed anywhere and reaped, beside a writer of the same key.
fn put_and_writer(run: &Run) {
    let mut board = run.small(6, 3);
    board.put("a", 1);
    let dying = board.victim(board.ready(1), |me| me.put("a", LAST_WORDS));
    let writer = board.role(2, |me| me.put("a", 2));
    let (told, put) = board.two(dying, writer);
    let happened = event_of(&board, LAST_WORDS);
    assert!(told.is_none() || told == happened, "the victim was told {told:?}, not {happened:?}");
    assert_eq!(event_of(&board, 2), Some(put), "an acknowledged put is lost");
    board.saw(if happened.is_some() { "happened" } else { "did not happen" });
    board.drain();
}

/// The same beside a reader, which never sees a put that the history does not get.
fn put_and_reader(run: &Run) {
    let mut board = run.small(4, 1);
    board.put("a", 1);
    let dying = board.victim(board.ready(1), |me| me.put("a", LAST_WORDS));
    let reader = board.reader(|board| [(); 2].map(|()| board.get("a").expect("the key")));
    let (_, seen) = board.two(dying, reader);
    let happened = event_of(&board, LAST_WORDS).is_some();
    for seen in seen {
        assert!(seen == (1, 1, 1) || (happened && seen == (2, 2, LAST_WORDS)), "a read saw {seen:?}");
    }
    let [first, then] = seen;
    assert!(then.0 >= first.0, "time runs backwards");
    board.saw(if then.0 == 2 { "seen" } else { "not seen" });
    board.drain();
}

/// A put is killed anywhere and reaped. The reaper uses what it freed, beside a writer and a reader.
fn put_reuse(run: &Run) {
    let mut board = run.board(shape(6, 2)).attached();
    board.put("a", 1);
    let dying = board.victim(board.ready(1), |me| me.put("a", LAST_WORDS)).then(|me, _| me.put("a", 3));
    let writer = board.role(2, |me| me.put("a", 2));
    let reader = board.reader(|board| board.get("a").expect("the key"));
    let (again, put, seen) = board.three(dying, writer, reader);
    assert!([1, 2, 3, LAST_WORDS].contains(&seen.2) && seen.0 == seen.1, "torn: {seen:?}");
    assert!((seen.2 == 2) == (seen.1 == put.1) && (seen.2 == 3) == (seen.1 == again.1), "torn: {seen:?}");
    board.drain();
}

/// A removal is killed anywhere and reaped, beside a writer of the same key.
fn remove(run: &Run) {
    let mut board = run.small(6, 2);
    board.put("a", 1);
    let dying = board.victim(board.ready(1), |me| me.remove("a"));
    let writer = board.role(2, |me| me.put("a", 2));
    let (_, put) = board.two(dying, writer);
    let removed_after = board.core().generation() > put.1;
    assert_eq!(board.get("a").is_none(), removed_after, "the newest event decides");
    board.drain();
}

/// An insert is killed anywhere and reaped, beside an insert of the same key.
fn insert(run: &Run) {
    let mut board = run.small(5, 2);
    let dying = board.victim(board.ready(1), |me| me.put("a", LAST_WORDS));
    let insert = board.role(2, |me| me.put("a", 2));
    let (_, put) = board.two(dying, insert);
    assert_eq!(event_of(&board, 2), Some(put), "an acknowledged put is lost");
    board.drain();
}

/// A step of the floor is killed anywhere, also between that and the freeing.
fn floor(run: &Run) {
    let mut board = run.small(5, 2);
    board.put("a", 1);
    board.put("a", 2);
    board.floor_to(1);
    floor_step_and_put(board, "a");
}

/// A victim's floor step meets a put that steps too. With two keys, what a stale step takes for the superseded block may
/// be another key's.
fn floor_two_keys(run: &Run) {
    let mut board = run.small(5, 1);
    board.put("a", 1);
    board.put("b", 2);
    board.put("a", 3);
    floor_step_and_put(board, "b");
}

fn floor_step_and_put(mut board: Scene, key: &'static str) {
    let dying = board.victim(board.ready(1), |me| {
        me.empty_hand();
        let (core, lane) = me.parts();
        core.advance_floor(lane, false).expect("a step of the floor");
    });
    let writer = board.role(2, move |me| {
        me.put(key, 8);
        me.put(key, 9)
    });
    let (_, last) = board.two(dying, writer);
    assert_eq!(board.get(key).map(|got| (got.1, got.2)), Some((last.1, 9)));
    board.drain();
}

/// A reaper decides whether a put was published, while that is superseded.
fn reap_order(run: &Run) {
    let mut board = run.small(5, 3);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    board.saw_if(board.state(put.block).is(StateKind::Inflight), "inflight");
    let reaper = board.setup_role(|me| me.reap(1));
    let writer = board.role(2, |me| me.put("a", 3));
    let ((), put) = board.two(reaper, writer);
    assert_eq!(put, (3, 3));
    assert_eq!(event_of(&board, 2), Some((2, 2)));
    board.drain();
}

/// A reaper takes over a put of the dead, while that is superseded and let go by another.
fn let_go(run: &Run) {
    let mut board = run.small(5, 3);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    board.put("a", 3);
    board.floor_to(2);
    board.saw_if(board.state(put.block).is(StateKind::Inflight), "inflight");
    let reaper = board.setup_role(|me| me.reap(1));
    let floor = board.role_of(board.party(2), |me| {
        me.floor_to(3);
        me.put("b", 4);
    });
    board.two(reaper, floor);
    board.drain();
}

/// A victim died after its event had its generation and before the counter. The reaper counts it.
fn uncounted(run: &Run) {
    let mut board = run.small(4, 2);
    let mut dead = board.ready(1);
    board.put("a", 1);
    // Besides the ring word, the generation word, the shard's counter.
    dead.killed_after(STORES_TO_PUBLISH + 3, |me| me.put("a", 2));
    assert_eq!(board.core().generation(), 1, "the victim was to die before the counter");
    assert_eq!(board.get("a"), Some((2, 2, 2)));
    let reaper = board.setup_role(|me| {
        me.reap(1);
        assert_eq!(me.core().generation(), 2, "a reaped session's event is not counted");
    });
    let poller = board.reader(|board| {
        let generation = board.core().generation();
        board.saw(if generation == 1 { "before" } else { "after" });
        let event = board.core().event(generation, Verify::Always, |_| true);
        assert!(matches!(event, Ok(Some(_))), "event {generation} reads as {event:?}");
    });
    board.two(reaper, poller);
    board.drain();
}

/// A reaper dies itself. The next one reaps both, beside a writer.
fn killed_reaper(run: &Run, dies: fn(&mut Party)) {
    let mut board = run.board(Shape { sessions: 4, ..shape(6, 2) }).ready_to_set_up();
    let mut dead = board.ready(3);
    board.put("a", 1);
    dies(&mut dead);
    let reaper = board.victim(board.party(1), |me| me.reap(3)).then(|me, _| me.reap(3));
    let writer = board.role(2, |me| me.put("a", 9));
    let (_, put) = board.two(reaper, writer);
    assert_eq!(board.get("a"), Some((put.0, put.1, 9)));
    board.drain();
}

/// The dead session leaves a put that was published and not logged.
fn unlogged(dead: &mut Party) {
    dead.publish_only("a", 2);
}

/// The dead session leaves a floor step that was not finished.
fn unfinished(dead: &mut Party) {
    dead.put("a", 2);
    dead.floor_to(1);
    // Three that write the intent down, and the floor.
    let step = dead.killed_after(4, |me| {
        let (core, lane) = me.parts();
        core.advance_floor(lane, false)
    });
    assert_eq!(step, None);
    assert_eq!(dead.core().floor(), 2, "the victim was to die after it moved the floor");
}
