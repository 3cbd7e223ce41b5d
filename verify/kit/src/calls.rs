//! Operations, answers and values, as the workers log them.

use crate::random::Random;

/// Keys that all workers change.
pub const HOT: u64 = 12;
/// Keys that come and go.
pub const COLD: u64 = 200;

/// The name of a key.
pub fn key(index: u64) -> String {
    match index {
        0..4 => format!("task/{index}"),
        4..HOT => format!("hot/{index}"),
        _ => format!("cold/{index}"),
    }
}

/// The index of a key of this name.
pub fn index(key: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(key).ok()?;
    let number = text.rsplit('/').next()?.parse().ok()?;
    (self::key(number) == text).then_some(number)
}

/// What a worker asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// The key's value.
    Get,
    /// Puts a value, whatever stands.
    Put,
    /// Puts a value where there is none.
    Create,
    /// Puts a value where there is one.
    Replace,
    /// Puts a value over this version.
    Swap(u64),
    /// Puts a value made from the one that stands, as often as it takes.
    Update,
    /// Removes the key.
    Remove,
    /// Puts a value that ends with the session.
    Bind,
}

/// What a worker is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Told {
    /// The change has this version and this generation.
    Done {
        /// The key's version.
        version: u64,
        /// The event's generation.
        generation: u64,
    },
    /// Something else stands there than was expected.
    Conflict,
    /// There is no such key.
    Absent,
    /// The key has a value.
    Value {
        /// Its version.
        version: u64,
        /// The generation that wrote it.
        generation: u64,
        /// Which operation's value it is.
        value: u64,
    },
    /// The board had no room: nothing happened.
    Full,
    /// An answer that must not be: a value that nobody wrote, or an error that nothing explains.
    Wrong,
}

impl Op {
    /// As two words.
    pub fn pack(self) -> [u64; 2] {
        match self {
            Op::Get => [0, 0],
            Op::Put => [1, 0],
            Op::Create => [2, 0],
            Op::Replace => [3, 0],
            Op::Swap(version) => [4, version],
            Op::Update => [5, 0],
            Op::Remove => [6, 0],
            Op::Bind => [7, 0],
        }
    }

    /// From two words; `None` where they are none.
    pub fn unpack([kind, version]: [u64; 2]) -> Option<Self> {
        let ops =
            [Op::Get, Op::Put, Op::Create, Op::Replace, Op::Swap(version), Op::Update, Op::Remove, Op::Bind];
        ops.get(usize::try_from(kind).ok()?).copied()
    }

    /// Whether it may put its own value there.
    pub fn puts(self) -> bool {
        !matches!(self, Op::Get | Op::Remove)
    }
}

impl Told {
    /// As four words.
    pub fn pack(self) -> [u64; 4] {
        match self {
            Told::Done { version, generation } => [0, version, generation, 0],
            Told::Conflict => [1, 0, 0, 0],
            Told::Absent => [2, 0, 0, 0],
            Told::Value { version, generation, value } => [3, version, generation, value],
            Told::Full => [4, 0, 0, 0],
            Told::Wrong => [5, 0, 0, 0],
        }
    }

    /// From four words; `None` where they are none.
    pub fn unpack([kind, version, generation, value]: [u64; 4]) -> Option<Self> {
        let told = [
            Told::Done { version, generation },
            Told::Conflict,
            Told::Absent,
            Told::Value { version, generation, value },
            Told::Full,
            Told::Wrong,
        ];
        told.get(usize::try_from(kind).ok()?).copied()
    }
}

/// The bytes of an operation's value: which one it is, its key, its length, and what follows from these.
pub fn value(id: u64, key: u64, len: usize) -> Vec<u8> {
    let mut bytes = [id, key, len as u64].map(u64::to_le_bytes).concat();
    bytes.resize(len.max(bytes.len()), 0);
    Random::with_seed(id ^ key.rotate_left(32)).fill(&mut bytes[24..]);
    bytes
}

/// Which operation's value these bytes are; `None` for bytes that no operation on that key put.
pub fn identify(bytes: &[u8], key: u64) -> Option<u64> {
    let id = u64::from_le_bytes(*bytes.first_chunk::<8>()?);
    (value(id, key, bytes.len()) == bytes).then_some(id)
}
