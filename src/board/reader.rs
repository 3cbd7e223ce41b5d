//! Everything that reads. Readers store nothing to the region.

use super::{
    Damage, Event, Events, Metrics, Options, SessionInfo, Verify, View, Watch, fault, lookout, metrics,
    region::Region, watch,
};
use crate::{
    codec::CodecId,
    entry::{Deadline, Entry, WriterInfo, time_of},
    error::{Error, ErrorKind, Result},
    layout::{
        Writer,
        record::{KEY_MAX, RecordHeader},
    },
    protocol::{
        Core, Fault,
        read::{Glance, Meta as Found},
        slots,
    },
    region::boottime_ns,
    uuid::Uuid,
};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Reads a board. Cheap to clone; a [`Session`](super::Session) is one too.
#[derive(Clone)]
pub struct Reader {
    pub(super) region: Arc<Region>,
    pub(super) verify: Verify,
}

/// What is known of a value besides its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Meta {
    /// Version of the key.
    pub version: u64,
    /// Generation of the write.
    pub generation: u64,
    /// How the value is encoded.
    pub codec: CodecId,
    /// Bytes of the value.
    pub len: usize,
    time_ns: u64,
}

impl Meta {
    /// When the value was written, by the clock of the kernel's last tick: 1 to 10 ms earlier. Computed here, so that a read
    /// does not pay for it.
    pub fn time(&self) -> SystemTime {
        time_of(self.time_ns)
    }
}

/// What a key became while a call waited for it: [`Reader::wait_newer`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Newer {
    /// The key has a newer version.
    Value(Entry),
    /// The key was removed, or its time to live is over, whether or not a session has published that.
    Removed,
}

impl Newer {
    /// The entry of the newer version; `None` when the key was removed.
    pub fn entry(self) -> Option<Entry> {
        match self {
            Self::Value(entry) => Some(entry),
            Self::Removed => None,
        }
    }
}

impl Reader {
    pub(super) fn new(region: Arc<Region>, verify: Verify) -> Self {
        Self { region, verify }
    }

    /// A reader that no session's keeper looks for whether the board has moved.
    pub(super) fn looking(region: Arc<Region>, options: &Options) -> Self {
        lookout::start(&region, options.beat);
        Self::new(region, options.verify)
    }

