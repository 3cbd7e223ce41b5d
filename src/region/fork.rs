//! Whether a handle is still good: in the process that made it, and of a file that is still at its path.
//!
//! After `fork(2)` the child has none of the parent's mappings of a region (`MADV_DONTFORK`), none of its
//! threads and none of its locks, yet all of its handles. A page under `MADV_WIPEONFORK` tells the two apart:
//! the kernel gives the child zeros in its place.
//!
//! The same word says that the board has moved, once somebody has looked and found that. So what every call asks
//! anyway, with one load, answers both.
//!
//! # Safety
//!
//! One call of `madvise(2)`, on a page that this module has just mapped and that nothing else knows. The
//! page is read through [`super::mapping`], like every other.

use super::mapping::Words;
use crate::{
    error::{Error, Result},
    sync::{AtomicU64, Ordering},
};
use memmap2::{MmapMut, MmapRaw};
use rustix::mm::{Advice, madvise};

const PAGE_BYTES: usize = 4096;
/// Any value but the zero that the child finds.
const TOKEN: u64 = u64::from_le_bytes(*b"unforked");
/// The board's file is gone.
const GONE: u64 = u64::from_le_bytes(*b"gone\0\0\0\0");
/// Another file is at its path.
const REPLACED: u64 = u64::from_le_bytes(*b"replaced");

/// Tells the process that made it from a forked child, and a board that stands from one that moved, at the price of
/// one load.
#[derive(Debug)]
pub struct ForkPage(Mark);

/// How a board moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// Nothing is at its path.
    Gone,
    /// Another file is.
    Replaced,
}

#[derive(Debug)]
enum Mark {
    Page(Words),
    /// Kernels before 4.14, and Miri: asks for the process id each time.
    Process(u32, AtomicU64),
}

impl ForkPage {
    /// A mark of this process.
    ///
    /// # Errors
    /// `Io` where no page can be mapped.
    pub fn new() -> Result<Self> {
        let mark = match if cfg!(miri) { None } else { Self::page()? } {
            Some(page) => Mark::Page(page),
            None => Mark::Process(std::process::id(), AtomicU64::new(TOKEN)),
        };
        Ok(Self(mark))
    }

    /// Whether the handle is of no use any more: in a forked child, or because the board moved.
    #[inline]
    pub fn is_lost(&self) -> bool {
        match &self.0 {
            // Relaxed: the page was set before the fork, and fork orders everything before it. A move is noticed
            // some time after it happened anyway.
            Mark::Page(page) => page.get().first().is_none_or(|word| word.load(Ordering::Relaxed) != TOKEN),
            Mark::Process(id, word) => std::process::id() != *id || word.load(Ordering::Relaxed) != TOKEN,
        }
    }

    /// Whether this is a child that was forked after the mark was made.
    pub fn in_child(&self) -> bool {
        match &self.0 {
            Mark::Page(_) => self.word().is_none_or(|word| word.load(Ordering::Relaxed) == 0),
            Mark::Process(id, _) => std::process::id() != *id,
        }
    }

    /// How the board moved, as [`ForkPage::note`] was told; `None` in a child.
    pub fn moved(&self) -> Option<Moved> {
        match self.word()?.load(Ordering::Relaxed) {
            GONE if !self.in_child() => Some(Moved::Gone),
            REPLACED if !self.in_child() => Some(Moved::Replaced),
            _ => None,
        }
    }

    /// Notes that the board moved. The first note stays; nothing in a child.
    pub fn note(&self, moved: Moved) {
        let value = match moved {
            Moved::Gone => GONE,
            Moved::Replaced => REPLACED,
        };
        if let Some(word) = self.word() {
            // Relaxed: the note carries nothing but itself.
            let _ = word.compare_exchange(TOKEN, value, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn word(&self) -> Option<&AtomicU64> {
        match &self.0 {
            Mark::Page(page) => page.get().first(),
            Mark::Process(_, word) => Some(word),
        }
    }

    fn page() -> Result<Option<Words>> {
        let page = MmapMut::map_anon(PAGE_BYTES)
            .map_err(|error| Error::io("a page that tells a forked child could not be mapped", error))?;
        let page = MmapRaw::from(page);
        // SAFETY: the range is one private anonymous page that was mapped on the line above and to which no
        // reference exists; the advice changes only what a later child finds in it.
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
mod tests {
    use super::*;

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
