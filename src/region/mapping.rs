//! A mapping becomes a slice of 64-bit atomic words, here and nowhere else.
//!
//! # Safety
//!
//! `Words::get` is the only place of the crate where memory of another origin becomes a reference. It rests
//! on this:
//!
//! - *Layout.* `AtomicU64` has the size, the alignment and the bit validity of `u64` (asserted below); a
//!   mapping starts on a page, hence aligned; every bit pattern is a word.
//! - *Sharing.* Other processes change the words at any time. They do so, as we do, by atomic accesses of whole
//!   words, and `AtomicU64` allows change through a shared reference. Nobody makes a `&mut`, and nobody makes
//!   a reference of another type to these bytes.
//! - *Lifetime.* The mapping is unmapped by the drop of its owner, which the borrow outlives never. A forked
//!   child does not have it (`MADV_DONTFORK`), so [`Mapping::words`] is empty there.
//! - *End.* The length is the file's at the time of mapping, and this crate never shortens a region. A foreign
//!   process that does so ends the next access with `SIGBUS`: a crash, not undefined behaviour.
//! - *Read-only mappings.* The language guarantees relaxed loads of words on read-only memory and nothing
//!   more, so readers do relaxed loads followed by an acquire fence. A store would end the process with
//!   `SIGSEGV`: whoever opened the file read-only makes none.

use super::fork::{ForkPage, Moved};
use crate::{
    error::{Error, ErrorKind, Result},
    sync::AtomicU64,
};
use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};
use std::{fs::File, mem, ops::Range};

const _: () = assert!(size_of::<AtomicU64>() == 8 && align_of::<AtomicU64>() == 8);

/// Bytes of a word.
pub const WORD_BYTES: usize = 8;
const PAGE_BYTES: u64 = 4096;
/// A signal that comes again and again may interrupt a reservation this often.
const INTERRUPTIONS_MAX: usize = 1000;

/// A mapping as words. Unmapped at drop.
#[derive(Debug)]
pub(super) struct Words(MmapRaw);

impl Words {
    pub(super) fn new(map: MmapRaw) -> Self {
        Self(map)
    }

    #[inline]
    pub(super) fn get(&self) -> &[AtomicU64] {
        // SAFETY: memmap2 guarantees that the mapping is aligned to a page and `len` bytes long while `self`
        // lives; the module's text says why its bytes may be shared as atomic words.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() / WORD_BYTES) }
    }
}

/// The words of a region, of a doorbell, or of a board that only this process has.
#[derive(Debug)]
pub struct Mapping {
    source: Source,
    fork: ForkPage,
}

#[derive(Debug)]
enum Source {
    Shared(Words),
    Private(Box<[AtomicU64]>),
}

impl Mapping {
    /// Maps the whole file, shared: for reading and writing, or for reading only.
    ///
    /// # Errors
    /// `Io` where the kernel refuses, for example when address space is short.
    pub fn of_file(file: &File, writable: bool) -> Result<Self> {
        let failed = |error| Error::io("the file could not be mapped", error);
        let options = MmapOptions::new();
        let map = if writable { options.map_raw(file) } else { options.map_raw_read_only(file) };
        let map = map.map_err(failed)?;
        map.advise(Advice::DontFork).map_err(failed)?;
        Ok(Self { fork: ForkPage::new()?, source: Source::Shared(Words::new(map)) })
    }

    /// So many words of zeros that no other process sees: for local boards, tests and Miri.
    ///
    /// # Errors
    /// `Full` where memory is short.
    pub fn anonymous(words: usize) -> Result<Self> {
        let mut memory: Vec<AtomicU64> = Vec::new();
        memory.try_reserve_exact(words).map_err(|error| {
            Error::new(ErrorKind::Full, format!("no memory for {words} words"))
                .hint("choose a smaller capacity")
                .caused_by(error)
        })?;
        memory.resize_with(words, AtomicU64::default);
        Ok(Self { fork: ForkPage::new()?, source: Source::Private(memory.into_boxed_slice()) })
    }

