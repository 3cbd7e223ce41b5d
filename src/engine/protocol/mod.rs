//! How parties use the words: lock-free, without `unsafe`, without I/O and without a clock.
//!
//! Every algorithm borrows the words it works on ([`Core`]); time, identity and what the machine does best
//! ([`Machine`]) are arguments. So the same code runs over a mapping, over a boxed slice, and in the models.
//!
//! # Who calls whom
//!
//! All algorithms are methods of [`Core`], and each idea has a file of its own. A file calls those below it:
//!
//! ```text
//! reap                              publish, history, retention, tombstones, names: ends a dead session's life
//! expire                            publish, history: ends what expired                                        ┐
//! publish                           guard, fill, claim, inflight, history, retention: changes a key            ├ 1
//! guard                             claim, inflight, retention, tombstones: gives a key its slot               ┘
//! fill · history                    claim, pieces · retention, wake: a record's words · how an event enters
//! claim                             retention, blocks: what gives room
//! retention · inflight              tombstones, blocks: how events leave · the end of publishing
//! blocks · tombstones · pieces      who owns a block · whose key is removed · long values                      2
//! read · view · keys · survey       copy: a key now · at a generation · by its slot · where there is damage
//! recall                            read, bytes: the value that was read last, while its head stays the same
//! copy                              pieces, slots: a copy and its proof
//! slots · lane · bytes              where keys live · what a thread has · bytes to words
//! ```
//!
//! Calls lead back up in two places, both because the algorithm does: a put that meets an expired entry, or needs a slot,
//! first publishes the events that end what expired (1), and a thread that meets a block in LIMBO finishes giving it back
//! (2).
//!
//! # Which release meets which acquire
//!
//! | # | release | acquire | what it carries |
//! | --- | --- | --- | --- |
//! | P1 | `publish`: compare-and-swap of a head, after the record was filled | every load of a head: `find`, `read`, `view`, `reap` | the record's words |
//! | P2 | `publish`: release fence after the claim, before the record is filled | `read`, `view`, `event`: acquire fence after the copy | a reader that copied a word of a new life sees that the head or the floor had moved |
//! | P3 | `finish`: compare-and-swap of the generation word | every load of a generation word | the ring word; what the event's block says; all events before it, which its finisher had seen counted |
//! | P4 | `finish`: compare-and-swap of the generation counter, only ever read-modify-write | every load of the counter | all events up to it (G1) |
//! | P5 | `log`: compare-and-swap of a ring word | every load of a ring word | the block's `UNLOGGED` word and record |
//! | P6 | `let_go`: compare-and-swap of the floor | the same; loads of the floor before a ring word is overwritten | the accesses to the freed block are over |
//! | P7 | `settle`, `free`, `free_owned`, `give_back`: a block's state | `claim_block`, `reclaim`: compare-and-swap of the state | the last life's accesses are over |
//! | P8 | `slots`: compare-and-swap of guard, hash, link or head | loads of the same in `apply` and `find` | which key may use the slot; `version_base` of keys that left |
//! | P9 | `sessions`: release store of an intent's event, of a record's incarnation | `reap`: acquire loads | the intent's block; the identity |
//! | P10 | `wake`: `SeqCst` fence between raising a counter and reading its flag | `ask_wake`: `SeqCst` fence between setting the flag and reading the counter | either the writer sees the flag, or the sleeper sees the counter |
//! | P11 | `names`: compare-and-swap and store of an entry's state, addition to how often entries were freed | loads of the same in `take_name`, `sweep_names`, `name`, `names_stand` | which session refers to the entry; its bytes; that it was freed |
//! | P12 | `announce_deadline`, `sweep`, `take_fresh`: a group's words | `take_fresh`: the same words, before the group's slots are looked at | the entries whose deadlines are not before the words |

