//! The packed words. Each is a type with named states instead of bare masks.

use std::fmt;

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The bits of a block index: at most 8 Mi granules.
pub const BLOCK_BITS: u32 = 23;
/// The bits of a head's counter.
pub const COUNTER_BITS: u32 = 38;
/// The bits of a block's tag.
pub const TAG_BITS: u32 = 45;
/// The bits of a guard's number.
pub const GUARD_BITS: u32 = 36;

/// What a slot's `head` says about its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum HeadKind {
    /// No key lives here. The zero word means this, with counter 0.
    Freed,
    /// A key lives here; the block is its newest record, which may be a tombstone.
    Live,
    /// The key is gone, because its tombstone has left the history. The head names the tombstone until that is given
    /// back. The slot has not been given to another key yet.
    Retired,
    /// The slot is given to a key that has had no put yet.
    Open,
    /// The board moved to another region. The block is the record that was frozen here.
    Moved,
    /// Reserved for commits of several keys.
    Pending,
}

/// A slot's head: `kind:3 | counter:38 | block:23`. The counter rises at every change of the slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head(pub u64);

impl Head {
    /// Packs a head.
    pub const fn new(kind: HeadKind, counter: u64, block: u32) -> Self {
        let kind = match kind {
            HeadKind::Freed => 0,
            HeadKind::Live => 1,
            HeadKind::Retired => 2,
            HeadKind::Open => 3,
            HeadKind::Moved => 4,
            HeadKind::Pending => 5,
        };
        Self(kind << 61 | (counter & mask(COUNTER_BITS)) << BLOCK_BITS | (block as u64 & mask(BLOCK_BITS)))
    }
    /// The kind; `None` for a kind that this build does not know.
    pub const fn kind(self) -> Option<HeadKind> {
        match self.0 >> 61 {
            0 => Some(HeadKind::Freed),
            1 => Some(HeadKind::Live),
            2 => Some(HeadKind::Retired),
            3 => Some(HeadKind::Open),
            4 => Some(HeadKind::Moved),
            5 => Some(HeadKind::Pending),
            _ => None,
        }
    }
    /// Whether the kind is `kind`.
    pub fn is(self, kind: HeadKind) -> bool {
        self.kind() == Some(kind)
    }
    /// The counter.
    pub const fn counter(self) -> u64 {
        self.0 >> BLOCK_BITS & mask(COUNTER_BITS)
    }
    /// The block that it names, not yet checked against the geometry; 0 for none.
    pub const fn block(self) -> u32 {
        (self.0 & mask(BLOCK_BITS)) as u32
    }
    /// The next head of the same slot.
    pub const fn next(self, kind: HeadKind, block: u32) -> Self {
        Self::new(kind, self.counter().wrapping_add(1), block)
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({:?} #{} block {})", self.kind(), self.counter(), self.block())
    }
}

/// A slot's hash word: `number:36 | fingerprint:16`. Fingerprint 0 means that the slot is free.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlotHash(pub u64);

impl SlotHash {
    /// Packs a hash word.
    pub const fn new(number: u64, fingerprint: u16) -> Self {
        Self((number & mask(GUARD_BITS)) << 16 | fingerprint as u64)
    }
    /// The number of the guard that wrote it.
    pub const fn number(self) -> u64 {
        self.0 >> 16 & mask(GUARD_BITS)
    }
    /// Sixteen bits of the key's hash; 0 if the slot is free.
    pub const fn fingerprint(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Debug for SlotHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotHash(#{} fp {:04x})", self.number(), self.fingerprint())
    }
}

/// What a guard asks the thread that reads it to apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum GuardOp {
    /// Give the slot to the fingerprint.
    Claim {
        /// The position in the bucket chain.
        slot: u16,
        /// The fingerprint of the key that asked for the slot.
        fingerprint: u16,
    },
    /// Free the retired slot.
    Free {
        /// The position in the bucket chain.
        slot: u16,
    },
    /// Append the block as an overflow bucket.
    Link {
        /// The block, not yet checked against the geometry.
        block: u32,
    },
    /// No slot of this chain changes any more, because the board moved.
    Frozen,
}

/// A bucket chain's guard: `number:36 | op:2 | operand:26`. The operand is `fingerprint:16 | slot:10`, or a block. The
/// zero word asks for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guard(pub u64);

impl Guard {
    /// The largest position in a chain.
    pub const SLOT_MAX: usize = mask(10) as usize;

