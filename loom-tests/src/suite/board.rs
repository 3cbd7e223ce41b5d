//! A tiny board over loom's words, and what roles do with it.

use super::lock;
use loom::thread::{Builder, JoinHandle};
use slateboard::{
    layout::{
        Block, ClassWord, GenWord, Geometry, Head, Shape, State, StateKind, geometry, record::RecordKind,
    },
    protocol::{
        Core, Fault, Machine,
        lane::{Claimed, Lane},
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        sessions::Identity,
        slots::Key,
    },
    sync::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, SeqCst},
        modelled,
    },
};
use std::sync::{Arc, Mutex};

/// Stores of a put of one word from a block at hand until it looks for the key's slot: two that begin the block,
/// one of the key, one of the value.
pub const STORES_TO_FILL: u32 = 4;
/// Stores until it is published, into a slot that the key has: four of the header besides, and the head.
pub const STORES_TO_PUBLISH: u32 = STORES_TO_FILL + 5;
/// Words a role's stack may take.
const STACK_WORDS: usize = 0x4000;

/// A region on loom's atomics, its doorbell, and its geometry.
pub struct Board {
    words: Vec<AtomicU64>,
    flags: Vec<AtomicU64>,
    bell: Rung,
    /// The geometry.
    pub geo: Geometry,
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
    pub fn new(shape: Shape, class: u8) -> Arc<Self> {
        let geo = Geometry::new(shape, 7).expect("a shape");
        let words = (0..geo.words()).map(|_| AtomicU64::new(0)).collect();
        let board = Arc::new(Self { words, flags: Vec::new(), bell: Rung::default(), geo });
        board.core().raise_reserved(board.geo.extents());
        if class > 0 {
            for extent in 0..board.geo.extents() {
                board.word(board.geo.extent(extent)).store(ClassWord(0).next(class).0, SeqCst);
            }
        }
        board
    }

    /// A board with `blocks` blocks of one granule and a ring of `history`, all extents cut.
    pub fn small(blocks: u64, history: u64) -> Arc<Self> {
        Self::new(shape(blocks, history), 1)
    }

    /// The same with a doorbell.
    pub fn with_bell(blocks: u64, history: u64) -> Arc<Self> {
        Self::with_bell_of(shape(blocks, history))
    }

    /// A board of this shape with a doorbell.
    pub fn with_bell_of(shape: Shape) -> Arc<Self> {
        let board = Self::new(shape, 1);
        let mut board = Arc::into_inner(board).expect("one owner");
        board.flags = (0..=board.geo.shards()).map(|_| AtomicU64::new(0)).collect();
        Arc::new(board)
    }

    /// The protocol over it.
    pub fn core(&self) -> Core<'_> {
        Core::new(&self.words, &self.flags, &self.bell, &self.geo).expect("enough words")
    }

    /// A lane of a session that attaches now.
    pub fn lane(&self, session: usize) -> Lane {
        let core = self.core();
        let writer = core.occupy(session, 0, &Identity::default());
        Lane::new(&core, 0, writer)
    }

    /// A lane of a session that attaches now, with a block at hand.
    pub fn ready_lane(&self, session: usize) -> Lane {
        let mut lane = self.lane(session);
        // A removal of nothing takes a block and keeps it.
        let nothing = self.change(&mut lane, "zz", &Change::tombstone(RecordKind::Removed, Expect::Any));
        assert_eq!((nothing, lane.stashed()), (Ok(Outcome::Nothing), 1));
        lane
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

    /// Changes a key.
    pub fn change(&self, lane: &mut Lane, key: &str, change: &Change<'_>) -> Result<Outcome, Fault> {
        self.core().change(lane, &Key::new(&self.geo, key), change, Now::default(), None)
    }

    /// Puts a value of one word and returns version and generation.
    pub fn put(&self, lane: &mut Lane, key: &str, value: u64) -> (u64, u64) {
        done(self.change(lane, key, &Change::put(&value.to_le_bytes(), Expect::Any)))
    }

    /// Removes a key that is there and returns version and generation.
    pub fn remove(&self, lane: &mut Lane, key: &str) -> (u64, u64) {
        done(self.change(lane, key, &Change::tombstone(RecordKind::Removed, Expect::Any)))
    }

    /// Publishes a value of one word and dies before logging it. The lane needs a block at hand and the key
    /// a slot.
    pub fn publish_only(&self, lane: &mut Lane, key: &str, value: u64) -> Claimed {
        let ended = modelled::killed_after(STORES_TO_PUBLISH, || self.put(lane, key, value));
        assert_eq!(ended, None, "the put was to die after it was published");
        let owned = |block: &Block| {
            let state = self.state(*block);
            state.is(StateKind::Inflight) && state.owner() == lane.owner()
        };
        let blocks = (1..self.geo.granules()).map(|index| self.block(index));
        let block = blocks.into_iter().find(owned).expect("the block of a put");
        let tag = self.state(block).tag();
        assert_eq!(self.gen_word(block), GenWord::Unlogged(tag));
        let heads = (0..geometry::SLOTS).map(|slot| self.head(slot));
        assert!(heads.into_iter().any(|head| head.block() == block.index()), "the put was not published");
        Claimed { block, tag }
    }

    /// Ends a dead session's life.
    pub fn reap(&self, lane: &mut Lane, dead: usize) {
        self.core().reap(lane, dead, Now::default()).expect("a reap");
    }

    /// Lets the oldest events go until the floor is `floor`.
    pub fn floor_to(&self, lane: &mut Lane, floor: u64) {
        while self.core().floor() < floor {
            self.core().advance_floor(lane, false).expect("a step of the floor");
        }
    }

    /// Gives the lane's block at hand back, so that it keeps the next one that its floor step frees.
    pub fn empty_hand(&self, lane: &mut Lane) {
        self.core().empty_stash(lane);
    }

    /// Version, generation and value of a key. Stores nothing: the model fails if it does.
    pub fn get(&self, key: &str) -> Option<(u64, u64, u64)> {
        let mut out = Vec::new();
        let key = Key::new(&self.geo, key);
        let got = modelled::read_only(|| self.core().get(&key, None, Verify::Always, &mut out));
        let meta = got.expect("a sound read")?;
        Some((meta.words.version(), meta.generation, number(&out)))
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

/// Spawns a role.
pub fn role<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    Builder::new().stack_size(STACK_WORDS).spawn(f).expect("a thread")
}

/// What a role returned; its panic is the model's.
pub fn end<R: 'static>(role: JoinHandle<R>) -> R {
    role.join().expect("a role panicked")
}
