//! The keeper's duties, each at a time that the test gives: no thread runs, and nothing sleeps. The last tests start a
//! keeper's thread, to see it end.

use super::*;
use crate::{
    board::{
        region::Region,
        seat::tests::{
            BEAT, attach, board, board_of, die, have_blocks_at_hand, is_attached, put, put_until, words,
        },
    },
    layout::{
        Geometry, HeadKind, Shape, groups, header,
        record::RecordKind,
        session::{self, Counter},
    },
    protocol::{
        publish::{Change, Expect, Now, Outcome},
        slots::Key,
    },
    sync::AtomicU64 as Word,
};
use std::sync::mpsc::channel;

const PERIOD_NS: u64 = BEAT.as_nanos() as u64;

/// A keeper's state just after its session attached, and the present.
fn rounds(seat: &Seat) -> (Rounds, u64) {
    let boot_ns = boottime_ns();
    (Rounds::new(seat, PERIOD_NS, boot_ns), boot_ns)
}

fn core(region: &Region) -> Core<'_> {
    region.core().unwrap()
}

fn word(region: &Region, at: usize) -> &Word {
    &region.words().unwrap()[at]
}

fn ended(region: &Region) -> u64 {
    core(region).total(Counter::Expired)
}

/// Makes the seat the elected one.
fn elect(seat: &Seat) {
    assert!(seat.is_elected());
}

#[test]
fn a_keeper_beats() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    for beat in 1..4 {
        let boot_ns = start + beat * PERIOD_NS;
        rounds.act(&seat, boot_ns);
        assert_eq!(core(&region).heartbeat_ns(usize::from(seat.writer.session)), boot_ns);
        // Nothing is due in between.
        rounds.act(&seat, boot_ns + PERIOD_NS - 1);
        assert_eq!(core(&region).heartbeat_ns(usize::from(seat.writer.session)), boot_ns);
    }
}

#[test]
fn a_keeper_counts_what_a_killed_writer_entered() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    put(&seat, "key", b"value").unwrap();
    // The writer was killed before it raised the counter.
    word(&region, header::GENERATION).store(0, Relaxed);
    rounds.beat(&seat, start + PERIOD_NS);
    assert_eq!(core(&region).generation(), 1);
}

#[test]
fn the_elected_keeper_reaps_the_dead_at_its_next_beat() {
    let region = board(4);
    let seats = ["elected", "dead", "lives", "dead too"].map(|name| attach(&region, name));
    let (mut rounds, start) = rounds(&seats[0]);
    die(&seats[1]);
    die(&seats[3]);
    // Their beats are not late.
    rounds.beat(&seats[0], start + 1);
    assert_eq!(seats.each_ref().map(is_attached), [true, false, true, false]);
}

#[test]
fn the_others_reap_those_whose_beats_are_late() {
    let region = board(3);
    let [elected, other, dead] = ["elected", "other", "dead"].map(|name| attach(&region, name));
    elect(&elected);
    let (mut rounds, start) = rounds(&other);
    die(&dead);
    rounds.beat(&other, start + PERIOD_NS);
    assert!(is_attached(&dead), "it may only be busy, and asking is the elected one's work");
    rounds.beat(&other, start + (LATE_BEATS + 1) * PERIOD_NS);
    assert!(!is_attached(&dead) && is_attached(&elected) && is_attached(&other));
}

#[test]
fn a_keeper_that_is_not_elected_looks_at_eight_and_goes_on_behind_them() {
    let region = board(12);
    let seats: Vec<Seat> = (0..12).map(|n| attach(&region, &format!("s{n}"))).collect();
    elect(&seats[0]);
    let (mut rounds, start) = rounds(&seats[1]);
    die(&seats[11]);
    let late = |beat: u64| start + (LATE_BEATS + beat) * PERIOD_NS;
    rounds.beat(&seats[1], late(1));
    assert!(is_attached(&seats[11]), "looked at more than eight");
    assert_eq!(rounds.suspects.from, 9);
    rounds.beat(&seats[1], late(2));
    assert!(!is_attached(&seats[11]));
    assert_eq!(rounds.suspects.from, 6, "the dead one does not count");
    rounds.beat(&seats[1], late(3));
    assert_eq!(rounds.suspects.from, 3, "nor does its free record");
}

