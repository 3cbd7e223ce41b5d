//! The bounds of a board's resources, each exactly: what is allowed is had, and not one more.

use super::*;
use crate::layout::session::Counter;
use crate::protocol::{expire::Sweep, retention::Least};

/// A board with one bucket, for which so many others may be added.
fn one_chain(overflow_max: u64) -> Heap {
    Heap::new(Shape {
        dedicated: Vec::new(),
        dedicated_buckets: 0,
        uniform_shards: 1,
        uniform_buckets: 1,
        overflow_max,
        ..Shape::sized(1 << 20, 64, 64, 3)
    })
}

/// Puts keys until there is no slot for another one. Returns how many have one.
fn fill_slots(core: &Core<'_>, lane: &mut Lane) -> usize {
    for number in 0.. {
        match put(core, lane, &format!("key/{number}"), b"", Expect::Absent) {
            Ok(_) => {}
            Err(fault) => {
                assert_eq!(fault, Fault::Full(Full::Slots));
                return number;
            }
        }
    }
    unreachable!("a board is finite")
}

#[test]
fn as_many_overflow_buckets_are_added_as_may_be() {
    for allowed in [0, 1, 6] {
        let heap = one_chain(allowed);
        let core = heap.core();
        let mut lane = heap.lane(0);
        let keys = fill_slots(&core, &mut lane);
        assert_eq!((core.usage().overflow, core.chain(0).count() as u64), (allowed, allowed + 1));
        assert_eq!(keys, geometry::SLOTS * (allowed as usize + 1));
        account(&core, &[&lane]);
    }
}

#[test]
fn all_chains_together_have_as_many_overflow_buckets_as_may_be() {
    let heap = Heap::new(Shape { overflow_max: 6, ..Shape::sized(1 << 20, 64, 64, 3) });
    let core = heap.core();
    let mut lane = heap.lane(0);
    let mut refused = 0;
    for number in 0..1000 {
        let key = format!("{}/{number}", ["task", "file", "team", "free"][number % 4]);
        refused += u32::from(put(&core, &mut lane, &key, b"", Expect::Absent).is_err());
    }
    let added: usize = (0..heap.geo.buckets()).map(|bucket| core.chain(bucket).count() - 1).sum();
    assert!(added == 6 && refused > 0, "{added} buckets for {} keys", 1000 - refused);
}

#[test]
fn a_chain_has_128_buckets_at_most() {
    let heap = one_chain(1000);
    let core = heap.core();
    let mut lane = heap.lane(0);
    let keys = fill_slots(&core, &mut lane);
    assert_eq!((core.chain(0).count(), keys), (128, 128 * geometry::SLOTS));
    assert!(get(&core, &format!("key/{}", keys - 1)).is_some());
}

#[test]
fn the_history_has_exactly_the_events_that_it_may_have() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let history = heap.geo.history();
    let held = || core.generation() - core.floor();
    for number in 1..3 * history {
        put(&core, &mut lane, "key", b"value", Expect::Any).unwrap();
        // At rest it has room for the next one.
        assert_eq!(held(), number.min(history - 1));
    }
    // The event that fills the ring takes no other's place; the one after it takes the oldest's.
    let newest = core.generation();
    core.make_room(&mut lane, newest + 1).unwrap();
    assert_eq!(held(), history - 1, "an event left although there was room");
    core.make_room(&mut lane, newest + 2).unwrap();
    assert_eq!(held(), history - 2);
    for event in core.floor() + 1..=newest {
        assert!(core.event(event, Verify::Always, |_| true).unwrap().is_some());
    }
}

#[test]
fn a_history_that_gives_way_keeps_its_least() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    for _ in 0..40 {
        put(&core, &mut lane, "key", b"value", Expect::Any).unwrap();
    }
    let held = || core.generation() - core.floor();
    let mut shrink_to = |least| {
        while core.shrink_to(&mut lane, least).unwrap() {}
        held()
    };
    assert_eq!(shrink_to(Least::Kept), heap.geo.shape().history_min);
    assert_eq!(heap.geo.shape().history_min, 4);
    assert_eq!(shrink_to(Least::Few), 4);
    assert_eq!(shrink_to(Least::Nothing), 0);
}

