//! A tiny board over loom's words.

use super::{Run, lock};
use slateboard::{
    layout::{Block, ClassWord, GenWord, Geometry, Head, Shape, SlotHash, State},
    protocol::{
        Core, Fault, Machine,
        publish::Outcome,
        read::Verify,
        recall::Recall,
        slots::{Key, Slot},
    },
    sync::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, SeqCst},
        modelled,
    },
};
use std::{collections::BTreeSet, sync::Mutex};

/// Stores of a put of one word from a block at hand until it looks for the key's slot: two that begin the block,
/// one of the key, one of the value.
pub const STORES_TO_FILL: u32 = 4;
/// Stores until it is published, into a slot that the key has: four of the header besides, and the head.
pub const STORES_TO_PUBLISH: u32 = STORES_TO_FILL + 5;
/// A region on loom's atomics, its doorbell, and its geometry.
pub struct Board {
    words: Vec<AtomicU64>,
    flags: Vec<AtomicU64>,
    bell: Rung,
    /// The geometry.
    pub geo: Geometry,
    /// The exploration that it is part of.
    pub run: Run,
    reaped: Mutex<BTreeSet<usize>>,
}

/// Counts how often each counter's sleepers were woken.
#[derive(Default)]
struct Rung(Mutex<Vec<usize>>);

impl Machine for Rung {
    fn ring(&self, counter: usize) {
        lock(&self.0).push(counter);
    }
}

/// A shape of `blocks` blocks of one granule each, one bucket of two slots, and a ring of `history`.
pub fn shape(blocks: u64, history: u64) -> Shape {
    Shape {
        capacity: (blocks + 1) * 64,
        granule_words: 8,
        extent_granules: 1,
        history,
        history_min: 0,
        sessions: 3,
        names: 1,
        dedicated_buckets: 0,
        uniform_buckets: 1,
        uniform_shards: 1,
        overflow_max: 0,
        reserve_extents: 0,
        value_max: 64,
        commit_max: 1,
        keys: 2,
        dedicated: Vec::new(),
    }
}

impl Board {
    /// A board of this shape whose extents all have class `class` (0: none yet).
    pub fn new(run: &Run, shape: Shape, class: u8) -> Self {
        let geo = Geometry::new(shape, 7).expect("a shape");
        let words = (0..geo.words()).map(|_| AtomicU64::new(0)).collect();
        let (bell, reaped) = (Rung::default(), Mutex::default());
        let board = Self { words, flags: Vec::new(), bell, geo, run: run.clone(), reaped };
        board.core().raise_reserved(board.geo.extents());
        if class > 0 {
            for extent in 0..board.geo.extents() {
                board.word(board.geo.extent(extent)).store(ClassWord(0).next(class).0, SeqCst);
            }
        }
        board
    }

    /// The same with a doorbell.
    pub fn with_bell(run: &Run, shape: Shape) -> Self {
        let mut board = Self::new(run, shape, 1);
        board.flags = (0..=board.geo.shards()).map(|_| AtomicU64::new(0)).collect();
        board
    }

    /// The protocol over it.
    pub fn core(&self) -> Core<'_> {
        Core::new(&self.words, &self.flags, &self.bell, &self.geo).expect("enough words")
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.words[at]
    }

    /// A word, for a role that does what the protocol has no code for.
    pub fn load(&self, at: usize) -> u64 {
        self.word(at).load(Acquire)
    }

    /// Puts `new` where `old` is, for such a role. Whether it was there.
    pub fn swap(&self, at: usize, old: u64, new: u64) -> bool {
        self.word(at).compare_exchange(old, new, AcqRel, Acquire).is_ok()
    }

    /// A word, for checks when every role has ended.
    pub fn read(&self, at: usize) -> u64 {
        self.word(at).load(SeqCst)
    }

    /// How often the counter's sleepers were woken.
    pub fn rung(&self, counter: usize) -> usize {
        lock(&self.bell.0).iter().filter(|&&rung| rung == counter).count()
    }

    /// The block of this index.
    pub fn block(&self, index: u32) -> Block {
        self.geo.block(index).expect("a block")
    }
    /// Its state.
    pub fn state(&self, block: Block) -> State {
        State(self.read(self.geo.state(block)))
    }
    /// Its generation word.
    pub fn gen_word(&self, block: Block) -> GenWord {
        GenWord::unpack(self.read(self.geo.generation(block)))
    }
    /// One of its record's words.
    pub fn record(&self, block: Block, word: usize) -> u64 {
        self.read(self.geo.data(block) + word)
    }
    /// Head of a slot of the first bucket.
    pub fn head(&self, slot: usize) -> Head {
        Head(self.read(self.geo.bucket(0) + 3 + 2 * slot))
    }

    /// Notes that a session was reaped.
    pub fn was_reaped(&self, session: usize) {
        lock(&self.reaped).insert(session);
    }

    /// Whether the session was reaped.
    pub fn is_reaped(&self, session: usize) -> bool {
        lock(&self.reaped).contains(&session)
    }

    /// Notes that this happened in some execution.
    pub fn saw(&self, what: &'static str) {
        self.run.saw(what);
    }

    /// Notes it if it did.
    pub fn saw_if(&self, happened: bool, what: &'static str) {
        if happened {
            self.saw(what);
        }
    }

    /// A key's name and hash.
    pub fn key<'a>(&self, key: &'a str) -> Key<'a> {
        Key::new(&self.geo, key)
    }

    /// Where the board's first key lives, as a handle remembers it.
    pub fn first_slot(&self) -> Slot {
        let head_at = self.geo.bucket(0) + 3;
        Slot { head_at, hash: SlotHash(self.read(head_at - 1)) }
    }

    /// Version, generation and value of a key. Stores nothing: the model fails if it does.
    pub fn get(&self, key: &str) -> Option<(u64, u64, u64)> {
        let mut out = Vec::new();
        let got = modelled::read_only(|| self.core().get(&self.key(key), None, Verify::Always, &mut out));
        let meta = got.expect("a sound read")?;
        Some((meta.words.version(), meta.generation, number(&out)))
    }

    /// What a reader of a key remembers of its value.
    pub fn recall(&self, key: &str) -> Recall {
        let got = self.core().get(&self.key(key), None, Verify::Always, &mut Vec::new());
        Recall::of(&self.geo, &got.expect("a sound read").expect("a value"))
    }

    /// The value that a reader remembers, if it still stands. Stores nothing: the model fails if it does.
    pub fn recalled(&self, recall: &Recall) -> Option<u64> {
        let mut out = Vec::new();
        let words = &self.words;
        let stands = modelled::read_only(|| recall.copy(words, &self.bell, Verify::Always, &mut out));
        stands.then(|| number(&out))
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<u64> {
        self.get(key).map(|(_, _, value)| value)
    }
}

/// The value that was put.
pub fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

/// Version and generation of a change that happened.
pub fn done(outcome: Result<Outcome, Fault>) -> (u64, u64) {
    match outcome {
        Ok(Outcome::Done { version, generation, .. }) => (version, generation),
        other => panic!("a change came to {other:?}"),
    }
}