#[test]
fn a_beat_is_late_after_two_turns() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let (mut rounds, _) = rounds(&seat);
    for stride in 1..=4 {
        rounds.stride = stride;
        assert_eq!(rounds.late_ns(), 2 * stride * PERIOD_NS);
    }
}

#[test]
fn a_slot_that_stays_open_from_one_sweep_to_the_next_is_retired() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    let Outcome::Done { slot, .. } = put(&seat, "key", b"value").unwrap() else { panic!("it is put") };
    let head = word(&region, slot.head_at);
    let kind = || Head(head.load(Relaxed)).kind();
    // The inserter of another key was killed before it published.
    head.store(Head(head.load(Relaxed)).next(HeadKind::Open, 0).0, Relaxed);
    for beat in 1..2 * SWEEP_BEATS {
        rounds.beat(&seat, start + beat * PERIOD_NS);
    }
    assert_eq!(kind(), Some(HeadKind::Open), "its inserter may be slow");
    rounds.beat(&seat, start + 2 * SWEEP_BEATS * PERIOD_NS);
    assert_eq!(kind(), Some(HeadKind::Retired));
}

#[test]
fn the_elected_keeper_ends_what_expired_at_its_next_beat_and_notes_what_is_next() {
    let region = board(2);
    let seat = attach(&region, "elected");
    let (mut rounds, start) = rounds(&seat);
    let soon_ns = start + PERIOD_NS / 2;
    put_until(&seat, "over", b"", 1).unwrap();
    put_until(&seat, "soon", b"", soon_ns).unwrap();
    put_until(&seat, "late", b"", start + 100 * PERIOD_NS).unwrap();
    rounds.beat(&seat, start);
    assert_eq!(ended(&region), 1);
    let noted_ns = seat.expiries.next_ns();
    let about = soon_ns..=soon_ns + 2 * DeadlineHint::UNIT_NS;
    assert!(about.contains(&noted_ns), "{soon_ns} {noted_ns}");
    // The groups' words round a deadline down once a sweep has seen the entry. The keeper must not wake before it.
    for group in 0..region.geometry().groups().count() {
        core(&region).sweep(&mut seat.lane(), group, u64::MAX, region::now()).unwrap();
    }
    seat.expiries.forget();
    rounds.beat(&seat, start);
    let noted_ns = seat.expiries.next_ns();
    assert!(about.contains(&noted_ns), "{soon_ns} {noted_ns}");
}

#[test]
fn the_others_end_what_the_elected_keeper_should_have_ended_long_ago() {
    let region = board(2);
    let [elected, other] = ["elected", "other"].map(|name| attach(&region, name));
    elect(&elected);
    let (mut rounds, start) = rounds(&other);
    put_until(&elected, "just over", b"", boottime_ns()).unwrap();
    rounds.beat(&other, start);
    assert_eq!(ended(&region), 0, "this is left to the elected one");
    assert_eq!(other.expiries.next_ns(), u64::MAX, "and so is what is next");
    put_until(&elected, "long over", b"", 1).unwrap();
    rounds.beat(&other, start + PERIOD_NS);
    assert_eq!(ended(&region), 1);
}

#[test]
fn a_keeper_wakes_between_two_beats_for_its_sessions_own_deadlines() {
    let region = board(2);
    let [elected, other] = ["elected", "other"].map(|name| attach(&region, name));
    elect(&elected);
    let (mut rounds, start) = rounds(&other);
    let before_ns = rounds.wakes_ns(&other);
    assert_eq!(before_ns, start + PERIOD_NS);
    let deadline_ns = boottime_ns();
    put_until(&other, "over", b"", deadline_ns).unwrap();
    other.expects_expiry(deadline_ns);
    assert_eq!(rounds.wakes_ns(&other), deadline_ns);
    rounds.act(&other, deadline_ns - 1);
    assert_eq!(ended(&region), 0, "the keeper looked before the deadline");
    rounds.act(&other, deadline_ns);
    assert_eq!(ended(&region), 1);
    assert_eq!(rounds.wakes_ns(&other), before_ns, "it is not woken again for the same deadline");
}

