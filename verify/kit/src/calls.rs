//! Calls and answers: what a session asks of one key, and what it is told.
//!
//! The reference judges them one after the other; torture's workers log them in words, and judge them together
//! afterwards. A value says which call put it ([`value`]), so that a torn or a wrong one is recognised.

use crate::random::Random;
use slateboard::Expect;
use std::ops::Range;

/// What a session asks of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// The key's value.
    Get,
    /// The key's value if its version is newer than this.
    Newer(u64),
    /// The key's version.
    Version,
    /// The key's value at this generation.
    At {
        /// The generation.
        generation: u64,
        /// Whether the view is of the present, in which values whose time to live is over are absent.
        present: bool,
    },
    /// Puts a value where this stands.
    Put {
        /// What must stand.
        expect: Expect,
        /// Whether the value ends with the session.
        bound: bool,
        /// Its time to live, milliseconds; 0: for ever.
        ttl: u64,
    },
    /// Puts a value made from the one that stands, as often as it takes.
    Update,
    /// Adds to a counter.
    Increment(u64),
    /// Puts the value that stands again, with this time to live, milliseconds.
    Touch(u64),
    /// Removes the key where this stands.
    Remove(Expect),
    /// Removes the keys of the key's family.
    RemoveAll,
    /// The newest generation, as a view of the present has it. The key says nothing.
    Present,
    /// Takes a lease on the key.
    Take,
    /// Renews the lease that was taken at this generation.
    Renew(u64),
    /// Whether the lease that was taken at this generation is held.
    Held(u64),
    /// Releases the lease that was taken at this generation.
    Release(u64),
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
    /// The change happened, and was made from what stood.
    Updated {
        /// The key's version.
        version: u64,
        /// The event's generation.
        generation: u64,
        /// The value that it was made from: see [`identify`]. 0 where the key had none.
        saw: u64,
    },
    /// Something else stands there than was expected.
    Conflict {
        /// Its version; 0 where the key has no value.
        version: u64,
    },
    /// There is no such key, or nothing newer.
    Absent,
    /// The key has a value.
    Value {
        /// Its version.
        version: u64,
        /// The generation that wrote it.
        generation: u64,
        /// Which call's value it is: see [`identify`].
        value: u64,
    },
    /// The key has a value of this version.
    Stands {
        /// Its version.
        version: u64,
    },
    /// The board had no room: nothing happened.
    Full,
    /// The generation has left the history.
    Lagged,
    /// A generation: of the present, or when a lease was taken.
    Generation(u64),
    /// How many keys were removed.
    Count(u64),
    /// So it is, or so it was done.
    Yes,
    /// It is not so.
    No,
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
    pub const BIND: Self = Self::Put { expect: Expect::Any, bound: true, ttl: 0 };
    /// Removes the key, whatever stands.
    pub const REMOVE: Self = Self::Remove(Expect::Any);

    /// Puts a value where this stands.
    pub const fn put(expect: Expect) -> Self {
        Self::Put { expect, bound: false, ttl: 0 }
    }

    /// As four words.
    pub fn pack(self) -> [u64; 4] {
        match self {
            Self::Get => [0; 4],
            Self::Newer(version) => [1, 0, 0, version],
            Self::Version => [2, 0, 0, 0],
            Self::At { generation, present } => [3, 0, 0, generation << 1 | u64::from(present)],
            Self::Put { expect, bound, ttl } => {
                let [number, operand] = number(expect);
                [4, number, operand, ttl << 1 | u64::from(bound)]
            }
            Self::Update => [5, 0, 0, 0],
            Self::Increment(by) => [6, 0, 0, by],
            Self::Touch(ttl) => [7, 0, 0, ttl],
            Self::Remove(expect) => {
                let [number, operand] = number(expect);
                [8, number, operand, 0]
            }
            Self::RemoveAll => [9, 0, 0, 0],
            Self::Present => [10, 0, 0, 0],
            Self::Take => [11, 0, 0, 0],
            Self::Renew(token) => [12, 0, 0, token],
            Self::Held(token) => [13, 0, 0, token],
            Self::Release(token) => [14, 0, 0, token],
        }
    }

    /// From four words; `None` where they are no call.
    pub fn unpack([kind, number, operand, last]: [u64; 4]) -> Option<Self> {
        let expect = expectation([number, operand])?;
        let (half, flag) = (last >> 1, last & 1 == 1);
        let calls = [
            Self::Get,
            Self::Newer(last),
            Self::Version,
            Self::At { generation: half, present: flag },
            Self::Put { expect, bound: flag, ttl: half },
            Self::Update,
            Self::Increment(last),
            Self::Touch(last),
            Self::Remove(expect),
            Self::RemoveAll,
            Self::Present,
            Self::Take,
            Self::Renew(last),
            Self::Held(last),
            Self::Release(last),
        ];
        calls.get(usize::try_from(kind).ok()?).copied()
    }

    /// Whether it may put a value that is known by the call's number.
    pub fn puts(self) -> bool {
        matches!(self, Self::Put { .. } | Self::Update)
    }

    /// Whether it may change its key.
    pub fn changes(self) -> bool {
        self.puts() || matches!(self, Self::Increment(_) | Self::Touch(_) | Self::Remove(_))
    }

    /// Which value the key has after this change, whose number is `id`, where `stood` stood.
    pub fn effect(self, id: u64, stood: Option<u64>) -> Option<u64> {
        match self {
            Self::Put { .. } | Self::Update => Some(id),
            Self::Increment(by) => Some(stood.unwrap_or(0).wrapping_add(by)),
            Self::Remove(_) | Self::RemoveAll => None,
            _ => stood,
        }
    }

    /// The time to live that it gives, nanoseconds.
    pub fn ttl_ns(self) -> Option<u64> {
        match self {
            Self::Put { ttl: 0, .. } => None,
            Self::Put { ttl, .. } | Self::Touch(ttl) => Some(ttl * 1_000_000),
            _ => None,
        }
    }

    /// Whether it may have an effect where a value of this version and generation stands.
    pub fn is_met(self, stands: Option<(u64, u64)>) -> bool {
        match self {
            Self::Put { expect, .. } => is_met(expect, stands),
            Self::Remove(expect) => stands.is_some() && is_met(expect, stands),
            Self::Touch(_) => stands.is_some(),
            Self::Take => stands.is_none(),
            _ => true,
        }
    }
}