#[test]
fn a_history_of_few_events_stays_on_a_full_board_as_long_as_it_can() {
    let heap = Heap::new(Shape { history_min: 30, ..Shape::sized(1 << 20, 64, 64, 3) });
    let core = heap.core();
    let mut lane = heap.lane(0);
    for _ in 0..40 {
        put(&core, &mut lane, "key", b"value", Expect::Any).unwrap();
    }
    let mut held_after = |least| {
        while core.shrink_to(&mut lane, least).unwrap() {}
        core.generation() - core.floor()
    };
    assert_eq!([Least::Kept, Least::Few, Least::Nothing].map(&mut held_after), [30, 4, 0]);
    // Events that hold no block would give no room.
    for number in 0..10 {
        put(&core, &mut lane, &format!("new/{number}"), b"value", Expect::Absent).unwrap();
    }
    assert!(!core.shrink_to(&mut lane, Least::Nothing).unwrap());
    assert_eq!(core.generation() - core.floor(), 10);
}

#[test]
fn the_history_holds_a_quarter_of_the_data_at_most() {
    let heap = Heap::new(Shape::sized(1 << 20, 64, 64, 3));
    let core = heap.core();
    let mut lane = heap.lane(0);
    let quarter = u64::from(heap.geo.granules()) / 4;
    let value = [7; 15_000];
    let one = heap.geo.granules_for(record::words_of(3, value.len())) as u64;
    for number in 0..200u64 {
        put(&core, &mut lane, "key", &value, Expect::Any).unwrap();
        // A put weighs before it supersedes, and now and then.
        let most = quarter + 2 * one + quarter / 16;
        assert!(core.history_granules() <= most, "put {number}: {} of {quarter}", core.history_granules());
    }
    while core.let_go(&mut lane, true).unwrap() {}
    let held = core.history_granules();
    assert!(held <= quarter && held + one > quarter, "{held} of {quarter}, {one} each");
}

#[test]
fn a_lane_keeps_eight_blocks_of_a_size_and_its_share_of_the_bytes() {
    let heap = Heap::new(Shape { extent_granules: 64, ..Shape::sized(1 << 20, 64, 64, 12) });
    let core = heap.core();
    let mut lane = heap.lane(0);
    // A 16th of the data area for all lanes of all sessions.
    let share = heap.geo.granules() / 16 / 48;
    let mut keep = |granules: usize, count: usize| {
        let claimed: Vec<_> = (0..count).map(|_| core.claim(&mut lane, granules, false).unwrap()).collect();
        claimed.into_iter().for_each(|claimed| core.keep(&mut lane, claimed));
        let kept = lane.stashed();
        core.empty_stash(&mut lane);
        (kept, lane.stashed())
    };
    assert!(share == 21, "{share}");
    // What is emptied counts no more, however often.
    for _ in 0..20 {
        assert_eq!(keep(1, 20), (8, 0));
        assert_eq!(keep(4, 20), (5, 0));
        assert_eq!(keep(16, 20), (1, 0));
        assert_eq!(keep(32, 20), (0, 0));
    }
    account(&core, &[&lane]);
}

/// A board of a few extents, with slots enough for all blocks. A lane may keep a block of the reserve's size at hand.
fn few_extents() -> Heap {
    let shape = Shape::sized(1 << 20, 4096, 64, 1);
    Heap::new(Shape { capacity: 96 * 64 * 64, extent_granules: 64, value_max: 2000, ..shape })
}