#[test]
fn a_keeper_that_ended_what_was_due_wakes_for_the_next_deadline() {
    let region = board(2);
    let [elected, other] = ["elected", "other"].map(|name| attach(&region, name));
    elect(&elected);
    let (mut rounds, _) = rounds(&other);
    let due_ns = boottime_ns();
    let next_ns = due_ns + PERIOD_NS / 2;
    for (key, deadline_ns) in [("due", due_ns), ("next", next_ns)] {
        put_until(&other, key, b"", deadline_ns).unwrap();
        other.expects_expiry(deadline_ns);
    }
    rounds.act(&other, due_ns);
    assert_eq!(ended(&region), 1);
    let wakes_ns = other.expiries.next_ns();
    assert!((next_ns..=next_ns + 2 * DeadlineHint::UNIT_NS).contains(&wakes_ns), "{next_ns} {wakes_ns}");
}

#[test]
fn a_keeper_is_woken_only_for_a_deadline_before_its_next_beat_and_before_the_one_it_knows() {
    let expiries = Expiries::new(BEAT);
    let now_ns = 7 * PERIOD_NS;
    assert!(!expiries.note(now_ns + PERIOD_NS, now_ns), "that is found at a beat");
    assert!(expiries.note(now_ns + 500, now_ns));
    assert!(!expiries.note(now_ns + 500, now_ns) && !expiries.note(now_ns + 501, now_ns));
    assert!(expiries.note(now_ns + 499, now_ns));
    assert_eq!(expiries.next_ns(), now_ns + 499);
    let seldom = Expiries::new(SELDOM + Duration::from_nanos(1));
    assert!(!seldom.note(now_ns, now_ns), "a keeper that seldom beats is left asleep");
    assert!(Expiries::new(SELDOM).note(now_ns, now_ns));
}

#[test]
fn a_keeper_ends_4096_entries_at_once_and_goes_on_after_a_pause() {
    let region = board_of(Shape::sized(4 << 20, 8192, 64, 2));
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    put_all_expired(&seat, 5000);
    rounds.beat(&seat, start);
    // It ends with the chain that it has begun.
    let first = ended(&region);
    assert!((ENDED_AT_ONCE..ENDED_AT_ONCE + 100).contains(&first), "{first} at once");
    let again_ns = seat.expiries.next_ns();
    assert_eq!(again_ns, start + ENDING_PAUSE_NS);
    // If it began with the first group again, groups where much expires would keep it from the others.
    assert!(rounds.from_group > 0);
    rounds.act(&seat, again_ns);
    assert_eq!((ended(&region), rounds.from_group), (5000, 0));
}

/// Puts entries that are over, and that no put ends: each is put at the beginning of time.
fn put_all_expired(seat: &Seat, count: u64) {
    let core = core(&seat.region);
    for n in 0..count {
        let (key, change) = (format!("over/{n}"), Change { deadline: 1, ..Change::put(&[], Expect::Any) });
        let key = Key::new(core.geometry(), &key);
        core.change(&mut seat.lane(), &key, &change, Now::default(), None).unwrap();
    }
}

#[test]
fn the_elected_keeper_looks_at_one_group_a_beat_whatever_its_words_say() {
    let region = board(2);
    let [elected, other] = ["elected", "other"].map(|name| attach(&region, name));
    elect(&elected);
    put_all_expired(&other, 100);
    let all = region.geometry().groups();
    // Damage, which says that no entry of any group has a deadline.
    for at in 0..all.count() * groups::GROUP_WORDS {
        word(&region, all.word(0) + at).store(0, Relaxed);
    }
    let (mut rounds, start) = rounds(&elected);
    let mut most = 0;
    for beat in 0..all.count() as u64 {
        let before = ended(&region);
        rounds.beat(&elected, start + beat * PERIOD_NS);
        most = most.max(ended(&region) - before);
    }
    assert_eq!(ended(&region), 100, "a group was left out");
    assert!(most < 20, "{most} of 100 entries in one of {} groups", all.count());
}

/// A session may bind an entry to another one that ends meanwhile, and be killed before it notices.
#[test]
fn the_elected_keeper_removes_what_is_bound_to_a_session_that_has_ended() {
    let region = board(3);
    let [elected, guest] = ["elected", "guest"].map(|name| attach(&region, name));
    elect(&elected);
    let host = attach(&region, "host");
    host.leave();
    for n in 0..20 {
        let (key, bound) = (format!("bound/{n}"), if n < 15 { host.writer } else { guest.writer });
        let change = Change { ephemeral: bound.pack(), ..Change::put(&[], Expect::Any) };
        guest.write(&Key::new(region.geometry(), &key), &change, None).unwrap();
    }
    let (mut rounds, start) = rounds(&elected);
    for beat in 0..region.geometry().groups().count() as u64 {
        rounds.beat(&elected, start + beat * PERIOD_NS);
    }
    assert_eq!(core(&region).usage().keys, 5);
}

