//! What expired is found and ended, nothing else is, and no deadline is lost: one of a group's two words is no later
//! than the deadline of each living entry, which the check at rest looks at.

use super::{
    Model, Run,
    board::{Board, number, shape},
    fsck,
};
use slateboard::{
    layout::{Shape, record::RecordKind},
    protocol::{
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
    },
};
use std::sync::Arc;

pub const MODELS: &[&Model] =
    &[&PUT_AND_SWEEP, &SWEEPS, &LATER, &KILLED_PUT, &KILLED_SWEEP, &RENEWED, &FULL, &LAZY_WRITER];

/// The time of sweeps: behind deadline [`OVER`], before [`LATE`].
const NOON: Now = Now { real_ns: 0, boot_ns: || 5 };
const OVER: u64 = 1;
const SOON: u64 = 8;
const LATE: u64 = 9;

fn put_until(board: &Board, lane: &mut Lane, key: &str, value: u64, deadline: u64) -> (u64, u64) {
    let bytes = value.to_le_bytes();
    super::board::done(board.change(lane, key, &Change { deadline, ..Change::put(&bytes, Expect::Any) }))
}

/// Sweeps the only group. How many entries it ended.
fn sweep(board: &Board, lane: &mut Lane) -> u64 {
    board.core().sweep(lane, 0, u64::MAX, NOON).expect("a sweep").ended
}

/// Kinds of the events, oldest first.
fn kinds(board: &Board) -> Vec<RecordKind> {
    let core = board.core();
    let event =
        |position| core.event(position, Verify::Always, |_| true).expect("an event").expect("no filter");
    (core.floor() + 1..=core.generation()).map(|position| event(position).item.header.kind).collect()
}

/// A put with a deadline beside a sweep that ends another entry: the sweep leaves no word that is too late.
static PUT_AND_SWEEP: Model = Model {
    name: "expire::a_sweep_loses_no_deadline",
    budget: 6_000,
    least: 1_000,
    must_see: &["before", "after"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(6, 4);
        let mut setup = board.ready_lane(0);
        put_until(&board, &mut setup, "a", 1, OVER);
        let putter = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (put_until(&board, &mut lane, "b", 2, LATE), lane)
        };
        let sweeper = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || {
                assert_eq!(sweep(&board, &mut lane), 1);
                lane
            }
        };
        let (((_, generation), one), two) = run.two(putter, sweeper);
        run.saw(if generation == 2 { "before" } else { "after" });
        assert_eq!(board.get("a"), None);
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// Two sweeps beside a put: what one of them took over, the other finds.
static SWEEPS: Model = Model {
    name: "expire::two_sweeps_lose_no_deadline",
    budget: 4_000,
    least: 1_000,
    must_see: &[],
    kills: false,
    roles: 3,
    run: |run| {
        let board = Board::small(5, 3);
        let mut setup = board.ready_lane(0);
        put_until(&board, &mut setup, "a", 1, LATE);
        let putter = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (put_until(&board, &mut lane, "a", 2, SOON), lane)
        };
        let sweeper = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || assert_eq!(sweep(&board, &mut lane), 0)
        };
        let other = {
            let (board, mut lane) = (board.clone(), board.lane(0));
            move || assert_eq!(sweep(&board, &mut lane), 0)
        };
        let ((_, one), (), ()) = run.three(putter, sweeper, other);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A put with a later deadline than another that was announced just before: a sweep that takes over the earlier one
/// sees both entries, or leaves the later one's word.
static LATER: Model = Model {
    name: "expire::a_later_deadline_is_not_forgotten",
    budget: 6_000,
    least: 500,
    must_see: &[],
    kills: false,
    roles: 3,
    run: |run| {
        let board = Board::small(6, 4);
        let mut setup = board.ready_lane(0);
        put_until(&board, &mut setup, "a", 1, LATE);
        let putter = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (put_until(&board, &mut lane, "b", 2, LATE + 1), lane)
        };
        let replacer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(0));
            move || (board.put(&mut lane, "a", 3), lane)
        };
        let sweeper = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || assert_eq!(sweep(&board, &mut lane) + sweep(&board, &mut lane), 0)
        };
        let ((_, one), (_, three), ()) = run.three(putter, replacer, sweeper);
        fsck::check_and_drain(&board, &mut setup, &[&one, &three]);
    },
};

/// Killed anywhere in a put with a deadline and reaped, beside a sweep.
static KILLED_PUT: Model = Model {
    name: "expire::a_killed_put_s_deadline_is_known",
    budget: 200,
    least: 3_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 3);
        let mut setup = board.ready_lane(0);
        put_until(&board, &mut setup, "a", 1, LATE + 1);
        let dying = {
            let (board, run, mut lane) = (board.clone(), run.clone(), board.ready_lane(1));
            move || {
                if run.victim(|| put_until(&board, &mut lane, "a", 2, LATE)).is_some() {
                    run.saw("lived");
                    board.empty_hand(&mut lane);
                }
                board.reap(&mut setup, 1);
                setup
            }
        };
        let sweeper = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || assert_eq!(sweep(&board, &mut lane), 0)
        };
        let (mut setup, ()) = run.two(dying, sweeper);
        fsck::check_and_drain(&board, &mut setup, &[]);
    },
};

