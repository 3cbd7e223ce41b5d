//! A block on its way from its owner to the board: INFLIGHT while its owner publishes it and still looks at it.
//!
//! The floor may let the block's event go meanwhile, and the removal that the block holds may be retired. So whoever
//! settles a block finds it INFLIGHT, DOOMED or LIMBO, and frees it in the last two cases.

use super::{
    Core,
    lane::{Claimed, Lane},
};
use crate::layout::{
    GenWord, State, StateKind,
    session::{Sum, Weight},
};
use crate::sync::Ordering::{Acquire, Release};

impl Core<'_> {
    /// Marks a claimed block as being published. The reaper of a killed owner relies on this mark.
    #[inline]
    pub(super) fn begin(&self, lane: &Lane, claimed: Claimed, gen_word: u64) {
        // Release, in this order: a reaper that sees INFLIGHT sees the generation word.
        self.gen_of(claimed.block).store(gen_word, Release);
        let state = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        self.state_of(claimed.block).store(state.0, Release);
    }

    /// Takes back a block that was to be published and was not.
    pub(super) fn unbegin(&self, lane: &Lane, claimed: Claimed) {
        let state = State::new(StateKind::Claimed, lane.owner(), claimed.tag);
        // Release: as in `free`. A store is enough, because no other thread knows an unpublished block.
        self.state_of(claimed.block).store(state.0, Release);
    }

    /// Ends the publishing of a block. From now on it belongs to the board. If its event was let go meanwhile, the
    /// block belongs to the caller again. If it is a tombstone that was given back meanwhile, the caller frees it.
    #[inline]
    pub fn settle(&self, lane: &mut Lane, claimed: Claimed) {
        let inflight = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        let owned = State::new(StateKind::Owned, 0, claimed.tag);
        let doomed = State::new(StateKind::Doomed, lane.owner(), claimed.tag);
        let word = self.state_of(claimed.block);
        // Release: our accesses are over when another thread frees the block. Acquire on failure: the floor that doomed
        // it.
        match word.compare_exchange(inflight.0, owned.0, Release, Acquire) {
            Ok(_) => {}
            Err(state) if state == doomed.0 => self.free_doomed(lane, claimed, doomed),
            // Otherwise only damage leads here, or this session was reaped although it lives. Then the block is not
            // ours.
            Err(_) => drop(self.leave_limbo(claimed.block, lane.owner(), claimed.tag)),
        }
    }

    /// Ends the life of a block whose event was let go while its owner still looked at it.
    #[cold]
    fn free_doomed(&self, lane: &mut Lane, claimed: Claimed, doomed: State) {
        self.free_pieces(claimed.block, claimed.tag);
        if let GenWord::Generation(own) = self.load_gen(claimed.block) {
            self.weigh(lane, Sum::Freed, Weight::of_doomed(own), self.footprint(claimed.block));
        }
        if let Some(claimed) = self.reclaim(lane.owner(), claimed.block, doomed) {
            self.keep(lane, claimed);
        }
    }
}