impl Answer {
    /// As four words.
    pub fn pack(self) -> [u64; 4] {
        match self {
            Self::Done { version, generation } => [0, version, generation, 0],
            Self::Updated { version, generation, saw } => [1, version, generation, saw],
            Self::Conflict { version } => [2, version, 0, 0],
            Self::Absent => [3, 0, 0, 0],
            Self::Value { version, generation, value } => [4, version, generation, value],
            Self::Stands { version } => [5, version, 0, 0],
            Self::Full => [6, 0, 0, 0],
            Self::Lagged => [7, 0, 0, 0],
            Self::Generation(generation) => [8, 0, generation, 0],
            Self::Count(count) => [9, 0, 0, count],
            Self::Yes => [10, 0, 0, 0],
            Self::No => [11, 0, 0, 0],
            Self::Wrong => [12, 0, 0, 0],
        }
    }

    /// From four words; `None` where they are no answer.
    pub fn unpack([kind, version, generation, value]: [u64; 4]) -> Option<Self> {
        let answers = [
            Self::Done { version, generation },
            Self::Updated { version, generation, saw: value },
            Self::Conflict { version },
            Self::Absent,
            Self::Value { version, generation, value },
            Self::Stands { version },
            Self::Full,
            Self::Lagged,
            Self::Generation(generation),
            Self::Count(value),
            Self::Yes,
            Self::No,
            Self::Wrong,
        ];
        answers.get(usize::try_from(kind).ok()?).copied()
    }
}

/// What is done with a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// All workers change it, and nothing ends it but a removal.
    Hot,
    /// A counter.
    Count,
    /// Its values have times to live.
    Brief,
    /// Leases are taken on it.
    Lease,
    /// It is put, read and removed together with the others of its family.
    Many,
    /// It comes and goes, and may end with a session.
    Cold,
}

/// Family, first part of the names, and numbers of the keys.
pub const FAMILIES: [(Family, &str, Range<u64>); 7] = [
    (Family::Hot, "task/", 0..4),
    (Family::Hot, "hot/", 4..12),
    (Family::Count, "count/", 12..16),
    (Family::Brief, "brief/", 16..24),
    (Family::Lease, "lease/", 24..28),
    (Family::Many, "many/", 28..36),
    (Family::Cold, "cold/", 36..KEYS),
];
/// How many keys there are.
pub const KEYS: u64 = 200;

/// The row of a key in [`FAMILIES`].
fn row(key: u64) -> &'static (Family, &'static str, Range<u64>) {
    FAMILIES.iter().find(|(.., keys)| keys.contains(&key)).unwrap_or(&FAMILIES[6])
}

/// The family of a key.
pub fn family(key: u64) -> Family {
    row(key).0
}

/// The keys of a family.
pub fn keys(family: Family) -> impl Iterator<Item = u64> {
    FAMILIES.iter().filter(move |row| row.0 == family).flat_map(|row| row.2.clone())
}

/// For how long a lease on this key lasts, milliseconds: less than a beat, some beats, or longer than any run.
pub fn lease_ttl(key: u64) -> u64 {
    [3, 12, 60, 3_600_000][(key % 4) as usize]
}

/// The name of a key.
pub fn key(index: u64) -> String {
    format!("{}{index}", row(index).1)
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

/// The name of a worker's session, which is also the value of its leases.
pub fn holder(worker: u64, attached: u64) -> String {
    format!("w{worker}-{attached}")
}

/// The worker whose lease a value of a lease's key is.
pub fn worker_of(value: u64) -> Option<u64> {
    (value & HOLDS != 0).then_some((value & !HOLDS) >> 20)
}

/// Marks the values of leases.
const HOLDS: u64 = 1 << 63;

/// The value of a lease of this session.
fn lease(bytes: &[u8]) -> Option<u64> {
    let (worker, attached) = std::str::from_utf8(bytes).ok()?.strip_prefix('w')?.split_once('-')?;
    Some(HOLDS | worker.parse::<u64>().ok()? << 20 | attached.parse::<u64>().ok()?)
}

/// Which value these bytes are: the number of the call that put them, the sum of a counter, the holder of a lease; `None`
/// for bytes that nobody put to that key.
pub fn identify(bytes: &[u8], key: u64) -> Option<u64> {
    match family(key) {
        Family::Count => return std::str::from_utf8(bytes).ok()?.parse().ok(),
        Family::Lease if lease(bytes).is_some() => return lease(bytes),
        _ => {}
    }
    let id = u64::from_le_bytes(*bytes.first_chunk::<8>()?);
    (value(id, key, bytes.len()) == bytes).then_some(id)
}