    /// All words. Empty in a forked child, which has no mapping, and when the board has moved. On a mapping for
    /// reading only, only relaxed loads are allowed.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        match &self.source {
            _ if self.fork.is_lost() => &[],
            Source::Shared(words) => words.get(),
            Source::Private(words) => words,
        }
    }

    /// All words, also when the board has moved: for waking those who sleep on them. Empty in a forked child.
    pub fn words_left_behind(&self) -> &[AtomicU64] {
        match &self.source {
            _ if self.fork.in_child() => &[],
            Source::Shared(words) => words.get(),
            Source::Private(words) => words,
        }
    }

    /// From now on [`Mapping::words`] is empty, because the board moved.
    pub fn leave_behind(&self, moved: Moved) {
        self.fork.note(moved);
    }

    /// How the board moved, if it did.
    pub fn moved(&self) -> Option<Moved> {
        self.fork.moved()
    }

    /// Bytes of the mapping.
    pub fn len_bytes(&self) -> usize {
        match &self.source {
            Source::Shared(words) => words.0.len(),
            Source::Private(words) => size_of_val(&**words),
        }
    }

    /// Reserves the pages under these words of the mapping, so that touching them never fails. Words past the
    /// end are left out. Nothing to do for memory of this process alone.
    ///
    /// # Errors
    /// As [`reserve`]'s.
    pub fn reserve(&self, file: &File, words: Range<usize>) -> Result<()> {
        match &self.source {
            Source::Shared { .. } => reserve(file, self.len_bytes() as u64, words),
            Source::Private(_) => Ok(()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // In a child the range may belong to memory of its own by now: unmapping it would be fatal.
        if self.fork.in_child() {
            mem::forget(mem::replace(&mut self.source, Source::Private(Box::default())));
        }
    }
}

/// Reserves the pages of a file of `len_bytes` that these words lie on. The file's size never changes.
///
/// # Errors
/// `Full` where the file system has no room, `Refused` where it cannot reserve, `Io` for anything else.
pub fn reserve(file: &File, len_bytes: u64, words: Range<usize>) -> Result<()> {
    let byte = |word: usize| (word as u64).saturating_mul(WORD_BYTES as u64);
    let start = byte(words.start) / PAGE_BYTES * PAGE_BYTES;
    let end = byte(words.end).checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX).min(len_bytes);
    let Some(bytes) = end.checked_sub(start).filter(|bytes| *bytes > 0) else { return Ok(()) };
    // Not posix_fallocate: where the file system cannot reserve, glibc's writes to each page instead, and
    // would destroy what other processes are storing there.
    let attempt = || fallocate(file, FallocateFlags::KEEP_SIZE, start, bytes);
    let mut outcome = attempt();
    for _ in 0..INTERRUPTIONS_MAX {
        if outcome != Err(Errno::INTR) {
            break;
        }
        outcome = attempt();
    }
    outcome.map_err(|error| cannot_reserve(bytes, error))
}

fn cannot_reserve(bytes: u64, error: Errno) -> Error {
    match error {
        Errno::NOSPC | Errno::DQUOT | Errno::NOMEM => Error::new(
            ErrorKind::Full,
            format!("the file system is full: pages for {bytes} bytes could not be reserved"),
        )
        .hint("free space there, or put the board on another file system")
        .caused_by(std::io::Error::from(error)),
        Errno::OPNOTSUPP | Errno::NOSYS => Error::new(
            ErrorKind::Refused,
            "the file system cannot reserve pages (fallocate), so a full disk would end every process with SIGBUS",
        )
        .hint("put the board on tmpfs, ext4, xfs or btrfs")
        .caused_by(std::io::Error::from(error)),
        _ => Error::io(format!("pages for {bytes} bytes could not be reserved"), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Ordering;

    #[test]
    fn memory_of_this_process_is_zeroed_words() {
        let mapping = Mapping::anonymous(3).unwrap();
        assert_eq!((mapping.len_bytes(), mapping.words().len()), (24, 3));
        mapping.words()[2].store(7, Ordering::Relaxed);
        let values: Vec<u64> = mapping.words().iter().map(|word| word.load(Ordering::Relaxed)).collect();
        assert_eq!(values, [0, 0, 7]);
    }

    #[test]
    fn memory_that_cannot_be_is_full() {
        assert!(Mapping::anonymous(usize::MAX / 16).unwrap_err().is_full());
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn two_mappings_of_a_file_share_their_words() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096 + 16).unwrap();
        let writer = Mapping::of_file(&file, true).unwrap();
        let reader = Mapping::of_file(&file, false).unwrap();
        writer.reserve(&file, 0..writer.words().len() + 5000).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4096 + 16);
        writer.words()[513].store(9, Ordering::Relaxed);
        assert_eq!((reader.words().len(), reader.words()[513].load(Ordering::Relaxed)), (514, 9));
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn an_empty_file_has_no_words() {
        let mapping = Mapping::of_file(&tempfile::tempfile().unwrap(), true).unwrap();
        assert!(mapping.words().is_empty() && mapping.len_bytes() == 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "reserves pages of files")]
    fn reserving_nothing_or_backwards_does_nothing() {
        let file = tempfile::tempfile().unwrap();
        reserve(&file, 0, 0..10).unwrap();
        reserve(&file, 4096, 600..700).unwrap();
        reserve(&file, 4096, usize::MAX..usize::MAX).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
    }

    #[test]
    fn each_failure_to_reserve_says_what_to_do() {
        let kinds = [
            (Errno::NOSPC, ErrorKind::Full, "full"),
            (Errno::OPNOTSUPP, ErrorKind::Refused, "tmpfs"),
            (Errno::BADF, ErrorKind::Io, "4096 bytes"),
        ];
        for (errno, kind, text) in kinds {
            let error = cannot_reserve(4096, errno);
            assert!(error.kind() == kind && error.to_string().contains(text), "{error}");
        }
    }
}
