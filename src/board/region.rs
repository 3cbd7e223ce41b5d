//! An open board: connects the region, which has its words, doorbell and locks, to the protocol.

use super::{
    fault,
    index::Index,
    lookout::Lookout,
    notifier::Notifier,
    presence::{Locks, Roll},
    waits::Waits,
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Geometry, LINE},
    protocol::{Core, Fault, Full, Machine, lane::Lane, publish::Now},
    region::{
        self, Access, Doorbell, ForkPage, Lock, LockFile, Mapping, Moved, RegionFile, Whereabouts, futex,
    },
    sync::AtomicU64,
    uuid::Uuid,
};
use std::{path::Path, sync::OnceLock};

/// Extents that are reserved at once, ahead of use.
const AHEAD: u32 = 16;

/// One board, as this process has it open.
pub(super) struct Region {
    memory: Memory,
    doorbell: Option<Doorbell>,
    fork: ForkPage,
    /// Who is alive.
    pub(super) roll: Roll,
    reserving: Lock<()>,
    /// The thread that looks whether the board moved, for handles without a keeper.
    pub(super) lookout: OnceLock<Option<Lookout>>,
    /// The thread that wakes watches that have no thread of their own.
    pub(super) notifier: OnceLock<Notifier>,
    /// The board's keys in order.
    pub(super) index: Index,
    /// How the sleeps of this process's waiters ended.
    pub(super) waits: Waits,
}

enum Memory {
    File(RegionFile),
    Local { mapping: Mapping, flags: Box<[AtomicU64]>, geometry: Geometry },
}

impl Region {
    pub(super) fn seed() -> Result<u64> {
        region::random_words::<1>().map(|[seed]| seed)
    }

    pub(super) fn create(path: &Path, geometry: &Geometry) -> Result<Self> {
        region::settle()?;
        let first = AHEAD.min(geometry.extents());
        let file = region::create_with(path, geometry, |file| {
            file.reserve_extents(0..first, |_| {})?;
            if let Some(core) = Core::new(file.mapping.words(), &[], &crate::protocol::Silent, geometry) {
                core.cut_reserve();
                core.raise_reserved(first);
            }
            Ok(())
        })?;
        Self::with_file(file, true)
    }

    pub(super) fn open(path: &Path) -> Result<Self> {
        region::settle()?;
        Self::with_file(region::open(path, Access::ReadWrite)?, true)
    }

    pub(super) fn open_read_only(path: &Path) -> Result<Self> {
        region::settle()?;
        Self::with_file(region::open(path, Access::ReadOnly)?, false)
    }

    fn with_file(file: RegionFile, writable: bool) -> Result<Self> {
        let counters = 1 + file.geometry.shards();
        let doorbell = if writable {
            Some(Doorbell::open_or_create(file.path(), counters)?)
        } else {
            Doorbell::try_open(file.path(), counters)
        };
        let locks = match writable {
            true => Locks::File(LockFile::open(file.path())?),
            false => LockFile::open_to_ask(file.path()).map_or_else(Locks::Unknown, Locks::File),
        };
        Self::new(Memory::File(file), doorbell, locks)
    }

    pub(super) fn local(geometry: Geometry) -> Result<Self> {
        region::settle()?;
        let mapping = Mapping::anonymous(geometry.words())?;
        let flags = (0..(1 + geometry.shards()) * LINE).map(|_| AtomicU64::new(0)).collect();
        let region = Self::new(Memory::Local { mapping, flags, geometry }, None, Locks::Local)?;
        let core = region.core()?;
        core.cut_reserve();
        core.raise_reserved(core.geometry().extents());
        Ok(region)
    }

    fn new(memory: Memory, doorbell: Option<Doorbell>, locks: Locks) -> Result<Self> {
        let (reserving, index) = (Lock::default(), Index::default());
        let (lookout, notifier) = (OnceLock::new(), OnceLock::new());
        let (roll, fork, waits) = (Roll::new(locks), ForkPage::new()?, Waits::new());
        Ok(Self { memory, doorbell, fork, roll, reserving, lookout, notifier, index, waits })
    }

