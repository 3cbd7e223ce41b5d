//! The history: counters, ring, and the order of the events of each key.

use crate::{
    EventState, Kind,
    board::Board,
    finding::Findings,
    record::Record,
    uses::{Use, Uses},
    words::{GenWord, LIVE, OPEN},
};
use std::borrow::Cow;

/// The counters, and the records of the events between them.
pub struct History {
    pub generation: u64,
    pub floor: u64,
    /// The records from the first event after the floor on; `None` where an event has none.
    events: Vec<Option<Record>>,
}

impl History {
    /// The record of an event.
    pub fn record(&self, generation: u64) -> Option<&Record> {
        let at = generation.checked_sub(self.floor + 1)?;
        self.events.get(usize::try_from(at).ok()?)?.as_ref()
    }
    /// The records, oldest first. Events without a record are left out.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.events.iter().flatten()
    }
    /// The record in a block: the history's where it is one of them, else read from the words.
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
    out.require(u64::from(board.reserved()) == board.reserved_word(), "reserved", || {
        format!("{} extents are reserved, of {}", board.reserved_word(), board.layout.extents)
    });
    if floor > generation || generation - floor > board.layout.history || generation >= 1 << 60 {
        out.push(
            "counters",
            format!("generation {generation}, floor {floor}, ring of {} events", board.layout.history),
        );
        // Which events the ring holds is unknown.
        history.floor = generation;
        return history;
    }
    check_laps(board, generation, out);
    for event in floor + 1..=generation {
        history.events.push(read_event(board, event, out));
    }
    history
}

/// Checks that every place of the ring has the lap of its newest event, also where that event left the history.
fn check_laps(board: &Board<'_>, generation: u64, out: &mut Findings) {
    for place in 1..=board.layout.history {
        let expected = match generation.checked_sub(place) {
            Some(past) => past / board.layout.history + 1,
            None => 0,
        };
        let word = board.ring_word(place);
        let rule = if word.lap() > expected { "ring-uncounted" } else { "ring-word" };
        let sound = word.lap() == expected && word.kind() == 0;
        out.require(sound, rule, || {
            format!(
                "place {place} of the ring has lap {} and kind {}, expected lap {expected} and kind 0",
                word.lap(),
                word.kind()
            )
        });
    }
}

fn read_event(board: &Board<'_>, event: u64, out: &mut Findings) -> Option<Record> {
    let word = board.ring_word(event);
    let block = word.block();
    if block >= board.layout.granules || board.size_of(block).is_none() {
        out.push("ring-word", format!("event {event} names block {block}, where no block starts"));
        return None;
    }
    let says = board.gen_word(block);
    if word.lap() != board.layout.lap(event) || says != GenWord::Generation(event) {
        out.push(
            "event-generation",
            format!("event {event} is in block {block}, whose generation word is {says:?}"),
        );
        return None;
    }
    Record::read(board, block).map_err(|finding| out.add(finding)).ok()
}

/// Checks every event against the record that it superseded, and notes that record's block as used.
pub fn check(board: &Board<'_>, history: &History, uses: &mut Uses, out: &mut Findings) -> Vec<EventState> {
    let mut states = Vec::with_capacity(history.events.len());
    for record in history.records() {
        let event = record.generation.unwrap_or(0);
        let previous = match record.previous.kind() {
            LIVE => {
                let by = || format!("event {event}, {}", record.name());
                let named = uses.note(record.previous.block(), Use::History, by, out);
                named.then(|| history.record_in(board, record.previous.block(), out)).flatten()
            }
            _ => None,
        };
        if let Some(previous) = &previous {
            uses.note_pieces(board, previous, out);
        }
        check_follows(board, record, previous.as_deref(), out);
        if record.kind == Kind::Touched {
            check_touch(record, previous.as_deref(), out);
        }
        let granules = previous.as_deref().map_or(0, |previous| previous.granules);
        out.require(record.superseded == granules, "weight", || {
            format!(
                "event {event}, {}, superseded {granules} granules and stores {}",
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

/// Checks an event against what it superseded.
fn check_follows(board: &Board<'_>, record: &Record, previous: Option<&Record>, out: &mut Findings) {
    let event = record.generation.unwrap_or(0);
    let told = || format!("event {event}, {}, supersedes {}", record.name(), record.previous);
    match (record.previous.kind(), previous) {
        (LIVE, Some(previous)) => follows_live(board, record, previous, out),
        (OPEN, None) if record.previous.block() == 0 => follows_open(board, record, out),
        _ => out.push("event-previous", told()),
    }
}

/// Checks that a touch changes nothing but the deadline of the value that it follows.
fn check_touch(record: &Record, previous: Option<&Record>, out: &mut Findings) {
    let carries = |previous: &Record| {
        previous.kind.has_value()
            && previous.value == record.value
            && (previous.codec, previous.ephemeral) == (record.codec, record.ephemeral)
    };
    out.require(record.deadline != 0 && previous.is_some_and(carries), "touched", || {
        let event = record.generation.unwrap_or(0);
        format!("event {event}, {}, is a touch, and does not carry what it follows", record.name())
    });
}

/// Checks an event whose key had a record in the same slot.
fn follows_live(board: &Board<'_>, record: &Record, previous: &Record, out: &mut Findings) {
    let told = || {
        let (event, before) = (record.generation.unwrap_or(0), previous.generation);
        format!("event {event}, {}, supersedes {} of generation {before:?}", record.name(), previous.name())
    };
    let same = previous.head_at == record.head_at && previous.key == record.key;
    let older = previous.generation.is_some_and(|before| Some(before) < record.generation);
    let removes_nothing = record.is_tombstone() && previous.is_tombstone();
    out.require(same && older && !removes_nothing, "event-previous", told);
    out.require(previous.version.checked_add(1) == Some(record.version), "version", told);
    let published = previous.previous.next(LIVE, previous.block);
    out.require(published == record.previous, "head-counter", || {
        format!(
            "{}; the slot's head was {published} before, and the record stores {}",
            told(),
            record.previous
        )
    });
    let created = match (previous.is_tombstone(), previous.created) {
        (true, _) => 0,
        (false, 0) => previous.generation.unwrap_or(0),
        (false, created) => created,
    };
    out.require(record.created == created || !board.layout.profile.details, "created", || {
        format!("{}; the record stores creation at {}, expected {created}", told(), record.created)
    });
}

/// Checks the first event of a key in its slot.
fn follows_open(board: &Board<'_>, record: &Record, out: &mut Findings) {
    let told = || format!("event {}, {}, supersedes nothing", record.generation.unwrap_or(0), record.name());
    out.require(!record.is_tombstone(), "event-previous", told);
    out.require(record.created == 0, "created", told);
    let chain = board.layout.chain_of(&record.key, record.hash);
    let base = board.version_base(chain);
    out.require(record.version >= 1 && record.version - 1 <= base, "version-base", || {
        format!("{}; the version base of the shard is {base}", told())
    });
}
