//! Entries that expired are found and ended, no others are, and no deadline is lost: one of a group's two words is no
//! later than the deadline of each living entry. The check at rest verifies that.

use super::{
    Model, Run,
    board::{Board, done, shape},
    model,
    scene::{Party, Role, Scene},
};
use slateboard::{
    layout::{Shape, record::RecordKind},
    protocol::{
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
    },
};

pub const MODELS: &[Model] = &[
    model("expire::a_sweep_loses_no_deadline", put_and_sweep)
        .budget(6_000)
        .least(1_000)
        .must_see(&["before", "after"]),
    model("expire::two_sweeps_lose_no_deadline", sweeps).least(1_000),
    model("expire::a_later_deadline_is_not_forgotten", later).budget(6_000).least(500),
    model("expire::a_killed_put_s_deadline_is_known", killed_put)
        .budget(200)
        .least(3_000)
        .must_see(&["lived"]),
    model("expire::a_killed_sweep_loses_no_deadline", killed_sweep)
        .budget(120)
        .least(2_000)
        .must_see(&["lived"]),
    model("expire::a_renewed_entry_is_not_ended", renewed)
        .budget(6_000)
        .least(1_000)
        .must_see(&["ended first", "renewed"]),
    model("expire::a_put_is_not_refused_for_what_expired", full_board)
        .budget(6_000)
        .least(1_000)
        .must_see(&["by the put", "by the sweep"]),
    model("expire::a_put_looks_at_every_slot_before_it_is_refused", lazy_writer)
        .budget(3_000)
        .least(10)
        .must_see(&["made"]),
];

/// The time of sweeps: behind deadline [`OVER`], before [`LATE`].
const NOON: Now = Now { real_ns: 0, boot_ns: || 5 };
const OVER: u64 = 1;
const SOON: u64 = 8;
const LATE: u64 = 9;

fn put_until(me: &mut Party, key: &str, value: u64, deadline: u64) -> (u64, u64) {
    let bytes = value.to_le_bytes();
    done(me.change(key, &Change { deadline, ..Change::put(&bytes, Expect::Any) }))
}

/// Sweeps the only group, and returns how many entries that ended.
fn sweep(me: &mut Party) -> u64 {
    let (core, lane) = me.parts();
    core.sweep(lane, 0, u64::MAX, NOON).expect("a sweep").ended
}

/// A sweep that finds nothing to end.
fn idle_sweep(board: &Scene, session: usize) -> Role<()> {
    board.role_of(board.party(session), |me| assert_eq!(sweep(me), 0))
}

/// Kinds of the events, oldest first.
fn kinds(board: &Board) -> Vec<RecordKind> {
    let core = board.core();
    let event =
        |position| core.event(position, Verify::Always, |_| true).expect("an event").expect("no filter");
    (core.floor() + 1..=core.generation()).map(|position| event(position).item.header.kind).collect()
}

/// A put with a deadline meets a sweep that ends another entry. The sweep leaves no word that is too late.
fn put_and_sweep(run: &Run) {
    let mut board = run.small(6, 4);
    put_until(&mut board, "a", 1, OVER);
    let putter = board.role(1, |me| put_until(me, "b", 2, LATE));
    let sweeper = board.role(2, |me| assert_eq!(sweep(me), 1));
    let ((_, generation), ()) = board.two(putter, sweeper);
    board.saw(if generation == 2 { "before" } else { "after" });
    assert_eq!(board.get("a"), None);
    board.drain();
}

/// Two sweeps meet a put. What one of them took over, the other finds.
fn sweeps(run: &Run) {
    let mut board = run.small(5, 3);
    put_until(&mut board, "a", 1, LATE);
    let putter = board.role(1, |me| put_until(me, "a", 2, SOON));
    let (sweeper, other) = (idle_sweep(&board, 2), idle_sweep(&board, 0));
    board.three(putter, sweeper, other);
    board.drain();
}

