//! How parties use the words: lock-free, without `unsafe`, without I/O and without a clock.
//!
//! Every algorithm borrows the words it works on ([`Core`]); time, identity and the bell that wakes
//! sleepers are arguments. So the same code runs over a mapping, over a boxed slice, and in the models.
//!
//! # Which release meets which acquire
//!
//! | # | release | acquire | what it carries |
//! | --- | --- | --- | --- |
//! | P1 | `publish`: compare-and-swap of a head, after the record was filled | every load of a head: `find`, `read`, `view`, `reap` | the record's words |
//! | P2 | `publish`: release fence after the claim, before the record is filled | `read`, `view`, `event`: acquire fence after the copy | whoever copied a new life's word sees that the head or the floor had moved |
//! | P3 | `finish`: compare-and-swap of the generation word | every load of a generation word | the ring word; what the event's block says |
//! | P4 | `finish`: compare-and-swap of the generation counter, only ever read-modify-write | every load of the counter | all events up to it (G1) |
//! | P5 | `log`: compare-and-swap of a ring word | every load of a ring word | the block's `UNLOGGED` word and record |
//! | P6 | `advance_floor`: compare-and-swap of the floor | the same; loads of the floor before a ring word is overwritten | the freed block was done with |
//! | P7 | `settle`, `release`, `advance_floor`: a block's state | `claim`: compare-and-swap of the state | the last life's accesses are over |
//! | P8 | `slots`: compare-and-swap of guard, hash, link or head | loads of the same in `apply` and `find` | who may use the slot; `version_base` of keys that left |
//! | P9 | `sessions`: release store of an intent's event, of a record's incarnation | `reap`: acquire loads | the intent's block; the identity |
//! | P10 | `wake`: `SeqCst` fence between raising a counter and reading its flag | `Sleeper::prepare`: `SeqCst` fence between setting the flag and reading the counter | either the writer sees the flag, or the sleeper sees the counter |

pub mod blocks;
pub mod chain;
pub mod history;
pub mod publish;
pub mod read;
pub mod reap;
pub mod sessions;
pub mod slots;
pub mod view;
pub mod wake;

#[cfg(all(test, not(any(loom, slate_search))))]
pub(crate) mod tests;

use crate::layout::{Block, GenWord, Geometry, Head, State, header, record};
use crate::sync::{AtomicU64, Ordering, fence, pause};

use Ordering::{Acquire, Relaxed};

/// Why a call could not be carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Words that cannot be; says which.
    Corrupt(&'static str),
    /// Others changed the same words so often that a bounded loop ended.
    Contended,
    /// Something is used up.
    Full(Full),
    /// All reserved extents are in use; there are more, whose pages must be reserved first.
    Unreserved,
    /// The board lives in another region now.
    Moved,
    /// The generation has left the history.
    Lagged,
    /// The generation has not happened yet.
    Future,
    /// The caller's session record belongs to somebody else now.
    Fenced,
}

/// What is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// No block of the size is free, and the history is at its least.
    Blocks,
    /// No slot for another key, and no overflow bucket may be added.
    Slots,
    /// As `Blocks`, while sessions that are stopped or slow still hold superseded blocks.
    Pinned,
}

/// What tells sleepers that a counter was raised. Counter 0 is the board's, `1 + shard` a shard's.
pub trait Bell: Sync {
    /// Wakes everybody who sleeps on the counter.
    fn ring(&self, counter: usize);
}

/// A bell that nobody hears.
pub struct Silent;

impl Bell for Silent {
    fn ring(&self, _counter: usize) {}
}

/// The words of a region, with the numbers to find one's way in them.
#[derive(Clone, Copy)]
pub struct Core<'r> {
    words: &'r [AtomicU64],
    flags: &'r [AtomicU64],
    bell: &'r dyn Bell,
    geo: &'r Geometry,
}

impl<'r> Core<'r> {
    /// Over these words; `None` when there are fewer than the geometry says. `flags` are the doorbell
    /// page's words, `LINE` words a counter, and may be empty: then nobody sleeps.
    pub fn new(
        words: &'r [AtomicU64],
        flags: &'r [AtomicU64],
        bell: &'r dyn Bell,
        geo: &'r Geometry,
    ) -> Option<Self> {
        (words.len() >= geo.words()).then_some(Self { words, flags, bell, geo })
    }

