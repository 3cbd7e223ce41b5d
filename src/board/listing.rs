//! Lists that tell what can be told: also where the history goes by too fast for one generation, and where records
//! are damaged.

use super::{Meta, Reader, Verify, View, reader};
use crate::{
    entry::Entry,
    error::{Error, ErrorKind, Result},
    protocol::{Core, Fault, read::CopiedRecord, survey::Damaged},
};
use std::{collections::BTreeMap, fmt};

/// Lists of one generation that are tried before one that is not. The first of a handle goes without an index, the second
/// makes it.
const EXACT_ATTEMPTS: u32 = 4;
/// Damaged records that an error names.
const NAMED: usize = 8;

/// What a list came to: [`Reader::list_whole`], [`Reader::gather`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Listing<T = Entry> {
    /// The entries, in key order, no key twice.
    pub entries: Vec<T>,
    /// Of an exact list, the generation of all of it. Otherwise that of its beginning: no entry is older than what its
    /// key had then.
    pub generation: u64,
    /// Whether all of it is of one generation. Where it is not, every key that had a value all the while is there, and
    /// keys that were created or removed meanwhile may or may not be.
    pub exact: bool,
    /// Records that are damaged, and left out.
    pub damaged: Vec<Damage>,
}

impl<T> Listing<T> {
    /// The entries, where none is damaged.
    ///
    /// # Errors
    /// `Corrupt`, which names the damaged records.
    pub fn into_sound(self) -> Result<Vec<T>> {
        sound(&self.damaged).map(|()| self.entries)
    }
}

/// A record that cannot be read as it is. It takes nothing from other keys; the next put of its key heals that.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Damage {
    /// Its key, where that can still be read.
    pub key: Option<String>,
    /// Word of the region where the head of its slot is, where it was met in a slot.
    pub slot: Option<u64>,
    /// The generation of its event, where it was met in the history.
    pub generation: Option<u64>,
    /// What is invalid.
    pub what: &'static str,
}

impl Damage {
    pub(super) fn of_key(key: &str, what: &'static str) -> Self {
        Self { key: Some(key.to_owned()), slot: None, generation: None, what }
    }

    pub(super) fn of_event(core: &Core<'_>, generation: u64, what: &'static str) -> Self {
        let key = core.event_key(generation).and_then(|key| String::from_utf8(key).ok());
        Self { key, slot: None, generation: Some(generation), what }
    }

    /// Which record it is: its key, or where it stands.
    fn place(&self) -> String {
        match (&self.key, self.generation, self.slot) {
            (Some(key), ..) => format!("{:?}", key.chars().take(128).collect::<String>()),
            (None, Some(generation), _) => format!("that of event {generation}"),
            (None, None, Some(slot)) => format!("that of the slot at word {slot}"),
            (None, None, None) => "those behind a damaged link".to_owned(),
        }
    }

    pub(super) fn error(&self) -> Error {
        let Self { key, slot, generation, what } = self;
        let text = match (key, generation, slot) {
            (_, Some(generation), _) => format!("event {generation} is corrupt: {what} is invalid"),
            (None, None, Some(slot)) => format!("the slot at word {slot} is corrupt: {what} is invalid"),
            _ => format!("the record is corrupt: {what} is invalid"),
        };
        let error = Error::new(ErrorKind::Corrupt, text).hint(
            "put the key again; other keys are not affected, unless another program writes to the board",
        );
        match key {
            Some(key) => error.on_key(key),
            None => error,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error())
    }
}

impl Damage {
    pub(super) fn of(damaged: Damaged) -> Self {
        let Damaged { what, key, slot } = damaged;
        let key = key.and_then(|key| String::from_utf8(key).ok());
        Self { key, slot: slot.map(|slot| slot as u64), generation: None, what }
    }
}

/// An error that names the damaged records, where there are any.
pub(super) fn sound(damaged: &[Damage]) -> Result<()> {
    match damaged {
        [] => Ok(()),
        [one] => Err(one.error()),
        all => {
            let mut names: Vec<String> = all.iter().take(NAMED).map(Damage::place).collect();
            if all.len() > NAMED {
                names.push(format!("{} more", all.len() - NAMED));
            }
            let text = format!("{} records are damaged: {}", all.len(), names.join(", "));
            Err(Error::new(ErrorKind::Corrupt, text)
                .hint("put their keys again; other keys are not affected"))
        }
    }
}

/// What a look at every record found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Soundness {
    /// Keys whose newest record is sound.
    pub keys: u64,
    /// Events of the history that are sound, with what they superseded.
    pub events: u64,
    /// What is damaged, each key once.
    pub damaged: Vec<Damage>,
}

impl Reader {
    /// The entries whose keys start with the prefix, whatever can be told of them: all of one generation where the history
    /// holds it long enough, otherwise each as the present has it when it is read; the sound ones where others are
    /// damaged. The result says which it is.
    ///
    /// # Errors
    /// `Contended` where one key changed so fast that it could not be read; `Moved`; `Forked`.
    pub fn list_whole(&self, prefix: &str) -> Result<Listing> {
        self.gather_by(prefix, true, |core, key, value, found| self.listed(core, key, value, found))
    }

    /// As [`Reader::list_whole`], of the keys alone, for less memory.
    ///
    /// # Errors
    /// As [`Reader::list_whole`].
    pub fn keys_whole(&self, prefix: &str) -> Result<Listing<String>> {
        self.gather_by(prefix, false, |_, key, _, _| key.to_owned())
    }