/// Puts values of the smallest size until there is no block for another one. Returns the keys.
fn fill_blocks(core: &Core<'_>, lane: &mut Lane) -> Vec<String> {
    let mut keys = Vec::new();
    loop {
        let key = format!("key/{}", keys.len());
        match put(core, lane, &key, b"", Expect::Absent) {
            Ok(_) => keys.push(key),
            Err(fault) => {
                assert_eq!(fault, Fault::Full(Full::Blocks));
                return keys;
            }
        }
    }
}

#[test]
fn the_reserve_is_for_removals_alone_and_lets_a_board_be_emptied() {
    let heap = few_extents();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let reserve = core.usage().reserve;
    let of_reserve = heap.geo.classes().granules(core.class_of(0).class()).unwrap();
    assert!(reserve > 0 && of_reserve <= lane.stash_room, "{of_reserve} {}", lane.stash_room);
    let keys = fill_blocks(&core, &mut lane);
    let full = core.usage();
    assert_eq!((full.reserve, full.free, full.private), (reserve, 0, 0), "{full:?}");
    // A removal of nothing takes a block and gives it back.
    assert!(matches!(remove(&core, &mut lane, "absent"), Ok(Outcome::Nothing)));
    assert_eq!(core.usage().reserve, reserve, "a lane has a part of the reserve at hand");
    for key in &keys {
        assert!(matches!(remove(&core, &mut lane, key), Ok(Outcome::Done { .. })), "{key} of {}", keys.len());
    }
    while core.let_go(&mut lane, false).unwrap() {}
    assert_eq!(
        (core.usage().keys, core.usage().reserve),
        (0, reserve),
        "a lane has a part of the reserve at hand"
    );
    core.empty_stash(&mut lane);
    account(&core, &[&lane]);
}

#[test]
fn expired_entries_are_ended_on_a_full_board() {
    let heap = few_extents();
    let core = heap.core();
    let mut lane = heap.lane(0);
    for number in 0..20 {
        let (key, brief) =
            (format!("brief/{number}"), Change { deadline: 5 << 20, ..Change::put(&[], Expect::Any) });
        core.change(&mut lane, &Key::new(&heap.geo, &key), &brief, Now::default(), None).unwrap();
    }
    fill_blocks(&core, &mut lane);
    let late = Now { real_ns: 0, boot_ns: || 9 << 20 };
    let all = Sweep { from: 0, late_ns: 0, most: u64::MAX };
    assert_eq!(core.sweep_due(&mut lane, all, late).unwrap().ended, 20);
    account(&core, &[&lane]);
}

#[test]
fn an_entry_is_ended_at_its_deadline_and_not_a_nanosecond_before() {
    const DEADLINE: u64 = 5 << 20;
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let (key, brief) =
        (Key::new(&heap.geo, "brief"), Change { deadline: DEADLINE, ..Change::put(&[], Expect::Any) });
    core.change(&mut lane, &key, &brief, Now::default(), None).unwrap();
    let mut ended_at = |boot_ns| {
        let now = Now { real_ns: 0, boot_ns };
        let groups = 0..heap.geo.groups().count();
        groups.map(|group| core.sweep(&mut lane, group, u64::MAX, now).unwrap().ended).sum::<u64>()
    };
    assert_eq!(ended_at(|| DEADLINE - 1), 0, "its time to live was not over");
    assert_eq!(ended_at(|| DEADLINE), 1);
}

/// The slot's head, which a test changes.
fn head_of<'h>(heap: &'h Heap, outcome: &Outcome) -> &'h AtomicU64 {
    let Outcome::Done { slot, .. } = outcome else { panic!("it is put") };
    heap.word(slot.head_at)
}

