//! Who owns which block: claiming, giving back, and cutting extents into blocks of another size.
//!
//! A block's state word is the only truth about who owns it. Cursors, stashes and hints only say where
//! to look first: wrong ones cost time.

use super::{Core, Fault, Full, acquire, expire::Walk, sessions::RecordView};
use crate::layout::{
    Block, ClassWord, GenWord, State, StateKind, Writer, header,
    session::{self, Counter, LANES, Sum, Weight},
};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// Blocks of one class that a lane keeps for itself, at most.
const STASH_MAX: usize = if cfg!(any(loom, slate_search)) { 1 } else { 8 };
/// What all lanes of all sessions keep together is at most this part of the data area; none in the models.
const STASHES_PART: u32 = 64;
/// Events that leave the history early between two looks for space.
const EARLY_STEPS: usize = 32;
/// Classes above its own where a block is looked for: twice to three times its size.
pub(super) const LARGER: u8 = 6;
/// Events that stay in the history of a full board while they can.
const HISTORY_OF_THE_FULL: u64 = 4;
/// Generations between two looks everywhere by one lane, while a shorter history still gives room.
const EVERYWHERE_AGAIN: u64 = 64;
/// Whether a search begins where the last one ended. In the models each begins at the extent's first block: so few blocks
/// are used again at once, which is what they are about.
const FROM_THE_LAST: bool = !cfg!(any(loom, slate_search));
/// What an extent's hint word says when a search found no free block in it.
const EXHAUSTED: u64 = 1;

/// How short the history may become for room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Least {
    /// As the board's geometry says, or what a quarter of the data area holds.
    Kept,
    /// [`HISTORY_OF_THE_FULL`] events.
    Few,
    /// No event, as long as one still holds a block.
    Nothing,
}

/// A block that is the caller's alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// The block.
    pub block: Block,
    /// The tag of its new life.
    pub tag: u64,
}

/// Blocks of one class that a lane keeps at hand.
struct Stash {
    blocks: Vec<Claimed>,
    /// Granules of each.
    granules: u32,
}

/// What a thread needs to write: whose blocks these are, and a few blocks kept at hand.
///
/// One lane of one session is used by one thread at a time.
pub struct Lane {
    /// Index of the session record.
    pub session: usize,
    /// Who the records name as their writer.
    pub writer: Writer,
    /// First word of the lane's counters, weights, and intent: each lane of a session has its own.
    counters_at: usize,
    weights_at: usize,
    pub(super) intent_at: usize,
    /// The generation of this lane's last change.
    pub(super) newest: u64,
    /// Whether more pages may still be reserved; if not, searches go on without them.
    pub may_reserve: bool,
    /// Granules that this lane may supersede until it looks again how many the history holds.
    pub(super) until_trim: u64,
    /// Granules that the history holds beyond its bound, as far as this lane is to free them.
    pub(super) excess: u64,
    /// Whether the history is at its bound: then this lane frees as much as it supersedes.
    pub(super) at_bound: bool,
    /// What this lane knows of its last look at every slot, for want of room.
    pub(super) walk: Option<Walk>,
    stash_max: usize,
    stash: Vec<Stash>,
    /// Granules that the stash may still grow by.
    stash_room: u32,
    /// For each class, the block that a search found last, or that was freed last: where the next begins.
    cursors: Vec<u32>,
    /// The generation at this lane's last look everywhere.
    looked_everywhere: Option<u64>,
    /// The newest generation of this lane at the keeper's last beat.
    newest_at_beat: u64,
}