    /// The protocol over this board's words.
    pub(super) fn core(&self) -> Result<Core<'_>> {
        Ok(self.core_over(self.words()?))
    }

    /// This board's words. There are none in a forked child, and when the board has moved.
    #[inline(always)]
    pub(super) fn words(&self) -> Result<&[AtomicU64]> {
        let words = self.mapping().words();
        if words.len() >= self.geometry().words() { Ok(words) } else { Err(self.lost()) }
    }

    /// As [`Region::words`], for a caller that finds out by itself that there are none: it need not know how many there
    /// should be.
    #[inline(always)]
    pub(super) fn words_or_none(&self) -> &[AtomicU64] {
        self.mapping().words()
    }

    /// Checks that the words were the board's for the whole call. A call returns what it found or did only after this check:
    /// what it loaded from the place of a page that the file has lost is not the board's, and what it stored there, nobody
    /// else sees.
    #[inline(always)]
    pub(super) fn stands(&self) -> Result<()> {
        if self.mapping().is_lost() { Err(self.lost()) } else { Ok(()) }
    }

    /// The outcome of a call, if the board [stands](Self::stands).
    #[inline(always)]
    pub(super) fn kept<T>(&self, outcome: Result<T>) -> Result<T> {
        self.stands().and(outcome)
    }

    #[cold]
    fn lost(&self) -> Error {
        match (self.mapping().moved(), self.path()) {
            (Some(moved), Some(path)) => has_moved(moved).at_path(path),
            _ => forked(),
        }
    }

    /// Looks whether the board is still at its path. When it is not, every call of this handle returns `Moved` from now on,
    /// and sleepers are woken to find that. A path that cannot be examined proves nothing.
    pub(super) fn look(&self) {
        let Memory::File(file) = &self.memory else { return };
        if file.mapping.moved().is_none() {
            let moved = match file.whereabouts() {
                Whereabouts::Moved(moved) => moved,
                // Without the doorbell's flags, writers do not wake the sleepers of this process.
                _ if self.doorbell.as_ref().is_some_and(Doorbell::is_cut) => Moved::Cut,
                _ => return,
            };
            file.mapping.leave_behind(moved);
        }
        // At every look: a thread that went to sleep just before the move was noted is woken by the next one.
        let words = file.mapping.words_left_behind();
        if words.len() >= file.geometry.words() {
            let core = self.core_over(words);
            for counter in 0..=file.geometry.shards() {
                futex::wake_all(core.counter(counter));
            }
        }
    }

    /// The protocol over what [`Region::words`] returned, for reading: without the doorbell's flags.
    #[inline(always)]
    pub(super) fn core_to_read<'r>(&'r self, words: &'r [AtomicU64]) -> Core<'r> {
        Core::over(words, &[], self, self.geometry())
    }

    /// The protocol over what [`Region::words`] returned. In two steps for the sake of short paths: a `Result` of a whole core
    /// would be moved through memory.
    #[inline(always)]
    pub(super) fn core_over<'r>(&'r self, words: &'r [AtomicU64]) -> Core<'r> {
        let flags = match (&self.memory, &self.doorbell) {
            (Memory::Local { flags, .. }, _) => flags,
            (_, Some(doorbell)) => doorbell.flags(),
            (_, None) => &[],
        };
        Core::over(words, flags, self, self.geometry())
    }

    #[inline(always)]
    fn mapping(&self) -> &Mapping {
        match &self.memory {
            Memory::File(file) => &file.mapping,
            Memory::Local { mapping, .. } => mapping,
        }
    }

    #[inline(always)]
    pub(super) fn geometry(&self) -> &Geometry {
        match &self.memory {
            Memory::File(file) => &file.geometry,
            Memory::Local { geometry, .. } => geometry,
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match &self.memory {
            Memory::File(file) => Some(file.path()),
            Memory::Local { .. } => None,
        }
    }

    /// Bytes that are free in the region's file system; `None` for a local board, and when the file system does not tell.
    pub(super) fn file_system_free(&self) -> Option<u64> {
        match &self.memory {
            Memory::File(file) => file.file_system_free().ok(),
            Memory::Local { .. } => None,
        }
    }

    pub(super) fn uuid(&self) -> Option<Uuid> {
        match &self.memory {
            Memory::File(file) => Some(Uuid::of_words(file.identity.uuid)),
            Memory::Local { .. } => None,
        }
    }

    pub(super) fn in_child(&self) -> bool {
        self.fork.in_child()
    }

    /// Reserves the pages of the next extents for use. Returns whether there were any.
    pub(super) fn reserve(&self, extents: u32) -> Result<bool> {
        let Memory::File(file) = &self.memory else { return Ok(false) };
        let _one_at_a_time = self.reserving.lock();
        let core = self.core()?;
        let first = core.reserved();
        let end = first.saturating_add(extents).min(file.geometry.extents());
        // One by one, so that the extents before the file system is full can be used.
        file.reserve_extents(first..end, |extent| core.raise_reserved(extent + 1))?;
        Ok(first < end)
    }

    /// Reserves ahead of use, off the put path.
    pub(super) fn reserve_ahead(&self) -> Result<()> {
        let core = self.core()?;
        if core.unclaimed() < AHEAD / 2 && core.reserved() < self.geometry().extents() {
            self.reserve(AHEAD)?;
        }
        Ok(())
    }

    /// Runs a protocol call that may need more pages than are reserved.
    #[inline(always)]
    pub(super) fn with_space<T>(
        &self,
        lane: &mut Lane,
        extents: u32,
        mut call: impl FnMut(&mut Lane) -> Result<T, Fault>,
    ) -> Result<T> {
        let mut disk_full = None;
        loop {
            let outcome = call(lane);
            self.stands()?;
            if !matches!(outcome, Err(Fault::Unreserved)) {
                lane.may_reserve = true;
                return outcome.map_err(|fault| match (fault, disk_full) {
                    (Fault::Full(Full::Blocks | Full::Pinned), Some(error)) => error,
                    _ => match self.core() {
                        Ok(core) => fault::error_on(&core, fault),
                        Err(error) => error,
                    },
                });
            }
            match self.reserve(extents.max(AHEAD)) {
                Ok(_) => {}
                // The file system is full: continue with what is reserved, and report this if that is not enough.
                Err(error) if error.is_full() => {
                    lane.may_reserve = false;
                    disk_full = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Machine for Region {
    #[inline(always)]
    fn load(&self, from: &[AtomicU64], to: &mut [u8]) {
        region::copy::load(from, to);
    }

    fn store(&self, from: &[u8], to: &[AtomicU64]) {
        region::copy::store(from, to);
    }

    fn prefetch_write(&self, words: &[&AtomicU64]) {
        region::copy::prefetch_write(words);
    }

    fn prefetch_write_run(&self, words: &[AtomicU64]) {
        region::copy::prefetch_write_run(words);
    }

    fn prefetch_read(&self, words: &[AtomicU64]) {
        region::copy::prefetch_read(words);
    }

    fn ring(&self, counter: usize) {
        if let Ok(core) = self.core() {
            futex::wake_all(core.counter(counter));
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.in_child() {
            self.roll.forget();
            std::mem::forget(std::mem::take(&mut self.index));
            std::mem::forget(self.notifier.take());
        }
    }
}

/// The time, for the protocol.
#[inline]
pub(super) fn now() -> Now {
    Now { real_ns: region::realtime_coarse_ns(), boot_ns: region::boottime_ns }
}

fn has_moved(moved: Moved) -> Error {
    match moved {
        Moved::Gone => Error::new(ErrorKind::Moved, "the board's file was removed while it was open here")
            .hint("open the board again, or make a new one: `slate init --replace` in a project"),
        Moved::Replaced => Error::new(ErrorKind::Moved, "another file has taken the place of the board's")
            .hint("open the board again"),
        Moved::Cut => Error::new(ErrorKind::Moved, "the board's file was cut short while it was open here")
            .hint("make a new board: `slate init --replace` in a project; what is not in a process's memory is lost"),
    }
}

#[cold]
pub(super) fn forked() -> Error {
    Error::new(ErrorKind::Forked, "this handle was made before a fork")
        .hint("open and attach anew in the child")
}
