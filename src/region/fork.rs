//! Whether this process is still the one that made a handle.
//!
//! After `fork(2)` the child has none of the parent's mappings of a region (`MADV_DONTFORK`), none of its
//! threads and none of its locks, yet all of its handles. A page under `MADV_WIPEONFORK` tells the two apart:
//! the kernel gives the child zeros in its place.
//!
//! # Safety
//!
//! One call of `madvise(2)`, on a page that this module has just mapped and that nothing else knows. The
//! page is read through [`super::mapping`], like every other.

use super::mapping::Words;
use crate::{
    error::{Error, Result},
    sync::Ordering,
};
use memmap2::{MmapMut, MmapRaw};
use rustix::mm::{Advice, madvise};

const PAGE_BYTES: usize = 4096;
/// Any value but the zero that the child finds.
const TOKEN: u64 = u64::from_le_bytes(*b"unforked");

/// Tells the process that made it from a forked child, at the price of one load.
#[derive(Debug)]
pub struct ForkPage(Mark);

#[derive(Debug)]
enum Mark {
    Page(Words),
    /// Kernels before 4.14, and Miri: asks for the process id each time.
    Process(u32),
}

impl ForkPage {
    /// A mark of this process.
    ///
    /// # Errors
    /// `Io` where no page can be mapped.
    pub fn new() -> Result<Self> {
        let mark = match if cfg!(miri) { None } else { Self::page()? } {
            Some(page) => Mark::Page(page),
            None => Mark::Process(std::process::id()),
        };
        Ok(Self(mark))
    }

    /// Whether this is a child that was forked after the mark was made.
    #[inline]
    pub fn in_child(&self) -> bool {
        match &self.0 {
            // Relaxed: the page was set before the fork, and fork orders everything before it.
            Mark::Page(page) => page.get().first().is_none_or(|word| word.load(Ordering::Relaxed) != TOKEN),
            Mark::Process(id) => std::process::id() != *id,
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
        assert!(!ForkPage(Mark::Process(std::process::id())).in_child());
        assert!(ForkPage(Mark::Process(0)).in_child());
    }
}
