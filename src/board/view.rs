//! Views of one generation, and the history as events.

use super::{Damage, Listing, Meta, Reader, fault, index::Candidates, listing, reader};
use crate::{
    codec::CodecId,
    entry::{Entry, WriterInfo, time_of},
    error::{Error, ErrorKind, Result},
    layout::record::RecordKind,
    protocol::{
        Core, Fault,
        read::Meta as Found,
        slots,
        view::{EventRecord, Item, Point},
    },
};
use std::time::SystemTime;

/// The board at one generation. It answers the same for as long as that is in the history.
///
/// A view of the present ([`Reader::view`]) is of one instant besides: entries whose time to live had passed by then are
/// absent, the others are present for the view's whole life. A view of a given generation ([`Reader::view_at`]) looks at
/// no clock: it has an entry until the generation of its expire event.
///
/// It pins nothing: when the generation leaves the history, reads answer `Lagged`.
#[derive(Clone, Debug)]
pub struct View {
    pub(super) reader: Reader,
    point: Point,
    /// When it was made, nanoseconds of `CLOCK_BOOTTIME`; `None` for a view that looks at no deadlines.
    instant_ns: Option<u64>,
}

impl View {
    pub(super) fn new(reader: Reader, point: Point, instant_ns: Option<u64>) -> Self {
        Self { reader, point, instant_ns }
    }

    /// The generation.
    pub fn generation(&self) -> u64 {
        self.point.generation
    }

    /// The key's entry at this generation.
    ///
    /// # Errors
    /// `Lagged`; `InvalidKey`; `Corrupt`; `Moved`; `Forked`.
    pub fn get(&self, key: &str) -> Result<Option<Entry>> {
        let core = self.reader.core()?;
        let slot_key = reader::checked(&core, key)?;
        let item = core
            .get_at(&slot_key, self.point, self.reader.verify)
            .map_err(|fault| self.gone(&core, fault).on_key(key))?;
        let entry = item.map(|item| self.entry(&core, item)).transpose()?.flatten();
        // The names are their sessions' while the records are in the history.
        core.still_there(self.point).map_err(|fault| self.gone(&core, fault).on_key(key))?;
        Ok(entry)
    }