#[test]
fn one_keeper_is_elected_until_its_session_ends() {
    let region = board(3);
    let [first, second] = ["first", "second"].map(|name| attach(&region, name));
    let ((mut rounds, start), (mut others, _)) = (rounds(&first), rounds(&second));
    rounds.beat(&first, start);
    others.beat(&second, start);
    // To ask is to be elected if nobody is, so the second is asked first.
    assert!(!second.is_elected() && first.is_elected());
    first.leave();
    others.beat(&second, start + PERIOD_NS);
    assert!(second.is_elected());
    let again = attach(&region, "in the record of the first");
    assert!(again.writer.session == first.writer.session && !again.is_elected());
}

#[test]
fn a_keeper_whose_session_was_ended_by_others_changes_nothing() {
    let region = board(4);
    let fenced = attach(&region, "fenced");
    have_blocks_at_hand(&fenced, "key");
    let (mut rounds, start) = rounds(&fenced);
    die(&fenced);
    let living = attach(&region, "living");
    assert_eq!(region.reap_dead().unwrap(), 1);
    // What was at hand there is in use here, an event is not counted, one is dead, and an entry is over. A slot is open, as a
    // killed inserter leaves it, and one is retired with its tombstone, which a killed session did not give back.
    let dead = attach(&region, "dead");
    for n in 0..20 {
        put(&living, &format!("key/{n}"), &[1; 100]).unwrap();
    }
    put_until(&living, "over", b"", 1).unwrap();
    let slot_of = |key: &str| {
        let Outcome::Done { slot, .. } = put(&living, key, b"value").unwrap() else { panic!("it is put") };
        word(&region, slot.head_at)
    };
    let (open, retired) = (slot_of("open"), slot_of("retired"));
    let remove = Change::tombstone(RecordKind::Removed, Expect::Any);
    living.write(&Key::new(region.geometry(), "retired"), &remove, None).unwrap();
    for (head, kind) in [(open, HeadKind::Open), (retired, HeadKind::Retired)] {
        let of = Head(head.load(Relaxed));
        let block = if kind == HeadKind::Open { 0 } else { of.block() };
        head.store(of.next(kind, block).0, Relaxed);
    }
    die(&dead);
    let newest = core(&region).generation();
    word(&region, header::GENERATION).store(newest - 1, Relaxed);
    let before = words(&region);
    // As session 0 of 4 it would sweep at the 16th and at the 64th.
    for beat in 0..4 * SWEEP_BEATS {
        rounds.beat(&fenced, start + beat * PERIOD_NS);
    }
    rounds.end_near(&fenced, start);
    assert!(words(&region) == before, "the board changed");
}

/// The ended session's process does not know yet that its lock byte is gone.
#[test]
fn a_session_that_others_ended_is_not_elected() {
    let region = board(2);
    let [ended, living] = ["ended", "living"].map(|name| attach(&region, name));
    let (mut rounds, start) = rounds(&ended);
    let at = region.geometry().session(usize::from(ended.writer.session)) + session::INCARNATION;
    word(&region, at).store(session::incarnation_word(ended.writer.incarnation, false), Relaxed);
    rounds.beat(&ended, start);
    assert!(living.is_elected(), "the ended session is the elected one");
}

#[test]
fn an_idle_session_keeps_no_blocks_after_two_beats() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    have_blocks_at_hand(&seat, "key");
    rounds.beat(&seat, start);
    assert!(core(&region).usage().private > 0, "it wrote since the last beat");
    rounds.beat(&seat, start + PERIOD_NS);
    assert_eq!(core(&region).usage().private, 0);
}

