//! The reference: a map that knows what a board should answer, and everything that ever happened to it.
//!
//! One caller at a time plays the same operations on a board and here. A record has the version, the generation, the
//! deadline and the session that the board's must have; a view of the past is the map after so many events.

use crate::calls::is_met;
use slateboard::{
    layout::record::RecordKind,
    protocol::{publish::Expect, view::Item},
};
use std::collections::BTreeMap;

/// A record: a value, or a tombstone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// A value, or why there is none.
    pub kind: RecordKind,
    /// The value; empty for a tombstone.
    pub bytes: Vec<u8>,
    /// Codec of the value.
    pub codec: u8,
    /// Version of the key.
    pub version: u64,
    /// Generation that wrote the record.
    pub generation: u64,
    /// Generation in which the key got its first value since it had none; 0 where that is this record.
    pub created: u64,
    /// When the value expires, by the board's clock; 0: never.
    pub deadline: u64,
    /// The session that the value ends with; 0: none.
    pub ephemeral: u64,
    /// The session that wrote the record.
    pub writer: u64,
}

impl Record {
    /// Whether it has expired.
    pub fn is_over(&self, now: u64) -> bool {
        self.deadline != 0 && self.deadline <= now
    }

    /// Generation in which the key got its first value since it had none.
    fn first(&self) -> u64 {
        if self.created == 0 { self.generation } else { self.created }
    }
}

/// The record that the engine's read copied.
impl From<&Item> for Record {
    fn from(item: &Item) -> Self {
        let header = item.header;
        Self {
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
}

/// What one generation did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happened {
    /// The key.
    pub key: String,
    /// What the key has since.
    pub record: Record,
    /// The value before; `None` where the key had none.
    pub previous: Option<Record>,
}

/// A map that remembers.
#[derive(Default)]
pub struct Reference {
    /// Keys that have a value.
    pub map: BTreeMap<String, Record>,
    /// `events[g - 1]` is generation `g`.
    pub events: Vec<Happened>,
    /// Version and generation of each absent key's tombstone.
    graves: BTreeMap<String, (u64, u64)>,
}

impl Reference {
    /// The newest generation.
    pub fn generation(&self) -> u64 {
        self.events.len() as u64
    }

    /// The event of a generation.
    pub fn event(&self, generation: u64) -> &Happened {
        &self.events[generation as usize - 1]
    }

    /// The map as it was at a generation.
    pub fn at(&self, generation: u64) -> BTreeMap<&str, &Record> {
        let mut map = BTreeMap::new();
        for Happened { key, record, .. } in &self.events[..generation as usize] {
            match record.kind {
                kind if kind.is_tombstone() => map.remove(key.as_str()),
                _ => map.insert(key.as_str(), record),
            };
        }
        map
    }

    /// Whether the key has a value that has expired.
    pub fn is_over(&self, key: &str, now: u64) -> bool {
        self.map.get(key).is_some_and(|record| record.is_over(now))
    }

    /// Whether a change of the key with this expectation may happen.
    pub fn is_met(&self, key: &str, expect: Expect) -> bool {
        is_met(expect, self.map.get(key).map(|record| (record.version, record.generation)))
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

    /// The key has this value now. `floor` is the board's: versions of a key that left its history may have a gap.
    pub fn put(&mut self, key: &str, mut record: Record, floor: u64) {
        assert_eq!(record.generation, self.generation() + 1, "the generation of {key}'s put");
        assert!(self.is_next(key, record.version, floor), "{key} got version {}", record.version);
        self.graves.remove(key);
        record.created = self.map.get(key).map_or(0, Record::first);
        let previous = self.map.insert(key.to_owned(), record.clone());
        self.events.push(Happened { key: key.to_owned(), record, previous });
    }

    /// The key has no value any more.
    pub fn end(&mut self, key: &str, kind: RecordKind, writer: u64) {
        let previous = self.map.remove(key).unwrap_or_else(|| panic!("{key} ends without a value"));
        let generation = self.generation() + 1;
        let record = Record {
            kind,
            bytes: Vec::new(),
            codec: 0,
            version: previous.version + 1,
            generation,
            created: previous.first(),
            deadline: 0,
            ephemeral: 0,
            writer,
        };
        self.graves.insert(key.to_owned(), (record.version, generation));
        self.events.push(Happened { key: key.to_owned(), record, previous: Some(previous) });
    }
}
