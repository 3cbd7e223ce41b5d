//! Introduces the region to the protocol: the words, the doorbell and the locks of one board.

use super::{fault, index::Index, lookout::Lookout, notifier::Notifier};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Geometry, LINE},
    protocol::{Core, Fault, Full, Machine, lane::Lane, publish::Now},
    region::{
        self, Access, Certificate, Doorbell, ForkPage, Lock, LockFile, Mapping, Moved, RegionFile,
        Whereabouts, futex,
    },
    sync::AtomicU64,
    uuid::Uuid,
};
use std::{collections::BTreeSet, path::Path, sync::OnceLock};

/// Extents that are reserved at once, ahead of use.
const AHEAD: u32 = 16;

/// One board, as this process has it open.
pub(super) struct Region {
    memory: Memory,
    doorbell: Option<Doorbell>,
    locks: Locks,
    fork: ForkPage,
    /// Lock bytes that sessions of this handle hold: never probed, and known to be alive.
    held: Lock<BTreeSet<usize>>,
    /// The session of this handle that is the board's elected one.
    elected: Lock<Option<usize>>,
    reserving: Lock<()>,
    /// Who looks for those who have no keeper.
    pub(super) lookout: OnceLock<Option<Lookout>>,
    /// Who tells those who wait without a thread.
    pub(super) notifier: OnceLock<Result<Notifier>>,
    /// Its keys in order.
    pub(super) index: Index,
}

/// Who can be asked which sessions live.
enum Locks {
    File(LockFile),
    /// Nobody: a local board, whose sessions are those of this handle.
    Local,
    /// Nobody, for this reason.
    Unknown(Error),
}

/// What is known of the process of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    Alive,
    Dead,
    /// It could not be asked: nothing may be done that needs it dead.
    Unknown,
}

/// Whose lock bytes a session asks for, which does so for all at every beat only where it is elected.
///
/// What these fields say is a guess at who may be dead. Whether they are, the lock byte says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspects {
    /// Where to begin: one after another, for each that asks, in a ring.
    pub(super) from: usize,
    /// Now, nanoseconds of `CLOCK_BOOTTIME`.
    pub(super) boot_ns: u64,
    /// Beats older than this are late.
    pub(super) late_ns: u64,
}

impl Suspects {
    /// Most living sessions that are looked at: when all are late because the machine is, asking for all of them,
    /// by all of them, would make it later.
    const LOOKS: usize = 8;