#[test]
fn a_damaged_entry_keeps_no_other_from_ending() {
    let heap = one_chain(0);
    let core = heap.core();
    let mut lane = heap.lane(0);
    let brief = Change { deadline: 1, ..Change::put(&[], Expect::Any) };
    let mut put =
        |key: &str| core.change(&mut lane, &Key::new(&heap.geo, key), &brief, Now::default(), None).unwrap();
    let damaged = Head(head_of(&heap, &put("damaged")).load(Relaxed));
    put("over");
    let block = core.block(damaged.block()).unwrap();
    heap.word(heap.geo.data(block) + record::SHAPE).store(u64::MAX, Relaxed);
    let late = Now { real_ns: 0, boot_ns: || 9 << 20 };
    let ended = (0..heap.geo.groups().count()).map(|group| core.sweep(&mut lane, group, u64::MAX, late));
    assert_eq!(ended.map(|swept| swept.unwrap().ended).sum::<u64>(), 1);
    assert!(get(&core, "over").is_none());
}

/// A session was killed when it had retired a slot and not given its tombstone back: a sweep does that, and so does a put
/// that finds no room.
#[test]
fn a_tombstone_that_a_killed_session_did_not_give_back_is_given_back() {
    let ways: [fn(&Core<'_>); 2] = [|core| drop(core.sweep_open(&[])), |core| core.retire_all().unwrap()];
    for way in ways {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let put = put(&core, &mut lane, "task/1", b"value", Expect::Any).unwrap();
        let head = head_of(&heap, &put);
        remove(&core, &mut lane, "task/1").unwrap();
        while core.advance_floor(&mut lane, false).unwrap() {}
        let tombstone = Head(head.load(Relaxed));
        assert!(tombstone.is(HeadKind::Live));
        head.store(tombstone.next(HeadKind::Retired, tombstone.block()).0, Relaxed);
        way(&core);
        let block = core.block(tombstone.block()).unwrap();
        assert_eq!(Head(head.load(Relaxed)).block(), 0, "the slot keeps its tombstone");
        assert!(core.load_state(block).is(StateKind::Free), "the block is lost");
        account(&core, &[&lane]);
    }
}

/// Two puts that want the same slot could otherwise take it from each other for ever.
#[test]
fn a_put_takes_open_slots_from_others_once() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let put = put(&core, &mut lane, "task/1", b"value", Expect::Any).unwrap();
    let head = head_of(&heap, &put);
    let open = || head.store(Head(head.load(Relaxed)).next(HeadKind::Open, 0).0, Relaxed);
    let kind = || Head(head.load(Relaxed)).kind();
    let (mut may_take, mut hours) = (true, 1);
    let mut walk = |lane: &mut _| {
        // A put of a later hour looks again.
        let now = [|| 1 << 42, || 2 << 42, || 3 << 42, || 4 << 42][hours - 1];
        hours += 1;
        core.walk(lane, Now { real_ns: 0, boot_ns: now }, &mut may_take).unwrap()
    };
    assert_eq!(walk(&mut lane), 0);
    open();
    assert_eq!((walk(&mut lane), kind()), (1, Some(HeadKind::Retired)));
    open();
    assert_eq!((walk(&mut lane), kind()), (0, Some(HeadKind::Open)), "it takes what another just took");
}

#[test]
fn a_put_without_room_ends_256_entries_at_once() {
    let heap = few_extents();
    let core = heap.core();
    let mut lane = heap.lane(0);
    for number in 0..1000 {
        let (key, brief) =
            (format!("brief/{number}"), Change { deadline: 5 << 20, ..Change::put(&[], Expect::Any) });
        core.change(&mut lane, &Key::new(&heap.geo, &key), &brief, Now::default(), None).unwrap();
    }
    fill_blocks(&core, &mut lane);
    let late = Now { real_ns: 0, boot_ns: || 9 << 20 };
    let key = Key::new(&heap.geo, "new");
    let change = Change::put(b"value", Expect::Any);
    let put = core.change_ending_expired(&mut lane, &key, &change, late, None);
    assert!(matches!(put, Ok(Outcome::Done { .. })), "{put:?}");
    // It ends with the chain that it has begun.
    let ended = core.total(Counter::Expired);
    assert!((256..300).contains(&ended), "{ended} entries");
}
