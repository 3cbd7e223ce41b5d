//! What a key has, as a reader gets it.

use crate::{codec::CodecId, layout::words::Writer};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// A value with everything that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The bytes that one write wrote.
    pub value: Vec<u8>,
    /// Version of the key. It rises by one at every change.
    pub version: u64,
    /// Generation of the write on this board.
    pub generation: u64,
    /// Generation of the write that created the key, in its present life.
    pub created: u64,
    /// The session that wrote it.
    pub writer: WriterInfo,
    /// When it was written, by the clock of the kernel's last tick: 1 to 10 ms earlier.
    pub time: SystemTime,
    /// How the value is encoded.
    pub codec: CodecId,
    /// When the entry's time to live ends; `None` when it has none.
    pub deadline: Option<Deadline>,
    /// The session whose end removes the entry; `None` when the entry is not ephemeral.
    pub ephemeral: Option<WriterInfo>,
}

impl Entry {
    /// The entry with its sessions shown by number: their names may be others' by now.
    pub(crate) fn without_names(mut self) -> Self {
        self.writer.name.clear();
        self.ephemeral.iter_mut().for_each(|session| session.name.clear());
        self
    }

    /// The value as text; `None` when it is not valid UTF-8.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "paint")?;
    /// assert_eq!(session.get("plan")?.unwrap().text(), Some("paint"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}

/// When a time to live ends. Deadlines of one boot of the machine can be compared.
///
/// A deadline is a time of the machine's boot clock. The clock goes on while the machine is suspended, changes of the wall clock
/// do not move it, and it is the same in every container, also in one with a time namespace. It ends with the boot, and so
/// do the boards in memory; a board in a file is refused after a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Deadline {
    /// Nanoseconds of `CLOCK_BOOTTIME` of the initial time namespace.
    pub(crate) boot_ns: u64,
}

impl Deadline {
    /// The deadline of a record; 0 for none.
    pub(crate) fn of(boot_ns: u64) -> Option<Self> {
        (boot_ns != 0).then_some(Self { boot_ns })
    }
}

/// The time that a record or a session tells, nanoseconds since 1970.
pub(crate) fn time_of(since_epoch_ns: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(since_epoch_ns)
}

/// A session as records name it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
#[non_exhaustive]
pub struct WriterInfo {
    /// The session's name; empty when it is not known any more.
    pub name: String,
    /// Index of its record.
    pub session: u16,
    /// Which life of that record.
    pub incarnation: u32,
}

impl WriterInfo {
    /// The writer word's session, under this name.
    pub(crate) fn new(name: String, writer: Writer) -> Self {
        Self { name, session: writer.session, incarnation: writer.incarnation }
    }
}

/// The session's name, or `#session.incarnation` when the name is not known.
impl fmt::Display for WriterInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            write!(f, "#{}.{}", self.session, self.incarnation)
        } else {
            f.pad(&self.name)
        }
    }
}
