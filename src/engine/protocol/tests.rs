//! The protocol over heap memory: against a map, and with the judge of a board at rest.

// Whole boards have too many words for Miri.
#[cfg(not(miri))]
mod bounds;
mod claims;
mod keys;
mod names;
mod newest;
#[cfg(not(miri))]
mod past;
mod reaping;
mod threads;

use super::{
    Core, Fault, Full, Machine, Silent,
    guard::Sought,
    lane::Lane,
    publish::{Change, Expect, Now, Outcome},
    read::Verify,
    sessions::Identity,
    slots::{Key, Slot},
};
use crate::layout::{
    ClassWord, GenWord, Geometry, Guard, GuardOp, Head, HeadKind, RingWord, Shape, StateKind, geometry,
    header,
    record::{self, RecordKind},
};
use crate::sync::{AtomicU64, Ordering::Relaxed};
use proptest::prelude::*;
use slateboard_fsck::{Known, Layout, Profile, check_known};
use std::collections::BTreeMap;

pub(crate) struct Heap {
    words: Vec<AtomicU64>,
    pub(crate) geo: Geometry,
}

impl Heap {
    pub(crate) fn new(shape: Shape) -> Self {
        let geo = Geometry::new(shape, 7).unwrap();
        let heap = Self { words: (0..geo.words()).map(|_| AtomicU64::new(0)).collect(), geo };
        heap.core().raise_reserved(heap.geo.extents());
        heap.core().cut_reserve();
        heap
    }

    pub(crate) fn small() -> Self {
        let mut shape = Shape::sized(1 << 20, 64, 64, 3);
        shape.extent_granules = 64;
        shape.history_min = 4;
        shape.value_max = 20_000;
        if cfg!(miri) {
            // A hundredth of the words: Miri looks at each of them.
            shape.capacity = 12 * 64 * 64;
            shape.names = 8;
        }
        Self::new(shape)
    }

    pub(crate) fn core(&self) -> Core<'_> {
        Core::new(&self.words, &[], &Silent, &self.geo).unwrap()
    }

    /// The protocol on a machine of the test's own.
    pub(crate) fn core_of<'h>(&'h self, machine: &'h dyn Machine) -> Core<'h> {
        Core::new(&self.words, &[], machine, &self.geo).unwrap()
    }

    pub(crate) fn word(&self, at: usize) -> &AtomicU64 {
        &self.words[at]
    }

    pub(crate) fn lane(&self, session: usize) -> Lane {
        let core = self.core();
        let writer = core.occupy(session, 0, &Identity::default());
        Lane::new(&core, 0, writer)
    }
}

pub(crate) fn put(
    core: &Core<'_>,
    lane: &mut Lane,
    key: &str,
    value: &[u8],
    expect: Expect,
) -> Result<Outcome, Fault> {
    let key = Key::new(core.geometry(), key);
    core.change(lane, &key, &Change::put(value, expect), Now::default(), None)
}

pub(crate) fn remove(core: &Core<'_>, lane: &mut Lane, key: &str) -> Result<Outcome, Fault> {
    let key = Key::new(core.geometry(), key);
    core.change(lane, &key, &Change::tombstone(RecordKind::Removed, Expect::Any), Now::default(), None)
}

pub(crate) fn get(core: &Core<'_>, key: &str) -> Option<(u64, Vec<u8>)> {
    let key = Key::new(core.geometry(), key);
    let mut out = Vec::new();
    let copy = core.get(&key, None, Verify::Always, &mut out).unwrap();
    copy.map(|copy| (copy.words.version(), out))
}

/// Checks that the board is sound, that the sessions of these lanes are the attached ones, and that they own the stashed blocks.
pub(crate) fn account(core: &Core<'_>, lanes: &[&Lane]) {
    let geo = core.geometry();
    let words: Vec<u64> = (0..geo.words()).map(|at| core.at(at).load(Relaxed)).collect();
    let layout = Layout::new(Profile::PRODUCT, geo.seed(), &geo.shape().pack()).unwrap();
    let mut private = vec![0; geo.sessions()];
    lanes.iter().for_each(|lane| private[lane.session] += lane.stashed());
    let living: Vec<u16> = lanes.iter().map(|lane| lane.session as u16).collect();
    let known = Known { living: &living, private: Some(&private), ..Known::default() };
    check_known(&words, &layout, &known).unwrap_or_else(|findings| panic!("{findings:#?}"));
}

/// Version and value of every key.
type Content = BTreeMap<String, (u64, Vec<u8>)>;

#[test]
fn no_event_led_to_generation_zero() {
    let heap = Heap::small();
    let core = heap.core();
    assert_eq!(core.event(0, Verify::Always, |_| true), Err(Fault::Lagged));
    put(&core, &mut heap.lane(0), "a", b"1", Expect::Any).unwrap();
    assert_eq!(core.event(0, Verify::Always, |_| true), Err(Fault::Lagged));
}