impl Lane {
    /// A lane of the session that `writer` names.
    pub fn new(core: &Core<'_>, lane: usize, writer: Writer) -> Self {
        let classes = usize::from(core.geo.classes().count()) + 1;
        let record = core.geo.session(usize::from(writer.session));
        Self {
            session: usize::from(writer.session),
            writer,
            counters_at: record + session::counter(lane, 0),
            weights_at: record + session::weight(lane, Sum::Superseded),
            intent_at: record + session::intent(lane),
            newest: 0,
            may_reserve: true,
            until_trim: 0,
            excess: 0,
            at_bound: false,
            walk: None,
            stash_max: STASH_MAX,
            stash: (0..classes).map(|class| Stash::of(core, class)).collect(),
            stash_room: stash_granules(core),
            cursors: vec![0; classes],
            looked_everywhere: None,
            newest_at_beat: 0,
        }
    }

    /// A lane for reaping a session in its own name, by whoever holds its lock byte: events that end its entries
    /// say whose they were. It keeps no blocks: they would be the dead session's.
    pub fn for_reaping(core: &Core<'_>, dead: usize) -> Self {
        let RecordView { name, incarnation, .. } = core.session_view(dead);
        let writer = Writer { name, session: dead as u16, incarnation };
        let weights_at = core.geo.session(dead) + session::weight(LANES, Sum::Superseded);
        Self { stash_max: 0, weights_at, ..Self::new(core, 0, writer) }
    }

    /// The owner that this lane's blocks name.
    pub fn owner(&self) -> u16 {
        self.session as u16 + 1
    }

    /// Blocks in the stash: tests and models account for every block.
    #[cfg(any(test, loom, slate_search))]
    pub fn stashed(&self) -> usize {
        self.stash.iter().map(|stash| stash.blocks.len()).sum()
    }
}

impl Stash {
    fn of(core: &Core<'_>, class: usize) -> Self {
        // No block has class 0.
        let granules = core.geo.classes().granules(class as u8).unwrap_or(u32::MAX);
        Self { blocks: Vec::with_capacity(STASH_MAX), granules }
    }
}

#[inline]
fn take_stashed(lane: &mut Lane, class: u8) -> Option<Claimed> {
    let stash = &mut lane.stash[usize::from(class)];
    let claimed = stash.blocks.pop()?;
    lane.stash_room += stash.granules;
    Some(claimed)
}

/// Granules that a lane may keep at hand.
fn stash_granules(core: &Core<'_>) -> u32 {
    if cfg!(any(loom, slate_search)) {
        return u32::MAX;
    }
    core.geo.granules() / STASHES_PART / (core.geo.sessions() * session::LANES) as u32
}

