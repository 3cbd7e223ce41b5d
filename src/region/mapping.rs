//! Presents a mapping as a slice of 64-bit atomic words. No other module does this.
//!
//! # Safety
//!
//! `Words::get` is the only place in the crate that makes references to mapped memory. It is sound for these
//! reasons:
//!
//! - *Layout.* `AtomicU64` has the size, the alignment and the bit validity of `u64` (size and alignment are asserted
//!   below). A mapping starts at a page boundary, so it is aligned. Every bit pattern is a valid word.
//! - *Sharing.* Other processes change the words at any time. They use atomic accesses of whole words, as this process
//!   does, and `AtomicU64` allows changes through a shared reference. No code makes a `&mut` to these bytes, or a
//!   reference of another type.
//! - *Lifetime.* The drop of its owner unmaps the mapping, and no borrow outlives the owner. A forked child does not
//!   have the mapping (`MADV_DONTFORK`), so [`Mapping::words`] is empty there.
//! - *Length.* The length is the file's length at the time of the mapping, and this crate never shortens a region. If a
//!   foreign process does, the next access past the end raises `SIGBUS`: a crash, not undefined behaviour.
//! - *Read-only mappings.* On read-only memory, the language guarantees only relaxed loads of words. Readers therefore
//!   use relaxed loads followed by an acquire fence. A store would raise `SIGSEGV`, so a process that opened the file
//!   read-only makes no store.

use super::fork::{ForkPage, Moved};
#[cfg(feature = "signals")]
use super::truncation::Cover;
use crate::{
    error::{Error, ErrorKind, Result},
    sync::{AtomicU64, Ordering, fence},
};
use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};
use std::{fs::File, mem, ops::Range};

const _: () = assert!(size_of::<AtomicU64>() == 8 && align_of::<AtomicU64>() == 8);

/// The size of a word in bytes.
pub const WORD_BYTES: usize = 8;
const PAGE_BYTES: u64 = 4096;
/// How often a reservation that a signal interrupted is repeated.
const INTERRUPTIONS_MAX: usize = 1000;

/// The words of a mapping, which is unmapped at drop.
#[derive(Debug)]
pub(super) struct Words(MmapRaw);

impl Words {
    pub(super) fn new(map: MmapRaw) -> Self {
        Self(map)
    }

    #[inline]
    pub(super) fn get(&self) -> &[AtomicU64] {
        // SAFETY: memmap2 guarantees that the mapping is aligned to a page and `len` bytes long while `self`
        // lives. The module's documentation explains why its bytes may be shared as atomic words.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() / WORD_BYTES) }
    }
}

/// The words of a region, of a doorbell, or of a board that is local to this process.
#[derive(Debug)]
pub struct Mapping {
    /// Dropped first.
    #[cfg(feature = "signals")]
    _cover: Option<Cover>,
    source: Source,
    fork: ForkPage,
}

#[derive(Debug)]
enum Source {
    Shared(Words),
    Private(Box<[AtomicU64]>),
}

impl Mapping {
    /// Maps the whole file, shared, for reading and writing or for reading only.
    ///
    /// # Errors
    /// `Io` if the kernel refuses, for example because the address space is exhausted.
    pub fn of_file(file: &File, writable: bool) -> Result<Self> {
        let failed = |error| Error::io("the file could not be mapped", error);
        let options = MmapOptions::new();
        let map = if writable { options.map_raw(file) } else { options.map_raw_read_only(file) };
        let map = map.map_err(failed)?;
        map.advise(Advice::DontFork).map_err(failed)?;
        let fork = ForkPage::new()?;
        #[cfg(feature = "signals")]
        let start = map.as_ptr().expose_provenance();
        Ok(Self {
            #[cfg(feature = "signals")]
            _cover: Cover::new(start..start + map.len(), &fork, writable)?,
            source: Source::Shared(Words::new(map)),
            fork,
        })
    }