pub mod blocks;
pub mod bytes;
pub mod claim;
pub mod copy;
pub mod expire;
pub mod fill;
pub mod guard;
pub mod history;
pub mod inflight;
pub mod keys;
pub mod lane;
pub mod names;
pub mod pieces;
pub mod publish;
pub mod read;
pub mod reap;
pub mod recall;
pub mod retention;
pub mod sessions;
pub mod slots;
pub mod survey;
pub mod tombstones;
pub mod usage;
pub mod view;
pub mod wake;

#[cfg(all(test, not(any(loom, slate_search))))]
pub(crate) mod tests;

use crate::layout::{
    Block, GenWord, Geometry, Head, RingWord, State, header,
    record::{self, PackedHeader},
};
use crate::sync::{AtomicU64, Ordering, fence, pause};

use Ordering::{Acquire, Relaxed};

/// The reason why a call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A word has an invalid value. The text names the word.
    Corrupt(&'static str),
    /// Other threads changed the same words so often that a bounded loop ended.
    Contended,
    /// There is no room. The value tells what is used up.
    Full(Full),
    /// All reserved extents are in use. More extents exist, but their pages must be reserved first.
    Unreserved,
    /// The board lives in another region now.
    Moved,
    /// The generation has left the history.
    Lagged,
    /// The generation has not happened yet.
    Future,
    /// The caller's session record belongs to another session now.
    Fenced,
}

/// What is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// No block of the size is free, and the history does not hold any more.
    Blocks,
    /// There is no slot for another key, and no overflow bucket may be added.
    Slots,
    /// Every name of the table is in use.
    Names,
    /// As `Blocks`, but stopped or slow sessions still hold blocks that would otherwise be free.
    Pinned,
}

/// The services that the protocol needs from its environment. Each method has a default that works everywhere.
pub trait Machine: Sync {
    /// Wakes all threads that sleep on the counter. Counter 0 is the board's; counter `1 + shard` is a shard's.
    fn ring(&self, _counter: usize) {}

    /// Copies words that others may change at the same time. Each word is copied whole, in no particular order. There
    /// must be as many words as the bytes need.
    fn load(&self, from: &[AtomicU64], to: &mut [u8]) {
        bytes::load_words(from, to);
    }

    /// Stores bytes. Each word is stored whole, in no particular order; the last one is padded with zeros. There must
    /// be as many words as the bytes need.
    fn store(&self, from: &[u8], to: &[AtomicU64]) {
        bytes::store_words(from, to);
    }

    /// Hints to the processor that these words will be changed soon.
    fn prefetch_write(&self, _words: &[&AtomicU64]) {}

    /// As [`Machine::prefetch_write`], for consecutive words.
    fn prefetch_write_run(&self, _words: &[AtomicU64]) {}

    /// Hints to the processor that these consecutive words will be read soon.
    fn prefetch_read(&self, _words: &[AtomicU64]) {}
}

/// A machine on which nobody sleeps, and on which copies are made word by word.
pub struct Silent;

impl Machine for Silent {}

/// The words of a region, and the numbers that locate everything in them.
#[derive(Clone, Copy)]
pub struct Core<'r> {
    words: &'r [AtomicU64],
    flags: &'r [AtomicU64],
    machine: &'r dyn Machine,
    geo: &'r Geometry,
    /// The number of granules whose pages were reserved when this value was created. The number only rises.
    reserved: u32,
}

impl<'r> Core<'r> {
    /// Creates a core over these words. Returns `None` if there are fewer words than the geometry requires. `flags` are
    /// the words of the doorbell page, `LINE` words per counter. They may be empty; then nobody sleeps.
    pub fn new(
        words: &'r [AtomicU64],
        flags: &'r [AtomicU64],
        machine: &'r dyn Machine,
        geo: &'r Geometry,
    ) -> Option<Self> {
        (words.len() >= geo.words()).then(|| Self::over(words, flags, machine, geo))
    }

