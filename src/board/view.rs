//! Views of one generation.

use super::{Damage, Listing, Meta, Reader, fault, index::Candidates, listing, reader};
use crate::{
    entry::Entry,
    error::{Error, Result},
    protocol::{
        Core, Fault,
        read::CopiedRecord,
        slots,
        view::{Item, Point},
    },
};

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
        let each = |_: &Core<'_>, key: &str, value: &[u8], found: &CopiedRecord| {
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
        each: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord),
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
        mut each: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord),
    ) -> Result<()> {
        let mut found = CopiedRecord::EMPTY;
        for (number, (key, head_at)) in candidates.iter().enumerate() {
            // Anew for each: what was called before may have forked.
            let words = self.reader.region.words()?;
            let core = self.reader.region.core_to_read(words);
            let far = if number == 0 { 0..=AHEAD_SLOTS } else { number + AHEAD_SLOTS..=number + AHEAD_SLOTS };
            far.filter_map(|number| candidates.slot(number)).for_each(|head_at| core.prefetch_slot(head_at));
            if let Some(head_at) = candidates.slot(number + AHEAD_RECORDS) {
                core.prefetch_record(head_at, found.words.record_words());
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
        mut each: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord),
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
                let found = CopiedRecord { words: header.pack(), generation, ..CopiedRecord::EMPTY };
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