    /// Packs a guard.
    pub const fn new(number: u64, op: GuardOp) -> Self {
        let (op, operand) = match op {
            GuardOp::Claim { slot, fingerprint } => (0, (fingerprint as u64) << 10 | slot as u64 & mask(10)),
            GuardOp::Free { slot } => (1, slot as u64 & mask(10)),
            GuardOp::Link { block } => (2, block as u64 & mask(BLOCK_BITS)),
            GuardOp::Frozen => (3, 0),
        };
        Self((number & mask(GUARD_BITS)) << 28 | op << 26 | operand)
    }
    /// The number of the guard, which rises by one at every change.
    pub const fn number(self) -> u64 {
        self.0 >> 28
    }
    /// What it asks for; `None` for the zero guard.
    pub const fn op(self) -> Option<GuardOp> {
        if self.0 == 0 {
            return None;
        }
        let slot = (self.0 & mask(10)) as u16;
        Some(match self.0 >> 26 & 3 {
            0 => GuardOp::Claim { slot, fingerprint: (self.0 >> 10) as u16 },
            1 => GuardOp::Free { slot },
            2 => GuardOp::Link { block: (self.0 & mask(BLOCK_BITS)) as u32 },
            _ => GuardOp::Frozen,
        })
    }
    /// The guard that follows this one.
    pub const fn next(self, op: GuardOp) -> Self {
        Self::new(self.number().wrapping_add(1), op)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard(#{} {:?})", self.number(), self.op())
    }
}

/// The kind of a block's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StateKind {
    /// Any session may claim it. The zero word means this.
    Free,
    /// The block is private to its owner; nothing names it.
    Claimed,
    /// Its owner is publishing it, or has published it and still looks at it.
    Inflight,
    /// The block is published, or part of the board's structure. It has no owner.
    Owned,
    /// The block was superseded, and its event was let go while its owner still looked at it. The owner frees it.
    Doomed,
    /// A piece of a value; its generation word names the head block, which lists the pieces.
    Part,
    /// Reserved for commits of several keys.
    Commit,
    /// A tombstone whose key is gone. The block becomes free as soon as its slot's head no longer names it, and its
    /// writer, if it has an owner, no longer looks at it.
    Limbo,
}

/// A block's state word: `tag:45 | owner:16 | state:3`. Only this word tells who owns the block.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State(pub u64);

impl State {
    /// Packs a state. The owner is a session's index plus one; 0 means that there is none.
    pub const fn new(kind: StateKind, owner: u16, tag: u64) -> Self {
        let kind = match kind {
            StateKind::Free => 0,
            StateKind::Claimed => 1,
            StateKind::Inflight => 2,
            StateKind::Owned => 3,
            StateKind::Doomed => 4,
            StateKind::Part => 5,
            StateKind::Commit => 6,
            StateKind::Limbo => 7,
        };
        Self((tag & mask(TAG_BITS)) << 19 | (owner as u64) << 3 | kind)
    }
    /// The kind.
    pub const fn kind(self) -> StateKind {
        match self.0 & 7 {
            0 => StateKind::Free,
            1 => StateKind::Claimed,
            2 => StateKind::Inflight,
            3 => StateKind::Owned,
            4 => StateKind::Doomed,
            5 => StateKind::Part,
            6 => StateKind::Commit,
            _ => StateKind::Limbo,
        }
    }
    /// Whether the kind is `kind`.
    pub fn is(self, kind: StateKind) -> bool {
        self.kind() == kind
    }
    /// The owner: a session's index plus one, or 0 if there is none.
    pub const fn owner(self) -> u16 {
        (self.0 >> 3) as u16
    }
    /// The tag, which rises at every life of the block and never restarts.
    pub const fn tag(self) -> u64 {
        self.0 >> 19
    }
    /// The tag of the next life.
    pub const fn next_tag(self) -> u64 {
        self.tag().wrapping_add(1) & mask(TAG_BITS)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({:?} owner {} tag {})", self.kind(), self.owner(), self.tag())
    }
}

/// A block's generation word. Every reader treats an unknown kind as *not in the history*.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GenWord {
    /// The word was never used.
    None,
    /// The block's event is in the history at this generation.
    Generation(u64),
    /// The block's event is not in the history yet. The tag is that of the block's current life.
    Unlogged(u64),
    /// A piece of the value that the head block `block` lists, in the life whose tag ends in `tag`.
    Parent {
        /// The head block.
        block: u32,
        /// The low 38 bits of the head's tag.
        tag: u64,
    },
    /// An overflow bucket of the chain that starts at this bucket of the whole table.
    Bucket(u64),
    /// A kind that this build does not know. This includes the kinds that are reserved for commits.
    Unknown(u64),
}

