//! The words of a board, and what they say about its blocks.

use crate::{
    layout::Layout,
    words::{GenWord, RingWord, State},
};

/// The words of a region with a valid layout: every part lies within the words.
pub struct Board<'w> {
    words: &'w [u64],
    pub layout: &'w Layout,
}

impl<'w> Board<'w> {
    pub fn new(words: &'w [u64], layout: &'w Layout) -> Self {
        Self { words, layout }
    }

    pub fn word(&self, at: usize) -> u64 {
        self.words[at]
    }
    pub fn slice(&self, at: usize, words: usize) -> &'w [u64] {
        &self.words[at..at + words]
    }
    /// A word of the header of the shard that has this bucket.
    pub fn shard_word(&self, bucket: usize, word: usize) -> u64 {
        self.words[self.layout.shard(self.layout.shard_of_bucket(bucket)) + word]
    }
    /// The version base of the shard that has this bucket.
    pub fn version_base(&self, bucket: usize) -> u64 {
        self.shard_word(bucket, self.layout.profile.version_base())
    }
    pub fn generation(&self) -> u64 {
        self.words[self.layout.profile.generation()]
    }
    pub fn floor(&self) -> u64 {
        self.words[self.layout.profile.floor()]
    }
    /// Number of extents that may be in use.
    pub fn reserved(&self) -> u32 {
        self.reserved_word().min(u64::from(self.layout.extents)) as u32
    }
    /// The header's word for that number, which damage may have raised.
    pub fn reserved_word(&self) -> u64 {
        self.words[self.layout.profile.reserved()]
    }

    /// Granules of an extent's blocks; `None` where the extent has no class, or one that does not exist.
    pub fn size_in(&self, extent: u32) -> Option<u32> {
        let class = self.words[self.layout.extent(extent)] as u8;
        self.layout.classes.get(usize::from(class).checked_sub(1)?).copied()
    }

    /// Granules of the block that starts at this granule; `None` where no block starts.
    pub fn size_of(&self, block: u32) -> Option<u32> {
        let extent = block / self.layout.extent_granules;
        if block == 0 || extent >= self.reserved() {
            return None;
        }
        let size = self.size_in(extent)?;
        let offset = block % self.layout.extent_granules;
        let starts = offset.is_multiple_of(size) && offset + size <= self.layout.extent_granules;
        starts.then_some(size)
    }

    /// The ring's word of an event.
    pub fn ring_word(&self, event: u64) -> RingWord {
        RingWord(self.words[self.layout.ring(event)])
    }
    /// The state of a granule.
    pub fn state(&self, granule: u32) -> State {
        State(self.words[self.layout.state(granule)])
    }
    /// The generation word of a granule.
    pub fn gen_word(&self, granule: u32) -> GenWord {
        GenWord::of(self.words[self.layout.state(granule) + 1])
    }
}