#[test]
fn the_elected_keeper_beats_in_each_period_and_the_others_in_their_turn() {
    let region = board(64);
    let first = attach(&region, "first");
    let (mut rounds, start) = rounds(&first);
    let rest: Vec<Seat> = (1..64).map(|n| attach(&region, &format!("s{n}"))).collect();
    assert_eq!(rounds.stride, 1, "alone so far");
    // In each of the four periods of a turn.
    for boot_ns in (0..4).map(|period| start + period * PERIOD_NS) {
        assert_eq!(rounds.beat(&first, boot_ns), boot_ns + PERIOD_NS);
    }
    assert_eq!(rounds.stride, 4);
    for seat in &rest[..8] {
        let (mut others, start) = self::rounds(seat);
        let periods = periods_until_turn(start / PERIOD_NS, u64::from(seat.writer.session), 4);
        assert_eq!(others.due_ns, start + periods * PERIOD_NS);
        assert_eq!(others.beat(seat, start), others.due_ns);
        // It looks at the path in each period all the same.
        assert_eq!(others.wakes_ns(seat), start + PERIOD_NS);
    }
    // The number of sessions is counted again from time to time.
    rest.iter().for_each(Seat::leave);
    for beat in 1..SWEEP_BEATS {
        rounds.beat(&first, start + beat * PERIOD_NS);
    }
    assert_eq!(rounds.stride, 1);
    // Later not more seldom: the next power of two is far away.
    rounds.beats = 3 * SWEEP_BEATS - 1;
    rounds.stride = 4;
    rounds.beat(&first, start);
    assert_eq!((rounds.beats, rounds.stride), (3 * SWEEP_BEATS, 1));
}

/// A board that has a file.
fn board_in_a_file(folder: &tempfile::TempDir) -> Arc<Region> {
    let shape = Shape::sized(8 << 20, 256, 64, 4);
    let path = folder.path().join("board");
    Arc::new(Region::create(&path, &Geometry::new(shape, 7).unwrap()).unwrap())
}

#[test]
fn a_keeper_looks_in_each_period_whether_the_board_is_at_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let region = board_in_a_file(&folder);
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    // Its turn to beat is far away.
    rounds.due_ns = u64::MAX;
    rounds.act(&seat, start + PERIOD_NS);
    std::fs::remove_file(folder.path().join("board")).unwrap();
    rounds.act(&seat, start + 2 * PERIOD_NS - 1);
    assert!(region.core().is_ok(), "the look is due in a nanosecond");
    rounds.act(&seat, start + 2 * PERIOD_NS);
    assert!(region.core().err().unwrap().is_moved());
    assert_eq!(rounds.beat(&seat, start + 3 * PERIOD_NS), u64::MAX, "there is nothing to keep");
}

#[test]
fn a_keeper_reserves_pages_ahead_of_use_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let region = board_in_a_file(&folder);
    let seat = attach(&region, "writer");
    let (mut rounds, start) = rounds(&seat);
    let first = core(&region).reserved();
    rounds.beat(&seat, start);
    assert_eq!(core(&region).reserved(), first, "a board that nobody uses needs no more");
    for n in 0.. {
        if core(&region).unclaimed() < first / 2 {
            break;
        }
        put(&seat, &format!("key/{n}"), &[7; 60_000]).unwrap();
    }
    assert_eq!(core(&region).reserved(), first, "a put reserved them");
    rounds.beat(&seat, start + PERIOD_NS);
    assert_eq!(core(&region).reserved(), 2 * first);
    assert!(2 * first < region.geometry().extents());
}

#[test]
fn a_keeper_sleeps_until_something_is_due_and_never_long_when_it_looks_for_signals() {
    let soon = SIGNAL_LOOK.as_nanos() as u64 - 1;
    for signals in [false, true] {
        assert_eq!(pause(500, 500, signals), Duration::ZERO);
        assert_eq!(pause(0, 500, signals), Duration::ZERO, "it is due already");
        assert_eq!(pause(500 + soon, 500, signals), SIGNAL_LOOK - Duration::from_nanos(1));
    }
    assert_eq!(pause(u64::MAX, 500, true), SIGNAL_LOOK);
    assert_eq!(pause(u64::MAX, 500, false), Duration::from_nanos(u64::MAX - 500));
}

/// A time that nothing here takes, however busy the machine is.
const SOON: Duration = Duration::from_secs(10);

fn start(seat: &Arc<Seat>, beat: Duration) -> Keeper {
    Keeper::start(Arc::clone(seat), &Options::default().beat(beat)).unwrap()
}

#[test]
fn a_keeper_ends_with_its_session() {
    let region = board(2);
    let seat = Arc::new(attach(&region, "writer"));
    let keeper = start(&seat, Duration::from_secs(3600));
    soon(&|| sleeps(&seat), "the keeper does not sleep");
    let Keeper { thread, .. } = &keeper;
    assert!(!thread.ends_within(Duration::from_millis(1)));
    drop(keeper);
    // The thread has its own reference for as long as it runs.
    soon(&|| Arc::strong_count(&seat) == 1, "the keeper goes on");
}

