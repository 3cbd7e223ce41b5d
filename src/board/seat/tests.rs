//! Seats without keepers: a test attaches them, lets them die, and does the keepers' work itself.

use super::*;
use crate::{
    layout::{Geometry, Shape},
    sync::Ordering::Relaxed,
};

/// The beat that these seats' keepers would have.
pub(in crate::board) const BEAT: Duration = Duration::from_secs(10);

/// A board of this process with room for so many sessions. Its hash has a fixed seed.
pub(in crate::board) fn board(sessions: u64) -> Arc<Region> {
    board_of(Shape::sized(1 << 20, 256, 64, sessions))
}

pub(in crate::board) fn board_of(shape: Shape) -> Arc<Region> {
    Arc::new(Region::local(Geometry::new(shape, 7).unwrap()).unwrap())
}

pub(in crate::board) fn attach(region: &Arc<Region>, name: &str) -> Seat {
    let (index, certificate) = region.take_record().unwrap();
    let seat = Seat::take(region, index, certificate, name, (&identity(region), BEAT));
    seat.map_err(|(error, _)| error).unwrap()
}

/// The session's process is dead: nobody holds the lock byte of its record.
pub(in crate::board) fn die(seat: &Seat) {
    let certificate = seat.hold.lock().take().unwrap();
    seat.region.roll.let_go(usize::from(seat.writer.session), certificate);
}

pub(in crate::board) fn is_attached(seat: &Seat) -> bool {
    seat.region.core().unwrap().is_occupied(usize::from(seat.writer.session))
}

pub(in crate::board) fn put(seat: &Seat, key: &str, value: &[u8]) -> Result<Outcome> {
    put_until(seat, key, value, 0)
}

/// Puts an entry that is over at `deadline_ns`; 0 for never.
pub(in crate::board) fn put_until(seat: &Seat, key: &str, value: &[u8], deadline_ns: u64) -> Result<Outcome> {
    let change = Change { deadline: deadline_ns, ..Change::put(value, Expect::Any) };
    seat.write(&slots::Key::new(seat.region.geometry(), key), &change, None)
}

/// Puts an entry that ends with the session.
pub(in crate::board) fn put_bound(seat: &Seat, key: &str, value: &[u8]) -> Result<Outcome> {
    let change = Change { ephemeral: seat.writer.pack(), ..Change::put(value, Expect::Any) };
    seat.write(&slots::Key::new(seat.region.geometry(), key), &change, None)
}

/// All words of the board.
pub(in crate::board) fn words(region: &Region) -> Vec<u64> {
    region.words().unwrap().iter().map(|word| word.load(Relaxed)).collect()
}

/// Changes one key so often that each of its puts supersedes a block, and so has blocks at hand.
pub(in crate::board) fn have_blocks_at_hand(seat: &Seat, key: &str) {
    for _ in 0..200 {
        put(seat, key, &[7; 100]).unwrap();
    }
    assert!(seat.region.core().unwrap().usage().private > 0);
}

/// All four lanes, each of which a thread has.
fn all_lanes(seat: &Seat) -> [Guard<'_, Lane>; LANES] {
    std::array::from_fn(|_| seat.lane())
}

#[test]
fn four_threads_write_at_once() {
    let region = board(2);
    let seat = attach(&region, "writer");
    // A lane that another thread has is passed over. Each has counters of its own.
    let (say, hear) = std::sync::mpsc::channel();
    let begun = std::thread::spawn(move || {
        let lanes = all_lanes(&seat);
        let _ = say.send(lanes.len());
    });
    let lanes = hear.recv_timeout(Duration::from_secs(10));
    assert_eq!(lanes, Ok(LANES), "a thread waits although a lane is free");
    begun.join().unwrap();
}

#[test]
fn a_session_that_leaves_gives_back_what_each_lane_has_at_hand() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let mut others = Vec::new();
    for lane in 0..LANES {
        have_blocks_at_hand(&seat, &format!("key/{lane}"));
        others.push(seat.lane());
    }
    drop(others);
    seat.leave();
    assert!(!is_attached(&seat));
    let usage = region.core().unwrap().usage();
    assert_eq!(usage.private, 0, "{usage:?}");
}

#[test]
fn a_second_leave_takes_nothing_from_the_next_session_in_the_record() {
    let region = board(2);
    let first = attach(&region, "first");
    first.leave();
    let next = attach(&region, "next");
    assert!(next.writer.session == first.writer.session && next.is_elected());
    // As when a signal ended the session before its last handle was dropped.
    first.leave();
    assert!(is_attached(&next) && next.is_elected());
    assert_eq!(region.reap_dead().unwrap(), 0, "the next session passes for dead");
    assert!(put(&next, "key", b"value").is_ok());
}

#[test]
fn a_session_that_was_ended_by_others_writes_nothing_and_ends_nothing() {
    let region = board(2);
    let fenced = attach(&region, "fenced");
    have_blocks_at_hand(&fenced, "key");
    die(&fenced);
    assert_eq!(region.reap_dead().unwrap(), 1);
    let living = attach(&region, "living");
    assert_eq!(living.writer.session, fenced.writer.session);
    // What was at hand there is in use here.
    for n in 0..20 {
        put(&living, &format!("key/{n}"), &[1; 100]).unwrap();
    }
    let before = words(&region);
    assert_eq!(put(&fenced, "key", b"late").unwrap_err().kind(), ErrorKind::Fenced);
    fenced.leave();
    assert!(words(&region) == before, "the board changed");
}