    /// The geometry.
    pub fn geometry(&self) -> &'r Geometry {
        self.geo
    }

    /// The newest generation. Whoever reads it sees every mutation up to it.
    pub fn generation(&self) -> u64 {
        acquire(self.at(header::GENERATION)) & COUNTER_MASK
    }

    /// Generations up to this have left the history.
    pub fn floor(&self) -> u64 {
        acquire(self.at(header::FLOOR)) & COUNTER_MASK
    }

    /// Newest generation of a shard's events.
    pub fn shard_changes(&self, shard: usize) -> u64 {
        acquire(self.at(self.geo.shard(shard)))
    }

    /// The word a sleeper on the counter waits on.
    pub fn counter(&self, counter: usize) -> &'r AtomicU64 {
        match counter.checked_sub(1) {
            Some(shard) if shard < self.geo.shards() => self.at(self.geo.shard(shard)),
            _ => self.at(header::GENERATION),
        }
    }

    /// The word at an offset that comes from the geometry, so is inside the region.
    fn at(&self, index: usize) -> &'r AtomicU64 {
        &self.words[index]
    }

    fn state_of(&self, block: Block) -> &'r AtomicU64 {
        self.at(self.geo.state(block))
    }

    fn gen_of(&self, block: Block) -> &'r AtomicU64 {
        self.at(self.geo.generation(block))
    }

    fn load_state(&self, block: Block) -> State {
        State(acquire(self.state_of(block)))
    }

    fn load_gen(&self, block: Block) -> GenWord {
        GenWord::unpack(acquire(self.gen_of(block)))
    }

    fn load_head(&self, at: usize) -> Head {
        Head(acquire(self.at(at)))
    }

    /// One of a block's record words. Relaxed: whoever relies on it proves afterwards that the block
    /// was not reused meanwhile (P2), or owns the block.
    fn record_word(&self, block: Block, word: usize) -> u64 {
        self.at(self.geo.data(block) + word).load(Relaxed)
    }

    /// The record's words before the key, unpacked. As [`Core::record_word`]. A block whose granule is the
    /// last one has no room for them.
    #[inline(always)]
    fn record_header(&self, block: Block) -> Option<record::RecordHeader> {
        if !self.fits(block, record::HEADER_WORDS) {
            return None;
        }
        let mut words = [0; record::HEADER_WORDS];
        let source = &self.words[self.geo.data(block)..][..record::HEADER_WORDS];
        for (word, source) in words.iter_mut().zip(source) {
            *word = source.load(Relaxed);
        }
        record::RecordHeader::unpack(&words)
    }

    /// The block of this index, if its pages are reserved.
    fn block(&self, index: u32) -> Option<Block> {
        // Relaxed: the number only rises, and whoever learned of a block (P1, P5) has seen it high enough.
        let reserved = self.at(header::RESERVED).load(Relaxed);
        // Compared in granules: a division for each block that is looked at would cost more than its copy.
        let granules = reserved.saturating_mul(u64::from(self.geo.extent_granules()));
        self.geo.block(index).filter(|&block| u64::from(block.index()) < granules)
    }

    /// Whether so many words from the block's start lie in reserved pages.
    fn fits(&self, block: Block, words: usize) -> bool {
        let reserved = self.at(header::RESERVED).load(Relaxed);
        // In words, and by products: divisions here would cost more than a small copy.
        let granules = reserved.saturating_mul(u64::from(self.geo.extent_granules()));
        let granules = granules.min(u64::from(self.geo.granules())) as usize;
        (block.index() as usize * self.geo.granule_words()).saturating_add(words)
            <= granules * self.geo.granule_words()
    }

    /// The current head, without order: for the test that nothing changed, behind an acquire fence.
    fn head_is(&self, at: usize, head: Head) -> bool {
        self.at(at).load(Relaxed) == head.0
    }
}

/// What a counter can be: generation words have 61 bits, so sums with a counter never overflow. A damaged
/// one fails the compare-and-swaps that start from what was read.
const COUNTER_MASK: u64 = (1 << 60) - 1;

/// An acquire load that is allowed on read-only memory: only relaxed loads are guaranteed to be plain
/// loads there. Free on x86.
fn acquire(word: &AtomicU64) -> u64 {
    if cfg!(loom) {
        // Promises no more than load and fence together, so what the models find to hold, holds; and loom's
        // fences cost it much time.
        return word.load(Acquire);
    }
    let value = word.load(Relaxed);
    fence(Acquire);
    value
}

/// Bounds a loop over shared words. Past the bound the answer is `Corrupt` when the loop saw the same
/// words every time, `Contended` when they changed.
struct Tries {
    left: u32,
    seen: Option<u64>,
    changed: bool,
}

impl Tries {
    // Under the fuzzer damaged words are the rule, and waiting for them to change would be most of its time.
    const LIMIT: u32 = if cfg!(any(loom, slate_search, fuzzing)) { 64 } else { 1 << 14 };

    fn new() -> Self {
        Self { left: Self::LIMIT, seen: None, changed: false }
    }

    /// Notes another turn and waits a moment; `witness` is what made it necessary.
    fn again(&mut self, witness: u64, what: &'static str) -> Result<(), Fault> {
        self.note(witness, what)?;
        // In the models a pause runs the other parties, and hides schedules in which they do not run here;
        // without any, a loop over stale loads has no end.
        if !cfg!(loom) || self.left + 8 < Self::LIMIT {
            pause();
        }
        Ok(())
    }

    /// Notes another turn, for loops that get on.
    fn note(&mut self, witness: u64, what: &'static str) -> Result<(), Fault> {
        self.changed |= self.seen.is_some_and(|seen| seen != witness);
        self.seen = Some(witness);
        self.left -= 1;
        if self.left == 0 {
            return Err(if self.changed { Fault::Contended } else { Fault::Corrupt(what) });
        }
        Ok(())
    }
}