impl Core<'_> {
    /// Raises one of the lane's counters. A plain load and store: only this lane writes the word.
    #[inline]
    pub(super) fn count(&self, lane: &Lane, counter: Counter, by: u64) {
        if session::COUNTERS_KEPT {
            let word = self.at(lane.counters_at + counter as usize);
            word.store(word.load(Relaxed).wrapping_add(by), Relaxed);
        }
    }

    /// Adds granules to one of the lane's sums; `last` says of what. As [`Core::count`], one store: a kill leaves it done
    /// or not, and the word says which.
    #[inline]
    pub(super) fn weigh(&self, lane: &Lane, sum: Sum, last: u64, granules: u64) {
        if session::WEIGHTS_KEPT {
            let word = self.at(lane.weights_at + sum as usize);
            word.store(Weight(word.load(Relaxed)).with(last, granules).0, Relaxed);
        }
    }

    /// A block of at least `granules` granules, no more than an extent. `removal` may use the reserve.
    #[inline]
    pub fn claim(&self, lane: &mut Lane, granules: usize, removal: bool) -> Result<Claimed, Fault> {
        let class = self.geo.classes().of(granules).ok_or(Fault::Full(Full::Blocks))?;
        if let Some(claimed) = take_stashed(lane, class) {
            return Ok(claimed);
        }
        match self.find_free(lane, class, false) {
            Some(claimed) => Ok(claimed),
            None => self.claim_scarce(lane, class, removal),
        }
    }

    /// The stash and the hinted extents have none. What gives room is asked in the order of what it costs: an extent that
    /// nobody has, what other sizes leave, the history down to its least, the whole board, the reserve where this is a
    /// removal, and then the rest of the history. What remains are living values.
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
        // A removal gives back more than it takes, so it may have a block of any size: its tombstone keeps that until it
        // leaves the history.
        if removal && let Some(claimed) = self.find_larger(lane, class, u8::MAX) {
            return Ok(claimed);
        }
        Err(Fault::Full(if self.any_pinned() { Full::Pinned } else { Full::Blocks }))
    }

    /// Looks among what is free, and lets events go until something is found or the history is at `least`. Each turn lets
    /// an event go, and a cut extent gives the one who cuts it a block of it: so this ends.
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
        if let Some(claimed) = take_stashed(lane, class) {
            return Some(claimed);
        }
        // A block of another size at hand may be all that an extent waits for.
        self.empty_stash(lane);
        self.find_free(lane, class, false)
            .or_else(|| self.recut_extent(lane, class))
            .or_else(|| self.find_larger(lane, class, LARGER))
    }

    /// Retires what can be, and looks through all extents of the class: hints may be wrong. Not at each claim while a
    /// shorter history still gives room, except at `last`.
    fn look_everywhere(&self, lane: &mut Lane, class: u8, last: bool) -> Result<Option<Claimed>, Fault> {
        let generation = self.generation();
        let recent = |looked: u64| generation < looked.saturating_add(EVERYWHERE_AGAIN);
        if !last && lane.looked_everywhere.is_some_and(recent) {
            return Ok(None);
        }
        lane.looked_everywhere = Some(generation);
        self.retire_all()?;
        Ok(self.find_free(lane, class, true).or_else(|| self.claim_freed(lane, class)))
    }

    /// Lets events go for room, a few or one, unless the history is at `least`. Whether any went.
    pub(super) fn shrink_to(&self, lane: &mut Lane, least: Least) -> Result<bool, Fault> {
        let kept = match least {
            Least::Kept => return self.shrink_history(lane, EARLY_STEPS),
            Least::Few => HISTORY_OF_THE_FULL,
            Least::Nothing => 0,
        };
        // Events that hold nothing are not let go for nothing.
        let gives = self.floor() + kept < self.generation() && self.history_holds_any();
        Ok(gives && self.let_go(lane, false)?)
    }

    /// Lets up to `steps` events leave the history early. Whether any did.
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

    pub(super) fn extents_in_use(&self) -> u32 {
        // Acquire: an extent's pages are reserved before the number says so.
        (acquire(self.at(header::RESERVED)).min(u64::from(self.geo.extents()))) as u32
    }

    pub(super) fn class_of(&self, extent: u32) -> ClassWord {
        ClassWord(acquire(self.at(self.geo.extent(extent))))
    }

    /// First extent that ordinary claims may use.
    pub(super) fn first_extent(&self) -> u32 {
        self.geo.shape().reserve_extents as u32
    }

    /// Looks through the extents of the class, from the cursor on, for a free block.
    fn find_free(&self, lane: &mut Lane, class: u8, everywhere: bool) -> Option<Claimed> {
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

    /// A free block of the extent that the caller can get: the first one, from `last` on where that is in this extent.
    fn claim_in(&self, lane: &mut Lane, extent: u32, class: u8, last: u32) -> Option<Claimed> {
        let classes = self.geo.classes();
        let (blocks, size) = (classes.blocks(class), classes.granules(class)?);
        let before = last.saturating_sub(extent * self.geo.extent_granules()) / size;
        let begin = if FROM_THE_LAST && before < blocks { before } else { 0 };
        let mut order = (begin..blocks).chain(0..begin);
        order.find_map(|at| self.claim_block(lane, self.start(extent, size, at)?, class))
    }

    /// The block at this place of an extent that is cut into blocks of `size` granules.
    fn start(&self, extent: u32, size: u32, at: u32) -> Option<Block> {
        self.geo.block(extent * self.geo.extent_granules() + at * size)
    }

    /// The blocks that an extent of this class is cut into.
    pub(super) fn starts(&self, extent: u32, class: u8) -> impl Iterator<Item = Block> + use<'_> {
        let size = self.geo.classes().granules(class).unwrap_or(1);
        let blocks = self.geo.classes().blocks(class);
        (0..blocks).filter_map(move |at| self.start(extent, size, at))
    }

    /// Claims this block, if it is free and its extent has this class.
    fn claim_block(&self, lane: &Lane, block: Block, class: u8) -> Option<Claimed> {
        let word = self.state_of(block);
        let mut state = State(word.load(Relaxed));
        if state == State::new(StateKind::Limbo, 0, state.tag()) {
            // Acquire: behind the state lies what made it so (P7).
            fence(Acquire);
            self.end_limbo(block, state);
            state = State(word.load(Relaxed));
        }
        if !state.is(StateKind::Free) {
            return None;
        }
        let tag = state.next_tag();
        let claimed = State::new(StateKind::Claimed, lane.owner(), tag);
        // Acquire: pairs with whoever freed it (P7); and with `recut_extent`, whose class word must be seen.
        word.compare_exchange(state.0, claimed.0, Acquire, Relaxed).ok()?;
        let claimed = Claimed { block, tag };
        if self.class_of(self.geo.extent_of(block)).class() != class {
            self.free(lane, claimed);
            return None;
        }
        Some(claimed)
    }

    /// Takes an extent that has no class yet, and a block of it.
    fn claim_extent(&self, lane: &mut Lane, class: u8) -> Result<Option<Claimed>, Fault> {
        let hint = self.at(header::EXTENT_HINT);
        let first = (hint.load(Relaxed).min(u64::from(u32::MAX)) as u32).max(self.first_extent());
        for extent in first..self.extents_in_use() {
            let word = self.class_of(extent);
            let taken = word.class() == 0
                && self
                    .at(self.geo.extent(extent))
                    // AcqRel: as in `recut_extent`; the blocks of an untouched extent are all free.
                    .compare_exchange(word.0, word.next(class).0, AcqRel, Relaxed)
                    .is_ok();
            if taken {
                hint.store(u64::from(extent), Relaxed);
                self.count(lane, Counter::Extents, 1);
                // Others may be faster; each extent is taken but once.
                if let Some(claimed) = self.claim_in(lane, extent, class, 0) {
                    lane.cursors[usize::from(class)] = claimed.block.index();
                    return Ok(Some(claimed));
                }
            }
        }
        let more = self.extents_in_use() < self.geo.extents();
        if more && lane.may_reserve { Err(Fault::Unreserved) } else { Ok(None) }
    }

    /// Gives an extent whose blocks are all free the class, and takes a block of it.
    fn recut_extent(&self, lane: &mut Lane, class: u8) -> Option<Claimed> {
        (self.first_extent()..self.extents_in_use()).find_map(|extent| {
            let word = self.class_of(extent);
            let other = word.class() != class && word.class() != 0;
            other.then(|| self.recut(lane, extent, word, class)).flatten()
        })
    }

    /// Claims every block of the extent, changes its class, frees the blocks but the first, which is a block of either
    /// class: whoever cuts an extent has a block of it, so that two who want two sizes do not cut it by turns for
    /// nothing. One block in use is enough not to.
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
        // Every block is held, so nobody else can be cutting this extent, and a claimer with the old class
        // fails at a block, or meets one that is freed below, after this (P7), and sees the new class.
        let done = complete
            && self
                .at(self.geo.extent(extent))
                .compare_exchange(word.0, word.next(class).0, AcqRel, Relaxed)
                .is_ok();
        // Extent 0 begins with the granule that is never a block: there the sizes have no first block in common.
        let first = self.start(extent, 1, 0);
        let kept = held.first().copied().filter(|claimed| done && first == Some(claimed.block));
        for claimed in held.into_iter().skip(usize::from(kept.is_some())) {
            self.free(lane, claimed);
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

    /// A free block of one of the next `reach` larger classes.
    fn find_larger(&self, lane: &mut Lane, class: u8, reach: u8) -> Option<Claimed> {
        let last = self.geo.classes().count().min(class.saturating_add(reach));
        (class + 1..=last).find_map(|class| self.find_free(lane, class, false))
    }

    /// A block of the extent that is kept for removals.
    fn claim_reserve(&self, lane: &mut Lane, class: u8) -> Option<Claimed> {
        let reserve = self.class_of(0).class();
        if reserve < class || self.geo.shape().reserve_extents == 0 {
            None
        } else {
            self.claim_in(lane, 0, reserve, 0)
        }
    }

    /// Whether a block would be free, did its writer not look at it still.
    fn any_pinned(&self) -> bool {
        let granules = self.extents_in_use() * self.geo.extent_granules();
        (1..granules)
            .filter_map(|index| self.geo.block(index))
            .map(|block| State(self.state_of(block).load(Relaxed)))
            .any(|state| state.owner() != 0 && matches!(state.kind(), StateKind::Doomed | StateKind::Limbo))
    }

    /// Keeps a block at hand, or gives it back.
    #[inline]
    pub(super) fn keep(&self, lane: &mut Lane, claimed: Claimed) {
        let extent = self.geo.extent_of(claimed.block);
        let class = self.class_of(extent).class();
        let offset = claimed.block.index() - extent * self.geo.extent_granules();
        let left = self.geo.extent_granules() - offset;
        match lane.stash.get_mut(usize::from(class)) {
            Some(stash)
                // A damaged class must not make a block longer than what is left of its extent.
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

    /// Frees a block that the lane would keep, had it room: its next search begins there.
    fn free_behind(&self, lane: &mut Lane, claimed: Claimed, class: u8) {
        if let Some(cursor) = lane.cursors.get_mut(usize::from(class)) {
            *cursor = claimed.block.index();
        }
        self.free(lane, claimed);
    }

    /// Frees a block that the caller has claimed.
    pub fn free(&self, _lane: &Lane, claimed: Claimed) {
        let free = State::new(StateKind::Free, 0, claimed.tag);
        // Release: our accesses to the block are over when another claims it (P7). A store is enough:
        // nobody but its owner changes a claimed block.
        self.state_of(claimed.block).store(free.0, Release);
        self.unhint(claimed.block);
    }

    /// Tells searches that the block's extent has a free block again.
    pub(super) fn unhint(&self, block: Block) {
        self.unhint_extent(self.geo.extent_of(block));
    }

    fn unhint_extent(&self, extent: u32) {
        let hint = self.at(self.geo.extent(extent) + 1);
        if hint.load(Relaxed) == EXHAUSTED {
            hint.store(0, Relaxed);
        }
    }

    /// Gives every stashed block back.
    pub fn empty_stash(&self, lane: &mut Lane) {
        for class in 0..lane.stash.len() {
            while let Some(claimed) = take_stashed(lane, class as u8) {
                self.free(lane, claimed);
            }
        }
    }

    /// Gives the stash back if the lane changed nothing since the last call: an idle session keeps nothing from anybody.
    pub fn empty_idle_stash(&self, lane: &mut Lane) {
        if lane.newest == lane.newest_at_beat {
            self.empty_stash(lane);
        }
        lane.newest_at_beat = lane.newest;
    }

    /// Marks a claimed block as being published: what the reaper of a killed owner goes by.
    #[inline]
    pub(super) fn begin(&self, lane: &Lane, claimed: Claimed, gen_word: u64) {
        // Release, in this order: the reaper that sees INFLIGHT sees the generation word.
        self.gen_of(claimed.block).store(gen_word, Release);
        let state = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        self.state_of(claimed.block).store(state.0, Release);
    }

    /// Takes an unpublished block back from being published.
    pub(super) fn unbegin(&self, lane: &Lane, claimed: Claimed) {
        let state = State::new(StateKind::Claimed, lane.owner(), claimed.tag);
        // Release: as `free`. A store is enough: unpublished, nobody else knows the block.
        self.state_of(claimed.block).store(state.0, Release);
    }

    /// Ends the publishing of a block: it belongs to the board now. When its event was let go meanwhile
    /// the block is the caller's again; when it is a tombstone that was given back meanwhile, the caller frees it.
    #[inline]
    pub fn settle(&self, lane: &mut Lane, claimed: Claimed) {
        let inflight = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        let owned = State::new(StateKind::Owned, 0, claimed.tag);
        let doomed = State::new(StateKind::Doomed, lane.owner(), claimed.tag);
        let word = self.state_of(claimed.block);
        // Release: our accesses are over when another frees it; acquire on failure: the floor that doomed it.
        match word.compare_exchange(inflight.0, owned.0, Release, Acquire) {
            Ok(_) => {}
            Err(state) if state == doomed.0 => self.free_doomed(lane, claimed, doomed),
            // Otherwise only damage, or having been reaped alive, leads here; the block is not ours then.
            Err(_) => drop(self.leave_limbo(claimed.block, lane.owner(), claimed.tag)),
        }
    }

    /// Ends the life of a block that was let go while its owner looked at it.
    #[cold]
    fn free_doomed(&self, lane: &mut Lane, claimed: Claimed, doomed: State) {
        self.free_pieces(lane, claimed.block, claimed.tag);
        if let GenWord::Generation(own) = self.load_gen(claimed.block) {
            self.weigh(lane, Sum::Freed, Weight::of_doomed(own), self.footprint(claimed.block));
        }
        if let Some(claimed) = self.reclaim(lane.owner(), claimed.block, doomed) {
            self.keep(lane, claimed);
        }
    }

    /// From `state` to a block of this owner with the next tag, if it was still in `state`.
    #[inline]
    pub(super) fn reclaim(&self, owner: u16, block: Block, state: State) -> Option<Claimed> {
        let tag = state.next_tag();
        let claimed = State::new(StateKind::Claimed, owner, tag);
        // AcqRel: takes over what the last owner did, and what made it superseded (P6, P7).
        let won = self.state_of(block).compare_exchange(state.0, claimed.0, AcqRel, Acquire).is_ok();
        won.then_some(Claimed { block, tag })
    }

    /// Makes extents usable whose pages were just reserved: all below `extents`.
    pub fn raise_reserved(&self, extents: u32) {
        // AcqRel: who sees the number finds the pages there.
        self.at(header::RESERVED).fetch_max(u64::from(extents), AcqRel);
    }

    /// Extents that may still be claimed without reserving more. An estimate.
    pub fn unclaimed(&self) -> u32 {
        let claimed = self.at(header::EXTENT_HINT).load(Relaxed).min(u64::from(u32::MAX)) as u32;
        self.extents_in_use().saturating_sub(claimed.saturating_add(1))
    }

    /// Extents that have a class.
    pub fn claimed_extents(&self) -> u32 {
        (0..self.extents_in_use()).filter(|&extent| self.class_of(extent).class() != 0).count() as u32
    }

    /// Extents whose pages are reserved.
    pub fn reserved(&self) -> u32 {
        self.extents_in_use()
    }

    /// Cuts the reserve for removals, on a board that nobody sees yet.
    pub fn cut_reserve(&self) {
        if self.geo.shape().reserve_extents > 0 {
            let words = crate::layout::record::words_of(crate::layout::record::KEY_MAX, 0);
            let class =
                self.geo.classes().of(self.geo.granules_for(words)).unwrap_or(self.geo.classes().whole());
            // Release: as every other class word; nobody reads this one yet.
            self.at(self.geo.extent(0)).store(ClassWord(0).next(class).0, Release);
        }
    }
}
