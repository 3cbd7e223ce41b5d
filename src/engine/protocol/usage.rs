//! Computes how much room a board has and what takes it, for display and for programs that monitor a board. All figures
//! are counted from slots and blocks, so a damaged counter does not affect them, and none exceeds the size of the
//! board.

use super::{
    Core, acquire,
    claim::LARGER,
    slots::{CHAIN_MAX, slots_of},
};
use crate::layout::{
    Block, GenWord, Guard, Head, HeadKind, State, StateKind, geometry, record::PackedHeader,
};

/// How a board is used. Granules are those of blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// The number of keys that have a value.
    pub keys: u64,
    /// The number of slots, including those of overflow buckets.
    pub slots: u64,
    /// The number of slots, including those of all overflow buckets that can be added.
    pub slots_max: u64,
    /// The number of slots that no other key can get: their keys have a value, or were removed and are in the history.
    pub slots_used: u64,
    /// The number of overflow buckets.
    pub overflow: u64,
    /// The granules of their blocks.
    pub overflow_granules: u64,
    /// Whether some new keys find no slot.
    pub refuses_keys: bool,
    /// The granules of present values.
    pub live: u64,
    /// The granules of blocks that the history holds.
    pub history: u64,
    /// The granules of blocks that sessions keep in a stash or are filling.
    pub private: u64,
    /// The granules of blocks that are reserved for removals.
    pub reserve: u64,
    /// The granules of blocks that are free, and of extents that are not cut into blocks.
    pub free: u64,
    /// The granules of a block of the size that takes most of the present values' room; 0 if there are no values.
    pub typical: u64,
    /// The number of present blocks of that size.
    pub typical_live: u64,
    /// How many more blocks of that size have room, including what the history can give back.
    pub typical_room: u64,
}

impl Core<'_> {
    /// Computes how the board is used. An estimate while others write. Looks at every slot and every block.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        let classes = usize::from(self.geo.classes().count()) + 1;
        let mut live = vec![0; classes];
        for bucket in 0..self.geo.buckets() {
            self.use_of_chain(bucket, &mut usage, &mut live);
        }
        let (slots, overflow_max) = (geometry::SLOTS as u64, self.geo.shape().overflow_max);
        usage.refuses_keys &= usage.overflow >= overflow_max;
        usage.slots_max = (self.geo.buckets() as u64 + overflow_max) * slots;
        // If damage makes a chain a cycle, it is counted more than once.
        usage.overflow = usage.overflow.min(overflow_max);
        usage.slots = usage.slots.min(usage.slots_max);
        usage.slots_used = usage.slots_used.min(usage.slots);
        usage.keys = usage.keys.min(usage.slots_used);
        self.use_of_blocks(&mut usage, &live);
        usage
    }

    /// Counts a chain's slots, and the blocks of its keys' values by their classes.
    fn use_of_chain(&self, bucket: usize, usage: &mut Usage, live: &mut [u64]) {
        let (mut buckets, mut room) = (0, false);
        let floor = self.floor();
        for base in self.chain(bucket) {
            buckets += 1;
            for hash_at in slots_of(base) {
                usage.slots += 1;
                let head = self.load_head(hash_at + 1);
                let used = match head.kind() {
                    Some(HeadKind::Freed | HeadKind::Retired) => false,
                    Some(HeadKind::Live) => self.use_of_key(head, floor, usage, live),
                    _ => true,
                };
                usage.slots_used += u64::from(used);
                // The history gives back the slots of removed keys.
                room |= !used || self.is_a_tombstone(head);
            }
        }
        usage.overflow += buckets - 1;
        let longest = CHAIN_MAX.min(Guard::SLOT_MAX / geometry::SLOTS) as u64;
        usage.refuses_keys |= !room || buckets > longest;
    }

    fn is_a_tombstone(&self, head: Head) -> bool {
        let block = self.block(head.block()).filter(|_| head.is(HeadKind::Live));
        block.and_then(|block| self.header_words(block)).is_some_and(|words| words.is_tombstone())
    }

    /// Counts the key of a LIVE slot. Returns whether the slot is unavailable for another key.
    fn use_of_key(&self, head: Head, floor: u64, usage: &mut Usage, live: &mut [u64]) -> bool {
        let Some(block) = self.block(head.block()) else { return true };
        let Some(words) = self.header_words(block) else { return true };
        if words.is_tombstone() {
            let gone = matches!(self.load_gen(block), GenWord::Generation(event) if event <= floor);
            return !gone;
        }
        usage.keys += 1;
        self.use_of_value(block, &words, live);
        true
    }

    fn use_of_value(&self, block: Block, words: &PackedHeader, live: &mut [u64]) {
        let mut count = |block: Block| {
            let class = usize::from(self.class_of(self.geo.extent_of(block)).class());
            live.get_mut(class).into_iter().for_each(|blocks| *blocks += 1);
        };
        count(block);
        let pieces = if words.in_pieces() { self.piece_count(block, words).unwrap_or(0) } else { 0 };
        (0..pieces).filter_map(|number| self.piece(block, words, number, 0)).for_each(count);
    }

    fn use_of_blocks(&self, usage: &mut Usage, live: &[u64]) {
        let classes = self.geo.classes();
        let size = |class: u8| u64::from(classes.granules(class).unwrap_or(0));
        let mut free = vec![0; live.len()];
        let (mut held, mut empty) = (0, u64::from(self.geo.extents() - self.extents_in_use()));
        for extent in 0..self.extents_in_use() {
            let class = self.class_of(extent).class();
            let mut free_here = 0;
            let mut blocks = 0;
            for block in self.starts(extent, class) {
                blocks += 1;
                let state = State(acquire(self.state_of(block)));
                match state.kind() {
                    StateKind::Free => free_here += 1,
                    StateKind::Limbo if state.owner() == 0 => free_here += 1,
                    StateKind::Owned if matches!(self.load_gen(block), GenWord::Bucket(_)) => {
                        usage.overflow_granules += size(class);
                    }
                    StateKind::Owned | StateKind::Part => held += size(class),
                    _ => usage.private += size(class),
                }
            }
            if extent < self.first_extent() {
                usage.reserve += free_here * size(class);
            } else if free_here == blocks {
                empty += 1;
            } else {
                free[usize::from(class)] += free_here;
            }
        }
        let extent = u64::from(self.geo.extent_granules());
        let of = |blocks: &[u64]| {
            (1..=classes.count()).map(|class| blocks[usize::from(class)] * size(class)).sum()
        };
        let in_values: u64 = of(live);
        usage.live = in_values.min(held);
        usage.history = held - usage.live;
        usage.free = of(&free) + empty * extent;
        let typical = (1..=classes.count()).max_by_key(|&class| live[usize::from(class)] * size(class));
        if let Some(class) = typical.filter(|_| usage.live > 0) {
            let reach = class..=classes.count().min(class.saturating_add(LARGER));
            let found: u64 = reach.map(|class| free[usize::from(class)]).sum();
            let from_history = usage.history / size(class);
            usage.typical = size(class);
            usage.typical_live = live[usize::from(class)];
            usage.typical_room = found + empty * u64::from(classes.blocks(class)) + from_history;
        }
    }
}
