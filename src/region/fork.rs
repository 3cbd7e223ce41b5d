//! Tells whether a handle is still usable: it must be in the process that created it, and the board's file must still be
//! at its path.
//!
//! After `fork(2)` the child has all of the parent's handles, but none of its mappings of a region (`MADV_DONTFORK`),
//! none of its threads and none of its locks. A page with the advice `MADV_WIPEONFORK` tells parent and child apart: the
//! kernel replaces it by zeros in the child.
//!
//! The same word also records that the board has moved, once a check has found that. So every call needs only one load
//! to learn both.
//!
//! # Safety
//!
//! The only `unsafe` is one call of `madvise(2)`, on a page that this module has just mapped and to which no other
//! reference exists. The page is read through [`super::mapping`], like every other mapping.

use super::mapping::Words;
use crate::{
    error::{Error, Result},
    sync::{AtomicU64, Ordering},
};
use memmap2::{MmapMut, MmapRaw};
use rustix::mm::{Advice, madvise};

const PAGE_BYTES: usize = 4096;
/// The value in the process that created the page. A child finds 0.
const TOKEN: u64 = u64::from_le_bytes(*b"unforked");
/// The value after the board's file was found to be gone.
const GONE: u64 = u64::from_le_bytes(*b"gone\0\0\0\0");
/// The value after another file was found at the board's path.
const REPLACED: u64 = u64::from_le_bytes(*b"replaced");
/// The value after the board's file was found to be shorter than its mapping.
const CUT: u64 = u64::from_le_bytes(*b"cutshort");

/// Tells with one load whether this is a forked child, and whether the board has moved.
#[derive(Debug)]
pub struct ForkPage(Mark);

/// How a board moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// No file is at its path.
    Gone,
    /// Another file is at its path.
    Replaced,
    /// Its file is shorter than it was.
    Cut,
}

#[derive(Debug)]
enum Mark {
    Page(Words),
    /// For kernels before 4.14, and for Miri: compares the process id each time.
    Process(u32, AtomicU64),
}

impl ForkPage {
    /// Creates a mark of this process.
    ///
    /// # Errors
    /// `Io` if no page can be mapped.
    pub fn new() -> Result<Self> {
        let mark = match if cfg!(miri) { None } else { Self::page()? } {
            Some(page) => Mark::Page(page),
            None => Mark::Process(std::process::id(), AtomicU64::new(TOKEN)),
        };
        Ok(Self(mark))
    }

    /// Whether the handle is unusable, because this is a forked child or because the board has moved.
    #[inline]
    pub fn is_lost(&self) -> bool {
        match &self.0 {
            // Relaxed: the page was set before the fork, and fork orders everything before it. A move is always
            // noticed some time after it happened.
            Mark::Page(page) => page.get().first().is_none_or(|word| word.load(Ordering::Relaxed) != TOKEN),
            Mark::Process(id, word) => Self::is_another(*id) || word.load(Ordering::Relaxed) != TOKEN,
        }
    }

    /// Apart, so that callers of [`ForkPage::is_lost`] keep nothing ready for a call.
    #[cold]
    #[inline(never)]
    fn is_another(process: u32) -> bool {
        std::process::id() != process
    }

    /// Whether this is a child that was forked after the mark was created.
    pub fn in_child(&self) -> bool {
        match &self.0 {
            Mark::Page(_) => self.word().is_none_or(|word| word.load(Ordering::Relaxed) == 0),
            Mark::Process(id, _) => Self::is_another(*id),
        }
    }

    /// How the board moved, as recorded by [`ForkPage::note`]. `None` in a child.
    pub fn moved(&self) -> Option<Moved> {
        match self.word()?.load(Ordering::Relaxed) {
            GONE if !self.in_child() => Some(Moved::Gone),
            REPLACED if !self.in_child() => Some(Moved::Replaced),
            CUT if !self.in_child() => Some(Moved::Cut),
            _ => None,
        }
    }

    /// Records that the board has moved. A later record does not replace the first one. Does nothing in a child.
    pub fn note(&self, moved: Moved) {
        let value = match moved {
            Moved::Gone => GONE,
            Moved::Replaced => REPLACED,
            Moved::Cut => CUT,
        };
        if let Some(word) = self.word() {
            // Relaxed: the value publishes no other memory.
            let _ = word.compare_exchange(TOKEN, value, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The address of the word that [`ForkPage::note_cut`] takes. It is valid as long as this mark.
    #[cfg(feature = "signals")]
    pub(super) fn address(&self) -> Option<usize> {
        match &self.0 {
            Mark::Page(page) => page.get().first().map(|word| std::ptr::from_ref(word).expose_provenance()),
            Mark::Process(..) => None,
        }
    }

    /// As [`ForkPage::note`], in a signal handler.
    #[cfg(feature = "signals")]
    pub(super) fn note_cut(word: &AtomicU64) {
        // Release: whoever reads what was put in the place of the file's page, and then this word, finds the note.
        let _ = word.compare_exchange(TOKEN, CUT, Ordering::Release, Ordering::Relaxed);
    }

    fn word(&self) -> Option<&AtomicU64> {
        match &self.0 {
            Mark::Page(page) => page.get().first(),
            Mark::Process(_, word) => Some(word),
        }
    }

    fn page() -> Result<Option<Words>> {
        let page = MmapMut::map_anon(PAGE_BYTES)
            .map_err(|error| Error::io("the page that detects a fork could not be mapped", error))?;
        let page = MmapRaw::from(page);
        // SAFETY: the range is one private anonymous page that was mapped above and to which no reference exists. The
        // advice changes only what a later child finds in it.
        let advised = unsafe { madvise(page.as_mut_ptr().cast(), PAGE_BYTES, Advice::LinuxWipeOnFork) };
        if advised.is_err() {
            return Ok(None);
        }
        let page = Words::new(page);
        page.get().iter().take(1).for_each(|word| word.store(TOKEN, Ordering::Relaxed));
        Ok(Some(page))
    }
}

#[cfg(test)]
impl ForkPage {
    /// The mark of a parent, as a child has it that was made by a bare `clone`.
    pub(super) fn of_a_parent() -> Self {
        Self(Mark::Process(0, AtomicU64::new(TOKEN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_how_the_board_moved() {
        for moved in [Moved::Gone, Moved::Replaced, Moved::Cut] {
            let mark = ForkPage::new().unwrap();
            assert_eq!(mark.moved(), None);
            mark.note(moved);
            assert_eq!(mark.moved(), Some(moved));
        }
    }

    #[test]
    fn the_maker_is_not_a_child() {
        assert!(!ForkPage::new().unwrap().in_child());
    }

    #[test]
    fn the_fallback_compares_process_ids() {
        let process = |id| ForkPage(Mark::Process(id, AtomicU64::new(TOKEN)));
        assert!(!process(std::process::id()).is_lost() && !process(std::process::id()).in_child());
        assert!(process(0).in_child() && process(0).is_lost());
    }

    #[test]
    fn a_board_that_moved_is_lost_and_no_child() {
        let process = ForkPage(Mark::Process(std::process::id(), AtomicU64::new(TOKEN)));
        for page in [ForkPage::new().unwrap(), process] {
            assert!(!page.is_lost() && page.moved().is_none());
            page.note(Moved::Replaced);
            page.note(Moved::Gone);
            assert!(page.is_lost() && !page.in_child());
            assert_eq!(page.moved(), Some(Moved::Replaced), "the first note stays");
        }
    }
}