    /// Allocates this number of zeroed words that no other process sees, for local boards, tests and Miri.
    ///
    /// # Errors
    /// `Full` if there is not enough memory.
    pub fn anonymous(words: usize) -> Result<Self> {
        let mut memory: Vec<AtomicU64> = Vec::new();
        memory.try_reserve_exact(words).map_err(|error| {
            Error::new(ErrorKind::Full, format!("there is not enough memory for {words} words of 8 bytes"))
                .hint("choose a smaller capacity")
                .caused_by(error)
        })?;
        memory.resize_with(words, AtomicU64::default);
        Ok(Self {
            #[cfg(feature = "signals")]
            _cover: None,
            source: Source::Private(memory.into_boxed_slice()),
            fork: ForkPage::new()?,
        })
    }

    /// All words. The slice is empty in a forked child, which has no mapping, and after the board has moved. On a
    /// read-only mapping, only relaxed loads are allowed.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        match &self.source {
            _ if self.fork.is_lost() => &[],
            Source::Shared(words) => words.get(),
            Source::Private(words) => words,
        }
    }

    /// All words, even after the board has moved, so that threads that sleep on them can be woken. The slice is empty in
    /// a forked child.
    pub fn words_left_behind(&self) -> &[AtomicU64] {
        match &self.source {
            _ if self.fork.in_child() => &[],
            Source::Shared(words) => words.get(),
            Source::Private(words) => words,
        }
    }

    /// Records that the board has moved. From now on [`Mapping::words`] is empty.
    pub fn leave_behind(&self, moved: Moved) {
        self.fork.note(moved);
    }

    /// Whether no call may use these words any more, or count on what it did with them. Ordered after what the call loaded.
    #[inline]
    pub fn is_lost(&self) -> bool {
        fence(Ordering::Acquire);
        self.fork.is_lost()
    }

    /// How the board moved, if it has moved.
    pub fn moved(&self) -> Option<Moved> {
        self.fork.moved()
    }

    /// The length of the mapping in bytes.
    pub fn len_bytes(&self) -> usize {
        match &self.source {
            Source::Shared(words) => words.0.len(),
            Source::Private(words) => size_of_val(&**words),
        }
    }

    /// Reserves the pages under these words of the mapping, so that accesses to them never fail. Words past the end are
    /// ignored. For memory of this process alone, this does nothing.
    ///
    /// # Errors
    /// Those of [`reserve`].
    pub fn reserve(&self, file: &File, words: Range<usize>) -> Result<()> {
        match &self.source {
            Source::Shared { .. } => reserve(file, self.len_bytes() as u64, words),
            Source::Private(_) => Ok(()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // In a child the kernel may have reused the address range for other memory, which must not be unmapped.
        if self.fork.in_child() {
            mem::forget(mem::replace(&mut self.source, Source::Private(Box::default())));
        }
    }
}

/// Reserves the pages that hold these words in a file of `len_bytes`. The file's size does not change.
///
/// # Errors
/// `Full` if the file system has no room, `Refused` if it cannot reserve pages, `Io` for anything else.
pub fn reserve(file: &File, len_bytes: u64, words: Range<usize>) -> Result<()> {
    let byte = |word: usize| (word as u64).saturating_mul(WORD_BYTES as u64);
    let start = byte(words.start) / PAGE_BYTES * PAGE_BYTES;
    let end = byte(words.end).checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX).min(len_bytes);
    let Some(bytes) = end.checked_sub(start).filter(|bytes| *bytes > 0) else { return Ok(()) };
    // posix_fallocate must not be used: if the file system cannot reserve, glibc writes to each page instead, and that
    // would overwrite what other processes store there.
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
        .hint("free space on it, or put the board on another file system")
        .caused_by(std::io::Error::from(error)),
        Errno::OPNOTSUPP | Errno::NOSYS => Error::new(
            ErrorKind::Refused,
            "the file system does not support fallocate, so a full disk would end every process with SIGBUS",
        )
        .hint("put the board on tmpfs, ext4, xfs or btrfs")
        .caused_by(std::io::Error::from(error)),
        _ => Error::io(format!("pages for {bytes} bytes could not be reserved"), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
