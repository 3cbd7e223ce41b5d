//! The results of lists, and the description of damaged records.

use super::{Reader, Verify, index::Span};
use crate::{
    entry::Entry,
    error::{Error, ErrorKind, Result},
    protocol::{Core, Fault, survey::Damaged},
};
use std::{fmt, ops::RangeInclusive};

/// How many damaged records an error names.
const NAMED: usize = 8;

/// A whole list, and the damage that was found: [`List::whole`](super::List::whole), [`List::gather`](super::List::gather).
///
/// # Examples
/// ```
/// let session = slateboard::Board::local()?.attach("planner")?;
/// session.put("task/1", "open")?;
/// let listing = session.list("").keys().whole()?;
/// assert!(listing.exact && listing.damaged.is_empty());
/// assert_eq!(listing.entries, ["task/1"]);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Listing<T = Entry> {
    /// The entries in key order. No key occurs twice.
    pub entries: Vec<T>,
    /// The generation of an exact list. Otherwise the generation at its start: no entry is older than its key's entry was
    /// then.
    pub generation: u64,
    /// Whether the whole list is of one generation. If not, it contains every key that had a value during the whole list,
    /// and may contain keys that were created or removed meanwhile.
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

/// A damaged record. Other keys are not affected. The next put of its key repairs it.
///
/// # Examples
/// ```
/// let session = slateboard::Board::local()?.attach("planner")?;
/// for damage in session.soundness()?.damaged {
///     eprintln!("{:?}: {damage}", damage.key);
/// }
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Damage {
    /// The key, if it can still be read.
    pub key: Option<String>,
    /// The word of the region that holds the head of its slot, if the damage was found in a slot.
    pub slot: Option<u64>,
    /// The generation of its event, if the damage was found in the history.
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

    /// Whether the damage may concern a key of the span.
    pub(super) fn concerns(&self, span: &Span) -> bool {
        self.key.as_ref().is_none_or(|key| span.contains(key.as_bytes()))
    }

    /// Describes which record is damaged: by its key, or by its place.
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

/// Returns an error that names the damaged records, if there are any.
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

/// The result of reading every record: [`Reader::soundness`].
///
/// # Examples
/// See [`Reader::soundness`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Soundness {
    /// The number of keys whose newest record is sound.
    pub keys: u64,
    /// The number of events in the history that are sound, with what they superseded.
    pub events: u64,
    /// The damaged records, each key once.
    pub damaged: Vec<Damage>,
}

impl Reader {
    /// Reads every key and every event, and names the damaged records. This takes as long as hashing the contents of the board.
    ///
    /// # Errors
    /// Those of [`List::whole`](super::List::whole).
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
        let events = self.region.kept(strict.sound_events(&mut damaged))?;
        Ok(Soundness { keys: entries.len() as u64, events, damaged })
    }

    /// Reads every event, and adds the damaged ones whose keys are not in the list yet. Returns how many are sound.
    fn sound_events(&self, damaged: &mut Vec<Damage>) -> Result<u64> {
        let core = self.core()?;
        Ok(self.sound_events_until(&core, core.newest(), damaged))
    }

    /// The events until this one, which was the newest a moment ago. It was loaded before the floor, because the history may lap
    /// between the two loads.
    fn sound_events_until(&self, core: &Core<'_>, newest: u64, damaged: &mut Vec<Damage>) -> u64 {
        let floor = core.floor();
        if newest.saturating_sub(floor) > core.geometry().history() || floor > core.generation() {
            damaged.push(Damage { key: None, slot: None, generation: Some(newest), what: COUNTERS });
            return 0;
        }
        self.sound_among(core, floor.saturating_add(1)..=newest, damaged)
    }

    fn sound_among(&self, core: &Core<'_>, events: RangeInclusive<u64>, damaged: &mut Vec<Damage>) -> u64 {
        let mut sound = 0;
        for generation in events {
            match core.event(generation, self.verify, |_| true) {
                Ok(_) => sound += 1,
                Err(Fault::Corrupt(what)) => {
                    let found = Damage::of_event(core, generation, what);
                    let known = |other: &Damage| other.key.is_some() && other.key == found.key;
                    if !damaged.iter().any(known) {
                        damaged.push(found);
                    }
                }
                // The event left the history meanwhile.
                Err(_) => {}
            }
        }
        sound
    }
}

const COUNTERS: &str = "the generation counter or the floor";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_counts_the_damaged_records_and_names_some() {
        let damaged: Vec<_> = (0..11).map(|n| Damage::of_key(&format!("task/{n}"), "a checksum")).collect();
        assert!(sound(&[]).is_ok());
        assert!(sound(&damaged[..1]).unwrap_err().to_string().contains("task/0"));
        let all = sound(&damaged[..NAMED]).unwrap_err().to_string();
        assert!(all.contains("8 records") && all.contains("\"task/7\"") && !all.contains("more"), "{all}");
        let some = sound(&damaged).unwrap_err().to_string();
        assert!(some.contains("11 records") && some.contains("\"task/7\", 3 more"), "{some}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn events_that_leave_the_history_meanwhile_are_no_damage() {
        let options = crate::Board::options().capacity(1 << 20).keys(64).history(64);
        let session =
            options.beat(std::time::Duration::from_secs(3600)).local().unwrap().attach("writer").unwrap();
        let puts = |count| {
            for _ in 0..count {
                session.put("key", "").unwrap();
            }
        };
        puts(70);
        let (reader, core) = (session.reader(), session.reader().core().unwrap());
        let mut damaged = Vec::new();
        // A walk that began when the floor was lower.
        let sound = reader.sound_among(&core, core.floor() - 1..=70, &mut damaged);
        assert_eq!((sound, damaged.len()), (70 - core.floor(), 0));
        // A reader that is paused after it loaded the newest generation.
        puts(10);
        assert_eq!(reader.sound_events_until(&core, 70, &mut damaged), 70 - core.floor());
        puts(200);
        assert_eq!((reader.sound_events_until(&core, 70, &mut damaged), damaged.len()), (0, 0));
        // What cannot be is damage: more events than the history has, and a floor that nothing has reached.
        core_words(&session)[crate::layout::header::FLOOR].store(281, crate::sync::Ordering::Relaxed);
        assert_eq!((reader.sound_events_until(&core, 280, &mut damaged), damaged.len()), (0, 1));
        core_words(&session)[crate::layout::header::FLOOR].store(0, crate::sync::Ordering::Relaxed);
        assert_eq!((reader.sound_events_until(&core, 280, &mut damaged), damaged.len()), (0, 2));
    }

    fn core_words(session: &crate::Session) -> &[crate::sync::AtomicU64] {
        session.reader().region.words().unwrap()
    }
}