    /// As [`Reader::list_whole`], of what `make` makes of each key, value and the rest. It may be called more than once for
    /// a key.
    ///
    /// # Errors
    /// As [`Reader::list_whole`].
    pub fn gather<T>(
        &self,
        prefix: &str,
        mut make: impl FnMut(&str, &[u8], &Meta) -> T,
    ) -> Result<Listing<T>> {
        self.gather_by(prefix, true, |_, key, value, found| make(key, value, &reader::meta(found)))
    }

    fn gather_by<T>(
        &self,
        prefix: &str,
        values: bool,
        mut make: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord) -> T,
    ) -> Result<Listing<T>> {
        for _ in 0..EXACT_ATTEMPTS {
            match self.view()?.gather_by(prefix, values, &mut make) {
                Err(error) if error.is_lagged() => {}
                other => return other,
            }
        }
        self.gather_present(prefix, make)
    }

    /// Reads every key of the prefix by a read of its own.
    fn gather_present<T>(
        &self,
        prefix: &str,
        mut make: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord) -> T,
    ) -> Result<Listing<T>> {
        let core = self.core()?;
        let generation = core.newest();
        let (mut keys, mut damaged) = (Vec::new(), Vec::new());
        let walked = core.present_keys(prefix, |key| match key {
            Ok(key) => keys.extend(String::from_utf8(key.to_vec())),
            Err(found) => damaged.push(Damage::of(found)),
        });
        walked.map_err(super::fault::error)?;
        let (mut value, mut found) = (Vec::new(), CopiedRecord::EMPTY);
        let mut entries = BTreeMap::new();
        for key in keys {
            // Anew for each: what was called before may have forked.
            let core = self.core()?;
            match self.read(&core, &reader::checked(&core, &key)?, None, &mut found, &mut value) {
                Ok(true) => {
                    let entry = make(&core, &key, &value, &found);
                    entries.insert(key, entry);
                }
                Ok(false) => {}
                Err(error) if error.is_corrupt() => damaged.push(Damage::of_key(&key, RECORD)),
                Err(error) => return Err(error.on_key(&key)),
            }
        }
        Ok(Listing { entries: entries.into_values().collect(), generation, exact: false, damaged })
    }

    /// Reads every key and every event, and tells which records are damaged. Takes as long as hashing everything that
    /// the board holds.
    ///
    /// # Errors
    /// As [`Reader::list_whole`].
    pub fn soundness(&self) -> Result<Soundness> {
        let strict = Self { verify: Verify::Always, ..self.clone() };
        let Listing { entries, mut damaged, .. } = strict.gather_by("", false, |_, _, _, _| ())?;
        let events = strict.sound_events(&mut damaged)?;
        Ok(Soundness { keys: entries.len() as u64, events, damaged })
    }

    /// Reads every event, and adds the damaged ones whose keys are not named yet. How many are sound.
    fn sound_events(&self, damaged: &mut Vec<Damage>) -> Result<u64> {
        let core = self.core()?;
        let (mut next, newest) = (core.floor() + 1, core.newest());
        let mut sound = 0;
        if newest.saturating_sub(next) > core.geometry().history() || next > newest + 1 {
            damaged.push(Damage { key: None, slot: None, generation: Some(newest), what: COUNTERS });
            return Ok(0);
        }
        while next <= newest {
            match core.event(next, self.verify, |_| true) {
                Ok(_) => sound += 1,
                Err(Fault::Corrupt(what)) => {
                    let found = Damage::of_event(&core, next, what);
                    let known = |other: &Damage| other.key.is_some() && other.key == found.key;
                    if !damaged.iter().any(known) {
                        damaged.push(found);
                    }
                }
                // Let go meanwhile.
                Err(_) => next = next.max(core.floor()),
            }
            next += 1;
        }
        Ok(sound)
    }

    fn listed(&self, core: &Core<'_>, key: &str, value: &[u8], found: &CopiedRecord) -> Entry {
        self.entry(core, key.to_owned(), value.to_vec(), &found.header(), found.generation)
    }
}

impl View {
    /// The entries whose keys start with the prefix, in key order, without those that are damaged, which are named.
    ///
    /// # Errors
    /// `Lagged`; `Moved`; `Forked`.
    pub fn list_whole(&self, prefix: &str) -> Result<Listing> {
        self.gather_by(prefix, true, |core, key, value, found| self.reader.listed(core, key, value, found))
    }

    /// As [`View::list_whole`], of the keys alone, for less memory.
    ///
    /// # Errors
    /// As [`View::list_whole`].
    pub fn keys_whole(&self, prefix: &str) -> Result<Listing<String>> {
        self.gather_by(prefix, false, |_, key, _, _| key.to_owned())
    }

    /// As [`View::list_whole`], of what `make` makes of each key, value and the rest.
    ///
    /// # Errors
    /// As [`View::list_whole`].
    pub fn gather<T>(
        &self,
        prefix: &str,
        mut make: impl FnMut(&str, &[u8], &Meta) -> T,
    ) -> Result<Listing<T>> {
        self.gather_by(prefix, true, |_, key, value, found| make(key, value, &reader::meta(found)))
    }

    fn gather_by<T>(
        &self,
        prefix: &str,
        values: bool,
        mut make: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord) -> T,
    ) -> Result<Listing<T>> {
        let (mut entries, mut damaged) = (Vec::new(), Vec::new());
        self.visit(prefix, values, &mut damaged, |core, key, value, found| {
            entries.push(make(core, key, value, found));
        })?;
        Ok(Listing { entries, generation: self.generation(), exact: true, damaged })
    }
}

const RECORD: &str = "its newest record";
const COUNTERS: &str = "the generation counter or the floor";