    pub(super) fn core(&self) -> Result<Core<'_>> {
        self.region.core()
    }

    /// The key's entry; `None` where it has no value.
    ///
    /// # Errors
    /// `InvalidKey`; `Corrupt` for a damaged record; `Moved`; `Forked`; `Contended`.
    pub fn get(&self, key: &str) -> Result<Option<Entry>> {
        let core = self.core()?;
        let slot_key = checked(&core, key)?;
        self.named(&core, || {
            let (mut meta, mut value) = (Found::EMPTY, Vec::new());
            let found = self
                .read(&core, &slot_key, None, &mut meta, &mut value)
                .map_err(|error| error.on_key(key))?;
            Ok(found.then(|| self.entry(&core, key.to_owned(), value, &meta.header(), meta.generation)))
        })
    }

    /// Reads an entry with the names of its sessions: again where a name was given up meanwhile, which may have been
    /// theirs and be another's by now.
    pub(super) fn named(
        &self,
        core: &Core<'_>,
        read: impl Fn() -> Result<Option<Entry>>,
    ) -> Result<Option<Entry>> {
        for _ in 0..16 {
            let freed = core.names_freed();
            let entry = read()?;
            if core.names_stand(freed) {
                return Ok(entry);
            }
        }
        Ok(read()?.map(Entry::without_names))
    }

    /// Replaces `buffer` with the key's value. Allocates only where the buffer is too small.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn get_into(&self, key: &str, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        check(key)?;
        let core = self.region.core_to_read(self.region.words()?);
        let slot_key = slots::Key::new(core.geometry(), key);
        let mut found = Found::EMPTY;
        let glance = core.glance(&slot_key, self.verify, &mut found, buffer);
        match told(glance, &found, buffer) {
            Some(is) => Ok(is.then(|| meta(&found))),
            None => self.get_in_full_into(key, buffer),
        }
    }

    /// As [`Reader::get_into`], where a glance did not tell.
    #[cold]
    fn get_in_full_into(&self, key: &str, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        let core = self.core()?;
        let slot_key = checked(&core, key)?;
        let mut found = Found::EMPTY;
        let is = self.read(&core, &slot_key, None, &mut found, buffer).map_err(|error| error.on_key(key))?;
        Ok(is.then(|| meta(&found)))
    }

    /// Reads a key into `found` and `out`, an expired entry as absent. Whether it has a value.
    #[inline]
    pub(super) fn read(
        &self,
        core: &Core<'_>,
        key: &slots::Key<'_>,
        hint: Option<slots::Slot>,
        found: &mut Found,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let is = match core.get_to(key, hint, self.verify, found, out) {
            Ok(is) => is,
            Err(fault) => self.read_again(core, key, fault, found, out)?,
        };
        let is = is && !is_expired(found.words.deadline());
        if !is {
            out.clear();
        }
        Ok(is)
    }

    /// As `read`, after a first attempt that met a fault.
    #[cold]
    fn read_again(
        &self,
        core: &Core<'_>,
        key: &slots::Key<'_>,
        first: Fault,
        found: &mut Found,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let mut fault = first;
        for _ in 0..16 {
            if fault != Fault::Contended {
                break;
            }
            match core.get_to(key, None, self.verify, found, out) {
                Ok(is) => return Ok(is),
                Err(other) => fault = other,
            }
        }
        Err(fault::error(fault))
    }

    /// The board as it is now, for several reads of one generation and one instant.
    ///
    /// # Errors
    /// `Forked`.
    pub fn view(&self) -> Result<View> {
        let point = self.core()?.point();
        Ok(View::new(self.clone(), point, Some(boottime_ns())))
    }

    /// The board as it was at a generation of the history. An entry whose time to live passed is there until the
    /// generation of its expire event.
    ///
    /// # Errors
    /// `Lagged` where the generation has left the history; `Future` where it has not happened; `Forked`.
    pub fn view_at(&self, generation: u64) -> Result<View> {
        let core = self.core()?;
        let point =
            core.point_at(generation).map_err(|fault| self.out_of_history(&core, fault, generation))?;
        Ok(View::new(self.clone(), point, None))
    }

    pub(super) fn out_of_history(&self, core: &Core<'_>, fault: Fault, generation: u64) -> Error {
        let (floor, newest) = (core.floor(), core.newest());
        match fault {
            Fault::Lagged => Error::new(
                ErrorKind::Lagged,
                format!(
                    "generation {generation} has left the history, which reaches from {floor} to {newest}"
                ),
            )
            .with_missed(floor.saturating_sub(generation), floor)
            .hint("read the present, and go on from its generation"),
            Fault::Future => Error::new(
                ErrorKind::Future,
                format!("generation {generation} has not happened yet; the newest is {newest}"),
            ),
            fault => fault::error(fault),
        }
    }

    /// As `out_of_history`, of an event, which may be damaged.
    pub(super) fn no_event(&self, core: &Core<'_>, fault: Fault, generation: u64) -> Error {
        match fault {
            Fault::Corrupt(what) => Damage::of_event(core, generation, what).error(),
            fault => self.out_of_history(core, fault, generation),
        }
    }

    /// The events after generation `since`, up to the present.
    pub fn events(&self, since: u64) -> Events {
        Events::new(self.clone(), since)
    }

    /// The event of one generation.
    ///
    /// # Errors
    /// `Lagged`, `Future`, `Corrupt`, `Moved`, `Forked`.
    pub fn event(&self, generation: u64) -> Result<Event> {
        let core = self.core()?;
        let record = core
            .event(generation, self.verify, |_| true)
            .map_err(|fault| self.no_event(&core, fault, generation))?
            .ok_or_else(|| fault::error(Fault::Lagged))?;
        Ok(super::event::event(self, &core, record))
    }

    /// Follows the changes of the keys that start with the prefix, from the present on. The end of a time to live is an
    /// event that a session publishes, its keeper or a writer: on a board where none is attached a watch does not hear
    /// of it, while [`Reader::get`] and [`Reader::wait`] know the deadline.
    pub fn watch(&self, prefix: &str) -> Watch {
        Watch::new(self.clone(), prefix)
    }

    /// Blocks until the key's version is newer than `version`, or the key is removed or expires. Returns `None` when the
    /// timeout passes first. With version 0, waits for the key to have a value.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn wait_newer(&self, key: &str, version: u64, timeout: Duration) -> Result<Option<Newer>> {
        let shard = checked(&self.core()?, key)?.shard;
        watch::wait_newer(self, shard, version, timeout, || self.get(key))
    }

    /// Bytes that a value may have on this board.
    pub fn value_max(&self) -> u64 {
        self.region.geometry().shape().value_max
    }

    /// The newest generation; 0 before the first write, in a forked child, and when the board has moved. At least that of
    /// everything that this reader was told before.
    pub fn generation(&self) -> u64 {
        self.region.words().map_or(0, |words| self.region.core_to_read(words).newest())
    }

    /// Generations up to this one have left the history.
    pub fn floor(&self) -> u64 {
        self.core().map_or(0, |core| core.floor())
    }

    /// The board's identifier; `None` for a local board.
    pub fn uuid(&self) -> Option<Uuid> {
        self.region.uuid()
    }

    /// The sessions that are attached, or died and are not reaped yet.
    ///
    /// # Errors
    /// `Forked`; `Moved`.
    pub fn sessions(&self) -> Result<Vec<SessionInfo>> {
        metrics::sessions(&self.region)
    }

    /// Whether the lock file is as it must be, so that it can be told who lives, and newcomers can attach.
    ///
    /// # Errors
    /// `Refused`, with the reason; `Io`. Where it could not be asked from the beginning, sessions are
    /// [`Liveness::Unknown`](super::Liveness::Unknown).
    pub fn check_locks(&self) -> Result<()> {
        self.region.roll.check()
    }

    /// What the board holds, how full it is, and what its sessions have done.
    ///
    /// # Errors
    /// `Forked`.
    pub fn metrics(&self) -> Result<Metrics> {
        metrics::metrics(&self.region)
    }

    pub(super) fn entry(
        &self,
        core: &Core<'_>,
        key: String,
        value: Vec<u8>,
        header: &RecordHeader,
        generation: u64,
    ) -> Entry {
        Entry {
            key,
            value,
            version: header.version,
            generation,
            created: if header.created == 0 { generation } else { header.created },
            writer: writer_info(core, header.writer),
            time: time_of(header.time),
            codec: CodecId::new(header.codec),
            deadline: Deadline::of(header.deadline),
            ephemeral: Some(header.ephemeral).filter(|&word| word != 0).map(|word| writer_info(core, word)),
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Reader");
        shown.field("path", &self.region.path()).field("verify", &self.verify).finish_non_exhaustive()
    }
}

