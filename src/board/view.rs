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
/// are present for the view's whole life. A view of a given generation looks at no clock: it has an entry until the
/// generation of the entry's expire event.
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
        let item = core
            .get_at(&slot_key, self.point, self.reader.verify)
            .map_err(|fault| self.gone(&core, fault).on_key(key))?;
        let entry = item.map(|item| self.entry(&core, item)).transpose()?.flatten();
        // A name entry belongs to its session as long as the records are in the history.
        core.still_there(self.point).map_err(|fault| self.gone(&core, fault).on_key(key))?;
        Ok(entry)
    }

    /// Checks that the view's generation is still in the history.
    pub(super) fn is_there(&self, core: &Core<'_>) -> Result<()> {
        core.still_there(self.point).map_err(|fault| self.gone(core, fault))
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

fn text(key: Vec<u8>) -> Result<String> {
    String::from_utf8(key).map_err(|_| list::not_text())
}

#[cfg(test)]
mod tests {
    use crate::Board;

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
}