impl GenWord {
    /// Packs the word: `kind:3` above 61 bits of operand.
    pub const fn pack(self) -> u64 {
        match self {
            GenWord::None => 0,
            GenWord::Generation(g) => 1 << 61 | g & mask(61),
            GenWord::Unlogged(tag) => 2 << 61 | tag & mask(TAG_BITS),
            GenWord::Parent { block, tag } => {
                3 << 61 | (tag & mask(38)) << BLOCK_BITS | block as u64 & mask(BLOCK_BITS)
            }
            GenWord::Bucket(index) => 4 << 61 | index & mask(61),
            GenWord::Unknown(word) => word,
        }
    }
    /// Unpacks the word.
    pub const fn unpack(word: u64) -> Self {
        let operand = word & mask(61);
        match word >> 61 {
            0 if word == 0 => GenWord::None,
            1 => GenWord::Generation(operand),
            2 => GenWord::Unlogged(operand),
            3 => GenWord::Parent { block: (word & mask(BLOCK_BITS)) as u32, tag: operand >> BLOCK_BITS },
            4 => GenWord::Bucket(operand),
            _ => GenWord::Unknown(word),
        }
    }
    /// The word of a piece that the head block `block` with tag `tag` lists.
    pub const fn parent(block: u32, tag: u64) -> Self {
        GenWord::Parent { block, tag: tag & mask(38) }
    }
}

/// One event of the history ring: `lap:39 | kind:2 | block:23`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RingWord(pub u64);

impl RingWord {
    /// Packs an event of one mutation (kind 0; kind 1 is reserved for commits).
    pub const fn new(lap: u64, block: u32) -> Self {
        Self((lap & mask(39)) << 25 | block as u64 & mask(BLOCK_BITS))
    }
    /// The lap of the ring, from 1; 0 for a word that was never written.
    pub const fn lap(self) -> u64 {
        self.0 >> 25
    }
    /// Whether it is an event of one mutation.
    pub const fn is_single(self) -> bool {
        self.0 >> BLOCK_BITS & 3 == 0
    }
    /// The block of the event, not yet checked against the geometry.
    pub const fn block(self) -> u32 {
        (self.0 & mask(BLOCK_BITS)) as u32
    }
}

impl fmt::Debug for RingWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingWord(lap {} block {})", self.lap(), self.block())
    }
}

/// An extent's class: `serial:56 | class:8`. Class 0 means that nobody has claimed the extent yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClassWord(pub u64);

impl ClassWord {
    /// The class; 0 for none.
    pub const fn class(self) -> u8 {
        self.0 as u8
    }
    /// How often the class of the extent changed.
    pub const fn serial(self) -> u64 {
        self.0 >> 8
    }
    /// The next word of the extent.
    pub const fn next(self, class: u8) -> Self {
        Self(self.serial().wrapping_add(1) << 8 | class as u64)
    }
}