/// The session that a writer word names.
pub(super) fn writer_info(core: &Core<'_>, word: u64) -> WriterInfo {
    let writer = Writer::unpack(word);
    WriterInfo::new(core.name(writer.name).unwrap_or_default(), writer)
}

pub(super) fn meta(meta: &Found) -> Meta {
    Meta {
        version: meta.words.version(),
        generation: meta.generation,
        codec: CodecId::new(meta.words.codec()),
        len: meta.words.value_len(),
        time_ns: meta.words.time(),
    }
}

/// Whether a glance found a value, an expired one being none; `None` where it did not tell. Without a value `out` is
/// cleared.
#[inline(always)]
pub(super) fn told(glance: Glance, found: &Found, out: &mut Vec<u8>) -> Option<bool> {
    match glance {
        Glance::Unclear => None,
        Glance::Is if !is_expired(found.words.deadline()) => Some(true),
        Glance::Is | Glance::Absent => {
            out.clear();
            Some(false)
        }
    }
}

/// Whether a deadline, 0 for none, has passed.
#[inline]
pub(super) fn is_expired(deadline: u64) -> bool {
    deadline != 0 && deadline <= boottime_ns()
}

/// The key's numbers, if it can be one.
#[inline(always)]
pub(super) fn checked<'k>(core: &Core<'_>, key: &'k str) -> Result<slots::Key<'k>> {
    check(key)?;
    Ok(slots::Key::new(core.geometry(), key))
}

/// Whether this can be a key.
#[inline(always)]
pub(super) fn check(key: &str) -> Result<()> {
    if (1..=KEY_MAX).contains(&key.len()) { Ok(()) } else { Err(no_key(key)) }
}

#[cold]
fn no_key(key: &str) -> Error {
    let what = match key.len() {
        0 => "a key must have at least one byte".to_owned(),
        len => format!("a key may have at most {KEY_MAX} bytes; this one has {len}"),
    };
    Error::new(ErrorKind::InvalidKey, what).on_key(key)
}
