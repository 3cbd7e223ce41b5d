//! Views of one generation.

use super::{Reader, list, reader};
use crate::{
    entry::Entry,
    error::{Error, Result},
    protocol::{
        Core, Fault,
        view::{Item, Point},
    },
};

/// The board at one generation: [`Reader::view`], [`Reader::view_at`]. Its answers stay the same as long as the generation is
/// in the history.
///
/// A view of the present is also of one instant. Entries whose time to live had passed at that instant are absent; the others
/// are present for the view's whole life. The generation was the newest at the instant, so a key that had a value all the time
/// is never absent, though its value was replaced just before its time to live was over. While others change the board
/// without a pause, so that the clock cannot be read between two changes in 16 attempts, the instant is just before the
/// generation: then the view may have entries whose time to live passed between the two, while the view was being made.
///
/// A view of a given generation looks at no clock: it has an entry until the generation of the entry's expire event.
///
/// A view keeps nothing in the history. When its generation leaves the history, reads return `Lagged`.
///
/// # Examples
/// ```
/// let session = slateboard::Board::local()?.attach("planner")?;
/// session.put("plan", "draft")?;
/// let view = session.view()?;
/// session.put("plan", "final")?;
/// assert_eq!(view.get("plan")?.unwrap().text(), Some("draft"));
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct View {
    pub(super) reader: Reader,
    pub(super) point: Point,
    /// When the view was created, in nanoseconds of `CLOCK_BOOTTIME`; `None` for a view that ignores deadlines.
    instant_ns: Option<u64>,
}

impl View {
    pub(super) fn new(reader: Reader, point: Point, instant_ns: Option<u64>) -> Self {
        Self { reader, point, instant_ns }
    }

    /// The view's generation.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let put = session.put("plan", "draft")?;
    /// assert_eq!(session.view()?.generation(), put.generation);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.point.generation
    }

    /// The key's entry at this generation; `None` if it had no value.
    ///
    /// # Errors
    /// `Lagged`; `InvalidKey`; `Corrupt`; `Moved`; `Forked`.
    ///
    /// # Examples
    /// See [`View`].
    pub fn get(&self, key: &str) -> Result<Option<Entry>> {
        let core = self.reader.core()?;
        let slot_key = reader::checked(&core, key)?;
        let found = self.told(&core, key, || core.get_at(&slot_key, self.point, self.reader.verify));
        self.reader.region.kept(found)
    }

    /// The entry of what `read` finds.
    fn told(
        &self,
        core: &Core<'_>,
        key: &str,
        read: impl FnOnce() -> std::result::Result<Option<Item>, Fault>,
    ) -> Result<Option<Entry>> {
        let item = read().map_err(|fault| self.gone(core, fault).on_key(key))?;
        let entry = item.map(|item| self.entry(core, item)).transpose()?.flatten();
        // A name entry belongs to its session as long as the records are in the history.
        core.still_there(self.point).map_err(|fault| self.gone(core, fault).on_key(key))?;
        Ok(entry)
    }

    /// Checks that the view's generation is still in the history.
    pub(super) fn is_there(&self, core: &Core<'_>) -> Result<()> {
        let outcome = core.still_there(self.point).map_err(|fault| self.gone(core, fault));
        self.reader.region.kept(outcome)
    }

    pub(super) fn gone(&self, core: &Core<'_>, fault: Fault) -> Error {
        self.reader.out_of_history(core, fault, self.generation())
    }

    /// Whether a deadline (0 for none) had passed when the view was created.
    pub(super) fn is_expired(&self, deadline_ns: u64) -> bool {
        deadline_ns != 0 && self.instant_ns.is_some_and(|instant_ns| deadline_ns <= instant_ns)
    }

    /// The item as an entry; `None` if its deadline had passed.
    fn entry(&self, core: &Core<'_>, item: Item) -> Result<Option<Entry>> {
        if self.is_expired(item.header.deadline) {
            return Ok(None);
        }
        let Item { key, value, header, generation } = item;
        Ok(Some(self.reader.entry(core, text(key)?, value, &header, generation)))
    }
}

/// How often a view of the present tries to read the clock between two looks that see the same generation.
const MOMENTS: u32 = 16;

/// The present as a point of the history and an instant. The generation was the newest when the clock was read, because a look
/// before that and one after it saw the same.
///
/// If the clock were read after the point alone, a reader that is paused in between would find a key absent that always had
/// a value: another value may replace an entry before its deadline, and the deadline may pass, all after the point. If it
/// were read before the point alone, an entry would be present beside changes that were made after its deadline.
///
/// A reader cannot make writers wait, and its calls end whatever they do. So after some attempts it takes the instant before
/// the last point. Then a key is still absent only if it had no value when the point was the newest: its record was over
/// at an earlier instant, and nothing had replaced it. What is lost is less: entries may be present whose
/// deadlines passed between the last two looks.
pub(super) fn one_moment(mut point: impl FnMut() -> Point, mut now_ns: impl FnMut() -> u64) -> (Point, u64) {
    let (mut before, mut attempt) = (point(), 1);
    loop {
        let instant_ns = now_ns();
        let after = point();
        if after.generation == before.generation || attempt == MOMENTS {
            return (after, instant_ns);
        }
        (before, attempt) = (after, attempt + 1);
    }
}

fn text(key: Vec<u8>) -> Result<String> {
    String::from_utf8(key).map_err(|_| list::not_text())
}

#[cfg(test)]
mod tests {
    use super::{MOMENTS, one_moment};
    use crate::Board;

    /// A view of the present beside so many changes, one of which happens at each look at the clock.
    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_view_s_generation_is_the_newest_at_its_instant_unless_changes_never_pause() {
        let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("viewer").unwrap();
        let core = session.reader().core().unwrap();
        for (changes, looks) in [(0, 1), (1, 2), (15, 16), (16, 16), (u64::MAX, 16)] {
            let (first, mut looked) = (core.newest(), 0);
            let (point, instant) = one_moment(
                || core.point(),
                || {
                    assert!(looked < u64::from(MOMENTS), "it goes on as long as the changes do");
                    if looked < changes {
                        session.put("key", "value").unwrap();
                    }
                    looked += 1;
                    looked
                },
            );
            let made = changes.min(looks);
            assert_eq!(
                (point.generation, instant, looked),
                (first + made, looks, looks),
                "{changes} changes"
            );
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_deadline_has_passed_at_its_own_instant() {
        let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("viewer").unwrap();
        let mut view = session.view().unwrap();
        for (instant, deadline, passed) in [
            (Some(5), 5, true),
            (Some(5), 6, false),
            (Some(5), 4, true),
            (Some(5), 0, false),
            (None, 4, false),
        ] {
            view.instant_ns = instant;
            assert_eq!(view.is_expired(deadline), passed, "{deadline} at {instant:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn an_entry_is_told_only_if_its_names_were_still_its_own() {
        let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("viewer").unwrap();
        session.put("task/1", "open").unwrap();
        let (view, core) = (session.view().unwrap(), session.reader().core().unwrap());
        let key = super::reader::checked(&core, "task/1").unwrap();
        let read = || core.get_at(&key, view.point, view.reader.verify);
        assert!(view.told(&core, "task/1", read).unwrap().is_some_and(|entry| entry.writer.name == "viewer"));
        let too_late = view.told(&core, "task/1", || {
            let item = read();
            while core.floor() <= view.generation() {
                session.put("busy", "").unwrap();
            }
            item
        });
        assert!(too_late.unwrap_err().is_lagged());
    }
}