    /// A beat of the future is one of before the machine was started anew, or of another's clock: late as well.
    fn is_late(&self, heartbeat_ns: u64) -> bool {
        heartbeat_ns.abs_diff(self.boot_ns) > self.late_ns
    }
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
        let first = AHEAD.min(geometry.extents());
        let file = region::create_with(path, geometry, |file| {
            (0..first).try_for_each(|extent| file.reserve_extent(extent))?;
            if let Some(core) = Core::new(file.mapping.words(), &[], &crate::protocol::Silent, geometry) {
                core.cut_reserve();
                core.raise_reserved(first);
            }
            Ok(())
        })?;
        Self::with_file(file, true)
    }

    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::with_file(region::open(path, Access::ReadWrite)?, true)
    }

    pub(super) fn open_read_only(path: &Path) -> Result<Self> {
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
        let mapping = Mapping::anonymous(geometry.words())?;
        let flags = (0..(1 + geometry.shards()) * LINE).map(|_| AtomicU64::new(0)).collect();
        let region = Self::new(Memory::Local { mapping, flags, geometry }, None, Locks::Local)?;
        let core = region.core()?;
        core.cut_reserve();
        core.raise_reserved(core.geometry().extents());
        Ok(region)
    }

    fn new(memory: Memory, doorbell: Option<Doorbell>, locks: Locks) -> Result<Self> {
        let (held, elected, reserving) = (Lock::default(), Lock::default(), Lock::default());
        let (lookout, notifier, index) = (OnceLock::new(), OnceLock::new(), Index::default());
        Ok(Self {
            memory,
            doorbell,
            locks,
            fork: ForkPage::new()?,
            held,
            elected,
            reserving,
            lookout,
            notifier,
            index,
        })
    }

    /// The protocol over this board's words.
    pub(super) fn core(&self) -> Result<Core<'_>> {
        Ok(self.core_over(self.words()?))
    }

    /// This board's words. In a forked child there are none, nor when the board has moved.
    #[inline(always)]
    pub(super) fn words(&self) -> Result<&[AtomicU64]> {
        let words = self.mapping().words();
        if words.len() >= self.geometry().words() { Ok(words) } else { Err(self.lost()) }
    }

    #[cold]
    fn lost(&self) -> Error {
        match (self.mapping().moved(), self.path()) {
            (Some(moved), Some(path)) => has_moved(moved).at_path(path),
            _ => forked(),
        }
    }

    /// Looks whether the board is still at its path. When it is not, every call of this handle answers `Moved` from
    /// now on, and whoever sleeps is woken to find that. Where the path cannot be examined, nothing is concluded.
    pub(super) fn look(&self) {
        let Memory::File(file) = &self.memory else { return };
        if file.mapping.moved().is_none() {
            let Whereabouts::Moved(moved) = file.whereabouts() else { return };
            file.mapping.leave_behind(moved);
        }
        // At each look: who went to sleep just when it was noted is woken by the next.
        let words = file.mapping.words_left_behind();
        if words.len() >= file.geometry.words() {
            let core = self.core_over(words);
            for counter in 0..=file.geometry.shards() {
                futex::wake_all(core.counter(counter));
            }
        }
    }

    /// The protocol over what [`Region::words`] gave, for reading: nobody is woken.
    #[inline(always)]
    pub(super) fn core_to_read<'r>(&'r self, words: &'r [AtomicU64]) -> Core<'r> {
        Core::over(words, &[], self, self.geometry())
    }

    /// The protocol over what [`Region::words`] gave. In two steps for the ways that are short: a result with all
    /// that a core holds would be moved through memory.
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

    /// Bytes that are free in the file system under the region; `None` for a local board, and where it does not tell.
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

    /// Reserves the pages of the next extents, and lets them be used. Whether there were any left.
    pub(super) fn reserve(&self, extents: u32) -> Result<bool> {
        let Memory::File(file) = &self.memory else { return Ok(false) };
        let _one_at_a_time = self.reserving.lock();
        let core = self.core()?;
        let first = core.reserved();
        let end = first.saturating_add(extents).min(file.geometry.extents());
        for extent in first..end {
            file.reserve_extent(extent)?;
            // One by one: what is reserved before the file system is full can be used.
            core.raise_reserved(extent + 1);
        }
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

    /// Takes the lock byte of a session record that is free, or whose session is dead and is reaped now.
    pub(super) fn take_record(&self) -> Result<(usize, Option<Certificate>)> {
        let core = self.core()?;
        let sessions = self.geometry().sessions();
        let (free, occupied): (Vec<usize>, Vec<usize>) = (0..sessions).partition(|&i| !core.is_occupied(i));
        let mut failed = None;
        for index in free.into_iter().chain(occupied) {
            let Some(certificate) = self.hold(index)? else { continue };
            // Re-checked under the lock: the record may have been taken, and left by a kill, meanwhile.
            let reaped = if core.is_occupied(index) { self.reap_held(&core, index) } else { Ok(()) };
            match reaped {
                Ok(()) => return Ok((index, certificate)),
                // This one stays for a later reaper; another may be free.
                Err(error) => {
                    self.let_go(index, certificate);
                    failed = Some(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| {
            Error::new(ErrorKind::Full, format!("all {sessions} session records are in use"))
                .hint("end a session, or make the board with more")
        }))
    }

    /// Holds a record's lock byte, if nobody does. Local boards have none: there the set is the lock.
    #[allow(clippy::option_option, reason = "whether it is held, and by what certificate")]
    fn hold(&self, index: usize) -> Result<Option<Option<Certificate>>> {
        let mut held = self.held.lock();
        if held.contains(&index) {
            return Ok(None);
        }
        let certificate = match &self.locks {
            Locks::File(locks) => match locks.try_hold(index as u64)? {
                Some(certificate) => Some(certificate),
                None => return Ok(None),
            },
            Locks::Local => None,
            Locks::Unknown(_) => return Ok(None),
        };
        held.insert(index);
        Ok(Some(certificate))
    }

    pub(super) fn let_go(&self, index: usize, certificate: Option<Certificate>) {
        // Before the byte is given back: whoever takes the index next must not find itself elected.
        self.elected.lock().take_if(|elected| *elected == index);
        // The lock before the set: once that forgets the byte, this process may probe it.
        drop(certificate);
        self.held.lock().remove(&index);
    }

    /// Whether this session of the handle is the board's elected one, or becomes it now: from then on until its
    /// certificate is dropped.
    pub(super) fn is_elected(&self, index: usize, certificate: Option<&Certificate>) -> bool {
        let mut elected = self.elected.lock();
        if elected.is_none() && certificate.map_or(matches!(self.locks, Locks::Local), Certificate::try_elect)
        {
            *elected = Some(index);
        }
        *elected == Some(index)
    }

    /// Whether the process of an occupied record is there.
    pub(super) fn presence(&self, index: usize) -> Presence {
        if self.held.lock().contains(&index) {
            return Presence::Alive;
        }
        match &self.locks {
            Locks::Local => Presence::Dead,
            Locks::Unknown(_) => Presence::Unknown,
            Locks::File(locks) => match locks.is_held(index as u64) {
                Ok(true) => Presence::Alive,
                Ok(false) => Presence::Dead,
                Err(_) => Presence::Unknown,
            },
        }
    }

    /// Whether it can be told who lives, and newcomers can attach.
    pub(super) fn check_locks(&self) -> Result<()> {
        match &self.locks {
            Locks::File(locks) => locks.check(),
            Locks::Local => Ok(()),
            Locks::Unknown(error) => Err(error.again()),
        }
    }

    /// Reaps every dead session. Returns how many there were.
    pub(super) fn reap_dead(&self) -> Result<usize> {
        let core = self.core()?;
        let (mut reaped, mut failed) = (0, None);
        for index in 0..self.geometry().sessions() {
            match self.reap_if_dead(&core, index) {
                Ok(was_dead) => reaped += usize::from(was_dead),
                // The others are reaped all the same.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(reaped), Err)
    }

    /// Reaps the dead ones among those whose beats are late, as far as the looks reach. Returns where the next
    /// call is to begin.
    pub(super) fn reap_suspects(&self, suspects: &Suspects) -> Result<usize> {
        let core = self.core()?;
        let sessions = self.geometry().sessions();
        let mut looks = 0;
        for index in (0..sessions).map(|step| (suspects.from + step) % sessions) {
            if looks == Suspects::LOOKS {
                return Ok(index);
            }
            if !core.is_occupied(index) {
                continue;
            }
            let was_dead = suspects.is_late(core.heartbeat_ns(index))
                && self.reap_if_dead(&core, index).unwrap_or(false);
            looks += usize::from(!was_dead);
        }
        Ok(suspects.from)
    }

    /// How many records have a session, dead or alive.
    pub(super) fn occupied(&self) -> Result<usize> {
        let core = self.core()?;
        Ok((0..self.geometry().sessions()).filter(|&index| core.is_occupied(index)).count())
    }

    /// Reaps the session if it is dead: only a lock byte that nobody holds says that.
    fn reap_if_dead(&self, core: &Core<'_>, index: usize) -> Result<bool> {
        if !core.is_occupied(index) || self.presence(index) != Presence::Dead {
            return Ok(false);
        }
        let Some(certificate) = self.hold(index)? else { return Ok(false) };
        let outcome = if core.is_occupied(index) { self.reap_held(core, index) } else { Ok(()) };
        self.let_go(index, certificate);
        outcome.map(|()| true)
    }

    fn reap_held(&self, core: &Core<'_>, index: usize) -> Result<()> {
        let mut lane = Lane::for_reaping(core, index);
        self.with_space(&mut lane, 1, |lane| core.reap(lane, index, now())).map(|_| ())
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
                // The file system is full: go on within what is reserved, and report that where it fails.
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
    fn load(&self, from: &[AtomicU64], to: &mut [u8]) {
        region::copy::load(from, to);
    }

    fn store(&self, from: &[u8], to: &[AtomicU64]) {
        region::copy::store(from, to);
    }

    fn prefetch(&self, words: &[&AtomicU64]) {
        region::copy::prefetch(words);
    }

    fn prefetch_run(&self, words: &[AtomicU64]) {
        region::copy::prefetch_run(words);
    }

    fn expect(&self, words: &[AtomicU64]) {
        region::copy::expect(words);
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
            // As they were in the midst of another thread's work: not even their memory can be given back.
            std::mem::forget(std::mem::take(self.held.get_mut()));
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
    }
}

#[cold]
pub(super) fn forked() -> Error {
    Error::new(ErrorKind::Forked, "this handle was made before a fork")
        .hint("open and attach anew in the child")
}
