//! A sound board with something of everything, and functions that break it.
#![allow(dead_code, reason = "each test program uses a part")]

use slateboard::{
    Board, PutOptions,
    layout::{
        Block, GenWord, Geometry, Head, HeadKind, State, StateKind, geometry, header,
        record::{self, RecordHeader},
        session,
    },
    protocol::{Core, Silent, lane::Lane},
    region::{self, Access},
    sync::{AtomicU64, Ordering},
};
use std::time::Duration;

/// The words of a board at rest, with one session attached.
#[derive(Clone)]
pub struct Sample {
    pub words: Vec<u64>,
    pub geo: Geometry,
    /// The record of the attached session, which keeps blocks at hand.
    pub living: u16,
    /// A record that another session has left.
    pub vacated: u16,
}

/// Bytes of a value that takes three pieces.
pub const CHAINED: usize = 40_000;

impl Sample {
    /// `task` has keys 2..=21 in one chain with overflow buckets; 0 gave its slot to another, 1 is retired, 5 was
    /// just removed, `file/chained` is in pieces and was before, `free/brief` was touched, `free/bound` ends with its session.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let board = Board::options().capacity(1 << 20).keys(4).history(64).sessions(4).create(&path).unwrap();
        let (left, stays) = (board.attach("left").unwrap(), board.attach("stays").unwrap());
        for n in 0..20 {
            left.put(&format!("task/{n}"), n.to_string()).unwrap();
        }
        left.remove("task/0").unwrap();
        // Until that removal has left the history.
        for n in 0..100 {
            left.put("free/often", n.to_string()).unwrap();
            if n == 80 {
                left.remove("task/1").unwrap();
            }
        }
        for n in 20..22 {
            stays.put(&format!("task/{n}"), n.to_string()).unwrap();
        }
        let brief = PutOptions::new().ttl(Duration::from_secs(3600));
        left.put_with("free/brief", "has a time to live", brief).unwrap();
        left.touch("free/brief", Duration::from_secs(7200)).unwrap().unwrap();
        stays.remove("task/5").unwrap();
        stays.put("file/chained", vec![1; CHAINED]).unwrap();
        stays.put("file/chained", vec![2; CHAINED]).unwrap();
        let bound = PutOptions::new().ephemeral(true);
        stays.put_with("free/bound", "ends with its session", bound).unwrap();
        let (living, vacated) = (stays.index(), left.index());
        drop(left);
        let file = region::open(&path, Access::ReadOnly).unwrap();
        let words = file.mapping.words().iter().map(|word| word.load(Ordering::Relaxed));
        let mut sample = Self { words: words.collect(), geo: file.geometry.clone(), living, vacated };
        sample.retire("task/1");
        sample
    }

    /// Lets the removal of the key leave the history, as steps of the floor do of which the last is killed before it frees
    /// the tombstone.
    fn retire(&mut self, key: &str) {
        let (head_at, version) = (self.slot(key), self.record(self.newest(key)).version);
        let at = self.geo.generation(self.newest(key));
        let GenWord::Generation(event) = GenWord::unpack(self.words[at]) else { panic!("an event") };
        let words: Vec<_> = self.words.iter().map(|&word| AtomicU64::new(word)).collect();
        let core = Core::new(&words, &[], &Silent, &self.geo).unwrap();
        let mut lane = Lane::for_reaping(&core, usize::from(self.vacated));
        while core.floor() < event {
            core.advance_floor(&mut lane, false).unwrap();
        }
        self.words = words.iter().map(|word| word.load(Ordering::Relaxed)).collect();
        let base = self.shard(key, geometry::SHARD_VERSION_BASE);
        *base = version.max(*base);
        self.set_head(head_at, HeadKind::Retired);
    }

    pub fn generation(&self) -> u64 {
        self.words[header::GENERATION]
    }
    pub fn floor(&self) -> u64 {
        self.words[header::FLOOR]
    }
    pub fn block(&self, index: u32) -> Block {
        self.geo.block(index).unwrap()
    }
    pub fn head(&self, at: usize) -> Head {
        Head(self.words[at])
    }

    /// First word of the group of a key's chain.
    pub fn group(&self, key: &str) -> usize {
        let hash = self.geo.hash(key.as_bytes());
        let bucket = self.geo.bucket_of(self.geo.shard_of(key, hash), hash);
        self.geo.groups().word(self.geo.groups().of(bucket))
    }
    /// First words of the buckets of a key's chain.
    pub fn chain(&self, key: &str) -> Vec<usize> {
        let hash = self.geo.hash(key.as_bytes());
        let mut chain = vec![self.geo.bucket(self.geo.bucket_of(self.geo.shard_of(key, hash), hash))];
        while let link @ 1.. = self.words[chain[chain.len() - 1] + 1] {
            chain.push(self.geo.data(self.block(link as u32)));
        }
        chain
    }
    /// The slots of a key's chain, by the words of their heads.
    pub fn slots(&self, key: &str) -> Vec<usize> {
        let bases = self.chain(key).into_iter();
        bases.flat_map(|base| (0..geometry::SLOTS).map(move |slot| base + 3 + 2 * slot)).collect()
    }
    /// The word of the head of the slot that names the key's newest record.
    pub fn slot(&self, key: &str) -> usize {
        let ours = |&head_at: &usize| {
            let head = self.head(head_at);
            head.is(HeadKind::Live) && self.key(self.block(head.block())) == key.as_bytes()
        };
        self.slots(key).into_iter().find(ours).unwrap_or_else(|| panic!("{key} has a slot"))
    }
    /// The block of the key's newest record.
    pub fn newest(&self, key: &str) -> Block {
        self.block(self.head(self.slot(key)).block())
    }
    /// The block that the key's newest record superseded.
    pub fn before(&self, key: &str) -> Block {
        self.block(Head(self.words[self.geo.data(self.newest(key)) + record::PREVIOUS]).block())
    }
    /// A block in this state, which starts where its extent's class says.
    pub fn in_state(&self, kind: StateKind) -> Block {
        let starts = |block: &Block| {
            let extent = self.geo.extent_of(*block);
            let class = self.words[self.geo.extent(extent)] as u8;
            let offset = block.index() - extent * self.geo.extent_granules();
            self.geo.classes().granules(class).is_some_and(|size| {
                offset.is_multiple_of(size) && offset / size < self.geo.classes().blocks(class)
            })
        };
        let is = |block: &Block| State(self.words[self.geo.state(*block)]).is(kind);
        let mut blocks = (1..self.geo.granules()).filter_map(|index| self.geo.block(index)).filter(starts);
        blocks.find(is).unwrap_or_else(|| panic!("a block is {kind:?}"))
    }

    pub fn record(&self, block: Block) -> RecordHeader {
        let at = self.geo.data(block);
        record::PackedHeader(*self.words[at..].first_chunk().unwrap()).unpack().unwrap()
    }
    fn key(&self, block: Block) -> Vec<u8> {
        let len = usize::from(self.record(block).key_len);
        self.bytes(self.geo.data(block) + record::HEADER_WORDS, len)
    }
    fn bytes(&self, at: usize, len: usize) -> Vec<u8> {
        let words = &self.words[at..at + len.div_ceil(8)];
        words.iter().flat_map(|word| word.to_le_bytes()).take(len).collect()
    }
    /// The value of a record that is not chained.
    fn value(&self, block: Block) -> Vec<u8> {
        let header = self.record(block);
        self.bytes(self.geo.data(block) + header.value_at(), header.value_len as usize)
    }

    /// Changes a record's header, and makes its checksum valid again.
    pub fn edit(&mut self, block: Block, change: impl FnOnce(&mut RecordHeader)) {
        let mut header = self.record(block);
        let (key, value) = (self.key(block), self.value(block));
        change(&mut header);
        let mut words = header.pack();
        words.seal(self.geo.hash(&key), record::hash_of(&value));
        let at = self.geo.data(block);
        self.words[at..at + record::HEADER_WORDS].copy_from_slice(&words.0);
    }
    /// Gives the record another key of the same length, and makes its checksum valid again.
    pub fn rename(&mut self, block: Block, key: &str) {
        let value = self.value(block);
        let at = self.geo.data(block) + record::HEADER_WORDS;
        for (word, bytes) in self.words[at..].iter_mut().zip(key.as_bytes().chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(padded);
        }
        let mut words = self.record(block).pack();
        words.seal(self.geo.hash(key.as_bytes()), record::hash_of(&value));
        self.words[self.geo.data(block) + record::CHECKSUM] = words.0[record::CHECKSUM];
    }
    pub fn set_state(&mut self, block: Block, kind: StateKind, owner: u16) {
        let at = self.geo.state(block);
        self.words[at] = State::new(kind, owner, State(self.words[at]).tag()).0;
    }
    pub fn set_gen(&mut self, block: Block, word: GenWord) {
        self.words[self.geo.generation(block)] = word.pack();
    }
    pub fn set_head(&mut self, at: usize, kind: HeadKind) {
        let head = self.head(at);
        self.words[at] = head.next(kind, head.block()).0;
    }
    /// The slot of the key that is retired.
    pub fn retired(&self) -> usize {
        let retired = |&at: &usize| self.head(at).is(HeadKind::Retired) && self.head(at).block() != 0;
        self.slots("task/1").into_iter().find(retired).unwrap()
    }
    /// The word of a shard's header, by a key of the shard.
    pub fn shard(&mut self, key: &str, word: usize) -> &mut u64 {
        let shard = self.geo.shard_of(key, self.geo.hash(key.as_bytes()));
        &mut self.words[self.geo.shard(shard) + word]
    }
    pub fn session(&mut self, session: u16, word: usize) -> &mut u64 {
        &mut self.words[self.geo.session(usize::from(session)) + word]
    }
    /// Marks the attached session's record as vacated, and leaves what it owns.
    pub fn end_session(&mut self) {
        let living = self.living;
        *self.session(living, session::INCARNATION) &= !1;
    }
}
