//! Calls and answers: what a session asks of one key, and what it is told.
//!
//! The reference judges them one after the other; torture's workers log them in words, and judge them together
//! afterwards. A value says which call put it ([`value`]), so that a torn or a wrong one is recognised.

use crate::random::Random;
use slateboard::Expect;

/// What a session asks of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// The key's value.
    Get,
    /// Puts a value where this stands; `bound`: it ends with the session.
    Put {
        /// What must stand.
        expect: Expect,
        /// Whether the value ends with the session.
        bound: bool,
    },
    /// Puts a value made from the one that stands, as often as it takes.
    Update,
    /// Removes the key where this stands.
    Remove(Expect),
}

/// What a session is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The change happened.
    Done {
        /// The key's version.
        version: u64,
        /// The event's generation.
        generation: u64,
    },
    /// Something else stands there than was expected.
    Conflict {
        /// Its version; 0 where the key has no value.
        version: u64,
    },
    /// There is no such key.
    Absent,
    /// The key has a value.
    Value {
        /// Its version.
        version: u64,
        /// The generation that wrote it.
        generation: u64,
        /// Which call's value it is.
        value: u64,
    },
    /// The board had no room: nothing happened.
    Full,
    /// An answer that must not be: a value that nobody wrote, or an error that nothing explains.
    Wrong,
}

/// Whether a change with this expectation may happen where a value of this version and generation stands.
pub fn is_met(expect: Expect, stands: Option<(u64, u64)>) -> bool {
    match expect {
        Expect::Any => true,
        Expect::Absent | Expect::Version(0) | Expect::Generation(0) => stands.is_none(),
        Expect::Present => stands.is_some(),
        Expect::Version(version) => stands.is_some_and(|stands| stands.0 == version),
        Expect::Generation(generation) => stands.is_some_and(|stands| stands.1 == generation),
    }
}

/// Expectations by number, with their operand.
fn expectation([number, operand]: [u64; 2]) -> Option<Expect> {
    let all =
        [Expect::Any, Expect::Absent, Expect::Present, Expect::Version(operand), Expect::Generation(operand)];
    all.get(usize::try_from(number).ok()?).copied()
}

fn number(expect: Expect) -> [u64; 2] {
    match expect {
        Expect::Any => [0, 0],
        Expect::Absent => [1, 0],
        Expect::Present => [2, 0],
        Expect::Version(version) => [3, version],
        Expect::Generation(generation) => [4, generation],
    }
}

impl Call {
    /// Puts a value, whatever stands.
    pub const PUT: Self = Self::put(Expect::Any);
    /// Puts a value that ends with the session.
    pub const BIND: Self = Self::Put { expect: Expect::Any, bound: true };
    /// Removes the key, whatever stands.
    pub const REMOVE: Self = Self::Remove(Expect::Any);

    /// Puts a value where this stands.
    pub const fn put(expect: Expect) -> Self {
        Self::Put { expect, bound: false }
    }

    /// As three words.
    pub fn pack(self) -> [u64; 3] {
        let with = |kind, expect| {
            let [number, operand] = number(expect);
            [kind, number, operand]
        };
        match self {
            Self::Get => [0, 0, 0],
            Self::Update => [1, 0, 0],
            Self::Remove(expect) => with(2, expect),
            Self::Put { expect, bound: false } => with(3, expect),
            Self::Put { expect, bound: true } => with(4, expect),
        }
    }

    /// From three words; `None` where they are no call.
    pub fn unpack([kind, number, operand]: [u64; 3]) -> Option<Self> {
        let expect = expectation([number, operand])?;
        let calls = [
            Self::Get,
            Self::Update,
            Self::Remove(expect),
            Self::put(expect),
            Self::Put { expect, bound: true },
        ];
        calls.get(usize::try_from(kind).ok()?).copied()
    }

    /// Whether it may put a value of its own.
    pub fn puts(self) -> bool {
        matches!(self, Self::Put { .. } | Self::Update)
    }

    /// Whether it may have an effect where a value of this version and generation stands.
    pub fn is_met(self, stands: Option<(u64, u64)>) -> bool {
        match self {
            Self::Get | Self::Update => true,
            Self::Put { expect, .. } => is_met(expect, stands),
            Self::Remove(expect) => stands.is_some() && is_met(expect, stands),
        }
    }
}

impl Answer {
    /// As four words.
    pub fn pack(self) -> [u64; 4] {
        match self {
            Self::Done { version, generation } => [0, version, generation, 0],
            Self::Conflict { version } => [1, version, 0, 0],
            Self::Absent => [2, 0, 0, 0],
            Self::Value { version, generation, value } => [3, version, generation, value],
            Self::Full => [4, 0, 0, 0],
            Self::Wrong => [5, 0, 0, 0],
        }
    }

    /// From four words; `None` where they are no answer.
    pub fn unpack([kind, version, generation, value]: [u64; 4]) -> Option<Self> {
        let answers = [
            Self::Done { version, generation },
            Self::Conflict { version },
            Self::Absent,
            Self::Value { version, generation, value },
            Self::Full,
            Self::Wrong,
        ];
        answers.get(usize::try_from(kind).ok()?).copied()
    }
}

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

/// The bytes of a call's value: the call's number, the key, the length, and bytes that follow from these.
pub fn value(id: u64, key: u64, len: usize) -> Vec<u8> {
    let mut bytes = [id, key, len as u64].map(u64::to_le_bytes).concat();
    bytes.resize(len.max(bytes.len()), 0);
    Random::with_seed(id ^ key.rotate_left(32)).fill(&mut bytes[24..]);
    bytes
}

/// Which call's value these bytes are; `None` for bytes that no call on that key put.
pub fn identify(bytes: &[u8], key: u64) -> Option<u64> {
    let id = u64::from_le_bytes(*bytes.first_chunk::<8>()?);
    (value(id, key, bytes.len()) == bytes).then_some(id)
}
