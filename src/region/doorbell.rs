//! The doorbell: one wake flag for each counter that can be slept on, in a small file of its own.
//!
//! Waiters store to it, so it is not part of the region, which they may have mapped for reading only. It holds
//! no state that matters: a lost flag delays a sleeper until its sleep ends.

use super::{
    create::{absolute, publish},
    locks::beside,
    mapping::{Mapping, WORD_BYTES, reserve},
    refusal::Refusal,
    validate,
};
use crate::{
    error::{ErrorKind, Result},
    layout::shape::DEDICATED_MAX,
    sync::AtomicU64,
};
use std::path::Path;

/// What the doorbell's name adds to the region's.
pub const BELL_SUFFIX: &str = ".bell";
/// Words from one flag to the next: each has a cache line of its own.
pub const STRIDE: usize = 8;
/// Counters of the largest board: its own, and each shard's.
const COUNTERS_MAX: usize = 1 + DEDICATED_MAX + 64;
const PAGE_BYTES: u64 = 4096;

/// The flags of a board. Flag 0 is the board's, flag `1 + s` that of shard `s`; 0 is *nobody sleeps*.
#[derive(Debug)]
pub struct Doorbell {
    mapping: Mapping,
}

impl Doorbell {
    /// Opens the doorbell beside a region, and makes it if it is missing, for a board with so many counters
    /// (its own and each shard's).
    ///
    /// # Errors
    /// `Refused` or `Corrupt` where the file is none of ours or too small; `Full`; `Io`.
    pub fn open_or_create(region_path: &Path, counters: usize) -> Result<Self> {
        match Self::open(region_path, counters) {
            Err(error) if error.is_not_found() => {}
            outcome => return outcome,
        }
        match Self::create(region_path, counters) {
            Err(error) if error.kind() == ErrorKind::Exists => Self::open(region_path, counters),
            outcome => outcome,
        }
    }

    /// The doorbell, if there is one and this process may store to it. Without, a waiter polls.
    pub fn try_open(region_path: &Path, counters: usize) -> Option<Self> {
        Self::open(region_path, counters).ok()
    }

    /// All words: flag `i` is word `i *` [`STRIDE`]. Empty in a forked child.
    #[inline]
    pub fn flags(&self) -> &[AtomicU64] {
        self.mapping.words()
    }

    fn open(region_path: &Path, counters: usize) -> Result<Self> {
        let path = beside(&absolute(region_path)?, BELL_SUFFIX);
        let file = validate::open_existing(&path, true)?;
        let found = u64::try_from(validate::check_file(&file, &path)?.st_size).unwrap_or(0);
        let expected = len_bytes(counters);
        if found < expected {
            return Err(Refusal::Size { expected, found }.at(&path));
        }
        let mapping = Mapping::of_file(&file, true).map_err(|error| error.at_path(&path))?;
        Ok(Self { mapping })
    }

    fn create(region_path: &Path, counters: usize) -> Result<Self> {
        let path = beside(&absolute(region_path)?, BELL_SUFFIX);
        // Large enough for any board: the file outlives a region whose path it serves, and is never replaced.
        let len_bytes = len_bytes(counters.max(COUNTERS_MAX));
        let mapping = publish(&path, len_bytes, |file, _| {
            reserve(&file, len_bytes, 0..(len_bytes as usize / WORD_BYTES))?;
            Mapping::of_file(&file, true)
        })?;
        Ok(Self { mapping })
    }
}

/// Bytes of a doorbell of so many counters, in whole pages.
fn len_bytes(counters: usize) -> u64 {
    let bytes = (counters as u64).saturating_mul((STRIDE * WORD_BYTES) as u64);
    bytes.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX).max(PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Ordering;

    #[test]
    fn a_doorbell_has_whole_pages() {
        assert_eq!((len_bytes(0), len_bytes(64), len_bytes(65)), (4096, 4096, 8192));
        assert!(len_bytes(usize::MAX) > 1 << 60);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn all_openers_share_flags_that_only_the_first_makes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        assert!(Doorbell::try_open(&path, 3).is_none());
        let first = Doorbell::open_or_create(&path, 3).unwrap();
        first.flags()[2 * STRIDE].store(1, Ordering::Relaxed);
        let second = Doorbell::open_or_create(&path, 73).unwrap();
        assert_eq!(second.flags()[2 * STRIDE].load(Ordering::Relaxed), 1);
        assert!(second.flags().len() > 72 * STRIDE);
        assert!(Doorbell::try_open(&path, 3).is_some());
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn a_foreign_file_is_no_doorbell() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        std::fs::create_dir(folder.path().join("board.bell")).unwrap();
        assert_eq!(Doorbell::open_or_create(&path, 1).unwrap_err().kind(), ErrorKind::Refused);
    }
}
