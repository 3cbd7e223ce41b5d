//! An entry of a snapshot, and a mutation of an event: the same bytes.

use super::frame::{half, word};
use crate::layout::record::{KEY_MAX, RecordKind};

/// The place of the value's length.
pub const VALUE_LENGTH: usize = 0;
/// The place of the key's length.
pub const KEY_LENGTH: usize = 4;
/// The place of the kind.
pub const KIND: usize = 6;
/// The place of the codec.
pub const CODEC: usize = 7;
/// The place of the key's version.
pub const VERSION_OF_KEY: usize = 8;
/// The place of the change's generation.
pub const GENERATION_OF_ENTRY: usize = 16;
/// The place of the generation of creation.
pub const CREATED: usize = 24;
/// The place of the wall time.
pub const TIME_NS: usize = 32;
/// The place of the deadline.
pub const DEADLINE_NS: usize = 40;
/// The place of the writer word.
pub const WRITER: usize = 48;
/// The place of the writer word of the session that the entry ends with.
pub const EPHEMERAL: usize = 56;
/// The place of the length of the writer's name.
pub const WRITER_NAME_LENGTH: usize = 64;
/// The place of the length of that session's name.
pub const OWNER_NAME_LENGTH: usize = 68;
/// The bytes before the key.
pub const ENTRY_HEAD_BYTES: usize = 72;

/// The longest name of a session.
const NAME_MAX: usize = 56;

/// What one change made of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Record<'r> {
    /// The key.
    pub key: &'r str,
    /// The value; empty for a removal.
    pub value: &'r [u8],
    /// What happened to the key.
    pub kind: RecordKind,
    /// How the value is encoded.
    pub codec: u8,
    /// The key's version after the change.
    pub version: u64,
    /// The change's generation.
    pub generation: u64,
    /// The generation of the key's creation.
    pub created: u64,
    /// The wall time of the change, nanoseconds since 1970.
    pub time_ns: u64,
    /// When the entry's time to live ends, nanoseconds since 1970; 0 for none.
    pub deadline_ns: u64,
    /// The writer word of who made the change.
    pub writer: u64,
    /// The name of that session; empty if it is not known.
    pub writer_name: &'r str,
    /// The writer word of the session that the entry ends with; 0 for none.
    pub ephemeral: u64,
    /// The name of that session.
    pub ephemeral_name: &'r str,
}

impl<'r> Record<'r> {
    /// The bytes that it takes.
    pub fn bytes(&self) -> usize {
        let names = self.writer_name.len() + self.ephemeral_name.len();
        ENTRY_HEAD_BYTES + self.key.len() + names + self.value.len()
    }

    /// Appends it to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        debug_assert!((1..=KEY_MAX).contains(&self.key.len()) && self.writer_name.len() <= NAME_MAX);
        let mut head = [0; ENTRY_HEAD_BYTES];
        let mut put = |at: usize, part: &[u8]| head[at..at + part.len()].copy_from_slice(part);
        put(VALUE_LENGTH, &(self.value.len() as u32).to_le_bytes());
        put(KEY_LENGTH, &(self.key.len() as u16).to_le_bytes());
        put(KIND, &[self.kind as u8, self.codec]);
        put(VERSION_OF_KEY, &self.version.to_le_bytes());
        put(GENERATION_OF_ENTRY, &self.generation.to_le_bytes());
        put(CREATED, &self.created.to_le_bytes());
        put(TIME_NS, &self.time_ns.to_le_bytes());
        put(DEADLINE_NS, &self.deadline_ns.to_le_bytes());
        put(WRITER, &self.writer.to_le_bytes());
        put(EPHEMERAL, &self.ephemeral.to_le_bytes());
        put(WRITER_NAME_LENGTH, &(self.writer_name.len() as u32).to_le_bytes());
        put(OWNER_NAME_LENGTH, &(self.ephemeral_name.len() as u32).to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(self.writer_name.as_bytes());
        out.extend_from_slice(self.ephemeral_name.as_bytes());
        out.extend_from_slice(self.value);
    }

    /// Takes the first entry off the bytes; `None` if they do not begin with one.
    pub fn read(bytes: &mut &'r [u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(ENTRY_HEAD_BYTES)?;
        let key_length = usize::from(u16::from_le_bytes([head[KEY_LENGTH], head[KEY_LENGTH + 1]]));
        let name_length = half(head, WRITER_NAME_LENGTH) as usize;
        let owner_length = half(head, OWNER_NAME_LENGTH) as usize;
        if !(1..=KEY_MAX).contains(&key_length) || name_length.max(owner_length) > NAME_MAX {
            return None;
        }
        let mut take = |length: usize| {
            let (part, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(part)
        };
        let key = std::str::from_utf8(take(key_length)?).ok()?;
        let writer_name = std::str::from_utf8(take(name_length)?).ok()?;
        let ephemeral_name = std::str::from_utf8(take(owner_length)?).ok()?;
        let value = take(half(head, VALUE_LENGTH) as usize)?;
        *bytes = rest;
        Some(Self {
            key,
            value,
            kind: kind(head[KIND])?,
            codec: head[CODEC],
            version: word(head, VERSION_OF_KEY),
            generation: word(head, GENERATION_OF_ENTRY),
            created: word(head, CREATED),
            time_ns: word(head, TIME_NS),
            deadline_ns: word(head, DEADLINE_NS),
            writer: word(head, WRITER),
            writer_name,
            ephemeral: word(head, EPHEMERAL),
            ephemeral_name,
        })
    }
}

fn kind(number: u8) -> Option<RecordKind> {
    use RecordKind::{Detached, Died, Expired, Removed, Touched, Value};
    [Value, Touched, Removed, Expired, Detached, Died].into_iter().find(|kind| *kind as u8 == number)
}

/// All entries of a chunk or an event; `None` if the bytes are not entries to the end.
pub fn read_all(mut bytes: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        records.push(Record::read(&mut bytes)?);
    }
    Some(records)
}
