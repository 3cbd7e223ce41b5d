//! The words of a board, and what they say of its blocks.

use crate::{
    layout::{FLOOR, GENERATION, Layout, RESERVED},
    words::{GenWord, State},
};

/// A region whose header was found sound, so that every part is inside of its words.
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
    pub fn generation(&self) -> u64 {
        self.words[GENERATION]
    }
    pub fn floor(&self) -> u64 {
        self.words[FLOOR]
    }
    /// Extents that may be in use.
    pub fn reserved(&self) -> u32 {
        self.words[RESERVED].min(u64::from(self.layout.extents)) as u32
    }

    /// Class and size in granules of an extent's blocks; `None` where it has no class, or one that does not exist.
    pub fn size_in(&self, extent: u32) -> Option<u32> {
        let class = self.words[self.layout.extent(extent)] as u8;
        self.layout.classes.get(usize::from(class).checked_sub(1)?).copied()
    }

    /// Granules of the block that starts there; `None` where none does.
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

    /// The state of a granule.
    pub fn state(&self, granule: u32) -> State {
        State(self.words[self.layout.state(granule)])
    }
    /// The generation word of a granule.
    pub fn gen_word(&self, granule: u32) -> GenWord {
        GenWord::of(self.words[self.layout.state(granule) + 1])
    }
}