#[derive(Clone, Debug)]
enum Op {
    Put(u8, usize, Option<u64>),
    Remove(u8),
    Get(u8),
    List,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..40u8, prop_oneof![0..100usize, 0..3000usize, 5000..12_000usize], proptest::option::weighted(0.3, 0..4u64))
            .prop_map(|(key, len, expect)| Op::Put(key, len, expect)),
        2 => (0..40u8).prop_map(Op::Remove),
        1 => (0..40u8).prop_map(Op::Get),
        1 => Just(Op::List),
    ]
}

fn name_of(key: u8) -> String {
    format!("{}/{key}", ["task", "file", "x", "y"][usize::from(key) % 4])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 40 }, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_agree_with_a_map(ops in proptest::collection::vec(op(), 1..300)) {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut map = Content::new();
        let mut past: Vec<(u64, Content)> = vec![(0, map.clone())];
        for (number, op) in ops.into_iter().enumerate() {
            match op {
                Op::Put(key, len, expect) => {
                    let key = name_of(key);
                    let value: Vec<u8> = (0..len).map(|at| (at + number) as u8).collect();
                    let expect = match expect { None => Expect::Any, Some(0) => Expect::Absent, Some(v) => Expect::Version(v) };
                    let old = map.get(&key).map(|(version, _)| *version);
                    let may = match expect { Expect::Any => true, Expect::Absent => old.is_none(), Expect::Version(v) => old == Some(v), _ => false };
                    match put(&core, &mut lane, &key, &value, expect) {
                        Ok(Outcome::Done { version, .. }) => {
                            prop_assert!(may && old.is_none_or(|old| version == old + 1));
                            map.insert(key, (version, value));
                        }
                        Ok(Outcome::Conflict { version }) => prop_assert!(!may && version == old.unwrap_or(0)),
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                Op::Remove(key) => {
                    let key = name_of(key);
                    match remove(&core, &mut lane, &key) {
                        Ok(Outcome::Done { .. }) => prop_assert!(map.remove(&key).is_some()),
                        Ok(Outcome::Nothing) => prop_assert!(!map.contains_key(&key)),
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                Op::Get(key) => {
                    let key = name_of(key);
                    prop_assert_eq!(get(&core, &key), map.get(&key).cloned());
                }
                Op::List => {
                    for (generation, then) in past.iter().filter(|(generation, _)| *generation >= core.floor()).step_by(7) {
                        let point = core.point_at(*generation).unwrap();
                        let mut seen = BTreeMap::new();
                        core.list_at("", point, Verify::Always, |item| {
                            let item = item.unwrap();
                            seen.insert(String::from_utf8(item.key).unwrap(), (item.header.version, item.value));
                        }).unwrap();
                        prop_assert_eq!(&seen, then);
                        let key = name_of(number as u8 % 40);
                        let item = core.get_at(&Key::new(&heap.geo, &key), point, Verify::Always).unwrap();
                        prop_assert_eq!(item.map(|item| (item.header.version, item.value)), then.get(&key).cloned());
                    }
                }
            }
            if past.last().unwrap().0 != core.generation() {
                past.push((core.generation(), map.clone()));
            }
        }
        account(&core, &[&lane]);
        // The events repeat the history.
        let start = core.floor();
        let mut told = past.iter().find(|(generation, _)| *generation == start).unwrap().1.clone();
        for position in start + 1..=core.generation() {
            let event = core.event(position, Verify::Always, |_| true).unwrap().unwrap();
            let key = String::from_utf8(event.item.key.clone()).unwrap();
            let previous = event.previous.map(|item| (item.header.version, item.value));
            prop_assert_eq!(previous, told.remove(&key));
            if !event.item.header.kind.is_tombstone() {
                told.insert(key, (event.item.header.version, event.item.value));
            }
        }
        prop_assert_eq!(told, map);
    }
}

#[test]
fn keys_that_come_and_go_for_ever_leave_nothing() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let rounds = if cfg!(miri) { 60 } else { 100_000 };
    let longest = |core: &Core<'_>| (0..heap.geo.buckets()).map(|b| core.chain(b).count()).max().unwrap();
    let mut early = 0;
    for round in 0..rounds {
        let key = format!("task/{round}");
        let outcome = put(&core, &mut lane, &key, b"x", Expect::Absent).unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }));
        assert!(matches!(remove(&core, &mut lane, &key).unwrap(), Outcome::Done { .. }));
        if round == rounds / 10 {
            early = longest(&core);
        }
    }
    assert!(longest(&core) <= early + 1, "chains grow: {early} then {}", longest(&core));
    account(&core, &[&lane]);
}

