//! What a board should answer: a map with versions, and everything that ever happened to it.

use slateboard::{
    layout::record::RecordKind,
    protocol::{publish::Expect, view::Item},
};
use std::collections::BTreeMap;

/// A record: a value, or a tombstone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Value or kind of tombstone.
    pub kind: RecordKind,
    /// The value; empty for a tombstone.
    pub bytes: Vec<u8>,
    /// Codec of the value.
    pub codec: u8,
    /// The key's version.
    pub version: u64,
    /// The generation that wrote it.
    pub generation: u64,
    /// Generation in which the key got its first value since it had none; 0 where that is this record.
    pub created: u64,
    /// When it expires, nanoseconds of the board's clock; 0 for never.
    pub deadline: u64,
    /// The session that it ends with, packed; 0 for none.
    pub ephemeral: u64,
    /// The session that wrote it, packed.
    pub writer: u64,
}

/// What one generation did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happened {
    /// The key.
    pub key: &'static str,
    /// What it wrote.
    pub record: Record,
    /// The value before; `None` where the key had none.
    pub previous: Option<Record>,
}

/// A map that remembers.
#[derive(Default)]
pub struct Model {
    /// Keys that have a value.
    pub map: BTreeMap<&'static str, Record>,
    /// `events[g - 1]` is generation `g`.
    pub events: Vec<Happened>,
    /// Version and generation of each absent key's tombstone.
    graves: BTreeMap<&'static str, (u64, u64)>,
}

impl Model {
    /// The newest generation.
    pub fn generation(&self) -> u64 {
        self.events.len() as u64
    }

    /// The map as it was at a generation.
    pub fn at(&self, generation: u64) -> BTreeMap<&'static str, &Record> {
        let mut map = BTreeMap::new();
        for Happened { key, record, .. } in &self.events[..generation as usize] {
            match record.kind {
                kind if kind.is_tombstone() => map.remove(key),
                _ => map.insert(*key, record),
            };
        }
        map
    }

    /// Whether a change of the key with this expectation may happen.
    pub fn is_met(&self, key: &str, expect: Expect) -> bool {
        let present = self.map.get(key);
        match expect {
            Expect::Any => true,
            Expect::Absent => present.is_none(),
            Expect::Present => present.is_some(),
            Expect::Version(version) => present.is_some_and(|record| record.version == version),
            Expect::Generation(generation) => present.is_some_and(|record| record.generation == generation),
        }
    }

    /// What the key's next version may be: one more; or more than that where the tombstone has left the history,
    /// since the slot may have been another key's.
    fn is_next(&self, key: &str, version: u64, floor: u64) -> bool {
        match (self.map.get(key), self.graves.get(key)) {
            (Some(record), _) => version == record.version + 1,
            (None, Some(&(grave, generation))) if generation > floor => version == grave + 1,
            (None, grave) => version > grave.map_or(0, |&(version, _)| version),
        }
    }

    /// The key has this value now.
    pub fn put(&mut self, key: &'static str, mut record: Record, floor: u64) {
        assert_eq!(record.generation, self.generation() + 1, "the generation of {key}'s put");
        assert!(self.is_next(key, record.version, floor), "{key} got version {}", record.version);
        self.graves.remove(key);
        record.created = match self.map.get(key) {
            None => 0,
            Some(old) if old.created == 0 => old.generation,
            Some(old) => old.created,
        };
        let previous = self.map.insert(key, record.clone());
        self.events.push(Happened { key, record, previous });
    }

    /// The key has no value any more.
    pub fn end(&mut self, key: &'static str, kind: RecordKind, writer: u64) {
        let previous = self.map.remove(key).unwrap_or_else(|| panic!("{key} ends without a value"));
        let generation = self.generation() + 1;
        let record = Record {
            kind,
            bytes: Vec::new(),
            codec: 0,
            version: previous.version + 1,
            generation,
            created: if previous.created == 0 { previous.generation } else { previous.created },
            deadline: 0,
            ephemeral: 0,
            writer,
        };
        self.graves.insert(key, (record.version, generation));
        self.events.push(Happened { key, record, previous: Some(previous) });
    }
}

/// The record that a read copied.
pub fn of_item(item: &Item) -> Record {
    let header = item.header;
    Record {
        kind: header.kind,
        bytes: item.value.clone(),
        codec: header.codec,
        version: header.version,
        generation: item.generation,
        created: header.created,
        deadline: header.deadline,
        ephemeral: header.ephemeral,
        writer: header.writer,
    }
}
