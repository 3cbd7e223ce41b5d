//! The doorbell: a small file with one wake flag for each counter that a waiter can sleep on.
//!
//! Waiters store to the flags. The flags are not part of the region, because waiters may have mapped it read-only. The
//! doorbell holds no essential state: a lost flag only delays a sleeper until its sleep times out.

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

/// The suffix that the doorbell's name adds to the region's name.
pub const BELL_SUFFIX: &str = ".bell";
/// The number of words from one flag to the next. Each flag has a cache line of its own.
pub const STRIDE: usize = 8;
/// The number of counters of the largest board: its own and one for each shard.
const COUNTERS_MAX: usize = 1 + DEDICATED_MAX + 64;
const PAGE_BYTES: u64 = 4096;

/// The flags of a board. Flag 0 belongs to the board's counter, flag `1 + s` to the counter of shard `s`. The value 0
/// means that nobody sleeps.
#[derive(Debug)]
pub struct Doorbell {
    mapping: Mapping,
}

impl Doorbell {
    /// Opens the doorbell beside a region, or creates it if it is missing. The board has `counters` counters: its own and
    /// one for each shard.
    ///
    /// # Errors
    /// `Refused` if the file is not a board's file; `Corrupt` if it is too small; `Full`; `Io`.
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

    /// Opens the doorbell, if it exists and this process may store to it. Without a doorbell, a waiter polls.
    pub fn try_open(region_path: &Path, counters: usize) -> Option<Self> {
        Self::open(region_path, counters).ok()
    }

    /// All words. Flag `i` is word `i *` [`STRIDE`]. The slice is empty in a forked child.
    #[inline]
    pub fn flags(&self) -> &[AtomicU64] {
        self.mapping.words()
    }

    /// Whether an access found that the file had been cut short.
    pub fn is_cut(&self) -> bool {
        self.mapping.moved().is_some()
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
        // The file is large enough for any board, because it outlives its region and is never replaced.
        let len_bytes = len_bytes(counters.max(COUNTERS_MAX));
        let mapping = publish(&path, len_bytes, |file, _| {
            reserve(&file, len_bytes, 0..(len_bytes as usize / WORD_BYTES))?;
            Mapping::of_file(&file, true)
        })?;
        Ok(Self { mapping })
    }
}

/// The size in bytes of a doorbell with this number of counters, rounded up to whole pages.
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
    fn a_doorbell_without_a_flag_for_each_counter_or_with_rights_for_others_is_refused() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let (path, bell) = (folder.path().join("board"), folder.path().join("board.bell"));
        fs::write(&bell, [0; 4096]).unwrap();
        let set_mode = |mode| fs::set_permissions(&bell, fs::Permissions::from_mode(mode)).unwrap();
        set_mode(0o600);
        assert!(Doorbell::open_or_create(&path, 64).is_ok());
        assert_eq!(Doorbell::open_or_create(&path, 65).unwrap_err().kind(), ErrorKind::Corrupt);
        set_mode(0o622);
        assert_eq!(Doorbell::open_or_create(&path, 64).unwrap_err().kind(), ErrorKind::Refused);
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