    /// As [`Core::new`], but the caller has already checked the number of words.
    #[inline(always)]
    pub(crate) fn over(
        words: &'r [AtomicU64],
        flags: &'r [AtomicU64],
        machine: &'r dyn Machine,
        geo: &'r Geometry,
    ) -> Self {
        let mut core = Self { words, flags, machine, geo, reserved: 0 };
        core.reserved = core.reserved_granules();
        core
    }

    /// The geometry.
    pub fn geometry(&self) -> &'r Geometry {
        self.geo
    }

    /// The generation counter. A thread that reads it sees every mutation up to it. Readers use [`Core::newest`] as the
    /// present, which may be one more.
    #[inline]
    pub fn generation(&self) -> u64 {
        acquire(self.at(header::GENERATION)) & COUNTER_MASK
    }

    /// Generations up to this have left the history.
    #[inline]
    pub fn floor(&self) -> u64 {
        acquire(self.at(header::FLOOR)) & COUNTER_MASK
    }

    /// The newest generation of a shard's events.
    pub fn shard_changes(&self, shard: usize) -> u64 {
        acquire(self.at(self.geo.shard(shard)))
    }

    /// The word on which sleepers of the counter wait.
    pub fn counter(&self, counter: usize) -> &'r AtomicU64 {
        match counter.checked_sub(1) {
            Some(shard) if shard < self.geo.shards() => self.at(self.geo.shard(shard)),
            _ => self.at(header::GENERATION),
        }
    }

    /// The word at an offset that comes from the geometry, and is therefore inside the region.
    #[inline]
    fn at(&self, index: usize) -> &'r AtomicU64 {
        &self.words[index]
    }

    #[inline]
    fn state_of(&self, block: Block) -> &'r AtomicU64 {
        self.at(self.geo.state(block))
    }

    #[inline]
    fn gen_of(&self, block: Block) -> &'r AtomicU64 {
        self.at(self.geo.generation(block))
    }

    #[inline]
    fn load_state(&self, block: Block) -> State {
        State(acquire(self.state_of(block)))
    }

    #[inline]
    fn load_gen(&self, block: Block) -> GenWord {
        GenWord::unpack(acquire(self.gen_of(block)))
    }

    #[inline]
    fn load_head(&self, at: usize) -> Head {
        Head(acquire(self.at(at)))
    }

    /// The ring word of a position.
    #[inline]
    pub(super) fn ring_word(&self, position: u64) -> RingWord {
        RingWord(acquire(self.at(self.geo.ring(position))))
    }

    /// One of a block's record words. Relaxed: the caller owns the block, or proves afterwards that the block was not
    /// reused meanwhile (P2).
    #[inline]
    fn record_word(&self, block: Block, word: usize) -> u64 {
        self.at(self.geo.data(block) + word).load(Relaxed)
    }

    /// The record's words before the key, unpacked. As [`Core::record_word`].
    #[cfg(all(test, not(any(loom, slate_search))))]
    fn record_header(&self, block: Block) -> Option<record::RecordHeader> {
        self.header_words(block)?.unpack()
    }

    /// The record's words before the key, if they are valid. As [`Core::record_word`].
    fn header_words(&self, block: Block) -> Option<PackedHeader> {
        let mut words = PackedHeader::EMPTY;
        self.load_header(block, &mut words).then_some(words)
    }

    /// As [`Core::header_words`], but stores the words where the caller provides, because moving them costs more than
    /// the copy of a small value. Returns whether they are valid. A block at the last granule has no room for them.
    #[inline(always)]
    fn load_header(&self, block: Block, words: &mut PackedHeader) -> bool {
        load_header(self.record(block), words)
    }

    /// The words from the block's start to the end of the reserved pages. What lies in them may be accessed, so one look
    /// at the bounds serves for all of a record.
    #[inline(always)]
    fn record(&self, block: Block) -> &'r [AtomicU64] {
        // A block lies in one extent, and extents are reserved whole: where its start is reserved, all of it is.
        let mut reserved = self.reserved;
        if block.index() >= reserved {
            reserved = self.reserved_granules();
        }
        let end = self.geo.data_at() + reserved as usize * self.geo.granule_words();
        self.words.get(self.geo.data(block)..end).unwrap_or(&[])
    }

    /// The block with this index, if its pages are reserved.
    #[inline]
    fn block(&self, index: u32) -> Option<Block> {
        let reserved = |index| index < self.reserved || index < self.reserved_granules();
        self.geo.block(index).filter(|block| reserved(block.index()))
    }

    /// Whether this number of words, from the block's start on, lies in reserved pages.
    #[inline]
    fn fits(&self, block: Block, words: usize) -> bool {
        // The sum is in words. Their number is below 2^32, and so is every length, so the sum cannot overflow.
        let end = self.geo.data(block) - self.geo.data_at() + words;
        let within = |granules: u32| end <= granules as usize * self.geo.granule_words();
        within(self.reserved) || within(self.reserved_granules())
    }

    /// The number of granules, from the first on, whose pages are reserved.
    #[inline]
    fn reserved_granules(&self) -> u32 {
        // Relaxed: the number only rises, and a thread that learned of a block (P1, P5) has seen it high enough.
        let extents = self.at(header::RESERVED).load(Relaxed).min(u64::from(self.geo.extents()));
        extents as u32 * self.geo.extent_granules()
    }

    /// The current head, without order. It is used after an acquire fence, to check that nothing changed.
    #[inline]
    fn head_is(&self, at: usize, head: Head) -> bool {
        self.at(at).load(Relaxed) == head.0
    }
}

