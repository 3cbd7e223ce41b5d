//! What a key has, as a reader gets it.

use crate::layout::words::Writer;

/// A value with everything that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The bytes that one write wrote.
    pub value: Vec<u8>,
    /// Version of the key: rises by one at every change.
    pub version: u64,
    /// Generation of the write on this board.
    pub generation: u64,
    /// Generation of the write that created the key, in its present life.
    pub created: u64,
    /// Who wrote it.
    pub writer: WriterInfo,
    /// When it was written, nanoseconds since 1970, as of the kernel's last tick: 1 to 10 ms earlier.
    pub time: u64,
    /// How the value is encoded; see [`crate::codec`].
    pub codec: u8,
    /// Deadline in nanoseconds of `CLOCK_BOOTTIME`, where it has one.
    pub deadline: Option<u64>,
    /// The session whose end removes the entry, where it is ephemeral.
    pub ephemeral: Option<WriterInfo>,
}

impl Entry {
    /// The entry with its sessions shown by number: their names may be others' by now.
    pub(crate) fn without_names(mut self) -> Self {
        self.writer.name.clear();
        self.ephemeral.iter_mut().for_each(|session| session.name.clear());
        self
    }

    /// The value as text, where it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}

/// A session as records name it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
#[non_exhaustive]
pub struct WriterInfo {
    /// The session's name; empty where it could not be told whose it is any more.
    pub name: String,
    /// Index of its record.
    pub session: u16,
    /// Which life of that record.
    pub incarnation: u32,
}

impl WriterInfo {
    /// The writer word's session, under this name.
    pub fn new(name: String, writer: Writer) -> Self {
        Self { name, session: writer.session, incarnation: writer.incarnation }
    }
}

impl std::fmt::Display for WriterInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() {
            write!(f, "#{}.{}", self.session, self.incarnation)
        } else {
            f.write_str(&self.name)
        }
    }
}
