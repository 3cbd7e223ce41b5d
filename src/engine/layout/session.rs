//! The words of a session record and of the name table.
//!
//! ```text
//! line 0      incarnation · pid · pid namespace · start time · lock file · name · heartbeat · attached at
//! line 1..=4  one intent a lane: state word · block · event · unused
//! then        two lines of counters a lane, cumulative over all lives of the record, and two of their
//!             baseline: the lanes' sums when the session attached
//! ```

use super::LINE;

/// The number of lanes of one session: how many of its threads can write concurrently.
pub const LANES: usize = if cfg!(any(loom, slate_search)) { 1 } else { 4 };

/// `incarnation:32 | active:1`. A record is free while the lowest bit is 0.
pub const INCARNATION: usize = 0;
/// The process id, as its own pid namespace shows it.
pub const PID: usize = 1;
/// The inode of its pid namespace.
pub const PID_NAMESPACE: usize = 2;
/// The start time of the process in clock ticks since boot.
pub const START_TIME: usize = 3;
/// The inode of the lock file in which the session holds its byte; 0 on a local board.
pub const LOCK_FILE: usize = 4;
/// The entry of the name table.
pub const NAME: usize = 5;
/// The last heartbeat in nanoseconds of `CLOCK_BOOTTIME`.
pub const HEARTBEAT_NS: usize = 6;
/// The time of the attach in nanoseconds of `CLOCK_REALTIME`.
pub const ATTACHED_NS: usize = 7;

const IDENTITY_WORDS: usize = 8;
const INTENT_WORDS: usize = if LINE < 3 { 3 } else { LINE };
/// The first intent. The intent of lane `l` is at `INTENTS + l * intent words`.
pub const INTENTS: usize = IDENTITY_WORDS;
/// The state word of the block that the floor step frees.
pub const INTENT_STATE: usize = 0;
/// `kind:1 | block`. Kind 0 is one block; kind 1 is reserved for commits.
pub const INTENT_BLOCK: usize = 1;
/// The event whose departure from the history frees the block; 0 if there is no intent.
pub const INTENT_EVENT: usize = 2;

/// The counters of a session, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Counter {
    /// Puts that were published.
    Puts,
    /// Removals that were published.
    Removes,
    /// Expected values or versions that did not match.
    Conflicts,
    /// Attempts that were repeated because another thread was faster.
    Retries,
    /// Events of other sessions that this session brought into the history.
    Helped,
    /// Events that this session let go past the floor.
    Floored,
    /// Sessions that this session reaped.
    Reaped = 8,
    /// Ephemeral puts.
    Ephemerals,
    /// Expired entries that this session removed.
    Expired,
    /// Extents that this session claimed or gave another class.
    Extents,
}

/// The words of a lane's counters. Two of them are its weights.
pub const COUNTERS: usize = 12;
/// Whether counters are kept. The models omit them, except for the random schedules.
pub const COUNTERS_KEPT: bool = cfg!(slate_whole) || !cfg!(any(loom, slate_search));
/// Whether weights are kept: wherever counters are kept, and in the search, which checks that they stay right after a
/// kill.
pub const WEIGHTS_KEPT: bool = COUNTERS_KEPT || cfg!(slate_search);
const COUNTER_WORDS: usize = if COUNTERS_KEPT { 16 } else { 2 * WEIGHTS_KEPT as usize };
const WEIGHTS_AT: usize = if COUNTERS_KEPT { Counter::Floored as usize + 1 } else { 0 };
const COUNTER_BASE: usize = INTENTS + LANES * INTENT_WORDS;
const BASELINE_BASE: usize = COUNTER_BASE + LANES * COUNTER_WORDS;
/// The words of a session record.
pub const RECORD_WORDS: usize = BASELINE_BASE + COUNTER_WORDS;

/// The word of a lane's counter, counted from the start of the record. Only if counters are kept.
pub const fn counter(lane: usize, counter: usize) -> usize {
    COUNTER_BASE + lane * COUNTER_WORDS + counter
}

/// The word of a counter's baseline, counted from the start of the record. Only if counters are kept.
pub const fn baseline(counter: usize) -> usize {
    BASELINE_BASE + counter
}

/// Whether a word of a lane's counters is a counter, and not a weight.
pub const fn is_counter(word: usize) -> bool {
    word < WEIGHTS_AT || word >= WEIGHTS_AT + 2
}

