//! What lists come to, and what is said of damaged records.

use super::{Reader, Verify, index::Span};
use crate::{
    entry::Entry,
    error::{Error, ErrorKind, Result},
    protocol::{Core, Fault, survey::Damaged},
};
use std::fmt;

/// Damaged records that an error names.
const NAMED: usize = 8;

/// A whole list, with what is not as it should be: [`List::whole`](super::List::whole), [`List::gather`](super::List::gather).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Listing<T = Entry> {
    /// The entries, in key order, no key twice.
    pub entries: Vec<T>,
    /// The generation of an exact list. Otherwise the generation at its beginning: no entry is older than its key's entry was
    /// then.
    pub generation: u64,
    /// Whether all of it is of one generation. If not, every key that had a value during the whole list is there, and keys that
    /// were created or removed meanwhile may be there.
    pub exact: bool,
    /// The damaged records, which are left out of the entries.
    pub damaged: Vec<Damage>,
}

impl<T> Listing<T> {
    /// The entries, if no record is damaged.
    ///
    /// # Errors
    /// `Corrupt`, which names the damaged records.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert_eq!(session.list("").keys().whole()?.into_sound()?, ["plan"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
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

    /// Whether it may be damage of a key of the span.
    pub(super) fn concerns(&self, span: &Span) -> bool {
        self.key.as_ref().is_none_or(|key| span.contains(key.as_bytes()))
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
    /// Reads every key and every event, and names the damaged records. This takes as long as hashing the contents of the board.
    ///
    /// # Errors
    /// As [`List::whole`](super::List::whole).
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// let found = session.soundness()?;
    /// assert_eq!((found.keys, found.events, found.damaged.len()), (1, 1, 0));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn soundness(&self) -> Result<Soundness> {
        let strict = Self { verify: Verify::Always, ..self.clone() };
        let Listing { entries, mut damaged, .. } = strict.list("").keys().whole()?;
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
}

const COUNTERS: &str = "the generation counter or the floor";