/// A put has a later deadline than another that was announced just before. A sweep that takes over the earlier one sees
/// both entries, or leaves the later one's word.
fn later(run: &Run) {
    let mut board = run.small(6, 4);
    put_until(&mut board, "a", 1, LATE);
    let putter = board.role(1, |me| put_until(me, "b", 2, LATE + 1));
    let replacer = board.role(0, |me| me.put("a", 3));
    let sweeper = board.role_of(board.party(2), |me| assert_eq!(sweep(me) + sweep(me), 0));
    board.three(putter, replacer, sweeper);
    board.drain();
}

/// A put with a deadline is killed anywhere and reaped, beside a sweep.
fn killed_put(run: &Run) {
    let mut board = run.small(5, 3);
    put_until(&mut board, "a", 1, LATE + 1);
    let dying = board.victim(board.ready(1), |me| put_until(me, "a", 2, LATE));
    let sweeper = idle_sweep(&board, 2);
    board.two(dying, sweeper);
    board.drain();
}

/// A sweep is killed anywhere and reaped, beside a put with a deadline. Then another sweep ends what expired.
fn killed_sweep(run: &Run) {
    let mut board = run.small(6, 4);
    put_until(&mut board, "a", 1, OVER);
    let dying = board.victim(board.ready(1), sweep);
    let putter = board.role(2, |me| put_until(me, "b", 2, LATE));
    board.two(dying, putter);
    board.check();
    sweep(&mut board);
    assert_eq!((board.get("a"), kinds(&board).len()), (None, 3));
    board.drain();
}

/// A renewal meets the sweep that found the entry expired. The renewed one stays.
fn renewed(run: &Run) {
    let mut board = run.small(6, 4);
    put_until(&mut board, "a", 1, OVER);
    let renewer = board.role(1, |me| put_until(me, "a", 2, LATE));
    let sweeper = board.role(2, sweep);
    let (renewed, ended) = board.two(renewer, sweeper);
    assert_eq!(board.get("a"), Some((renewed.0, renewed.1, 2)), "the renewed entry was ended");
    assert_eq!(kinds(&board).contains(&RecordKind::Expired), ended == 1);
    board.saw(if ended == 1 { "ended first" } else { "renewed" });
    board.drain();
}

/// A board whose slots are taken: "a" lives, "b" expired.
fn full(run: &Run) -> Scene {
    let mut board = run.board(Shape { sessions: 4, ..shape(8, 4) }).ready_to_set_up();
    put_until(&mut board, "a", 0, LATE);
    put_until(&mut board, "b", 1, OVER);
    board
}

/// A put at noon of a key that has no slot.
fn put_now(me: &mut Party) {
    let key = me.key("c");
    let (core, lane) = me.parts();
    let put = core.change(lane, &key, &Change::put(&7u64.to_le_bytes(), Expect::Any), NOON, None);
    assert!(matches!(put, Ok(Outcome::Done { .. })), "refused: {put:?}");
}

/// A put without a slot meets a sweep of another. One of them ends what expired, and the put is made.
fn full_board(run: &Run) {
    let mut board = full(run);
    let putter = board.role(1, put_now);
    let sweeper = board.role(2, sweep);
    let ((), ended) = board.two(putter, sweeper);
    board.saw(if ended == 1 { "by the sweep" } else { "by the put" });
    assert_eq!((board.get("b"), board.value("c")), (None, Some(7)));
    board.drain();
}

/// The same where the group's words are too late, as damage may make them. The put looks at every slot.
fn lazy_writer(run: &Run) {
    let mut board = full(run);
    for word in 0..2 {
        let at = board.geo.groups().word(0) + word;
        board.swap(at, board.load(at), 0);
    }
    let putter = board.role(1, |me| {
        put_now(me);
        me.saw("made");
    });
    let reader = board.reader(|board| assert_eq!(board.value("a"), Some(0)));
    board.two(putter, reader);
    board.drain();
}
