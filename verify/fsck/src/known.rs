//! What the caller knows about a board besides its words, and the rules that compare the two.

use crate::{board::Board, finding::Findings, history::History, record::Record};
use std::collections::HashMap;

/// What the caller knows about a board besides its words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// Records of the sessions that are attached. Every other record must be vacated and own nothing.
    pub living: &'k [u16],
    /// How many private blocks each session owns, by the index of its record; 0 for records that are not listed. `None`
    /// where living sessions may own any number.
    pub private: Option<&'k [usize]>,
    /// Every event since the board was created, oldest first; `None` where they are not known.
    pub events: Option<&'k [KnownEvent<'k>]>,
}

/// An event as it was when the generation counter first showed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownEvent<'k> {
    /// Its generation.
    pub generation: u64,
    /// The key that it changed.
    pub key: &'k [u8],
    /// The key's version after it.
    pub version: u64,
    /// Whether the key has a value after it.
    pub value: bool,
    /// The block of its record.
    pub block: u32,
    /// The block of the record that it superseded; 0 for none.
    pub superseded: u32,
}

/// Checks that the history holds the newest known events and no others.
pub fn check_history(board: &Board<'_>, history: &History, known: &Known<'_>, out: &mut Findings) {
    let Some(events) = known.events else { return };
    out.require(events.len() as u64 == history.generation, "known-generation", || {
        format!("the generation is {}, expected {}", history.generation, events.len())
    });
    for event in events.iter().filter(|event| event.generation > history.floor) {
        let ring = board.ring_word(event.generation);
        let record = history.record(event.generation);
        let told = record.is_some_and(|record| {
            record.key == event.key
                && record.version == event.version
                && record.is_tombstone() != event.value
                && record.previous.block() == event.superseded
        });
        out.require(told && ring.block() == event.block, "known-event", || {
            let record = record.map(Record::name);
            format!("the history holds {record:?} in block {}, expected {event:?}", ring.block())
        });
    }
}

/// Checks that each key has the record of its newest known event. `live` are the records that LIVE heads name.
pub fn check_keys<'r>(live: impl Iterator<Item = &'r Record>, known: &Known<'_>, out: &mut Findings) {
    let Some(events) = known.events else { return };
    let mut newest: HashMap<&[u8], &KnownEvent<'_>> = events.iter().map(|event| (event.key, event)).collect();
    for record in live {
        let event = newest.remove(record.key.as_slice());
        let same = event
            .is_some_and(|event| event.block == record.block && record.generation == Some(event.generation));
        out.require(same, "known-key", || {
            let (block, generation) = (record.block, record.generation);
            format!("{} is in block {block}, generation {generation:?}; expected {event:?}", record.name())
        });
    }
    for event in newest.values().filter(|event| event.value) {
        out.push("known-key", format!("no slot has the key of {event:?}"));
    }
}

/// Checks that each session owns as many private blocks as are known. `owned` counts them by session record.
pub fn check_private(owned: &HashMap<u16, usize>, known: &Known<'_>, out: &mut Findings) {
    let Some(private) = known.private else { return };
    let records = owned.keys().copied().max().map_or(0, |last| usize::from(last) + 1);
    for record in 0..records.max(private.len()) {
        let found = owned.get(&(record as u16)).copied().unwrap_or(0);
        let expected = private.get(record).copied().unwrap_or(0);
        out.require(found == expected, "known-private", || {
            format!("session {record} owns {found} private blocks, expected {expected}")
        });
    }
}