/// The number of a shard's overflow buckets, and the bucket that was counted last: `count:41 | block:23`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Overflow(pub u64);

impl Overflow {
    /// The first word of a counted bucket, once another bucket is counted too.
    pub const COUNTED: u64 = 1;

    /// How many buckets were counted.
    pub const fn count(self) -> u64 {
        self.0 >> BLOCK_BITS
    }
    /// The block of the bucket that was counted last, not yet checked against the geometry; 0 for none.
    pub const fn last(self) -> u32 {
        (self.0 & mask(BLOCK_BITS)) as u32
    }
    /// The word that follows when the bucket in this block is counted.
    pub const fn next(self, block: u32) -> Self {
        Self((self.count() + 1) << BLOCK_BITS | block as u64 & mask(BLOCK_BITS))
    }
}

/// The result of a sweep of a group: `deadline:40 | count:24`. The deadline is the earliest one, in units of 2^20 ns,
/// rounded down; 0 for none. The count rises at every change, so that a compare-and-swap detects each change.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeadlineHint(pub u64);

impl DeadlineHint {
    /// The bits of the count.
    const COUNT_BITS: u32 = 24;
    /// A unit is 2^this nanoseconds. In the models it is one nanosecond, because their few deadlines must differ.
    const UNIT_SHIFT: u32 = if super::LINE == 1 { 0 } else { 20 };
    /// The nanoseconds of a unit, which is the maximal rounding.
    pub const UNIT_NS: u64 = 1 << Self::UNIT_SHIFT;

    fn unit_of(deadline_ns: u64) -> u64 {
        (deadline_ns >> Self::UNIT_SHIFT).clamp(1, mask(40))
    }

    const fn unit(self) -> u64 {
        self.0 >> Self::COUNT_BITS
    }

    fn next(self, unit: u64) -> Self {
        Self(unit << Self::COUNT_BITS | self.0.wrapping_add(1) & mask(Self::COUNT_BITS))
    }

    /// The deadline, rounded down, in nanoseconds of `CLOCK_BOOTTIME`; `None` if no entry has one.
    pub const fn deadline_ns(self) -> Option<u64> {
        match self.unit() {
            0 => None,
            // Unit 1 also stands for the deadlines before it, because 0 means none.
            1 => Some(1),
            unit => Some(unit << Self::UNIT_SHIFT),
        }
    }

    /// Whether it is no later than this deadline. For tests, models and tools.
    #[cfg(any(test, loom, slate_search, feature = "internals"))]
    pub fn covers(self, deadline_ns: u64) -> bool {
        (1..=Self::unit_of(deadline_ns)).contains(&self.unit())
    }

    /// The next hint, for a group that has an additional entry with this deadline.
    #[must_use]
    pub fn with(self, deadline_ns: u64) -> Self {
        let unit = Self::unit_of(deadline_ns);
        self.next(if self.unit() == 0 { unit } else { unit.min(self.unit()) })
    }

    /// The next hint, for a group whose earliest deadline is this one.
    #[must_use]
    pub fn replaced(self, deadline_ns: Option<u64>) -> Self {
        self.next(deadline_ns.map_or(0, Self::unit_of))
    }
}

impl fmt::Debug for DeadlineHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeadlineHint({:?} #{})", self.deadline_ns(), self.0 & mask(Self::COUNT_BITS))
    }
}

/// The writer of a record: `name:16 | session:16 | incarnation:32`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Writer {
    /// The entry of the name table; 0 if the table was full.
    pub name: u16,
    /// The index of the session record.
    pub session: u16,
    /// The incarnation: which life of that record.
    pub incarnation: u32,
}

