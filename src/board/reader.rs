//! Reading a board. A reader stores nothing to the region.

use super::{
    Damage, Event, Events, Metrics, Options, SessionInfo, Verify, View, Watch, fault, lookout, metrics,
    region::Region, view, watch,
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
        read::{CopiedRecord, Lookup},
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

/// Reads a board, and never writes to it. Cheap to clone.
///
/// [`Board::reader`](super::Board::reader), [`Board::read_only`](super::Board::read_only) and
/// [`Session::reader`](super::Session::reader) give one.
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
    /// When the value was written, by the clock of the kernel's last tick: 1 to 10 ms earlier. Computed by this call, so that
    /// reads do not pay for it.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// session.put("plan", "paint")?;
    /// let meta = reader.get_into("plan", &mut Vec::new())?.unwrap();
    /// assert_eq!(meta.time(), reader.get("plan")?.unwrap().time);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// session.put("go", "now")?;
    /// let newer = reader.wait_newer("go", 0, std::time::Duration::ZERO)?.unwrap();
    /// assert_eq!(newer.entry().unwrap().text(), Some("now"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
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

    /// A reader with a thread that looks whether the board has moved: no session's keeper does it.
    pub(super) fn looking(region: Arc<Region>, options: &Options) -> Self {
        lookout::start(&region, options.beat);
        Self::new(region, options.verify)
    }

    pub(super) fn core(&self) -> Result<Core<'_>> {
        self.region.core()
    }

    /// The key's entry; `None` when it has no value.
    ///
    /// # Errors
    /// `InvalidKey`; `Corrupt` for a damaged record; `Moved`; `Forked`; `Contended`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// assert!(reader.get("plan")?.is_none());
    /// session.put("plan", "paint")?;
    /// let entry = reader.get("plan")?.unwrap();
    /// assert_eq!((entry.text(), entry.version, entry.writer.name.as_str()), (Some("paint"), 1, "planner"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get(&self, key: &str) -> Result<Option<Entry>> {
        let core = self.core()?;
        let slot_key = checked(&core, key)?;
        self.region.kept(self.named(&core, || {
            let (mut meta, mut value) = (CopiedRecord::EMPTY, Vec::new());
            let found = self
                .read(&core, &slot_key, None, &mut meta, &mut value)
                .map_err(|error| error.on_key(key))?;
            Ok(found.then(|| self.entry(&core, key.to_owned(), value, &meta.header(), meta.generation)))
        }))
    }

    /// Reads an entry with the names of its sessions. Reads it again when a name was freed meanwhile: the name may have been
    /// one of the entry's, and belong to another session by now.
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

    /// Replaces `buffer` with the key's value. Allocates only when the buffer is too small. Returns `None`, and an empty buffer,
    /// when the key has no value.
    ///
    /// # Errors
    /// As [`Reader::get`].
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// session.put("plan", "paint")?;
    /// let mut buffer = Vec::new();
    /// let meta = reader.get_into("plan", &mut buffer)?.unwrap();
    /// assert_eq!((meta.version, meta.len, buffer.as_slice()), (1, 5, &b"paint"[..]));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_into(&self, key: &str, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        check(key)?;
        let core = self.region.core_to_read(self.region.words()?);
        let slot_key = slots::Key::new(core.geometry(), key);
        let mut found = CopiedRecord::EMPTY;
        core.glance_or(
            Lookup::ByKey(&slot_key),
            self.verify,
            &mut found,
            buffer,
            |is, found, buffer| match seen(is, found) {
                // As in `KeyHandle::read`, not asked whether the board stands.
                Seen::Value => Ok(Some(meta(found))),
                Seen::Expired => self.get_in_full_into(key, Some(found.generation), buffer),
                Seen::Nothing => {
                    buffer.clear();
                    self.region.kept(Ok(None))
                }
            },
            |_, buffer| self.get_in_full_into(key, None, buffer),
        )
    }

    /// As [`Reader::get_into`], when a glance was not enough. `over` is the generation of the expired record that it found.
    #[cold]
    fn get_in_full_into(&self, key: &str, over: Option<u64>, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        let core = self.core()?;
        let slot_key = checked(&core, key)?;
        let mut found = CopiedRecord::EMPTY;
        let read = self.read_since(&core, &slot_key, None, over, &mut found, buffer);
        Ok(self.region.kept(read.map_err(|error| error.on_key(key)))?.then(|| meta(&found)))
    }

    /// Reads a key into `found` and `out`. An expired entry is absent. Returns whether the key has a value.
    #[inline]
    pub(super) fn read(
        &self,
        core: &Core<'_>,
        key: &slots::Key<'_>,
        hint: Option<slots::Slot>,
        found: &mut CopiedRecord,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        self.read_since(core, key, hint, None, found, out)
    }

    /// As `read`, after a glance of the same call that found the expired record of generation `over`.
    #[inline]
    pub(super) fn read_since(
        &self,
        core: &Core<'_>,
        key: &slots::Key<'_>,
        hint: Option<slots::Slot>,
        over: Option<u64>,
        found: &mut CopiedRecord,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let read = |found: &mut CopiedRecord| {
            let is = match core.get_to(key, hint, self.verify, found, out) {
                Ok(is) => is,
                Err(fault) => self.read_again(core, key, fault, found, out)?,
            };
            Ok(seen(is, found))
        };
        let is = settled(over, found, read)?;
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
        found: &mut CopiedRecord,
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

    /// The board as it is now, for several reads of one generation and one instant: see [`View`].
    ///
    /// # Errors
    /// `Moved`; `Forked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// session.put("plan", "paint")?;
    /// let view = reader.view()?;
    /// session.put("plan", "rest")?;
    /// assert_eq!(view.get("plan")?.unwrap().text(), Some("paint"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn view(&self) -> Result<View> {
        let core = self.core()?;
        let (point, instant_ns) = view::one_moment(|| core.point(), now_ns);
        self.region.stands()?;
        Ok(View::new(self.clone(), point, Some(instant_ns)))
    }

    /// The board as it was at a generation of the history. An entry whose time to live passed is present until the generation of
    /// its expire event.
    ///
    /// # Errors
    /// `Lagged` when the generation has left the history; `Future` when it has not happened; `Moved`; `Forked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// let first = session.put("plan", "paint")?.generation;
    /// session.put("plan", "rest")?;
    /// assert_eq!(reader.view_at(first)?.get("plan")?.unwrap().text(), Some("paint"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn view_at(&self, generation: u64) -> Result<View> {
        let core = self.core()?;
        let point = core.point_at(generation).map_err(|fault| self.out_of_history(&core, fault, generation));
        Ok(View::new(self.clone(), self.region.kept(point)?, None))
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
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// session.put("plan", "paint")?;
    /// session.remove("plan")?;
    /// let events = reader.events(0).collect::<slateboard::Result<Vec<_>>>()?;
    /// assert_eq!(events[1].mutations[0].kind, slateboard::MutationKind::Remove);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn events(&self, since: u64) -> Events {
        Events::new(self.clone(), since)
    }

    /// The event of one generation.
    ///
    /// # Errors
    /// `Lagged` when it has left the history; `Future` when it has not happened; `Corrupt`; `Moved`; `Forked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// let receipt = session.put("plan", "paint")?;
    /// assert_eq!(reader.event(receipt.generation)?.mutations[0].key, "plan");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn event(&self, generation: u64) -> Result<Event> {
        let core = self.core()?;
        let event = core
            .event(generation, self.verify, |_| true)
            .map_err(|fault| self.no_event(&core, fault, generation))
            .and_then(|record| record.ok_or_else(|| fault::error(Fault::Lagged)))
            .map(|record| super::event::event(&core, record));
        self.region.kept(event)
    }

    /// Follows the changes of the keys that start with the prefix, from the present on. That a time to live is over is an event
    /// which a session publishes: its keeper or a writer. While no session is attached, a watch does not report it;
    /// [`Reader::get`] and [`Reader::wait_newer`] know the deadline themselves.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// let changes = reader.watch("task/").since(0);
    /// session.put("task/42", "open")?;
    /// let event = changes.take(1).next().unwrap()?;
    /// assert_eq!(event.mutations[0].key, "task/42");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn watch(&self, prefix: &str) -> Watch {
        Watch::new(self.clone(), prefix)
    }

    /// Blocks until the key's version is newer than `version`, or the key is removed or expires. Returns `None` when the
    /// timeout passes first. With version 0, waits for the key to have a value.
    ///
    /// # Errors
    /// As [`Reader::get`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Newer};
    /// use std::time::Duration;
    ///
    /// let board = Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// let waiter = std::thread::spawn(move || reader.wait_newer("go", 0, Duration::from_secs(60)));
    /// session.put("go", "now")?;
    /// assert!(matches!(waiter.join().unwrap()?, Some(Newer::Value(entry)) if entry.value == b"now"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn wait_newer(&self, key: &str, version: u64, timeout: Duration) -> Result<Option<Newer>> {
        let shard = checked(&self.core()?, key)?.shard;
        watch::wait_newer(self, shard, version, timeout, || self.get(key))
    }

    /// The largest value that this board takes, bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// assert_eq!(reader.value_max(), 8 << 20, "an eighth of the capacity");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn value_max(&self) -> u64 {
        self.region.geometry().shape().value_max
    }

    /// The newest generation. 0 before the first write, in a forked child, and when the board has moved. It is never less than a
    /// generation that this reader returned before.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// assert_eq!(reader.generation(), 0);
    /// session.put("plan", "paint")?;
    /// assert_eq!(reader.generation(), 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.region.kept(self.core().map(|core| core.newest())).unwrap_or(0)
    }

    /// The newest generation that has left the history. Events after it can be read. 0 before the first has left.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// assert_eq!(reader.floor(), 0);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn floor(&self) -> u64 {
        self.region.kept(self.core().map(|core| core.floor())).unwrap_or(0)
    }

    /// The board's identifier; `None` for a local board.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// assert!(reader.uuid().is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn uuid(&self) -> Option<Uuid> {
        self.region.uuid()
    }

    /// The sessions that are attached, and those that died and are not reaped yet.
    ///
    /// # Errors
    /// `Forked`; `Moved`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// assert_eq!(reader.sessions()?[0].name, "planner");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn sessions(&self) -> Result<Vec<SessionInfo>> {
        self.region.kept(metrics::sessions(&self.region))
    }

    /// Checks the lock file, which tells which sessions live, and which sessions attach through.
    ///
    /// # Errors
    /// `Refused`, with the reason; `Io`. When the lock file could not be used since the board was opened, all sessions are
    /// [`Liveness::Unknown`](super::Liveness::Unknown).
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// reader.check_locks()?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn check_locks(&self) -> Result<()> {
        self.region.roll.check()
    }

    /// What the board holds, how full it is, and what its sessions have done.
    ///
    /// # Errors
    /// `Forked`; `Moved`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// let reader = board.reader();
    /// session.put("plan", "paint")?;
    /// assert_eq!(reader.metrics()?.keys, 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn metrics(&self) -> Result<Metrics> {
        self.region.kept(metrics::metrics(&self.region))
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

