//! How long the history is kept: which events leave it, when, and what becomes of the blocks that they own.
//!
//! Each event owns the block that it superseded. Events leave the history in order, one for each *floor step*
//! ([`Core::let_go`]). A step writes down as an intent which block it will free, and moves the floor by a
//! compare-and-swap. Whoever moved the floor owns the block, and keeps it or frees it; a block that its writer still
//! looks at becomes DOOMED, and is the writer's to free. A step that lets a removal go also retires the key.
//!
//! Four things make events leave:
//!
//! - The ring is full: whoever enters an event makes room for it first (`Core::make_room`). A put does so ahead of
//!   the next one (`Core::room_for_the_next`).
//! - The superseded blocks take more than a quarter of the data area. Each lane adds up the granules that it supersedes
//!   and frees ([`Weight`]), weighs all lanes' sums now and then, and lets its `Share` go before a put
//!   (`Core::trim`).
//! - A change finds no block: the history gives way in three degrees (`Least`, `Core::shrink_to`).
//! - A key finds no slot, because the keys that were removed still hold theirs (`Core::shrink_history`).

use super::{
    Core, Fault, Tries,
    lane::{Claimed, Lane},
};
use crate::layout::{
    Block, Head, HeadKind, RingWord, State, StateKind, header, record,
    session::{self, Counter, Sum, Weight},
};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence, pause,
};

/// The number of events that leave the history early between two searches for space.
const EARLY_STEPS: usize = 32;
/// The number of events that stay in the history of a full board as long as possible.
const HISTORY_OF_THE_FULL: u64 = 4;
/// How many floor steps ahead a line is prefetched. In the models nothing is prefetched.
const AHEAD: u64 = if cfg!(any(loom, slate_search)) { 0 } else { 8 };
/// The minimal length, in events, of a history that lets an event go before it must. The histories of the models are
/// too short.
const ROOMY: u64 = if cfg!(any(loom, slate_search)) { u64::MAX } else { 64 };
/// The maximal number of words of a block that are prefetched. After them, the processor's own prefetcher has started.
const AHEAD_WORDS: usize = 256;
/// The size in granules from which on prefetching pays.
const LARGE: u64 = 8;
/// The number of events that a put lets go when the history exceeds its bytes. It is two, so that the total of all
/// lanes shrinks.
const TRIM_STEPS: usize = 2;
/// The minimal number of granules that a lane supersedes between two checks of what the history holds.
const TRIM_LEAST: u64 = 64;

/// How short the history may become to give room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Least {
    /// The length that the board's geometry gives, or what a quarter of the data area holds.
    Kept,
    /// [`HISTORY_OF_THE_FULL`] events.
    Few,
    /// No event, as long as one of them still holds a block.
    Nothing,
}

/// A lane's share of the work that keeps the history within its bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Share {
    /// How many granules the lane may supersede before it weighs the history again.
    until_weighed: u64,
    /// How many granules this lane has to free of those that the history holds beyond its limit.
    excess: u64,
    /// Whether the history is at its limit. Then the lane frees as much as it supersedes.
    at_bound: bool,
}

impl Share {
    /// Records that the lane's event superseded this number of granules.
    #[inline]
    pub(super) fn add(&mut self, granules: u64) {
        self.until_weighed = self.until_weighed.saturating_sub(granules);
        if self.at_bound {
            self.excess = self.excess.saturating_add(granules);
        }
    }
}

/// What is freed when an event leaves the history.
struct Oldest {
    event: u64,
    superseded: Option<Superseded>,
    /// The slot whose key the event removed, by the word of its head; 0 if it removed none.
    removed: usize,
}

/// A block that an event owns, in the state that it had while the event was in the history.
#[derive(Clone, Copy)]
pub(super) struct Superseded {
    pub(super) block: Block,
    pub(super) state: State,
    /// The granules of its record.
    pub(super) granules: u64,
}