#[test]
fn a_keeper_that_must_stop_does_not_sleep_first() {
    let region = board(2);
    let seat = Arc::new(attach(&region, "writer"));
    let (mut rounds, _) = rounds(&seat);
    (rounds.due_ns, rounds.look_ns) = (u64::MAX, u64::MAX);
    *seat.signal.lock() = true;
    let theirs = Arc::clone(&seat);
    let (say, hear) = channel();
    let keeper = std::thread::spawn(move || {
        let goes_on = sleep(&theirs, &rounds, false);
        let _ = say.send(goes_on);
    });
    let goes_on = hear.recv_timeout(SOON);
    seat.signal.nudge();
    keeper.join().unwrap();
    assert_eq!(goes_on, Ok(false), "it sleeps, and was to stop before");
}

/// Whether the keeper sleeps.
fn sleeps(seat: &Seat) -> bool {
    let _lock = seat.signal.lock();
    seat.signal.asleep.load(Relaxed) == 1
}

fn soon(happens: &dyn Fn() -> bool, otherwise: &str) {
    let begun = std::time::Instant::now();
    while !happens() {
        assert!(begun.elapsed() < SOON, "{otherwise}");
        std::thread::yield_now();
    }
}

#[test]
fn a_session_ends_although_its_keeper_is_held_up() {
    let region = board(2);
    let seat = Arc::new(attach(&region, "writer"));
    // A beat needs a lane, and these threads have all of them.
    let lanes = [seat.lane(), seat.lane(), seat.lane(), seat.lane()];
    let keeper = start(&seat, Duration::from_millis(1));
    // It is held up at its first beat, or has not got so far; either way the end must not wait for ever.
    std::thread::sleep(Duration::from_millis(20));
    let (say, hear) = channel();
    let ends = std::thread::spawn(move || {
        drop(keeper);
        let _ = say.send(());
    });
    let ended = hear.recv_timeout(SOON);
    drop(lanes);
    ends.join().unwrap();
    assert!(ended.is_ok(), "the end of the session waits for its keeper");
}

#[test]
fn few_sessions_all_beat_in_each_period_and_many_take_turns() {
    for sessions in [1, 2, 16, 31, 32, 64, 1024] {
        let stride = stride(sessions);
        for now in 0..8 {
            let awake = (0..sessions as u64).filter(|&s| periods_until_turn(now, s, stride) == 1).count();
            assert!(awake == sessions || awake >= AWAKE, "{awake} of {sessions}");
        }
        assert!((0..sessions as u64).all(|s| (1..=4).contains(&periods_until_turn(7, s, stride))));
    }
    assert_eq!((stride(31), stride(32), stride(64), stride(4096)), (1, 2, 4, 4));
}

#[test]
fn the_elected_one_sweeps_every_time() {
    let at: Vec<u64> = (1..=64).filter(|&beats| sweeps(beats, true, 5, 64)).collect();
    assert_eq!(at, [16, 32, 48, 64]);
}

#[test]
fn the_others_sweep_seldom_and_twice_in_a_row() {
    for records in [1, 2, 8, 64, 4096] {
        let turns = records.min(SWEEP_TURNS);
        let mut sum = 0;
        for session in 0..turns {
            let at: Vec<u64> =
                (1..=turns + 1).filter(|&turn| sweeps(turn * 16, false, session, records)).collect();
            // A slot that is open at one time and still at the next is retired.
            assert!(at.windows(2).any(|pair| pair[0] + 1 == pair[1]), "{records} {session}: {at:?}");
            sum += (1..=turns).filter(|&turn| sweeps(turn * 16, false, session, records)).count();
        }
        assert!(sum as u64 <= 2 * turns, "all together more than two each time");
    }
}

#[test]
fn a_sleeping_keeper_is_woken_for_a_deadline_before_its_next_beat() {
    let region = board(2);
    let seat = Arc::new(attach(&region, "writer"));
    let keeper = start(&seat, Duration::from_secs(3600));
    for round in 1..20 {
        // A keeper that is awake would find the deadline without being woken. The next beat is in an hour.
        soon(&|| sleeps(&seat), "the keeper does not sleep");
        let deadline_ns = boottime_ns() + 1_000_000;
        put_until(&seat, "brief", b"", deadline_ns).unwrap();
        seat.expects_expiry(deadline_ns);
        soon(&|| ended(&region) == round, "the keeper sleeps on");
    }
    drop(keeper);
}
