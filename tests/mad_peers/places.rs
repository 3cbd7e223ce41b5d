//! The parts of a region, and the words that a peer spares so that others must be able to read them.

use slateboard::{
    layout::{Block, geometry, header},
    protocol::{Core, Silent, read::Verify, slots::Key},
    region::RegionFile,
    sync::Ordering,
};
use std::ops::Range;

/// Keys that nobody changes.
pub const WITNESSES: u64 = 4;

/// The name of a witness: one in each kind of shard.
pub fn witness(n: u64) -> String {
    let folder = ["task", "file", "team", "free"][(n % 4) as usize];
    format!("{folder}/witness/{n}")
}

/// A part of the layout.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Part {
    /// Everything that is checked when a board is opened, and not read again.
    Identity,
    /// Generation and floor.
    Counters,
    /// How many extents are reserved, and the hint beside it.
    Reservation,
    Sessions,
    Names,
    Shards,
    Buckets,
    History,
    Extents,
    Blocks,
    Data,
    Anywhere,
}

impl Part {
    const ALL: [Self; 12] = [
        Self::Identity,
        Self::Counters,
        Self::Reservation,
        Self::Sessions,
        Self::Names,
        Self::Shards,
        Self::Buckets,
        Self::History,
        Self::Extents,
        Self::Blocks,
        Self::Data,
        Self::Anywhere,
    ];

    pub fn named(name: &str) -> Self {
        *Self::ALL.iter().find(|part| format!("{part:?}") == name).unwrap()
    }

    /// Its words. Of a table that is partly unused, only the used part.
    pub fn words(self, file: &RegionFile) -> Range<usize> {
        let geometry = &file.geometry;
        let reserved = file.mapping.words()[header::RESERVED].load(Ordering::Relaxed) as u32;
        assert!((1..=geometry.extents()).contains(&reserved), "the board is sound still");
        let last = reserved - 1;
        match self {
            Self::Identity => 0..header::GENERATION,
            Self::Counters => header::GENERATION..header::RESERVED,
            Self::Reservation => header::RESERVED..header::HEADER_WORDS,
            Self::Sessions => geometry.session(0)..geometry.name(0),
            Self::Names => geometry.name(0)..geometry.name(16),
            Self::Shards => geometry.shard(0)..geometry.shard(geometry.shards()),
            Self::Buckets => geometry.bucket(0)..geometry.bucket(geometry.buckets()),
            Self::History => geometry.ring(1)..geometry.ring(1) + geometry.history() as usize,
            Self::Extents => geometry.extent(0)..geometry.extent(last) + 2,
            Self::Blocks => geometry.extent_words(0).0.start..geometry.extent_words(last).0.end,
            Self::Data => geometry.data_at()..geometry.extent_words(last).1.end,
            // After the identity: damage there would keep every newcomer out.
            Self::Anywhere => header::GENERATION..geometry.extent_words(last).1.end,
        }
    }

    /// Whether the witnesses can be read although this part, but for the [`spared`] words, is damaged. In the other parts
    /// one word decides what all others mean: there each answer is right, or a typed error.
    pub fn leaves_witnesses(self) -> bool {
        !matches!(self, Self::Reservation | Self::Extents | Self::Anywhere)
    }
}

/// The words of the witnesses: their chains of buckets, and their blocks with the states.
pub fn spared(file: &RegionFile) -> Vec<Range<usize>> {
    let words = file.mapping.words();
    let geometry = &file.geometry;
    let load = |at: usize| words[at].load(Ordering::Relaxed);
    let core = Core::new(words, &[], &Silent, geometry).unwrap();
    let mut spared = Vec::new();
    let mut spare = |block: Block| {
        let class = load(geometry.extent(geometry.extent_of(block))) as u8;
        let granules = geometry.classes().granules(class).unwrap() as usize;
        spared.push(geometry.state(block)..geometry.state(block) + 2);
        spared.push(geometry.data(block)..geometry.data(block) + granules * geometry.granule_words());
    };
    let mut buckets = Vec::new();
    for n in 0..WITNESSES {
        let name = witness(n);
        let key = Key::new(geometry, &name);
        let meta = core.get(&key, None, Verify::Always, &mut Vec::new()).unwrap().unwrap();
        let block = geometry.block(meta.head.block()).unwrap();
        spare(block);
        if meta.words.in_pieces() {
            let list = geometry.data(block) + meta.words.value_at();
            let piece_bytes = geometry.extent_granules() as usize * geometry.granule_words() * 8;
            let pieces = meta.words.value_len().div_ceil(piece_bytes);
            (list..list + pieces).for_each(|at| spare(geometry.block(load(at) as u32).unwrap()));
        }
        let mut bucket = geometry.bucket(key.bucket);
        loop {
            buckets.push(bucket..bucket + geometry::BUCKET_WORDS);
            let Some(next) = geometry.block(load(bucket + 1) as u32) else { break };
            spare(next);
            bucket = geometry.data(next);
        }
    }
    spared.extend(buckets);
    spared
}