impl Core<'_> {
    /// Lets events go until the ring has room for `position`.
    #[inline]
    pub(super) fn make_room(&self, lane: &mut Lane, position: u64) -> Result<(), Fault> {
        let mut tries = Tries::new();
        loop {
            let floor = self.floor();
            if floor + self.geo.history() >= position {
                return Ok(());
            }
            let moved = self.let_go(lane, false)?;
            tries.note(floor, "the floor of the history")?;
            // In a full history one event leaves for each that enters. That is no reason to wait.
            if !moved {
                pause();
            }
        }
    }

    /// Lets an event go after a change that filled the history, so that the next change, for which others wait, finds
    /// room. It does nothing in a history so short that one event matters.
    #[inline]
    pub(super) fn room_for_the_next(&self, lane: &mut Lane, generation: u64) {
        let history = self.geo.history();
        if history >= ROOMY && self.floor() + history <= generation {
            // The change has happened. Damage is reported to the thread that needs the room.
            let _ = self.let_go(lane, false);
        }
    }

    /// Lets the oldest event go, and takes or frees the block that it superseded. Returns whether the floor moved, by
    /// this call or by another thread. For tests, models and tools: [`Core::let_go`] that retires nothing.
    #[cfg(any(test, loom, slate_search, feature = "internals"))]
    pub fn advance_floor(&self, lane: &mut Lane, early: bool) -> Result<bool, Fault> {
        self.step::<false>(lane, early)
    }

    /// Lets the oldest event go, takes or frees the block that it superseded, and retires the key if the event removed
    /// one, because no later call may look at that slot. With `early`, the history may shrink to its minimum to gain
    /// space. Returns whether the floor moved, by this call or by another thread.
    pub fn let_go(&self, lane: &mut Lane, early: bool) -> Result<bool, Fault> {
        self.step::<true>(lane, early)
    }

    #[inline(always)]
    fn step<const RETIRES: bool>(&self, lane: &mut Lane, early: bool) -> Result<bool, Fault> {
        let floor = self.floor();
        if early && self.is_least(floor) {
            return Ok(false);
        }
        let Some(oldest) = self.oldest(floor)? else { return Ok(self.floor() != floor) };
        self.intend(lane, &oldest);
        // AcqRel: carries this event's readers' proof to the thread that reuses the block (P6).
        let word = self.at(header::FLOOR);
        if word.compare_exchange(floor, oldest.event, AcqRel, Relaxed).is_ok() {
            self.count(lane, Counter::Floored, 1);
            if let Some(superseded) = oldest.superseded {
                self.free_superseded(lane, superseded, oldest.event);
            }
        }
        self.forget_intent_at(lane.intent_at);
        if RETIRES && oldest.removed != 0 {
            self.retire_passed(oldest.removed);
        }
        if AHEAD > 0 && oldest.superseded.is_some_and(|superseded| superseded.granules >= LARGE) {
            self.look_ahead(oldest.event);
        }
        Ok(true)
    }

    /// Prefetches the lines that the next floor steps and the puts after them need. These lines were last used a whole
    /// history ago. First comes an event's record; some steps later comes the block that it superseded, which will be
    /// written to. For small blocks, whose history fits into a near cache, prefetching would cost more than it gains.
    fn look_ahead(&self, event: u64) {
        // Relaxed, all: these are hints.
        let block_of = |event| self.block(RingWord(self.at(self.geo.ring(event)).load(Relaxed)).block());
        if let Some(far) = block_of(event + 2 * AHEAD) {
            self.machine.prefetch_write(&[self.at(self.geo.data(far))]);
        }
        let superseded = block_of(event + AHEAD).and_then(|block| self.superseded_block(block));
        if let Some(near) = superseded {
            let words = near.granules as usize * self.geo.granule_words();
            let data = &self.words[self.geo.data(near.block)..];
            self.machine.prefetch_write_run(&data[..words.min(AHEAD_WORDS).min(data.len())]);
        }
    }

    /// The event after the floor and the block it superseded; `None` if there is none or if the floor moved. An event
    /// whose words are damaged is let go without freeing anything.
    #[inline(always)]
    fn oldest(&self, floor: u64) -> Result<Option<Oldest>, Fault> {
        let event = floor + 1;
        let generation = self.generation();
        if event > generation {
            return Ok(None);
        }
        let word = self.ring_word(event);
        let block = self.block(word.block()).filter(|_| word.lap() == self.geo.lap(event));
        let superseded = block.and_then(|block| self.superseded_block(block));
        let removed = match block {
            Some(block) if record::is_tombstone(self.record_word(block, record::SHAPE)) => {
                self.slot_of(block)
            }
            _ => 0,
        };
        // The block is genuine only if the floor did not move (P6). An intent must never name a block of another event.
        fence(Acquire);
        if self.at(header::FLOOR).load(Relaxed) != floor {
            return Ok(None);
        }
        // Room is made before an event enters the ring. Without this check the floor would follow a damaged counter.
        if floor + self.geo.history() < generation {
            return Err(Fault::Corrupt("the distance of the history's two counters"));
        }
        Ok(Some(Oldest { event, superseded, removed }))
    }

    /// The block that the record in `block` superseded. `None` if there is none, or if it does not belong to the same
    /// slot: then one of the two is damaged, and freeing the block could harm another key.
    #[inline(always)]
    fn superseded_block(&self, block: Block) -> Option<Superseded> {
        let previous = Head(self.record_word(block, record::PREVIOUS));
        let linked = previous.is(HeadKind::Live);
        let superseded =
            self.block(previous.block()).filter(|&block| linked && self.fits(block, record::HEADER_WORDS))?;
        let slot = |block| self.record_word(block, record::PLACE) >> 32;
        (slot(superseded) == slot(block)).then(|| Superseded {
            block: superseded,
            state: self.load_state(superseded),
            granules: record::superseded_in(self.record_word(block, record::SHAPE)),
        })
    }

    /// Records what the floor step will free, so that nothing leaks if the session is killed right after it.
    #[inline]
    fn intend(&self, lane: &Lane, oldest: &Oldest) {
        let at = lane.intent_at;
        let (block, state) =
            oldest.superseded.map_or((0, 0), |superseded| (superseded.block.index(), superseded.state.0));
        self.at(at + session::INTENT_STATE).store(state, Relaxed);
        self.at(at + session::INTENT_BLOCK).store(u64::from(block), Relaxed);
        // Release: a reaper that sees the event sees the block and its state (P9).
        self.at(at + session::INTENT_EVENT).store(oldest.event, Release);
    }

    /// Clears an intent before the words of the next one are written. An old event with new words would free a block
    /// that is still in use.
    #[inline]
    pub(super) fn forget_intent(&self, session: usize, lane: usize) {
        self.forget_intent_at(self.geo.session(session) + session::intent(lane));
    }

    #[inline]
    fn forget_intent_at(&self, at: usize) {
        // Release: when the intent is cleared, the step is over (P9).
        self.at(at + session::INTENT_EVENT).store(0, Release);
    }

    /// Takes a block into the stash after the event that superseded it has left the history. Only the thread that moved
    /// the floor has this right.
    #[inline(always)]
    fn free_superseded(&self, lane: &mut Lane, superseded: Superseded, event: u64) {
        let granules = superseded.granules;
        if let Some(claimed) = self.take_superseded(lane.owner(), superseded) {
            // This happens while the intent exists: a reaper that finds the block taken checks whether this was done.
            self.weigh(lane, Sum::Freed, Weight::of_event(event), granules);
            self.keep(lane, claimed);
        }
        lane.share.excess = lane.share.excess.saturating_sub(granules);
    }

    /// Gives the block to this owner. Returns `None` if it is DOOMED, so that its owner frees it, or if another thread
    /// took it.
    #[inline(always)]
    pub(super) fn take_superseded(&self, owner: u16, superseded: Superseded) -> Option<Claimed> {
        let Superseded { block, mut state, .. } = superseded;
        let tag = state.tag();
        // Two attempts are enough: INFLIGHT may become OWNED meanwhile, and OWNED does not change as long as this
        // thread has the right to the block.
        for _ in 0..3 {
            match state.kind() {
                StateKind::Owned => {
                    self.free_pieces(block, state.tag());
                    let taken = self.reclaim(owner, block, state);
                    if taken.is_some() {
                        return taken;
                    }
                }
                StateKind::Inflight if self.doom(block, state) => return None,
                StateKind::Inflight => {}
                _ => return None,
            }
            state = self.load_state(block);
            if state.tag() != tag {
                return None;
            }
        }
        None
    }

    /// Leaves the freeing of a block to its owner, which still looks at it. Returns whether it was still in `state`.
    #[cold]
    fn doom(&self, block: Block, state: State) -> bool {
        let doomed = State::new(StateKind::Doomed, state.owner(), state.tag());
        // AcqRel: the owner that finds it DOOMED sees the floor that doomed it (P6, P7).
        self.state_of(block).compare_exchange(state.0, doomed.0, AcqRel, Acquire).is_ok()
    }

    /// Lets one or a few events go to make room, unless the history is at `least`. Returns whether any left.
    pub(super) fn shrink_to(&self, lane: &mut Lane, least: Least) -> Result<bool, Fault> {
        let kept = match least {
            Least::Kept => return self.shrink_history(lane, EARLY_STEPS),
            Least::Few => HISTORY_OF_THE_FULL,
            Least::Nothing => 0,
        };
        // Events that hold no block are not let go, because that would give no room.
        let gives = self.floor() + kept < self.generation() && self.history_holds_any();
        Ok(gives && self.let_go(lane, false)?)
    }

    /// Lets up to `steps` events leave the history early. Returns whether any left.
    pub(super) fn shrink_history(&self, lane: &mut Lane, steps: usize) -> Result<bool, Fault> {
        let mut any = false;
        for _ in 0..steps {
            if !self.let_go(lane, true)? {
                break;
            }
            any = true;
        }
        Ok(any)
    }

    /// Whether the history is at its minimum: `history_min` events, or the newest events that hold a quarter of the
    /// data area, whichever is fewer.
    pub(super) fn is_least(&self, floor: u64) -> bool {
        let generation = self.generation();
        let least = self.geo.shape().history_min;
        if floor + least < generation {
            return false;
        }
        // The quarter refers to the usable part. On a full file system that is less than the whole.
        let quarter = u64::from(self.reserved()) * u64::from(self.geo.extent_granules()) / 4;
        let mut held = 0;
        let fits = |event| {
            held += self.superseded_by(event);
            held <= quarter
        };
        (floor + 1..=generation).rev().all(fits)
    }

    /// Whether an event of the history owns a block that it superseded.
    pub(super) fn history_holds_any(&self) -> bool {
        (self.floor() + 1..=self.generation())
            .take(self.geo.history() as usize)
            .any(|event| self.superseded_by(event) > 0)
    }

    /// The granules of the block that the event superseded; 0 if the event has left the history.
    fn superseded_by(&self, event: u64) -> u64 {
        let word = self.ring_word(event);
        if word.lap() != self.geo.lap(event) {
            return 0;
        }
        let superseded = self.block(word.block()).and_then(|block| self.superseded_block(block));
        superseded.map_or(0, |superseded| superseded.granules)
    }

    /// Lets a few events go while the blocks that they superseded take more than a quarter of the data area. Writers
    /// call this before a put, never in the middle of one. The sum requires a walk over the counters of all sessions,
    /// so it is computed again only after this lane has superseded a part of that amount.
    #[inline]
    pub(super) fn trim(&self, lane: &mut Lane) -> Result<(), Fault> {
        if lane.share.until_weighed == 0 {
            self.weigh_history(lane);
        }
        for _ in 0..TRIM_STEPS {
            if lane.share.excess > 0 && !self.let_go(lane, true)? {
                lane.share.excess = 0;
            }
        }
        Ok(())
    }

    #[cold]
    fn weigh_history(&self, lane: &mut Lane) {
        let quarter = u64::from(self.geo.granules()) / 4;
        let held = self.history_granules();
        lane.share = Share {
            excess: held.saturating_sub(quarter),
            until_weighed: (quarter / 64).max(quarter.saturating_sub(held) / 16).max(TRIM_LEAST),
            // This also starts slightly below the limit. Otherwise the history would alternate between being at its
            // limit and below it.
            at_bound: held >= quarter - quarter / 32,
        };
    }

    /// The granules that the history holds: what all sessions superseded less what they freed. The number is exact when
    /// no call is under way and all dead sessions have been reaped.
    pub fn history_granules(&self) -> u64 {
        if !session::COUNTERS_KEPT {
            return 0;
        }
        let (mut superseded, mut freed) = (0u64, 0u64);
        for at in (0..self.geo.sessions()).map(|session| self.geo.session(session)) {
            for lane in 0..=session::LANES {
                // Relaxed: this is an estimate while others write.
                let sum = |sum| Weight(self.at(at + session::weight(lane, sum)).load(Relaxed)).sum();
                superseded = superseded.wrapping_add(sum(Sum::Superseded));
                freed = freed.wrapping_add(sum(Sum::Freed));
            }
        }
        let held = Weight(superseded.wrapping_sub(freed)).sum();
        // A freed block may be added before the same block was added as superseded.
        if held >> (Weight::BITS - 2) == 3 { 0 } else { held }
    }
}