pub(super) fn meta(meta: &CopiedRecord) -> Meta {
    Meta {
        version: meta.words.version(),
        generation: meta.generation,
        codec: CodecId::new(meta.words.codec()),
        len: meta.words.value_len(),
        time_ns: meta.words.time(),
    }
}

/// What a read says of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    Value,
    /// The record that was copied has expired. Another may have replaced it before.
    Expired,
    Nothing,
}

#[inline(always)]
pub(super) fn seen(is: bool, found: &CopiedRecord) -> Seen {
    match is {
        true if is_expired(found.words.deadline()) => Seen::Expired,
        true => Seen::Value,
        false => Seen::Nothing,
    }
}

/// Reads until the answer is true of one moment of the call; returns whether the key has a value. A reader may be paused
/// between the copy of a record and the look at the clock, and another value may take the record's place before its
/// deadline. So the key is absent only if a read that begins after the deadline finds the same record. `over` is the
/// generation of the expired record that this call has found already.
#[inline]
fn settled(
    mut over: Option<u64>,
    found: &mut CopiedRecord,
    mut read: impl FnMut(&mut CopiedRecord) -> Result<Seen>,
) -> Result<bool> {
    loop {
        match read(found)? {
            Seen::Value => return Ok(true),
            Seen::Nothing => return Ok(false),
            Seen::Expired if over == Some(found.generation) => return Ok(false),
            Seen::Expired => over = Some(found.generation),
        }
    }
}

impl Deadline {
    /// The time from now to the deadline; zero when it has passed.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    /// use std::time::Duration;
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put_with("offer", "half price", PutOptions::new().ttl(Duration::from_secs(600)))?;
    /// let deadline = session.get("offer")?.unwrap().deadline.unwrap();
    /// assert!(deadline.remaining() <= Duration::from_secs(600));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn remaining(self) -> Duration {
        Duration::from_nanos(self.boot_ns.saturating_sub(boottime_ns()))
    }
}

/// Whether a deadline, 0 for none, has passed.
#[inline]
pub(super) fn is_expired(deadline: u64) -> bool {
    deadline != 0 && deadline <= now_ns()
}

/// The present in nanoseconds of `CLOCK_BOOTTIME`. Here a test pauses a reader that has read and not looked at the clock.
#[inline(always)]
pub(super) fn now_ns() -> u64 {
    #[cfg(test)]
    tests::pause();
    boottime_ns()
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

#[cfg(test)]
mod tests;
