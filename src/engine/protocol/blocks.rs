//! Who owns which block: taking a free one, giving it back, and cutting extents into blocks of another size.
//!
//! A block's state word is the only truth about who owns the block. Cursors, stashes and hints only say where to look
//! first: a wrong one costs time. Nothing here makes room: that is `claim.rs`.

use super::{
    Core, Fault, acquire,
    lane::{Claimed, Lane},
};
use crate::layout::{Block, ClassWord, State, StateKind, header, record, session::Counter};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// Whether a search begins where the last one ended. In the models each search begins at the extent's first block, so
/// that few blocks are reused soon. Reuse is what the models are about.
const FROM_THE_LAST: bool = !cfg!(any(loom, slate_search));
/// The value of an extent's hint word after a search found no free block in it.
const EXHAUSTED: u64 = 1;

impl Core<'_> {
    pub(super) fn extents_in_use(&self) -> u32 {
        // Acquire: an extent's pages are reserved before the number includes it.
        (acquire(self.at(header::RESERVED)).min(u64::from(self.geo.extents()))) as u32
    }

    pub(super) fn class_of(&self, extent: u32) -> ClassWord {
        ClassWord(acquire(self.at(self.geo.extent(extent))))
    }

    /// The first extent that ordinary claims may use.
    pub(super) fn first_extent(&self) -> u32 {
        self.geo.shape().reserve_extents as u32
    }

    /// Searches the extents of the class for a free block, from the cursor on.
    pub(super) fn find_free(&self, lane: &mut Lane, class: u8, everywhere: bool) -> Option<Claimed> {
        let (first, end) = (self.first_extent(), self.extents_in_use());
        let count = end.checked_sub(first).filter(|&count| count > 0)?;
        let last = lane.cursors[usize::from(class)];
        let start = (last / self.geo.extent_granules()).clamp(first, end - 1) - first;
        for step in 0..count {
            let extent = first + (start + step) % count;
            let hint = self.at(self.geo.extent(extent) + 1);
            if self.class_of(extent).class() != class || (!everywhere && hint.load(Relaxed) == EXHAUSTED) {
                continue;
            }
            if let Some(claimed) = self.claim_in(lane, extent, class, last) {
                lane.cursors[usize::from(class)] = claimed.block.index();
                return Some(claimed);
            }
            hint.store(EXHAUSTED, Relaxed);
        }
        None
    }

    /// Claims the first free block of the extent; the search starts at `last` if that block is in this extent.
    pub(super) fn claim_in(&self, lane: &mut Lane, extent: u32, class: u8, last: u32) -> Option<Claimed> {
        let classes = self.geo.classes();
        let (blocks, size) = (classes.blocks(class), classes.granules(class)?);
        let before = last.saturating_sub(extent * self.geo.extent_granules()) / size;
        let begin = if FROM_THE_LAST && before < blocks { before } else { 0 };
        let mut order = (begin..blocks).chain(0..begin);
        order.find_map(|at| self.claim_block(lane, self.start(extent, size, at)?, class))
    }

    /// The block at position `at` of an extent that is cut into blocks of `size` granules.
    fn start(&self, extent: u32, size: u32, at: u32) -> Option<Block> {
        self.geo.block(extent * self.geo.extent_granules() + at * size)
    }

    /// The blocks that an extent of this class is cut into.
    pub(super) fn starts(&self, extent: u32, class: u8) -> impl Iterator<Item = Block> + use<'_> {
        let size = self.geo.classes().granules(class).unwrap_or(1);
        let blocks = self.geo.classes().blocks(class);
        (0..blocks).filter_map(move |at| self.start(extent, size, at))
    }

    /// Claims this block if it is free and its extent has this class.
    fn claim_block(&self, lane: &Lane, block: Block, class: u8) -> Option<Claimed> {
        let word = self.state_of(block);
        let mut state = State(word.load(Relaxed));
        if state == State::new(StateKind::Limbo, 0, state.tag()) {
            // Acquire: a helper must see why the block is in this state (P7).
            fence(Acquire);
            self.end_limbo(block, state);
            state = State(word.load(Relaxed));
        }
        if !state.is(StateKind::Free) {
            return None;
        }
        let tag = state.next_tag();
        let claimed = State::new(StateKind::Claimed, lane.owner(), tag);
        // Acquire: pairs with the release of the thread that freed the block (P7), and with `recut_extent`, whose class
        // word must be seen.
        word.compare_exchange(state.0, claimed.0, Acquire, Relaxed).ok()?;
        let claimed = Claimed { block, tag };
        if self.class_of(self.geo.extent_of(block)).class() != class {
            self.free(claimed);
            return None;
        }
        Some(claimed)
    }

    /// Claims an extent that has no class yet, and a block of it.
    pub(super) fn claim_extent(&self, lane: &mut Lane, class: u8) -> Result<Option<Claimed>, Fault> {
        let hint = self.at(header::EXTENT_HINT);
        let first = (hint.load(Relaxed).min(u64::from(u32::MAX)) as u32).max(self.first_extent());
        for extent in first..self.extents_in_use() {
            let word = self.class_of(extent);
            let taken = word.class() == 0
                && self
                    .at(self.geo.extent(extent))
                    // AcqRel: as in `recut_extent`. All blocks of an untouched extent are free.
                    .compare_exchange(word.0, word.next(class).0, AcqRel, Relaxed)
                    .is_ok();
            if taken {
                hint.store(u64::from(extent), Relaxed);
                self.count(lane, Counter::Extents, 1);
                // Another thread may be faster. Each extent is taken only once.
                if let Some(claimed) = self.claim_in(lane, extent, class, 0) {
                    lane.cursors[usize::from(class)] = claimed.block.index();
                    return Ok(Some(claimed));
                }
            }
        }
        let more = self.extents_in_use() < self.geo.extents();
        if more && lane.may_reserve { Err(Fault::Unreserved) } else { Ok(None) }
    }

    /// Gives the class to an extent whose blocks are all free, and claims a block of it.
    pub(super) fn recut_extent(&self, lane: &mut Lane, class: u8) -> Option<Claimed> {
        (self.first_extent()..self.extents_in_use()).find_map(|extent| {
            let word = self.class_of(extent);
            let other = word.class() != class && word.class() != 0;
            other.then(|| self.recut(lane, extent, word, class)).flatten()
        })
    }

    /// Claims every block of the extent, changes its class, and frees all blocks except the first one, which is a block
    /// of either class. The caller gets that block: otherwise two threads that need two sizes could cut the extent in
    /// turns, without either of them making progress. If one block is in use, the extent is not cut.
    pub(super) fn recut(&self, lane: &mut Lane, extent: u32, word: ClassWord, class: u8) -> Option<Claimed> {
        let is_free = |block| {
            let state = State(self.state_of(block).load(Relaxed));
            matches!((state.kind(), state.owner()), (StateKind::Free, _) | (StateKind::Limbo, 0))
        };
        if !self.starts(extent, word.class()).all(is_free) {
            return None;
        }
        let mut held = Vec::new();
        let mut complete = true;
        for block in self.starts(extent, word.class()) {
            match self.claim_block(lane, block, word.class()) {
                Some(claimed) => held.push(claimed),
                None => {
                    complete = false;
                    break;
                }
            }
        }
        // Every block is held, so no other thread can cut this extent. A claimer that uses the old class fails at a
        // block, or it finds one that is freed below, after this store (P7), and then sees the new class.
        let done = complete
            && self
                .at(self.geo.extent(extent))
                .compare_exchange(word.0, word.next(class).0, AcqRel, Relaxed)
                .is_ok();
        // Extent 0 begins with the granule that is never a block, so its sizes have no first block in common.
        let first = self.start(extent, 1, 0);
        let kept = held.first().copied().filter(|claimed| done && first == Some(claimed.block));
        for claimed in held.into_iter().skip(usize::from(kept.is_some())) {
            self.free(claimed);
        }
        if !done {
            return None;
        }
        self.count(lane, Counter::Extents, 1);
        self.unhint_extent(extent);
        let claimed = kept.or_else(|| self.claim_in(lane, extent, class, 0))?;
        lane.cursors[usize::from(class)] = claimed.block.index();
        Some(claimed)
    }

    /// Puts a block into the stash, or frees it.
    #[inline]
    pub(super) fn keep(&self, lane: &mut Lane, claimed: Claimed) {
        let extent = self.geo.extent_of(claimed.block);
        let class = self.class_of(extent).class();
        let offset = claimed.block.index() - extent * self.geo.extent_granules();
        let left = self.geo.extent_granules() - offset;
        match lane.stash.get_mut(usize::from(class)) {
            Some(stash)
                // A block must not be longer than the rest of its extent, even if the class word is damaged.
                if stash.granules <= left.min(lane.stash_room)
                    && stash.blocks.len() < lane.stash_max
                    && extent >= self.first_extent() =>
            {
                lane.stash_room -= stash.granules;
                stash.blocks.push(claimed);
            }
            _ => self.free_behind(lane, claimed, class),
        }
    }

    /// Frees a block for which the stash has no room. The lane's next search begins there.
    fn free_behind(&self, lane: &mut Lane, claimed: Claimed, class: u8) {
        if let Some(cursor) = lane.cursors.get_mut(usize::from(class)) {
            *cursor = claimed.block.index();
        }
        self.free(claimed);
    }

    /// Frees a block that the caller has claimed.
    pub fn free(&self, claimed: Claimed) {
        let free = State::new(StateKind::Free, 0, claimed.tag);
        // Release: our accesses to the block are over when another thread claims it (P7). A store is enough, because
        // only its owner changes a claimed block.
        self.state_of(claimed.block).store(free.0, Release);
        self.unhint(claimed.block);
    }

    /// Frees an owned block. Returns whether it was still in `state`.
    pub(super) fn free_owned(&self, block: Block, state: State) -> bool {
        let free = State::new(StateKind::Free, 0, state.tag());
        // AcqRel: the accesses of this life are over when another thread claims the block (P7).
        let freed = self.state_of(block).compare_exchange(state.0, free.0, AcqRel, Acquire).is_ok();
        if freed {
            self.unhint(block);
        }
        freed
    }

    /// The granules of a block's record, computed from its lengths. This estimate bounds the history by bytes.
    pub(super) fn footprint(&self, block: Block) -> u64 {
        if !self.fits(block, record::HEADER_WORDS) {
            return 0;
        }
        let (place, shape) = (self.record_word(block, record::PLACE), self.record_word(block, record::SHAPE));
        self.geo.granules_for(record::len_of(place, shape)) as u64
    }

    /// Clears the hint, so that searches find the free block of its extent again.
    pub(super) fn unhint(&self, block: Block) {
        self.unhint_extent(self.geo.extent_of(block));
    }

    fn unhint_extent(&self, extent: u32) {
        let hint = self.at(self.geo.extent(extent) + 1);
        if hint.load(Relaxed) == EXHAUSTED {
            hint.store(0, Relaxed);
        }
    }

    /// Frees every block of the stash.
    pub fn empty_stash(&self, lane: &mut Lane) {
        for class in 0..lane.stash.len() {
            while let Some(claimed) = lane.take_stashed(class as u8) {
                self.free(claimed);
            }
        }
    }

    /// Frees the stash if the lane made no change since the last call, so that an idle session keeps no blocks.
    pub fn empty_idle_stash(&self, lane: &mut Lane) {
        if lane.newest == lane.newest_at_beat {
            self.empty_stash(lane);
        }
        lane.newest_at_beat = lane.newest;
    }

    /// Moves a block from `state` to this owner with the next tag. Fails if it is no longer in `state`.
    #[inline]
    pub(super) fn reclaim(&self, owner: u16, block: Block, state: State) -> Option<Claimed> {
        let tag = state.next_tag();
        let claimed = State::new(StateKind::Claimed, owner, tag);
        // AcqRel: acquires what the last owner did and what superseded the block (P6, P7).
        let won = self.state_of(block).compare_exchange(state.0, claimed.0, AcqRel, Acquire).is_ok();
        won.then_some(Claimed { block, tag })
    }

    /// Makes extents usable whose pages were just reserved: all extents below `extents`.
    pub fn raise_reserved(&self, extents: u32) {
        // AcqRel: a thread that sees the number finds the pages reserved.
        self.at(header::RESERVED).fetch_max(u64::from(extents), AcqRel);
    }

    /// The number of extents that may still be claimed without reserving more pages. An estimate.
    pub fn unclaimed(&self) -> u32 {
        let claimed = self.at(header::EXTENT_HINT).load(Relaxed).min(u64::from(u32::MAX)) as u32;
        self.extents_in_use().saturating_sub(claimed.saturating_add(1))
    }

    /// The number of extents that have a class.
    pub fn claimed_extents(&self) -> u32 {
        (0..self.extents_in_use()).filter(|&extent| self.class_of(extent).class() != 0).count() as u32
    }

    /// The number of extents whose pages are reserved.
    pub fn reserved(&self) -> u32 {
        self.extents_in_use()
    }

    /// Cuts the extents that are reserved for removals, on a board that no other process sees yet.
    pub fn cut_reserve(&self) {
        if self.geo.shape().reserve_extents > 0 {
            let words = crate::layout::record::words_of(crate::layout::record::KEY_MAX, 0);
            let class =
                self.geo.classes().of(self.geo.granules_for(words)).unwrap_or(self.geo.classes().whole());
            // Release: as for every other class word. No other process reads this one yet.
            self.at(self.geo.extent(0)).store(ClassWord(0).next(class).0, Release);
        }
    }
}