    /// The entries whose keys start with the prefix, in key order.
    ///
    /// From the second list of an open handle on, this costs what it finds, and what happened since the last list:
    /// the handle keeps the board's keys in order, in this process's memory: some 50 bytes for each key, its own length
    /// besides where that is more than 30, nine for each slot of the table, and about a hundred for each removal that is
    /// still in the history.
    /// The first looks at every slot, the second reads every key.
    ///
    /// # Errors
    /// `Lagged`; `Corrupt` where records are damaged, which names them: [`View::list_whole`] tells the others; `Moved`;
    /// `Forked`.
    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.list_whole(prefix).and_then(Listing::into_sound)
    }

    /// Calls `each` with the key, value and rest of every entry whose key starts with the prefix, in key order.
    /// Costs what [`View::list`] costs less its allocations: a warm scan makes none. `each` may call whatever it
    /// likes, lists and scans among it.
    ///
    /// # Errors
    /// As [`View::list`]. With `Lagged` what `each` was given before is of this view's generation, and is not all;
    /// with `Corrupt` it was given all but the damaged records.
    pub fn scan(&self, prefix: &str, mut each: impl FnMut(&str, &[u8], &Meta)) -> Result<()> {
        let mut damaged = Vec::new();
        let each = |_: &Core<'_>, key: &str, value: &[u8], found: &Found| {
            each(key, value, &reader::meta(found));
        };
        self.visit(prefix, true, &mut damaged, each)?;
        listing::sound(&damaged)
    }

    /// The keys that start with the prefix and have a value, in order. As [`View::list`], for less memory: of the values
    /// one at a time is held, for its checksum.
    ///
    /// # Errors
    /// As [`View::list`].
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.keys_whole(prefix).and_then(Listing::into_sound)
    }

    /// Visits every sound record, and names the damaged ones. `values`: whether `each` needs them.
    pub(super) fn visit(
        &self,
        prefix: &str,
        values: bool,
        damaged: &mut Vec<Damage>,
        each: impl FnMut(&Core<'_>, &str, &[u8], &Found),
    ) -> Result<()> {
        let core = self.reader.core()?;
        let index = &self.reader.region.index;
        let candidates = index.candidates(&core, prefix, self.point);
        match candidates.map_err(|fault| self.gone(&core, fault))? {
            Some(mut candidates) => {
                let mut value = std::mem::take(&mut candidates.value);
                let outcome = self.visit_in(&candidates, &mut value, damaged, each);
                // Not in a forked child, where the lock may be held by a thread that is not there.
                if outcome.is_ok() {
                    candidates.value = value;
                    index.give_back(candidates);
                }
                outcome
            }
            None => self.visit_all(prefix, values, damaged, each),
        }
    }

    /// Visits those of the candidates that have a value.
    fn visit_in(
        &self,
        candidates: &Candidates,
        value: &mut Vec<u8>,
        damaged: &mut Vec<Damage>,
        mut each: impl FnMut(&Core<'_>, &str, &[u8], &Found),
    ) -> Result<()> {
        let mut found = Found::EMPTY;
        for (number, (key, head_at)) in candidates.iter().enumerate() {
            // Anew for each: what was called before may have forked.
            let words = self.reader.region.words()?;
            let core = self.reader.region.core_to_read(words);
            let far = if number == 0 { 0..=AHEAD_SLOTS } else { number + AHEAD_SLOTS..=number + AHEAD_SLOTS };
            far.filter_map(|number| candidates.slot(number)).for_each(|head_at| core.expect_slot(head_at));
            if let Some(head_at) = candidates.slot(number + AHEAD_RECORDS) {
                core.expect_record(head_at, found.words.record_words());
            }
            let key = utf8(key)?;
            let slot_key = slots::Key::new(core.geometry(), key);
            match core.get_in(&slot_key, head_at, self.point, self.reader.verify, &mut found, value) {
                Ok(true) if !self.is_expired(found.words.deadline()) => each(&core, key, value, &found),
                Ok(_) => {}
                Err(Fault::Corrupt(what)) => damaged.push(Damage::of_key(key, what)),
                Err(fault) => return Err(self.gone(&core, fault)),
            }
        }
        let core = self.reader.core()?;
        // Without this a key that left the index with its removal might be missing.
        core.still_there(self.point).map_err(|fault| self.gone(&core, fault))
    }

    /// As [`View::visit_in`], by a look at every slot.
    fn visit_all(
        &self,
        prefix: &str,
        values: bool,
        damaged: &mut Vec<Damage>,
        mut each: impl FnMut(&Core<'_>, &str, &[u8], &Found),
    ) -> Result<()> {
        let core = self.reader.core()?;
        let mut items = Vec::new();
        core.list_at(prefix, self.point, self.reader.verify, |item| match item {
            Ok(item) if values => items.push(item),
            Ok(item) => items.push(Item { value: Vec::new(), ..item }),
            Err(found) => damaged.push(Damage::of(found)),
        })
        .map_err(|fault| self.gone(&core, fault))?;
        items.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        for Item { key, value, header, generation } in items {
            if !self.is_expired(header.deadline) {
                let found = Found { words: header.pack(), generation, ..Found::EMPTY };
                each(&self.reader.core()?, utf8(&key)?, &value, &found);
            }
        }
        // As in `get`, for names that `each` looked up.
        core.still_there(self.point).map_err(|fault| self.gone(&core, fault))?;
        Ok(())
    }

    fn gone(&self, core: &Core<'_>, fault: Fault) -> Error {
        self.reader.out_of_history(core, fault, self.generation())
    }

    /// Whether a deadline, 0 for none, had passed when the view was made.
    fn is_expired(&self, deadline_ns: u64) -> bool {
        deadline_ns != 0 && self.instant_ns.is_some_and(|instant_ns| deadline_ns <= instant_ns)
    }

    /// The item as an entry; `None` where its deadline had passed.
    fn entry(&self, core: &Core<'_>, item: Item) -> Result<Option<Entry>> {
        if self.is_expired(item.header.deadline) {
            return Ok(None);
        }
        let Item { key, value, header, generation } = item;
        Ok(Some(self.reader.entry(core, text(key)?, value, &header, generation)))
    }
}

/// How far ahead of the visit slots and records are asked for, in candidates: they lie anywhere, and each would be
/// waited for.
const AHEAD_SLOTS: usize = 8;
const AHEAD_RECORDS: usize = 4;

fn utf8(key: &[u8]) -> Result<&str> {
    std::str::from_utf8(key).map_err(|_| fault::error(Fault::Corrupt("a record's key, which is not UTF-8,")))
}

fn text(key: Vec<u8>) -> Result<String> {
    String::from_utf8(key).map_err(|_| fault::error(Fault::Corrupt("a record's key, which is not UTF-8,")))
}

/// What an event did to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum MutationKind {
    /// It got a value.
    Put,
    /// It was removed.
    Remove,
    /// Its time to live passed; [`Previous::writer`] says whose entry it was.
    Expire,
    /// The session that it was bound to detached.
    Detached,
    /// The session that it was bound to died.
    Died,
}

/// One change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Mutation {
    /// What happened.
    pub kind: MutationKind,
    /// To which key.
    pub key: String,
    /// The key's version from then on.
    pub version: u64,
    /// The value; `None` for a removal.
    pub value: Option<Vec<u8>>,
    /// How the value is encoded.
    pub codec: CodecId,
    /// What the key had before; `None` where it had nothing.
    pub previous: Option<Previous>,
}

