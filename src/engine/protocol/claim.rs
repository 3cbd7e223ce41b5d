//! Claims a block: a free one, or one that is made available if none is free.
//!
//! [`Core::claim`] asks in the order of what an answer costs: the lane's stash, the extents of the class, an extent that
//! nobody has taken, what other classes leave, the history down to its least, the whole board, the reserve where the
//! change is a removal, and then the rest of the history. What remains are living values.

use super::{
    Core, Fault, Full,
    lane::{Claimed, Lane},
    retention::Least,
};
use crate::layout::{State, StateKind};
use crate::sync::Ordering::Relaxed;

/// The number of generations between two full searches by one lane, while a shorter history still provides room.
const EVERYWHERE_AGAIN: u64 = 64;
/// How many larger classes are searched for a block: up to two to three times its size.
pub(super) const LARGER: u8 = 6;

impl Core<'_> {
    /// Claims a block of at least `granules` granules, which must not exceed an extent. With `removal`, the reserve may
    /// be used.
    #[inline]
    pub fn claim(&self, lane: &mut Lane, granules: usize, removal: bool) -> Result<Claimed, Fault> {
        let class = self.geo.classes().of(granules).ok_or(Fault::Full(Full::Blocks))?;
        if let Some(claimed) = lane.take_stashed(class) {
            return Ok(claimed);
        }
        match self.find_free(lane, class, false) {
            Some(claimed) => Ok(claimed),
            None => self.claim_scarce(lane, class, removal),
        }
    }

    /// The rest of [`Core::claim`], when the stash and the hinted extents have no block.
    #[cold]
    fn claim_scarce(&self, lane: &mut Lane, class: u8, removal: bool) -> Result<Claimed, Fault> {
        if let Some(claimed) = self.claim_extent(lane, class)? {
            return Ok(claimed);
        }
        for least in [Least::Kept, Least::Few, Least::Nothing] {
            if let Some(claimed) = self.claim_by_shrinking(lane, class, least)? {
                return Ok(claimed);
            }
            let last = least == Least::Nothing;
            let found = match self.look_everywhere(lane, class, last)? {
                None if removal => self.claim_reserve(lane, class),
                found => found,
            };
            if let Some(claimed) = found {
                return Ok(claimed);
            }
        }
        // A removal gives back more than it takes, so it may use a block of any size. Its tombstone keeps the block
        // until it leaves the history.
        if removal && let Some(claimed) = self.find_larger(lane, class, u8::MAX, true) {
            return Ok(claimed);
        }
        Err(Fault::Full(if self.any_pinned() { Full::Pinned } else { Full::Blocks }))
    }

    /// Searches the free blocks, and lets events go until a block is found or the history is at `least`. The loop ends,
    /// because each turn lets an event go, and a thread that cuts an extent gets a block of it.
    fn claim_by_shrinking(&self, lane: &mut Lane, class: u8, least: Least) -> Result<Option<Claimed>, Fault> {
        for _ in 0..=self.geo.history() {
            if let Some(claimed) = self.claim_freed(lane, class) {
                return Ok(Some(claimed));
            }
            if !self.shrink_to(lane, least)? {
                break;
            }
        }
        Ok(None)
    }

    fn claim_freed(&self, lane: &mut Lane, class: u8) -> Option<Claimed> {
        if let Some(claimed) = lane.take_stashed(class) {
            return Some(claimed);
        }
        // A stashed block of another size may be the only one that prevents an extent from being cut.
        self.empty_stash(lane);
        self.find_free(lane, class, false)
            .or_else(|| self.recut_extent(lane, class))
            .or_else(|| self.find_larger(lane, class, LARGER, false))
    }

    /// Retires what can be retired, and searches all extents of the class and of the next larger ones, because hints may be
    /// wrong. While a shorter
    /// history still provides room, this is not done at each claim, except with `last`.
    fn look_everywhere(&self, lane: &mut Lane, class: u8, last: bool) -> Result<Option<Claimed>, Fault> {
        let generation = self.generation();
        let recent = |looked: u64| generation < looked.saturating_add(EVERYWHERE_AGAIN);
        if !last && lane.looked_everywhere.is_some_and(recent) {
            return Ok(None);
        }
        lane.looked_everywhere = Some(generation);
        self.retire_all()?;
        Ok(self
            .find_free(lane, class, true)
            .or_else(|| self.claim_freed(lane, class))
            .or_else(|| self.find_larger(lane, class, LARGER, true)))
    }

    /// Claims a block of the extent that is reserved for removals.
    fn claim_reserve(&self, lane: &mut Lane, class: u8) -> Option<Claimed> {
        let reserve = self.class_of(0).class();
        if reserve < class || self.geo.shape().reserve_extents == 0 {
            None
        } else {
            self.claim_in(lane, 0, reserve, 0)
        }
    }

    /// Claims a free block of one of the next `reach` larger classes. With `everywhere`, whatever the hints say.
    fn find_larger(&self, lane: &mut Lane, class: u8, reach: u8, everywhere: bool) -> Option<Claimed> {
        let last = self.geo.classes().count().min(class.saturating_add(reach));
        (class + 1..=last).find_map(|class| self.find_free(lane, class, everywhere))
    }

    /// Whether a block would be free if its writer did not still look at it.
    fn any_pinned(&self) -> bool {
        let granules = self.extents_in_use() * self.geo.extent_granules();
        (1..granules)
            .filter_map(|index| self.geo.block(index))
            .map(|block| State(self.state_of(block).load(Relaxed)))
            .any(|state| state.owner() != 0 && matches!(state.kind(), StateKind::Doomed | StateKind::Limbo))
    }
}
