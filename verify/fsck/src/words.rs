//! The packed words of the format.

use std::fmt;

/// Kinds of a slot's head.
pub const FREED: u64 = 0;
pub const LIVE: u64 = 1;
pub const RETIRED: u64 = 2;
pub const OPEN: u64 = 3;

/// Kinds of a block's state.
pub const FREE: u64 = 0;
pub const CLAIMED: u64 = 1;
pub const OWNED: u64 = 3;
pub const PART: u64 = 5;
pub const LIMBO: u64 = 7;
const STATES: [&str; 8] = ["FREE", "CLAIMED", "INFLIGHT", "OWNED", "DOOMED", "PART", "COMMIT", "LIMBO"];

const BLOCK: u64 = (1 << 23) - 1;
const COUNTER: u64 = (1 << 38) - 1;

/// A slot's head.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head(pub u64);

impl Head {
    pub fn kind(self) -> u64 {
        self.0 >> 61
    }
    pub fn counter(self) -> u64 {
        self.0 >> 23 & COUNTER
    }
    pub fn block(self) -> u32 {
        (self.0 & BLOCK) as u32
    }
    /// The head that follows this one when the slot changes.
    pub fn next(self, kind: u64, block: u32) -> Self {
        Self(kind << 61 | ((self.counter() + 1) & COUNTER) << 23 | u64::from(block))
    }
    /// Whether this head follows the other, by at most half the range of the counter.
    pub fn is_after(self, other: Self) -> bool {
        let ahead = self.counter().wrapping_sub(other.counter()) & COUNTER;
        (1..=COUNTER / 2).contains(&ahead)
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = ["FREED", "LIVE", "RETIRED", "OPEN", "MOVED", "PENDING", "kind 6", "kind 7"];
        write!(f, "{} #{} of block {}", kinds[self.kind() as usize], self.counter(), self.block())
    }
}

/// A slot's hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SlotHash(pub u64);

impl SlotHash {
    pub fn number(self) -> u64 {
        (self.0 >> 16) & ((1 << 36) - 1)
    }
    pub fn fingerprint(self) -> u16 {
        self.0 as u16
    }
    pub fn new(number: u64, fingerprint: u16) -> Self {
        Self(number << 16 | u64::from(fingerprint))
    }
}

/// What a chain's guard asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asks {
    Nothing,
    Claim { slot: usize, fingerprint: u16 },
    Free { slot: usize },
    Link { block: u32 },
    Frozen,
}

/// A chain's guard.
#[derive(Clone, Copy)]
pub struct Guard(pub u64);

impl Guard {
    pub fn number(self) -> u64 {
        self.0 >> 28
    }
    pub fn asks(self) -> Asks {
        let slot = (self.0 & 1023) as usize;
        match self.0 >> 26 & 3 {
            _ if self.0 == 0 => Asks::Nothing,
            0 => Asks::Claim { slot, fingerprint: (self.0 >> 10) as u16 },
            1 => Asks::Free { slot },
            2 => Asks::Link { block: (self.0 & BLOCK) as u32 },
            _ => Asks::Frozen,
        }
    }
}

/// A block's state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State(pub u64);

impl State {
    pub fn kind(self) -> u64 {
        self.0 & 7
    }
    pub fn owner(self) -> u16 {
        (self.0 >> 3) as u16
    }
    pub fn tag(self) -> u64 {
        self.0 >> 19
    }
    /// Whether the state is of this kind and belongs to no session.
    pub fn is_nobodys(self, kind: u64) -> bool {
        self.kind() == kind && self.owner() == 0
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in life {}", STATES[self.kind() as usize], self.tag())?;
        match self.owner().checked_sub(1) {
            Some(session) => write!(f, " of session {session}"),
            None => Ok(()),
        }
    }
}

/// A block's generation word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GenWord {
    Generation(u64),
    Parent { block: u32, tag: u64 },
    Bucket(u64),
    Other(u64),
}

impl GenWord {
    pub fn of(word: u64) -> Self {
        let operand = word & ((1 << 61) - 1);
        match word >> 61 {
            1 => Self::Generation(operand),
            3 => Self::Parent { block: (word & BLOCK) as u32, tag: operand >> 23 },
            4 => Self::Bucket(operand),
            _ => Self::Other(word),
        }
    }
    /// The generation word of a piece of the chained record in a block with this state.
    pub fn parent(block: u32, state: State) -> Self {
        Self::Parent { block, tag: state.tag() & COUNTER }
    }
}

/// A word of the history ring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RingWord(pub u64);

impl RingWord {
    pub fn lap(self) -> u64 {
        self.0 >> 25
    }
    pub fn kind(self) -> u64 {
        self.0 >> 23 & 3
    }
    pub fn block(self) -> u32 {
        (self.0 & BLOCK) as u32
    }
}

/// A writer word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Writer(pub u64);

impl Writer {
    pub fn name(self) -> usize {
        (self.0 >> 48) as usize
    }
    pub fn session(self) -> u16 {
        (self.0 >> 32) as u16
    }
    pub fn incarnation(self) -> u32 {
        self.0 as u32
    }
}