/// The largest valid value of a counter. Generation words have 61 bits, so sums with a counter never overflow. A
/// damaged counter makes the compare-and-swaps fail that start from it.
const COUNTER_MASK: u64 = (1 << 60) - 1;

/// An acquire load that is allowed on read-only memory, where only relaxed loads are guaranteed to be plain loads. Free
/// on x86.
#[inline]
fn acquire(word: &AtomicU64) -> u64 {
    if cfg!(loom) {
        // An acquire load promises no more than a relaxed load and a fence together. So what the models prove holds for
        // those as well, and the models avoid loom's fences, which take much time.
        return word.load(Acquire);
    }
    let value = word.load(Relaxed);
    fence(Acquire);
    value
}

/// Loads the words before the key of a record that starts with these words. Returns whether they are valid.
#[inline(always)]
fn load_header(record: &[AtomicU64], words: &mut PackedHeader) -> bool {
    let Some(source) = record.first_chunk::<{ record::HEADER_WORDS }>() else { return false };
    for (word, source) in words.0.iter_mut().zip(source) {
        *word = source.load(Relaxed);
    }
    words.can_be()
}

/// Bounds a loop over shared words. After the bound the result is `Corrupt` if the loop saw the same words every time,
/// and `Contended` if they changed.
struct Tries {
    left: u32,
    seen: Option<u64>,
    changed: bool,
}

impl Tries {
    // Under the fuzzer damaged words are common, and waiting for them to change would take most of its time.
    const LIMIT: u32 = if cfg!(any(loom, slate_search, fuzzing)) { 64 } else { 1 << 14 };

    fn new() -> Self {
        Self { left: Self::LIMIT, seen: None, changed: false }
    }

    /// Counts another turn and waits a moment. `witness` is the value that made the turn necessary.
    fn again(&mut self, witness: u64, what: &'static str) -> Result<(), Fault> {
        self.note(witness, what)?;
        // In the models a pause runs the other threads, and hides schedules in which they do not run here. Without any
        // pause, a loop over stale loads would not end.
        if !cfg!(loom) || self.left + 8 < Self::LIMIT {
            pause();
        }
        Ok(())
    }

    /// Counts another turn of a loop that makes progress.
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
