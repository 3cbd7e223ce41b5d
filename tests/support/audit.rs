//! An account of every block of a board at rest: what is owned must be what can be reached.

use slateboard::{
    layout::{
        Block, GenWord, Guard, Head, HeadKind, RingWord, State, StateKind, geometry, header,
        record::{self, RecordHeader},
    },
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use std::{collections::BTreeSet, path::Path};

/// Fails unless every block is free, or reachable from a slot, from the history or from a bucket chain.
/// Nobody may be writing, and no session may be attached: they keep blocks at hand.
pub fn assert_nothing_leaked(path: &Path) {
    let board = Audit { file: region::open(path, Access::ReadOnly).unwrap() };
    let (owned, pieces) = board.owned();
    let reachable = board.reachable();
    assert_eq!(owned, reachable, "owned blocks, reachable blocks");
    let listed: BTreeSet<u32> = reachable.iter().flat_map(|&block| board.pieces_of(block)).collect();
    assert_eq!(pieces, listed, "pieces, listed pieces");
}

/// Buckets of the longest chain of the board's slot table.
pub fn longest_chain(path: &Path) -> usize {
    let board = Audit { file: region::open(path, Access::ReadOnly).unwrap() };
    let buckets = 0..board.file.geometry.buckets();
    buckets.map(|bucket| board.chain(bucket).len()).max().unwrap_or(0)
}

struct Audit {
    file: RegionFile,
}

impl Audit {
    fn word(&self, at: usize) -> u64 {
        self.file.mapping.words()[at].load(Ordering::Relaxed)
    }

    fn block(&self, index: u32) -> Block {
        self.file.geometry.block(index).unwrap()
    }

    fn granules(&self) -> u32 {
        self.word(header::RESERVED) as u32 * self.file.geometry.extent_granules()
    }

    /// The blocks that are owned, and those that are pieces. Nothing else but free ones may be there.
    fn owned(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (mut owned, mut pieces) = (BTreeSet::new(), BTreeSet::new());
        for index in 1..self.granules() {
            let state = State(self.word(self.file.geometry.state(self.block(index))));
            match state.kind() {
                StateKind::Free => {}
                StateKind::Owned => assert!(owned.insert(index)),
                StateKind::Part => assert!(pieces.insert(index)),
                _ => panic!("block {index} is left as {state:?}"),
            }
        }
        (owned, pieces)
    }

    fn reachable(&self) -> BTreeSet<u32> {
        let geometry = &self.file.geometry;
        let mut reachable = BTreeSet::new();
        for bucket in 0..geometry.buckets() {
            for base in self.chain(bucket) {
                if let Some(granule) = base.checked_sub(geometry.data_at()) {
                    reachable.insert((granule / geometry.granule_words()) as u32);
                }
                for slot in 0..geometry::SLOTS {
                    let head = Head(self.word(base + 3 + 2 * slot));
                    reachable.extend(Some(head.block()).filter(|&block| block != 0));
                }
            }
        }
        for event in self.word(header::FLOOR) + 1..=self.word(header::GENERATION) {
            let word = RingWord(self.word(geometry.ring(event)));
            assert_eq!(word.lap(), geometry.lap(event), "event {event}");
            let block = self.block(word.block());
            assert_eq!(
                GenWord::unpack(self.word(geometry.generation(block))),
                GenWord::Generation(event),
                "the generation word of event {event}"
            );
            let previous = Head(self.word(geometry.data(block) + record::PREVIOUS));
            let owns = matches!(previous.kind(), Some(HeadKind::Live | HeadKind::Open));
            reachable.extend(Some(previous.block()).filter(|&block| owns && block != 0));
        }
        reachable
    }

    /// First words of a chain's buckets.
    fn chain(&self, bucket: usize) -> Vec<usize> {
        let geometry = &self.file.geometry;
        let mut chain = vec![geometry.bucket(bucket)];
        loop {
            let link = self.word(chain[chain.len() - 1] + 1);
            if link == 0 {
                return chain;
            }
            assert!(chain.len() * geometry::SLOTS <= Guard::SLOT_MAX, "a chain leads round");
            chain.push(geometry.data(self.block(link as u32)));
        }
    }

    /// The pieces that a chained record lists.
    fn pieces_of(&self, index: u32) -> Vec<u32> {
        let geometry = &self.file.geometry;
        let block = self.block(index);
        if let GenWord::Bucket(_) = GenWord::unpack(self.word(geometry.generation(block))) {
            return Vec::new();
        }
        let words = std::array::from_fn(|word| self.word(geometry.data(block) + word));
        let header = RecordHeader::unpack(&words).unwrap();
        if !header.chained {
            return Vec::new();
        }
        let piece_bytes = geometry.extent_granules() as usize * geometry.granule_words() * 8;
        let count = (header.value_len as usize).div_ceil(piece_bytes);
        (0..count).map(|piece| self.word(geometry.data(block) + header.value_at() + piece) as u32).collect()
    }
}