#[test]
fn a_put_that_was_held_up_asks_again_whether_its_session_was_ended() {
    let region = board(2);
    let fenced = attach(&region, "fenced");
    let (key, change) = (slots::Key::new(region.geometry(), "key"), Change::put(b"late", Expect::Any));
    die(&fenced);
    assert_eq!(region.reap_dead().unwrap(), 1);
    let before = words(&region);
    // It had asked before, and then other writers were in its way.
    let core = region.core().unwrap();
    let outcome = fenced.write_again(&core, &mut fenced.lane(), &key, &change, None, Fault::Contended);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Fenced);
    assert!(words(&region) == before, "the board changed");
}

#[test]
fn a_put_that_expects_nothing_in_particular_never_gives_up_and_others_do() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let key = slots::Key::new(region.geometry(), "key");
    let again = |expect| {
        let (core, change) = (region.core().unwrap(), Change::put(b"value", expect));
        seat.write_again(&core, &mut seat.lane(), &key, &change, None, Fault::Contended)
    };
    assert_eq!(again(Expect::Absent).unwrap_err().kind(), ErrorKind::Contended);
    assert!(matches!(again(Expect::Any), Ok(Outcome::Done { version: 1, .. })));
}

#[test]
fn a_session_s_record_says_whose_it_is() {
    let region = board(2);
    let seat = attach(&region, "writer");
    let told = region.core().unwrap().session_view(usize::from(seat.writer.session)).identity;
    let process = ProcessIdentity::current();
    assert!(process.pid_namespace != 0 && process.start_time != 0, "{process:?}");
    assert_eq!(
        (told.pid, told.pid_namespace, told.start_time),
        (process.pid.into(), process.pid_namespace, process.start_time)
    );
    // By the calendar, and not by the time since the machine booted.
    let far = Duration::from_secs(40 * 365 * 24 * 3600).as_nanos() as u64;
    assert!(told.attached_ns > far && (1..=boottime_ns()).contains(&told.heartbeat_ns), "{told:?}");
}

#[test]
fn a_put_on_a_full_board_reaps_the_dead_who_hold_its_room() {
    let region = board(3);
    let [living, dead] = ["living", "dead"].map(|name| attach(&region, name));
    let full = (0..).find(|n| put_bound(&dead, &format!("key/{n}"), &[7; 60_000]).is_err());
    assert!(put(&living, "mine", &[7; 60_000]).unwrap_err().is_full());
    die(&dead);
    put(&living, "mine", &[7; 60_000]).unwrap();
    assert!(!is_attached(&dead) && full > Some(10), "{full:?}");
}

#[test]
fn a_value_has_at_most_the_bytes_that_the_board_says() {
    let region = board_of(Shape { value_max: 20_000, ..Shape::sized(1 << 20, 256, 64, 2) });
    let seat = attach(&region, "writer");
    assert!(put(&seat, "key", &[7; 20_000]).is_ok());
    let error = put(&seat, "key", &[7; 20_001]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValueTooLarge);
    assert!(error.to_string().contains("20000 bytes"), "{error}");
}

#[test]
fn a_session_whose_name_finds_no_room_leaves_its_record_free() {
    let region = board_of(Shape { names: 3, ..Shape::sized(1 << 20, 256, 64, 4) });
    // Entry 0 holds no name.
    let seats = ["one", "two"].map(|name| attach(&region, name));
    let (index, certificate) = region.take_record().unwrap();
    let refused = Seat::take(&region, index, certificate, "three", (&identity(&region), BEAT));
    let Err((error, certificate)) = refused else { panic!("there is no room for a third name") };
    assert!(error.is_full() && error.to_string().contains("names"), "{error}");
    region.roll.let_go(index, certificate);
    assert_eq!(region.occupied().unwrap(), 2);
    // A name that is in use is no further one.
    let again = attach(&region, "two");
    assert!(again.writer.name == seats[1].writer.name && usize::from(again.writer.session) == index);
}

#[test]
fn a_session_that_leaves_holds_no_lock_and_a_reserve_ends_with_the_board() {
    let folder = tempfile::tempdir().unwrap();
    let geometry = Geometry::new(Shape::sized(4 << 20, 256, 64, 2), 7).unwrap();
    let region = Arc::new(Region::create(&folder.path().join("board"), &geometry).unwrap());
    let seat = attach(&region, "writer");
    assert!(seat.is_elected());
    let locks = crate::region::LockFile::open(&folder.path().join("board")).unwrap();
    let held = || [0, 1, crate::region::locks::ELECTED].map(|byte| locks.is_held(byte).unwrap());
    assert_eq!(held(), [true, false, true]);
    seat.leave();
    assert_eq!(held(), [false; 3]);
    assert!(region.core().unwrap().usage().reserve > 0 && board(1).core().unwrap().usage().reserve > 0);
    let extents = geometry.extents();
    assert!(region.reserve(extents + 1).unwrap() && !region.reserve(1).unwrap());
    assert_eq!(region.core().unwrap().reserved(), extents);
}

#[test]
fn a_reaper_keeps_no_block_in_the_name_of_the_dead() {
    let region = board(3);
    let [living, dead] = ["living", "dead"].map(|name| attach(&region, name));
    // The history is full, so each removal lets an event go, and its block.
    have_blocks_at_hand(&living, "key");
    living.leave();
    for n in 0..10 {
        put_bound(&dead, &format!("bound/{n}"), &[7; 100]).unwrap();
    }
    die(&dead);
    assert_eq!(region.reap_dead().unwrap(), 1);
    let usage = region.core().unwrap().usage();
    assert_eq!((usage.keys, usage.private), (1, 0), "{usage:?}");
}