#[test]
fn a_full_board_says_so_and_still_removes() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let mut keys = Vec::new();
    loop {
        let key = format!("file/{}", keys.len());
        match put(&core, &mut lane, &key, &[1; 15_000], Expect::Any) {
            Ok(_) => keys.push(key),
            Err(fault) => {
                assert!(matches!(fault, Fault::Full(_)), "{fault:?}");
                break;
            }
        }
    }
    assert!(keys.len() > 20);
    account(&core, &[&lane]);
    for key in keys {
        assert!(matches!(remove(&core, &mut lane, &key).unwrap(), Outcome::Done { .. }));
    }
    for round in 0..200u8 {
        put(&core, &mut lane, "file/again", &[round; 19_000], Expect::Any).unwrap();
    }
    account(&core, &[&lane]);
    assert_eq!(get(&core, "file/again").map(|(_, value)| value), Some(vec![199; 19_000]));
}

#[test]
fn more_keys_than_the_table_overflow_into_buckets() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let mut done = 0;
    for number in 0..400 {
        match put(&core, &mut lane, &format!("task/{number}"), b"", Expect::Absent) {
            Ok(_) => done = number,
            Err(fault) => {
                assert_eq!(fault, Fault::Full(Full::Slots));
                break;
            }
        }
    }
    assert!(done > 50, "{done}");
    assert!((0..=done).all(|number| get(&core, &format!("task/{number}")).is_some()));
    account(&core, &[&lane]);
    assert_eq!(geometry::SLOTS, 7);
}

#[test]
fn a_bucket_that_was_hardly_begun_leaves_no_trace() {
    let heap = Heap::small();
    let core = heap.core();
    let (mut dead, mut lane) = (heap.lane(0), heap.lane(1));
    let block = core.claim(&mut dead, 2, false).unwrap().block;
    // The same as `begin`, killed between its two stores.
    core.gen_of(block).store(GenWord::Bucket(0).pack(), Relaxed);
    core.reap(&mut lane, 0, Now::default()).unwrap();
    assert!(core.load_state(block).is(StateKind::Free));
    // If the mark were still there, a slot of a later bucket around this granule would be taken for one of that chain.
    assert_eq!(core.bucket_of_slot(heap.geo.data(block) + 3), None);
}

#[test]
fn counters_too_far_apart_are_damage_and_no_long_walk() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"x", Expect::Any).unwrap();
    core.at(header::GENERATION).store(1 << 50, Relaxed);
    assert!(matches!(core.advance_floor(&mut lane, true), Err(Fault::Corrupt(_))));
}

#[test]
fn a_record_that_would_end_behind_the_region_is_damage() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"x", Expect::Any).unwrap();
    let key = Key::new(&heap.geo, "key");
    let Sought::Slot(found) = core.find(&key, false).unwrap() else { panic!("the key has a slot") };
    let head_at = found.slot.head_at;
    let last = heap.geo.block(heap.geo.granules() - 1).unwrap();
    core.at(head_at).store(Head::new(HeadKind::Live, 9, last.index()).0, Relaxed);
    core.gen_of(last).store(GenWord::Generation(1).pack(), Relaxed);
    assert!(matches!(core.get(&key, None, Verify::Always, &mut Vec::new()), Err(Fault::Corrupt(_))));
    assert_eq!(core.usage().keys, 0);
    core.gen_of(last).store(GenWord::Bucket(0).pack(), Relaxed);
    assert_eq!(core.bucket_of_slot(heap.geo.words() + 1), None);
}

#[test]
fn a_damaged_class_makes_no_block_longer_than_its_extent() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    let claimed = core.claim(&mut lane, 1, false).unwrap();
    let other = core.claim(&mut lane, 1, false).unwrap();
    let extent = heap.geo.extent_of(other.block);
    assert!(claimed.block < other.block);
    let whole = ClassWord(0).next(heap.geo.classes().whole());
    core.at(heap.geo.extent(extent)).store(whole.0, Relaxed);
    core.keep(&mut lane, other);
    assert_eq!(lane.stashed(), 0);
}

#[test]
fn a_damaged_ring_word_is_healed_by_the_next_event() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"1", Expect::Any).unwrap();
    // A word of the right lap that names no block, and a word of an invalid lap.
    for word in [RingWord::new(1, (1 << 23) - 1), RingWord::new(77, 1)] {
        let next = core.generation() + 1;
        core.at(heap.geo.ring(next)).store(word.0, Relaxed);
        core.finish_pending(&mut lane).unwrap();
        let outcome = put(&core, &mut lane, "key", b"2", Expect::Any).unwrap();
        assert!(matches!(outcome, Outcome::Done { generation, .. } if generation == next));
        assert!(core.event(next, Verify::Always, |_| true).unwrap().is_some());
    }
}