impl Writer {
    /// Packs the word.
    pub const fn pack(self) -> u64 {
        (self.name as u64) << 48 | (self.session as u64) << 32 | self.incarnation as u64
    }
    /// Unpacks the word.
    pub const fn unpack(word: u64) -> Self {
        Self { name: (word >> 48) as u16, session: (word >> 32) as u16, incarnation: word as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_zero_words_are_the_empty_board() {
        assert!(Head(0).is(HeadKind::Freed) && Head(0).counter() == 0 && Head(0).block() == 0);
        assert_eq!(Guard(0).op(), None);
        assert_eq!(SlotHash(0).fingerprint(), 0);
        assert!(State(0).is(StateKind::Free) && State(0).owner() == 0);
        assert_eq!(GenWord::unpack(0), GenWord::None);
        assert_eq!(RingWord(0).lap(), 0);
        assert_eq!(ClassWord(0).class(), 0);
    }

    #[test]
    fn a_hint_is_not_later_than_the_first_deadlines_of_a_clock() {
        for deadline in [1, (1 << 20) - 1, 1 << 20, (1 << 21) - 1, 1 << 21, (3 << 20) + 1] {
            let hint = DeadlineHint(0).with(deadline).deadline_ns();
            assert!(hint.is_some_and(|ns| ns <= deadline), "{hint:?} for {deadline}");
        }
    }

    proptest! {
        #[test]
        fn every_word_unpacks_to_what_was_packed(
            counter in 0..1u64 << 38, block in 0..1u32 << 23, tag in 0..1u64 << 45, owner: u16,
            number in 1..1u64 << 36, slot in 0u16..1024, fingerprint: u16, lap in 0..1u64 << 39,
            generation in 0..1u64 << 61, name: u16, incarnation: u32,
        ) {
            let head = Head::new(HeadKind::Open, counter, block);
            prop_assert_eq!((head.kind(), head.counter(), head.block()), (Some(HeadKind::Open), counter, block));
            let state = State::new(StateKind::Doomed, owner, tag);
            prop_assert_eq!((state.kind(), state.owner(), state.tag()), (StateKind::Doomed, owner, tag));
            for op in [GuardOp::Claim { slot, fingerprint }, GuardOp::Free { slot }, GuardOp::Link { block }, GuardOp::Frozen] {
                let guard = Guard::new(number, op);
                prop_assert_eq!((guard.number(), guard.op()), (number, Some(op)));
            }
            let hash = SlotHash::new(number, fingerprint);
            prop_assert_eq!((hash.number(), hash.fingerprint()), (number, fingerprint));
            let ring = RingWord::new(lap, block);
            prop_assert_eq!((ring.lap(), ring.block(), ring.is_single()), (lap, block, true));
            for word in [GenWord::Generation(generation), GenWord::Unlogged(tag), GenWord::parent(block, tag), GenWord::Bucket(generation)] {
                prop_assert_eq!(GenWord::unpack(word.pack()), word);
            }
            let writer = Writer { name, session: owner, incarnation };
            prop_assert_eq!(Writer::unpack(writer.pack()), writer);
        }

        #[test]
        fn a_hint_covers_every_deadline_that_it_was_given(first in 0u64..1 << 59, second in 0u64..1 << 59, word: u64) {
            let hint = DeadlineHint(word).replaced(Some(first)).with(second);
            prop_assert!(hint.covers(first) && hint.covers(second));
            prop_assert_eq!(hint.0 & 0xff_ffff, word.wrapping_add(2) & 0xff_ffff);
            let earliest = first.min(second).max(1);
            // The first two units cannot be told apart.
            let least = if earliest >> 21 == 0 { 0 } else { earliest - (1 << 20) };
            prop_assert!(hint.deadline_ns().is_some_and(|ns| (least + 1..=earliest).contains(&ns)));
            prop_assert!(!DeadlineHint(word).replaced(None).covers(first));
            prop_assert_eq!(DeadlineHint(word).replaced(None).deadline_ns(), None);
        }

        #[test]
        fn any_bits_unpack_without_panic(word: u64) {
            let _ = (Head(word).kind(), Guard(word).op(), State(word).kind(), GenWord::unpack(word));
            let _ = format!("{:?} {:?} {:?} {:?}", Head(word), Guard(word), State(word), RingWord(word));
            let _ = (DeadlineHint(word).deadline_ns(), format!("{:?}", DeadlineHint(word)));
        }
    }
}
