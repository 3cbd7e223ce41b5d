//! The keys and their slots. A walk over every slot builds them; events of the history keep them up to date.
//!
//! A key leaves the index only when its removal has left the history. So as long as a generation can be viewed, the index
//! contains all keys that have a value at it. Each other key costs a look at its slot.
//!
//! The index also stores, for each slot, the head under which the slot was last seen. If an event's record follows that
//! head, the event gave the same key another value, and the index does not change. If events left the history before the
//! index read them, a new walk skips the slots whose head did not change.

#[cfg(test)]
use super::Span;
use super::{Wanted, name::Name};
use crate::{
    layout::{Geometry, Head, HeadKind, geometry},
    protocol::{
        Core, Fault,
        keys::{SlotChange, SlotKey},
    },
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The maximal number of walks in one attempt to catch up. If the history laps during each of them, it changes too fast.
const WALKS: usize = 3;

/// How many slots a walk reads together, and how many words of a record are prefetched, which include a short key.
const AHEAD: usize = 32;
const KEY_WORDS: usize = 16;

/// The contents of the index.
pub(super) struct Keys {
    /// Each key's slot, by the word of its head.
    slots: BTreeMap<Name, u32>,
    heads: Heads,
    /// The removals that are in the history, by their generation.
    leaving: BTreeMap<u64, Leaving>,
    /// The index includes the events up to this one; `None` before the first walk.
    generation: Option<u64>,
    /// Events up to this one may have been seen by the last walk.
    walked: u64,
}

/// A removal.
struct Leaving {
    key: Name,
    head_at: usize,
    head: Head,
}

/// A walk over all slots.
struct Walk {
    /// Removals up to this generation have left the history.
    floor: u64,
    /// The keys that were read, each with its slot.
    found: Vec<(Name, u32)>,
    /// The slots that may have another key now.
    passed: HashSet<u32>,
    /// A buffer for a key.
    key: Vec<u8>,
}

impl Keys {
    pub(super) fn new(geometry: &Geometry) -> Self {
        Self {
            slots: BTreeMap::new(),
            heads: Heads::new(geometry),
            leaving: BTreeMap::new(),
            generation: None,
            walked: 0,
        }
    }

    /// Whether the index includes everything up to the generation.
    pub(super) fn has(&self, generation: u64) -> bool {
        self.generation.is_some_and(|own| own >= generation)
    }

    /// Whether the history still has all events that the index does not include.
    fn continues(&self, core: &Core<'_>) -> bool {
        // The index may already include the event after the newest counted one.
        self.generation.is_some_and(|own| (core.floor()..=core.generation() + 1).contains(&own))
    }

    /// Calls `each` with the first keys of a span, in order.
    pub(super) fn within(&self, wanted: Wanted<'_>, mut each: impl FnMut(&[u8], u32)) {
        let Some(range) = wanted.span.range() else { return };
        let mut keys = self.slots.range::<[u8], _>(range);
        for _ in 0..wanted.most {
            let key = if wanted.backwards { keys.next_back() } else { keys.next() };
            let Some((key, &head_at)) = key else { return };
            each(key.bytes(), head_at);
        }
    }

    /// Brings the index up to the generation.
    pub(super) fn catch_up(&mut self, core: &Core<'_>, generation: u64) -> Result<(), Fault> {
        let mut lagged = Fault::Lagged;
        for _ in 0..=WALKS {
            if !self.continues(core)
                && let Err(fault) = self.walk(core)
            {
                // The index is discarded, because heads were stored whose keys were not added.
                *self = Self::new(core.geometry());
                return Err(fault);
            }
            match self.replay(core, generation) {
                Err(fault @ (Fault::Lagged | Fault::Contended)) => lagged = fault,
                other => return other,
            }
        }
        Err(lagged)
    }

    /// Applies the events that the index does not include yet.
    fn replay(&mut self, core: &Core<'_>, generation: u64) -> Result<(), Fault> {
        let next = self.generation.ok_or(Fault::Lagged)? + 1;
        // The floor is loaded after the counter: a slot's earlier key left before any event that is counted here.
        let newest = core.generation().max(generation);
        #[cfg(test)]
        crate::sync::paused::pause(crate::sync::paused::At::Floor);
        let floor = core.floor();
        if floor > core.generation() || newest.saturating_sub(floor) > core.geometry().history() + 1 {
            return Err(Fault::Corrupt("the generation counter or the floor"));
        }
        if floor >= next {
            return Err(Fault::Lagged);
        }
        self.let_go(floor);
        let mut key = Vec::new();
        for position in next..=newest {
            self.take(core, position, &mut key)?;
            self.generation = Some(position);
        }
        Ok(())
    }

    /// Applies one event.
    fn take(&mut self, core: &Core<'_>, position: u64, key: &mut Vec<u8>) -> Result<(), Fault> {
        let (heads, walked) = (&self.heads, self.walked);
        // For a slot that the index does not know, the key must be read.
        let known = |change: &SlotChange| Some(heads.get(change.head_at)).filter(|&head| head != Head(0));
        // A walk may find a slot in a later state than that of the events that follow the walk's beginning.
        let seen = |change: &SlotChange| {
            position <= walked && known(change).is_some_and(|head| head.counter() >= change.head.counter())
        };
        let follows = |change: &SlotChange| !change.tombstone && known(change) == Some(change.previous);
        let wanted = |change: &SlotChange| !seen(change) && !follows(change);
        let change = core.slot_change(position, wanted, key)?;
        if seen(&change) {
            return Ok(());
        }
        if !follows(&change) {
            let key = name(key)?;
            if change.tombstone {
                let leaving = Leaving { key: key.clone(), head_at: change.head_at, head: change.head };
                self.leaving.insert(position, leaving);
            }
            self.slots.insert(key, change.head_at as u32);
        }
        self.heads.set(change.head_at, change.head);
        Ok(())
    }

    /// Removes the keys whose removals have left the history, unless they were put again.
    fn let_go(&mut self, floor: u64) {
        while let Some(first) = self.leaving.first_entry()
            && *first.key() <= floor
        {
            let Leaving { key, head_at, head } = first.remove();
            if self.heads.get(head_at) == head {
                self.heads.set(head_at, Head(0));
                if self.slots.get(&key).is_some_and(|&at| at as usize == head_at) {
                    self.slots.remove(&key);
                }
            }
        }
    }

    /// Looks at every slot, and reads the keys of those whose head changed.
    fn walk(&mut self, core: &Core<'_>) -> Result<(), Fault> {
        // This is loaded before the slots: changes during the walk are in the events after this generation.
        let generation = core.generation();
        let floor = core.floor();
        let mut walk = Walk { floor, found: Vec::new(), passed: HashSet::new(), key: Vec::new() };
        let mut ahead = Vec::with_capacity(AHEAD);
        core.heads(|head_at, head| {
            let known = self.heads.get(head_at);
            if known == head || (known == Head(0) && !head.is(HeadKind::Live)) {
                return Ok(());
            }
            // Records are scattered, so several are prefetched together and then read.
            core.prefetch_record(head_at, KEY_WORDS);
            ahead.push(head_at);
            if ahead.len() < AHEAD {
                return Ok(());
            }
            ahead.drain(..).try_for_each(|head_at| self.look(core, head_at, &mut walk))
        })?;
        ahead.into_iter().try_for_each(|head_at| self.look(core, head_at, &mut walk))?;
        let Walk { found, passed, .. } = walk;
        if !passed.is_empty() {
            self.slots.retain(|_, head_at| !passed.contains(head_at));
        }
        self.add(found);
        self.generation = Some(generation);
        self.walked = core.generation() + 1;
        Ok(())
    }

    /// Reads the key of a slot whose head changed.
    fn look(&mut self, core: &Core<'_>, head_at: usize, walk: &mut Walk) -> Result<(), Fault> {
        let slot = core.slot_key(head_at, &mut walk.key)?;
        if self.heads.get(head_at) != Head(0) {
            walk.passed.insert(head_at as u32);
        }
        // A removal that has left the history cannot be viewed.
        let is_over = |slot: &SlotKey| slot.tombstone && slot.generation.is_some_and(|at| at <= walk.floor);
        match slot.filter(|slot| !is_over(slot)) {
            Some(slot) => walk.found.push((self.note(head_at, &slot, &walk.key)?, head_at as u32)),
            None => self.heads.set(head_at, Head(0)),
        }
        Ok(())
    }

    /// Stores what a walk found in a slot.
    fn note(&mut self, head_at: usize, slot: &SlotKey, key: &[u8]) -> Result<Name, Fault> {
        let key = name(key)?;
        match slot.generation {
            Some(event) => {
                self.heads.set(head_at, slot.head);
                if slot.tombstone {
                    self.leaving.insert(event, Leaving { key: key.clone(), head_at, head: slot.head });
                }
            }
            // The record's event comes after the walk's beginning, and follows this head.
            None => self.heads.set(head_at, slot.previous),
        }
        Ok(key)
    }

    fn add(&mut self, found: Vec<(Name, u32)>) {
        if self.slots.is_empty() {
            // Building the tree at once is faster than inserting the keys one by one.
            self.slots = found.into_iter().collect();
        } else {
            self.slots.extend(found);
        }
    }
}

fn name(key: &[u8]) -> Result<Name, Fault> {
    std::str::from_utf8(key).map(Name::new).map_err(|_| Fault::Corrupt("a record's key, which is not UTF-8,"))
}

/// The head under which each slot was last seen; 0 for a slot without a key of the index.
struct Heads {
    /// The first word of the table.
    start: usize,
    /// The heads of the table's slots: one for each two words of the table, so that the index needs no division.
    table: Vec<u64>,
    /// The heads of slots in overflow buckets, by the word of the head.
    overflow: HashMap<usize, Head>,
}

impl Heads {
    fn new(geometry: &Geometry) -> Self {
        let start = geometry.bucket(0);
        // Zeroed pages take no memory before a slot is used.
        let table = vec![0; geometry.buckets() * geometry::BUCKET_WORDS / 2];
        Self { start, table, overflow: HashMap::new() }
    }

    fn get(&self, head_at: usize) -> Head {
        let place = head_at.checked_sub(self.start).and_then(|word| self.table.get(word / 2));
        place.map_or_else(|| self.overflow.get(&head_at).copied().unwrap_or(Head(0)), |&head| Head(head))
    }

    fn set(&mut self, head_at: usize, head: Head) {
        let place = head_at.checked_sub(self.start).and_then(|word| self.table.get_mut(word / 2));
        match place {
            Some(place) => *place = head.0,
            None if head == Head(0) => drop(self.overflow.remove(&head_at)),
            None => drop(self.overflow.insert(head_at, head)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::{GenWord, RingWord, State, header},
        protocol::{
            Machine,
            lane::Lane,
            publish::Expect,
            read::{CopiedRecord, Verify},
            slots::Key,
            tests::{Heap, put, remove},
        },
        sync::{
            AtomicU64,
            Ordering::Relaxed,
            paused::{At, meanwhile, was_missed},
        },
    };
    use slateboard_kit::random::Random;
    use std::sync::Mutex;

    fn listed(keys: &Keys) -> Vec<String> {
        let mut found = Vec::new();
        let all = Wanted { span: &Span::of_prefix(""), backwards: false, most: usize::MAX };
        keys.within(all, |key, _| found.push(String::from_utf8(key.to_vec()).unwrap()));
        found
    }

    #[test]
    fn keys_that_come_and_go_for_ever_leave_nothing() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        put(&core, &mut lane, "task/stays", b"x", Expect::Any).unwrap();
        for round in 0..if cfg!(miri) { 30 } else { 2000 } {
            let key = format!("task/{round}");
            put(&core, &mut lane, &key, b"x", Expect::Absent).unwrap();
            remove(&core, &mut lane, &key).unwrap();
            // Sometimes within the history, sometimes long behind it.
            if round % 100 > 50 {
                keys.catch_up(&core, core.generation()).unwrap();
                let history = heap.geo.history() as usize;
                assert!(keys.leaving.len() <= history && keys.slots.len() <= history + 1);
                assert!(keys.heads.overflow.len() <= history + 1);
            }
        }
        for round in 0..100 {
            put(&core, &mut lane, "task/stays", &[round], Expect::Any).unwrap();
        }
        keys.catch_up(&core, core.generation()).unwrap();
        assert_eq!((listed(&keys), keys.leaving.len()), (vec!["task/stays".to_owned()], 0));
        let used = keys.heads.table.iter().filter(|&&head| head != 0).count() + keys.heads.overflow.len();
        assert_eq!(used, 1);
    }

    /// A killed writer entered the event, which readers see, and did not count it.
    #[test]
    fn an_event_that_is_not_counted_is_in_the_index() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        put(&core, &mut lane, "known", b"1", Expect::Any).unwrap();
        keys.catch_up(&core, 1).unwrap();
        put(&core, &mut lane, "new", b"2", Expect::Any).unwrap();
        heap.word(header::GENERATION).store(1, Relaxed);
        keys.catch_up(&core, core.newest()).unwrap();
        assert!(keys.has(2));
        assert_eq!(listed(&keys), ["known", "new"]);
    }

    #[test]
    fn events_of_known_keys_move_no_key() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        for key in ["b", "a", "c"] {
            put(&core, &mut lane, key, b"1", Expect::Any).unwrap();
        }
        keys.catch_up(&core, core.generation()).unwrap();
        let walked = keys.walked;
        for round in 0..20_u8 {
            put(&core, &mut lane, "b", &[round], Expect::Any).unwrap();
            keys.catch_up(&core, core.generation()).unwrap();
        }
        assert!(keys.walked == walked && keys.generation == Some(core.generation()), "no second walk");
        assert_eq!(listed(&keys), ["a", "b", "c"]);
    }

    #[test]
    fn a_key_leaves_with_its_removal_and_not_before() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        put(&core, &mut lane, "task/stays", b"x", Expect::Any).unwrap();
        let mut removed = Vec::new();
        let rounds = if cfg!(miri) { 30_usize } else { 400 };
        for round in 0..rounds {
            let key = format!("task/{round:03}");
            put(&core, &mut lane, &key, b"x", Expect::Absent).unwrap();
            remove(&core, &mut lane, &key).unwrap();
            removed.push((core.generation(), key));
            if round % 3 == 0 {
                // So that the floor is sometimes at a removal, and sometimes at the event before it.
                put(&core, &mut lane, "task/stays", b"y", Expect::Any).unwrap();
            }
            // By the events alone for a long time, and then behind the history, so that a walk is needed.
            if round < rounds / 2 || round % 50 == 0 {
                keys.catch_up(&core, core.generation()).unwrap();
                let floor = core.floor();
                let there = removed.iter().filter(|(at, _)| *at > floor).map(|(_, key)| key.clone());
                let expected: Vec<_> = there.chain(["task/stays".to_owned()]).collect();
                assert_eq!(listed(&keys), expected, "with the floor at {floor}");
            }
        }
    }

    /// A walk that damage ends has stored the heads of slots whose keys it did not add.
    #[test]
    fn a_walk_that_failed_leaves_nothing_behind() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        for n in 10..70 {
            put(&core, &mut lane, &format!("key/{n}"), b"x", Expect::Any).unwrap();
        }
        let mut last = 0;
        core.heads(|head_at, head| {
            last = if head.is(HeadKind::Live) { head_at } else { last };
            Ok(())
        })
        .unwrap();
        let head = heap.word(last).swap(u64::MAX, Relaxed);
        assert!(matches!(keys.catch_up(&core, core.generation()), Err(Fault::Corrupt(_))));
        heap.word(last).store(head, Relaxed);
        keys.catch_up(&core, core.generation()).unwrap();
        assert_eq!(listed(&keys), (10..70).map(|n| format!("key/{n}")).collect::<Vec<_>>());
    }

    /// Takes the counter back to a generation. Later events are not in the ring.
    fn take_back(heap: &Heap, generation: u64) {
        for event in generation + 1..=heap.core().generation() {
            heap.word(heap.geo.ring(event)).store(0, Relaxed);
        }
        heap.word(header::GENERATION).store(generation, Relaxed);
    }

    #[test]
    fn an_index_that_is_ahead_of_a_damaged_counter_looks_at_the_slots() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        for n in 0..10 {
            put(&core, &mut lane, &format!("old/{n}"), b"x", Expect::Any).unwrap();
        }
        keys.catch_up(&core, 10).unwrap();
        take_back(&heap, 1);
        put(&core, &mut lane, "new", b"x", Expect::Any).unwrap();
        assert_eq!(core.generation(), 2);
        keys.catch_up(&core, 2).unwrap();
        assert_eq!(listed(&keys).first().map(String::as_str), Some("new"));
    }

    /// The writer of a removal was stopped before it entered the event; the index is made; and the writer goes on.
    #[test]
    fn a_removal_that_enters_the_history_after_a_walk_takes_its_key_along() {
        let heap = Heap::small();
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        put(&core, &mut lane, "stays", b"x", Expect::Any).unwrap();
        put(&core, &mut lane, "goes", b"x", Expect::Any).unwrap();
        remove(&core, &mut lane, "goes").unwrap();
        let (counter, ring) = (heap.word(header::GENERATION), heap.word(heap.geo.ring(3)));
        let entered = ring.load(Relaxed);
        let block = heap.geo.block(RingWord(entered).block()).unwrap();
        let (logged, state) = (heap.word(heap.geo.generation(block)), heap.word(heap.geo.state(block)));
        let event = logged.swap(GenWord::Unlogged(State(state.load(Relaxed)).tag()).pack(), Relaxed);
        take_back(&heap, 2);
        keys.catch_up(&core, 2).unwrap();
        assert_eq!(listed(&keys), ["goes", "stays"]);
        ring.store(entered, Relaxed);
        logged.store(event, Relaxed);
        counter.store(3, Relaxed);
        for round in 0..100_u8 {
            put(&core, &mut lane, "stays", &[round], Expect::Any).unwrap();
            keys.catch_up(&core, core.generation()).unwrap();
        }
        assert_eq!(listed(&keys), ["stays"]);
    }

    /// The removal of a key is the next event that leaves the history. While the index is paused it leaves, and the slot gets
    /// another key.
    #[test]
    fn a_key_whose_slot_gets_another_while_the_index_is_paused_leaves_it() {
        let heap = std::rc::Rc::new(Heap::small());
        let core = heap.core();
        let mut lane = heap.lane(0);
        let mut keys = Keys::new(&heap.geo);
        let bucket = Key::new(&heap.geo, "task/goes").bucket;
        let mut names = (0..).map(|n| format!("task/{n}"));
        let mut near = names.by_ref().filter(|name| Key::new(&heap.geo, name).bucket == bucket);
        // Its slot is the bucket's last.
        for name in near.by_ref().take(geometry::SLOTS - 1) {
            put(&core, &mut lane, &name, b"x", Expect::Any).unwrap();
        }
        let comes = near.next().unwrap();
        let stays = names.find(|name| Key::new(&heap.geo, name).bucket != bucket).unwrap();
        put(&core, &mut lane, "task/goes", b"x", Expect::Any).unwrap();
        remove(&core, &mut lane, "task/goes").unwrap();
        let removal = core.generation();
        keys.catch_up(&core, removal).unwrap();
        let slot = keys.slots[b"task/goes".as_slice()];
        while core.floor() < removal - 1 {
            put(&core, &mut lane, &stays, b"x", Expect::Any).unwrap();
            keys.catch_up(&core, core.generation()).unwrap();
        }
        let (other, key) = (std::rc::Rc::clone(&heap), comes.clone());
        let mut writer = heap.lane(1);
        meanwhile(At::Floor, move || {
            put(&other.core(), &mut writer, &stays, b"x", Expect::Any).unwrap();
            assert_eq!(other.core().floor(), removal);
            put(&other.core(), &mut writer, &key, b"x", Expect::Any).unwrap();
        });
        keys.catch_up(&core, core.generation()).unwrap();
        assert!(!was_missed());
        keys.catch_up(&core, core.generation()).unwrap();
        assert_eq!(keys.slots[comes.as_bytes()], slot, "the slot is another");
        for _ in 0..100 {
            put(&core, &mut lane, &comes, b"y", Expect::Any).unwrap();
            keys.catch_up(&core, core.generation()).unwrap();
        }
        assert!(!keys.slots.contains_key(b"task/goes".as_slice()), "it stays for ever");
    }

    /// Changes the board while somebody else prefetches what it reads next.
    struct Meddler<'h> {
        heap: &'h Heap,
        state: Mutex<(Lane, Random, BTreeMap<String, u64>)>,
        every: u64,
    }

    impl Meddler<'_> {
        fn change(&self) {
            let core = self.heap.core();
            let (lane, random, values) = &mut *self.state.lock().unwrap();
            let key = format!("task/{}", random.u64(..40));
            if random.u64(..3) == 0 {
                remove(&core, lane, &key).unwrap();
                values.remove(&key);
            } else {
                let value = random.u64(..);
                put(&core, lane, &key, &value.to_le_bytes(), Expect::Any).unwrap();
                values.insert(key, value);
            }
        }
    }

    impl Machine for Meddler<'_> {
        fn prefetch_read(&self, _words: &[AtomicU64]) {
            let due = self.every > 0 && self.state.lock().unwrap().1.u64(..self.every) == 0;
            if due {
                self.change();
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads the whole table often")]
    fn what_changes_while_the_slots_are_read_is_in_the_index() {
        for seed in 0..200 {
            let heap = Heap::small();
            let state = Mutex::new((heap.lane(0), Random::with_seed(seed), BTreeMap::new()));
            let mut meddler = Meddler { heap: &heap, state, every: 0 };
            (0..60).for_each(|_| meddler.change());
            meddler.every = 4;
            let mut keys = Keys::new(&heap.geo);
            for round in 0..4 {
                // The first builds the index. Later ones read the events, or look again when the history has gone by.
                let core = heap.core_of(&meddler);
                keys.catch_up(&core, core.generation()).unwrap();
                let core = heap.core();
                keys.catch_up(&core, core.generation()).unwrap();
                let values = meddler.state.lock().unwrap().2.clone();
                assert_eq!(values_of(&keys, &core), values, "seed {seed}, round {round}");
                let changes = [3, 80][round % 2];
                (0..changes).for_each(|_| meddler.change());
            }
        }
    }

    /// The values of the keys, which are read where the index has them.
    fn values_of(keys: &Keys, core: &Core<'_>) -> BTreeMap<String, u64> {
        let (mut copy, mut out) = (CopiedRecord::EMPTY, Vec::new());
        let mut found = BTreeMap::new();
        let all = Wanted { span: &Span::of_prefix(""), backwards: false, most: usize::MAX };
        keys.within(all, |bytes, head_at| {
            let name = std::str::from_utf8(bytes).unwrap();
            let key = Key::new(core.geometry(), name);
            let (point, verify) = (core.point(), Verify::Always);
            if core.get_in(&key, head_at as usize, point, verify, &mut copy, &mut out).unwrap() {
                found.insert(name.to_owned(), u64::from_le_bytes(out[..].try_into().unwrap()));
            }
        });
        found
    }
}