#[test]
fn a_superseded_record_of_another_key_is_damage() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"1", Expect::Any).unwrap();
    put(&core, &mut lane, "key", b"2", Expect::Any).unwrap();
    put(&core, &mut lane, "yek", b"x", Expect::Any).unwrap();
    let block = |event| heap.geo.block(core.ring_word(event).block()).unwrap();
    // The state after the first event was let go too early, and its block was reused: a whole record of the same slot.
    let place = core.record_word(block(1), record::PLACE);
    let mut header = core.record_header(block(3)).unwrap();
    header.slot = (place >> 32) as u32;
    let key = heap.geo.hash(b"yek");
    let mut words = header.pack();
    words.seal(key, record::hash_of(b"x"));
    for (word, value) in words.0.into_iter().enumerate() {
        core.at(heap.geo.data(block(1)) + word).store(value, Relaxed);
    }
    for word in record::HEADER_WORDS..record::HEADER_WORDS + 2 {
        core.at(heap.geo.data(block(1)) + word).store(core.record_word(block(3), word), Relaxed);
    }
    let corrupt = Fault::Corrupt("a superseded record's key");
    assert_eq!(core.event(2, Verify::Always, |_| true).unwrap_err(), corrupt);
    let (key, point) = (Key::new(&heap.geo, "key"), core.point_at(1).unwrap());
    assert_eq!(core.get_at(&key, point, Verify::Always).unwrap_err(), corrupt);
    let mut listed = Vec::new();
    core.list_at("ke", point, Verify::Always, |item| listed.push(item)).unwrap();
    let [Err(damaged)] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(
        (Fault::Corrupt(damaged.what), damaged.key.as_deref(), damaged.slot),
        (corrupt, Some(&b"key"[..]), Some((place >> 32) as usize))
    );
}

#[test]
fn no_record_is_taken_for_a_bucket() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "file/sound", &[7; 300], Expect::Any).unwrap();
    put(&core, &mut lane, "free/before", b"1", Expect::Any).unwrap();
    let block = core.ring_word(1).block();
    let bucket = heap.geo.bucket(Key::new(&heap.geo, "free/before").bucket);
    let beside = (0..).map(|n| format!("free/{n}"));
    let absent =
        beside.into_iter().find(|key| heap.geo.bucket(Key::new(&heap.geo, key).bucket) == bucket).unwrap();
    let guard = core.at(bucket).load(Relaxed);
    let link = Guard(guard).next(GuardOp::Link { block }).0;
    for (guard, link, what) in [(guard, u64::from(block), "a bucket's link"), (link, 0, "a guard's block")] {
        core.at(bucket).store(guard, Relaxed);
        core.at(bucket + 1).store(link, Relaxed);
        // The key might be behind the damage, so it is neither reported absent nor created.
        let put = put(&core, &mut lane, &absent, b"2", Expect::Any);
        assert_eq!(put.unwrap_err(), Fault::Corrupt(what));
        assert_eq!(get(&core, "file/sound"), Some((1, vec![7; 300])));
        assert_eq!(get(&core, "free/before"), Some((1, b"1".to_vec())));
    }
    core.at(bucket + 1).store(u64::from(block), Relaxed);
    let (key, fault) = (Key::new(&heap.geo, &absent), Fault::Corrupt("a bucket's link"));
    assert_eq!(core.get(&key, None, Verify::Always, &mut Vec::new()).unwrap_err(), fault);
    assert_eq!(core.get_at(&key, core.point(), Verify::Always).unwrap_err(), fault);
    let mut listed = Vec::new();
    core.list_at("free/", core.point(), Verify::Always, |item| listed.push(item.is_ok())).unwrap();
    assert_eq!(listed, [true, false]);
}

#[test]
fn threads_that_write_one_key_lose_nothing_and_read_whole_values() {
    let heap = Heap::small();
    let rounds = if cfg!(miri) { 8 } else { 2000u64 };
    let mut lanes = [heap.lane(0), heap.lane(1)];
    std::thread::scope(|scope| {
        for lane in &mut lanes {
            scope.spawn(|| {
                let core = heap.core();
                for round in 0..rounds {
                    let outcome =
                        put(&core, lane, "key", &round.to_le_bytes().repeat(3), Expect::Any).unwrap();
                    assert!(matches!(outcome, Outcome::Done { .. }));
                }
            });
        }
        scope.spawn(|| {
            let core = heap.core();
            for _ in 0..rounds {
                if let Some((_, value)) = get(&core, "key") {
                    assert_eq!((value.len(), &value[..8], &value[8..16]), (24, &value[8..16], &value[16..]));
                }
            }
        });
    });
    let core = heap.core();
    assert_eq!((get(&core, "key").unwrap().0, core.generation()), (2 * rounds, 2 * rounds));
    account(&core, &[&lanes[0], &lanes[1]]);
}