/// Killed anywhere in a sweep and reaped, beside a put with a deadline; then another sweep ends what expired.
static KILLED_SWEEP: Model = Model {
    name: "expire::a_killed_sweep_loses_no_deadline",
    budget: 120,
    least: 2_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(6, 4);
        let mut setup = board.ready_lane(0);
        put_until(&board, &mut setup, "a", 1, OVER);
        let dying = {
            let (board, run, mut lane) = (board.clone(), run.clone(), board.ready_lane(1));
            move || {
                if run.victim(|| sweep(&board, &mut lane)).is_some() {
                    run.saw("lived");
                    board.empty_hand(&mut lane);
                }
                board.reap(&mut setup, 1);
                setup
            }
        };
        let putter = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (put_until(&board, &mut lane, "b", 2, LATE), lane)
        };
        let (mut setup, (_, two)) = run.two(dying, putter);
        fsck::check(&board, &[&setup, &two]);
        sweep(&board, &mut setup);
        assert_eq!((board.get("a"), kinds(&board).len()), (None, 3));
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// A renewal beside the sweep that found the entry expired: the renewed one stays.
static RENEWED: Model = Model {
    name: "expire::a_renewed_entry_is_not_ended",
    budget: 6_000,
    least: 1_000,
    must_see: &["ended first", "renewed"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(6, 4);
        let mut setup = board.ready_lane(0);
        put_until(&board, &mut setup, "a", 1, OVER);
        let renewer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (put_until(&board, &mut lane, "a", 2, LATE), lane)
        };
        let sweeper = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (sweep(&board, &mut lane), lane)
        };
        let ((renewed, one), (ended, two)) = run.two(renewer, sweeper);
        assert_eq!(board.get("a"), Some((renewed.0, renewed.1, 2)), "the renewed entry was ended");
        assert_eq!(kinds(&board).contains(&RecordKind::Expired), ended == 1);
        run.saw(if ended == 1 { "ended first" } else { "renewed" });
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// A board whose slots are taken by one entry that lives and one that expired.
fn full(slots_expired: &[(&str, u64)]) -> (Arc<Board>, Lane) {
    let board = Board::new(Shape { sessions: 4, ..shape(8, 4) }, 1);
    let mut setup = board.ready_lane(0);
    for (value, (key, deadline)) in slots_expired.iter().enumerate() {
        put_until(&board, &mut setup, key, value as u64, *deadline);
    }
    (board, setup)
}

fn put_now(
    board: &Board,
    lane: &mut Lane,
    key: &str,
    value: u64,
) -> Result<Outcome, slateboard::protocol::Fault> {
    let key = slateboard::protocol::slots::Key::new(&board.geo, key);
    board.core().change(lane, &key, &Change::put(&value.to_le_bytes(), Expect::Any), NOON, None)
}

/// A put without a slot beside a sweep of another: one of them ends what expired, and the put is made.
static FULL: Model = Model {
    name: "expire::a_put_is_not_refused_for_what_expired",
    budget: 6_000,
    least: 1_000,
    must_see: &["by the put", "by the sweep"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = full(&[("a", LATE), ("b", OVER)]);
        let putter = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                let put = put_now(&board, &mut lane, "c", 7);
                assert!(matches!(put, Ok(Outcome::Done { .. })), "refused: {put:?}");
                lane
            }
        };
        let sweeper = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (sweep(&board, &mut lane), lane)
        };
        let (one, (ended, two)) = run.two(putter, sweeper);
        run.saw(if ended == 1 { "by the sweep" } else { "by the put" });
        assert_eq!((board.get("b"), board.get("c").map(|got| got.2)), (None, Some(7)));
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// The same where the group's words are too late, as damage may make them: the put looks at every slot.
static LAZY_WRITER: Model = Model {
    name: "expire::a_put_looks_at_every_slot_before_it_is_refused",
    budget: 3_000,
    least: 10,
    must_see: &["made"],
    kills: false,
    roles: 2,
    run: |run: &Arc<Run>| {
        let (board, mut setup) = full(&[("a", LATE), ("b", OVER)]);
        for word in 0..2 {
            let at = board.geo.groups().word(0) + word;
            board.swap(at, board.load(at), 0);
        }
        let putter = {
            let (board, mut lane, run) = (board.clone(), board.ready_lane(1), run.clone());
            move || {
                let put = put_now(&board, &mut lane, "c", 7);
                assert!(matches!(put, Ok(Outcome::Done { .. })), "refused: {put:?}");
                run.saw("made");
                lane
            }
        };
        let reader = {
            let board = board.clone();
            move || assert_eq!(board.get("a").map(|got| number(&got.2.to_le_bytes())), Some(0))
        };
        let (one, ()) = run.two(putter, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};