/// A value that an event superseded.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Previous {
    /// Its version.
    pub version: u64,
    /// Its generation.
    pub generation: u64,
    /// Who wrote it.
    pub writer: WriterInfo,
    /// Its bytes.
    pub value: Vec<u8>,
    /// How they are encoded.
    pub codec: CodecId,
}

/// An event of the history: everything that one generation changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The generation.
    pub generation: u64,
    /// Who did it. Where a session's end did it, this is that session; where a deadline did, whoever published it.
    pub session: WriterInfo,
    /// When, by the clock of the kernel's last tick: 1 to 10 ms earlier.
    pub time: SystemTime,
    /// What changed: one or more keys.
    pub mutations: Vec<Mutation>,
}

pub(super) fn event(_reader: &Reader, core: &Core<'_>, record: EventRecord) -> Event {
    let EventRecord { item, previous } = record;
    let kind = match item.header.kind {
        RecordKind::Value => MutationKind::Put,
        RecordKind::Removed => MutationKind::Remove,
        RecordKind::Expired => MutationKind::Expire,
        RecordKind::Detached => MutationKind::Detached,
        RecordKind::Died => MutationKind::Died,
    };
    let mutation = Mutation {
        kind,
        key: String::from_utf8_lossy(&item.key).into_owned(),
        version: item.header.version,
        value: (kind == MutationKind::Put).then_some(item.value),
        codec: CodecId::new(item.header.codec),
        previous: previous.map(|previous| Previous {
            version: previous.header.version,
            generation: previous.generation,
            writer: reader::writer_info(core, previous.header.writer),
            value: previous.value,
            codec: CodecId::new(previous.header.codec),
        }),
    };
    let mut event = Event {
        generation: item.generation,
        session: reader::writer_info(core, item.header.writer),
        time: time_of(item.header.time),
        mutations: vec![mutation],
    };
    // The names are their sessions' while the event is in the history.
    if core.point_at(item.generation.saturating_sub(1)).is_err() {
        event.session.name.clear();
        let previous = event.mutations.iter_mut().filter_map(|mutation| mutation.previous.as_mut());
        previous.for_each(|previous| previous.writer.name.clear());
    }
    event
}

/// Iterator over the history up to the present. After an error of kind `Lagged`, which says how many
/// events were missed, it goes on where the history begins.
#[derive(Debug)]
pub struct Events {
    reader: Reader,
    next: u64,
}

impl Events {
    pub(super) fn new(reader: Reader, since: u64) -> Self {
        Self { reader, next: since.saturating_add(1) }
    }

    /// The generation of the last event that was looked at.
    pub fn generation(&self) -> u64 {
        self.next - 1
    }

    /// Goes past events of other shards, if this one has had none since: its counter is raised before the
    /// board's. Not past an event that is not counted yet: its shard's counter may not be raised either.
    pub(super) fn skip_others(&mut self, shard: usize) -> Result<()> {
        let core = self.reader.core()?;
        let counted = core.generation();
        if core.shard_changes(shard) < self.next {
            self.next = self.next.max(counted + 1);
        }
        Ok(())
    }

    /// The next event whose key the filter accepts, if it has happened.
    pub(super) fn next_where(&mut self, filter: impl Fn(&[u8]) -> bool) -> Result<Option<Event>> {
        let reader = self.reader.clone();
        let core = reader.core()?;
        loop {
            let newest = core.newest();
            if self.next > newest {
                return Ok(None);
            }
            let floor = core.floor();
            if newest.saturating_sub(floor) > core.geometry().history() || floor > core.generation() {
                self.next = newest + 1;
                return Err(fault::error(Fault::Corrupt("the generation counter or the floor")));
            }
            match core.event(self.next, reader.verify, &filter) {
                Ok(record) => {
                    self.next += 1;
                    if let Some(record) = record {
                        return Ok(Some(event(&reader, &core, record)));
                    }
                }
                Err(Fault::Lagged) => return Err(self.lagged(&core)),
                Err(fault) => {
                    let generation = self.next;
                    self.next += 1;
                    return Err(reader.no_event(&core, fault, generation));
                }
            }
        }
    }

    fn lagged(&mut self, core: &Core<'_>) -> Error {
        let floor = core.floor();
        let missed = (floor + 1).saturating_sub(self.next);
        self.next = floor + 1;
        Error::new(ErrorKind::Lagged, format!("{missed} events left the history before they were read"))
            .with_missed(missed, floor)
            .hint("list the present again if every event matters")
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_where(|_| true) {
            Ok(event) => event.map(Ok),
            // A handle from before a fork or a move says so once, and ends.
            Err(error) if is_lost(&error) && self.next == u64::MAX => None,
            Err(error) => {
                if is_lost(&error) {
                    self.next = u64::MAX;
                }
                Some(Err(error))
            }
        }
    }
}

/// Whether the handle is of no use any more.
pub(super) fn is_lost(error: &Error) -> bool {
    error.is_forked() || error.is_moved()
}