/// What a lane sums up about the history. Each sum is a [`Weight`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sum {
    /// Granules that its events superseded.
    Superseded,
    /// Granules that it freed past the floor.
    Freed,
}

/// The word of a lane's sum, counted from the start of the record. Lane [`LANES`] is the reaper's. Only if weights are
/// kept.
pub const fn weight(lane: usize, sum: Sum) -> usize {
    COUNTER_BASE + lane * COUNTER_WORDS + WEIGHTS_AT + sum as usize
}

/// A sum of granules, and the source of the last addition, so that a reaper knows what the dead session added:
/// `last:40 | sum:24`. There are fewer than 2^24 granules, so the difference of two sums is known modulo 2^24.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weight(pub u64);

impl Weight {
    /// The bits of the sum.
    pub const BITS: u32 = 24;

    /// Identifies the event that let a block go.
    pub const fn of_event(event: u64) -> u64 {
        event << 1
    }
    /// Identifies a block's own event, if the block's owner frees it because it still looked at it when it was let go.
    pub const fn of_doomed(event: u64) -> u64 {
        event << 1 | 1
    }
    /// The sum.
    pub const fn sum(self) -> u64 {
        self.0 & ((1 << Self::BITS) - 1)
    }
    /// Whether this was the source of the last addition.
    pub const fn ends_with(self, last: u64) -> bool {
        self.0 >> Self::BITS == last << Self::BITS >> Self::BITS
    }
    /// The word after an addition of this number of granules.
    pub const fn with(self, last: u64, granules: u64) -> Self {
        Self(last << Self::BITS | self.0.wrapping_add(granules) & ((1 << Self::BITS) - 1))
    }
}

/// The first word of lane `lane`'s intent, counted from the start of the record.
pub const fn intent(lane: usize) -> usize {
    INTENTS + lane * INTENT_WORDS
}

/// Whether an incarnation word belongs to an attached session.
pub const fn is_active(word: u64) -> bool {
    word & 1 == 1
}

/// The incarnation of an incarnation word.
pub const fn incarnation(word: u64) -> u32 {
    (word >> 1) as u32
}

/// Packs an incarnation word.
pub const fn incarnation_word(incarnation: u32, active: bool) -> u64 {
    (incarnation as u64) << 1 | active as u64
}

/// The words of one entry of the name table: a state word and 56 bytes of UTF-8.
pub const NAME_WORDS: usize = 8;
/// The length limit of a name in bytes.
pub const NAME_MAX: usize = (NAME_WORDS - 1) * 8;

/// The state of an entry of the name table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// The entry is free.
    Free,
    /// A session is creating the entry.
    Claimed {
        /// The session's index plus one.
        owner: u16,
    },
    /// The entry holds a name.
    Ready {
        /// The length of the name in bytes.
        len: u16,
    },
}

/// The state word of an entry of the name table: `uses:40 | operand:16 | kind:8`. Entry 0 holds no name: its word
/// counts how often entries were freed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameState(pub u64);

impl NameState {
    /// The kind; `None` if the kind or the length is invalid.
    pub const fn kind(self) -> Option<NameKind> {
        let operand = (self.0 >> 8) as u16;
        match self.0 & 0xff {
            0 => Some(NameKind::Free),
            1 => Some(NameKind::Claimed { owner: operand }),
            2 if operand as usize <= NAME_MAX => Some(NameKind::Ready { len: operand }),
            _ => None,
        }
    }
    /// How often the entry was taken. The number never restarts.
    pub const fn uses(self) -> u64 {
        self.0 >> 24
    }
    /// The entry with this kind and the same number of uses.
    pub const fn with(self, kind: NameKind) -> Self {
        let (kind, operand) = match kind {
            NameKind::Free => (0, 0),
            NameKind::Claimed { owner } => (1, owner),
            NameKind::Ready { len } => (2, len),
        };
        Self(self.uses() << 24 | (operand as u64) << 8 | kind)
    }
    /// The entry with this kind, taken once more.
    pub const fn taken(self, kind: NameKind) -> Self {
        Self(self.uses().wrapping_add(1) << 24).with(kind)
    }
}

const _: () = assert!(LINE == 1 || RECORD_WORDS.is_multiple_of(LINE));
const _: () = assert!(COUNTERS <= 16 && Counter::Extents as usize + 1 == COUNTERS);
