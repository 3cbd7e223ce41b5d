//! The history: counters, ring, and the order of each key's events.

use crate::{
    EventState,
    board::Board,
    finding::Findings,
    names::{Names, Use},
    record::Record,
    words::{GenWord, LIVE, OPEN, RingWord},
};
use std::borrow::Cow;

const VERSION_BASE: usize = 8;

/// The counters, and the records of the events between them.
pub struct History {
    pub generation: u64,
    pub floor: u64,
    /// From the event after the floor on; `None` where an event has no record.
    events: Vec<Option<Record>>,
}

impl History {
    /// The record of an event.
    pub fn record(&self, generation: u64) -> Option<&Record> {
        let at = generation.checked_sub(self.floor + 1)?;
        self.events.get(usize::try_from(at).ok()?)?.as_ref()
    }
    /// The records, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.events.iter().flatten()
    }
    /// The record in a block, if it is one of the history's; else it is read.
    pub fn record_in<'h>(
        &'h self,
        board: &Board<'_>,
        block: u32,
        out: &mut Findings,
    ) -> Option<Cow<'h, Record>> {
        if let GenWord::Generation(generation) = board.gen_word(block)
            && let Some(record) = self.record(generation).filter(|record| record.block == block)
        {
            return Some(Cow::Borrowed(record));
        }
        Record::read(board, block).map_err(|finding| out.add(finding)).ok().map(Cow::Owned)
    }
}

/// Reads the ring.
pub fn read(board: &Board<'_>, out: &mut Findings) -> History {
    let (generation, floor) = (board.generation(), board.floor());
    let mut history = History { generation, floor, events: Vec::new() };
    out.unless(board.reserved() as u64 == board.word(crate::layout::RESERVED), "reserved", || {
        format!("more than the {} extents are reserved", board.layout.extents)
    });
    if floor > generation || generation - floor > board.layout.history || generation >= 1 << 60 {
        out.push(
            "counters",
            format!("generation {generation}, floor {floor}, ring of {}", board.layout.history),
        );
        // What is in the ring cannot be told.
        history.floor = generation;
        return history;
    }
    check_laps(board, generation, out);
    for event in floor + 1..=generation {
        history.events.push(read_event(board, event, out));
    }
    history
}

/// Every place of the ring has the lap of its newest event, also of those that left the history.
fn check_laps(board: &Board<'_>, generation: u64, out: &mut Findings) {
    for place in 1..=board.layout.history {
        let expected = match generation.checked_sub(place) {
            Some(past) => past / board.layout.history + 1,
            None => 0,
        };
        let word = RingWord(board.word(board.layout.ring(place)));
        let rule = if word.lap() > expected { "ring-uncounted" } else { "ring-word" };
        let sound = word.lap() == expected && word.kind() == 0;
        out.unless(sound, rule, || {
            format!(
                "place {place} of the ring has lap {} and kind {}, not lap {expected}",
                word.lap(),
                word.kind()
            )
        });
    }
}

fn read_event(board: &Board<'_>, event: u64, out: &mut Findings) -> Option<Record> {
    let word = RingWord(board.word(board.layout.ring(event)));
    let block = word.block();
    if block >= board.layout.granules || board.size_of(block).is_none() {
        out.push("ring-word", format!("event {event} names block {block}, where no block starts"));
        return None;
    }
    let says = board.gen_word(block);
    if word.lap() != board.layout.lap(event) || says != GenWord::Generation(event) {
        out.push("event-generation", format!("event {event} is of block {block}, which says {says:?}"));
        return None;
    }
    Record::read(board, block).map_err(|finding| out.add(finding)).ok()
}

/// Follows every event to the record that it superseded, and names that.
pub fn check(board: &Board<'_>, history: &History, names: &mut Names, out: &mut Findings) -> Vec<EventState> {
    let mut states = Vec::with_capacity(history.events.len());
    for record in history.records() {
        let event = record.generation.unwrap_or(0);
        let previous = match record.previous.kind() {
            LIVE => {
                let by = || format!("event {event}, {}", record.name());
                let named = names.name(record.previous.block(), Use::History, by, out);
                named.then(|| history.record_in(board, record.previous.block(), out)).flatten()
            }
            _ => None,
        };
        if let Some(previous) = &previous {
            names.name_pieces(board, previous, out);
        }
        check_follows(board, record, previous.as_deref(), out);
        let granules = previous.as_deref().map_or(0, |previous| previous.granules);
        out.unless(record.superseded == granules, "weight", || {
            format!(
                "event {event}, {}, superseded {granules} granules, not {}",
                record.name(),
                record.superseded
            )
        });
        states.push(EventState {
            generation: event,
            key: record.key.clone(),
            version: record.version,
            kind: record.kind,
            value: record.kind.has_value().then(|| record.value.clone()),
            previous_version: previous.map(|record| record.version),
            writer: record.writer.0,
        });
    }
    states
}

/// Whether an event may follow what it superseded.
fn check_follows(board: &Board<'_>, record: &Record, previous: Option<&Record>, out: &mut Findings) {
    let event = record.generation.unwrap_or(0);
    let told = || format!("event {event}, {}, follows {}", record.name(), record.previous);
    match (record.previous.kind(), previous) {
        (LIVE, Some(previous)) => follows_live(record, previous, out),
        (OPEN, None) if record.previous.block() == 0 => follows_open(board, record, out),
        _ => out.push("event-previous", told()),
    }
}

/// A later record of the same key in the same slot.
fn follows_live(record: &Record, previous: &Record, out: &mut Findings) {
    let told = || {
        let (event, before) = (record.generation.unwrap_or(0), previous.generation);
        format!("event {event}, {}, follows {} of generation {before:?}", record.name(), previous.name())
    };
    let same = previous.head_at == record.head_at && previous.key == record.key;
    let older = previous.generation.is_some_and(|before| Some(before) < record.generation);
    let removes_nothing = record.is_tombstone() && previous.is_tombstone();
    out.unless(same && older && !removes_nothing, "event-previous", told);
    out.unless(previous.version.checked_add(1) == Some(record.version), "version", told);
    let published = previous.previous.next(LIVE, previous.block);
    out.unless(published == record.previous, "head-counter", || {
        format!("{}; the slot was {published} before, not {}", told(), record.previous)
    });
    let created = match (previous.is_tombstone(), previous.created) {
        (true, _) => 0,
        (false, 0) => previous.generation.unwrap_or(0),
        (false, created) => created,
    };
    out.unless(record.created == created, "created", || {
        format!("{}; it says it was created at {}, not {created}", told(), record.created)
    });
}

/// The first record of a key in a slot.
fn follows_open(board: &Board<'_>, record: &Record, out: &mut Findings) {
    let told = || format!("event {}, {}, follows nothing", record.generation.unwrap_or(0), record.name());
    out.unless(!record.is_tombstone(), "event-previous", told);
    out.unless(record.created == 0, "created", told);
    let chain = board.layout.chain_of(&record.key, record.hash);
    let base = board.word(board.layout.shard(board.layout.shard_of_bucket(chain)) + VERSION_BASE);
    out.unless(record.version >= 1 && record.version - 1 <= base, "version-base", || {
        format!("{}; its shard's version base is only {base}", told())
    });
}
