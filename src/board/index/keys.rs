//! Keys and their slots: made by looking at every slot once, kept by the history.
//!
//! A key leaves only when its removal has left the history, so all keys that have a value at a generation are here as
//! long as that generation can be viewed. What else is here costs a look at its slot.
//!
//! Beside the keys stands, for each slot, the head under which it was last seen. An event whose record follows that
//! head gave the same key another value, and changes nothing. When the history went on without the index, slots whose
//! head is as it was are not looked at again.

use super::name::Name;
use crate::{
    layout::{Geometry, Head, HeadKind, geometry},
    protocol::{
        Core, Fault,
        keys::{SlotChange, SlotKey},
    },
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
};

/// Walks over all slots in one attempt to catch up, at most: a history that laps during each is too fast.
const WALKS: usize = 3;

/// Slots that a walk reads together, and the words of a record up to a short key's end.
const AHEAD: usize = 32;
const KEY_WORDS: usize = 16;

/// Everything that the index knows.
pub(super) struct Keys {
    /// Each key's slot, by the word of its head.
    slots: BTreeMap<Name, u32>,
    heads: Heads,
    /// Removals that are in the history, by their generation.
    leaving: BTreeMap<u64, Leaving>,
    /// Events up to this one are in; `None` before the first walk.
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
    /// Keys that were read, each with its slot.
    found: Vec<(Name, u32)>,
    /// Slots whose key may be another one now.
    passed: HashSet<u32>,
    /// Room for a key.
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

    /// Whether everything up to the generation is in.
    pub(super) fn has(&self, generation: u64) -> bool {
        self.generation.is_some_and(|own| own >= generation)
    }

    /// Whether the events after the last one that is in are all in the history.
    fn continues(&self, core: &Core<'_>) -> bool {
        // The event after the newest may be in already.
        self.generation.is_some_and(|own| (core.floor()..=core.generation() + 1).contains(&own))
    }

    /// Calls `each` with the keys that start with the prefix, in order.
    pub(super) fn with_prefix(&self, prefix: &str, mut each: impl FnMut(&[u8], u32)) {
        let prefix = prefix.as_bytes();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let keys = self.slots.range::<[u8], _>(from).take_while(|(key, _)| key.bytes().starts_with(prefix));
        keys.for_each(|(key, &head_at)| each(key.bytes(), head_at));
    }

    /// Brings everything up to the generation in.
    pub(super) fn catch_up(&mut self, core: &Core<'_>, generation: u64) -> Result<(), Fault> {
        let mut lagged = Fault::Lagged;
        for _ in 0..=WALKS {
            if !self.continues(core)
                && let Err(fault) = self.walk(core)
            {
                // Heads were noted whose keys were not added.
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

    /// Takes the events after the last one that is in.
    fn replay(&mut self, core: &Core<'_>, generation: u64) -> Result<(), Fault> {
        let next = self.generation.ok_or(Fault::Lagged)? + 1;
        // The floor behind the counter: a slot's earlier key left before any event that is counted here.
        let newest = core.generation().max(generation);
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

    /// Takes one event.
    fn take(&mut self, core: &Core<'_>, position: u64, key: &mut Vec<u8>) -> Result<(), Fault> {
        let (heads, walked) = (&self.heads, self.walked);
        // Of slots that the index does not know nothing is believed without a look at the key.
        let known = |change: &SlotChange| Some(heads.get(change.head_at)).filter(|&head| head != Head(0));
        // A walk finds slots as they are then, which is later than the events that follow its beginning.
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

    /// Forgets the keys whose removals have left the history, unless they were put again.
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

    /// Looks at every slot, and reads the keys of those whose head is not as it was.
    fn walk(&mut self, core: &Core<'_>) -> Result<(), Fault> {
        // Before the slots: what changes during the walk is in the events after this one.
        let generation = core.generation();
        let floor = core.floor();
        let mut walk = Walk { floor, found: Vec::new(), passed: HashSet::new(), key: Vec::new() };
        let mut ahead = Vec::with_capacity(AHEAD);
        core.heads(|head_at, head| {
            let known = self.heads.get(head_at);
            if known == head || (known == Head(0) && !head.is(HeadKind::Live)) {
                return Ok(());
            }
            // Records lie anywhere: some are asked for together, and then read.
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

    /// Reads the key of a slot whose head is not as it was.
    fn look(&mut self, core: &Core<'_>, head_at: usize, walk: &mut Walk) -> Result<(), Fault> {
        let slot = core.slot_key(head_at, &mut walk.key)?;
        if self.heads.get(head_at) != Head(0) {
            walk.passed.insert(head_at as u32);
        }
        // A removal that left the history left nothing to view.
        let is_over = |slot: &SlotKey| slot.tombstone && slot.generation.is_some_and(|at| at <= walk.floor);
        match slot.filter(|slot| !is_over(slot)) {
            Some(slot) => walk.found.push((self.note(head_at, &slot, &walk.key)?, head_at as u32)),
            None => self.heads.set(head_at, Head(0)),
        }
        Ok(())
    }

    /// Notes what a walk found in a slot.
    fn note(&mut self, head_at: usize, slot: &SlotKey, key: &[u8]) -> Result<Name, Fault> {
        let key = name(key)?;
        match slot.generation {
            Some(event) => {
                self.heads.set(head_at, slot.head);
                if slot.tombstone {
                    self.leaving.insert(event, Leaving { key: key.clone(), head_at, head: slot.head });
                }
            }
            // Its event comes after the walk's beginning, and follows this head.
            None => self.heads.set(head_at, slot.previous),
        }
        Ok(key)
    }

    fn add(&mut self, found: Vec<(Name, u32)>) {
        if self.slots.is_empty() {
            // Made from what is sorted, which is faster than one by one.
            self.slots = found.into_iter().collect();
        } else {
            self.slots.extend(found);
        }
    }
}

fn name(key: &[u8]) -> Result<Name, Fault> {
    std::str::from_utf8(key).map(Name::new).map_err(|_| Fault::Corrupt("a record's key, which is not UTF-8,"))
}

/// The head under which each slot was last seen; 0 where no key of the index lives.
struct Heads {
    /// First word of the table.
    start: usize,
    /// Of the table: one for each two words, so that no slot's number must be divided for.
    table: Vec<u64>,
    /// Of overflow buckets, by the word of the head.
    overflow: HashMap<usize, Head>,
}

impl Heads {
    fn new(geometry: &Geometry) -> Self {
        let start = geometry.bucket(0);
        // Pages of zeros take no memory until a slot is used.
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
    use crate::protocol::{
        publish::Expect,
        tests::{Heap, put, remove},
    };

    fn listed(keys: &Keys) -> Vec<String> {
        let mut found = Vec::new();
        keys.with_prefix("", |key, _| found.push(String::from_utf8(key.to_vec()).unwrap()));
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
}
