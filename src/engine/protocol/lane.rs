//! The state that a thread needs to write: the owner of its blocks, the blocks that it keeps in its stash, and its
//! counters.
//!
//! A [`Lane`] belongs to one session, and one thread at a time uses it. What lanes keep at hand is bounded by bytes, so
//! that a session keeps little from the others.

use super::{Core, retention::Share};
use crate::layout::{
    Block, Writer,
    session::{self, Counter, LANES, Sum, Weight},
};
use crate::sync::Ordering::Relaxed;

/// The maximal number of blocks of one class that a lane keeps for itself.
const STASH_MAX: usize = if cfg!(any(loom, slate_search)) { 1 } else { 8 };
/// The part of the data area that all lanes of all sessions may keep together, at most. In the models lanes keep
/// nothing.
const STASHES_PART: u32 = 16;

/// A block that only the caller uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// The block.
    pub block: Block,
    /// The tag of its new life.
    pub tag: u64,
}

/// The blocks of one class in a lane's stash.
pub(super) struct Stash {
    pub(super) blocks: Vec<Claimed>,
    /// The granules of each block.
    pub(super) granules: u32,
}

/// What a lane knows from its last look at every slot.
#[derive(Clone, Copy, Default)]
pub(super) struct Walk {
    /// The time of the look.
    pub(super) boot_ns: u64,
    /// The earliest deadline that it found.
    pub(super) next_ns: Option<u64>,
}

/// The state that a thread needs to write: the owner of its blocks, and a small stash of blocks.
///
/// One lane of one session is used by one thread at a time.
pub struct Lane {
    /// The index of the session record.
    pub session: usize,
    /// The writer that the records name.
    pub writer: Writer,
    /// The first word of the lane's counters, weights and intent. Each lane of a session has its own.
    counters_at: usize,
    weights_at: usize,
    pub(super) intent_at: usize,
    /// The generation of this lane's last change.
    pub(super) newest: u64,
    /// Whether more pages may still be reserved. If not, searches continue without them.
    pub may_reserve: bool,
    /// The events that this lane has to let go, so that the history stays within its bytes.
    pub(super) share: Share,
    /// What this lane knows from its last look at every slot, which it made because there was no room.
    pub(super) walk: Option<Walk>,
    pub(super) stash_max: usize,
    pub(super) stash: Vec<Stash>,
    /// By how many granules the stash may still grow.
    pub(super) stash_room: u32,
    /// For each class, the block that a search found last, or that was freed last. The next search begins there.
    pub(super) cursors: Vec<u32>,
    /// The generation at this lane's last full search.
    pub(super) looked_everywhere: Option<u64>,
    /// This lane's newest generation at the keeper's last beat.
    pub(super) newest_at_beat: u64,
}

impl Lane {
    /// Creates a lane of the session that `writer` names.
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
            share: Share::default(),
            walk: None,
            stash_max: STASH_MAX,
            stash: (0..classes).map(|class| Stash::of(core, class)).collect(),
            stash_room: stash_granules(core),
            cursors: vec![0; classes],
            looked_everywhere: None,
            newest_at_beat: 0,
        }
    }

    /// Creates a lane for reaping a session in the dead session's name. The caller holds its lock byte. Events that end
    /// its entries name the session that owned them. The lane keeps no blocks, because they would belong to the dead
    /// session.
    pub fn for_reaping(core: &Core<'_>, dead: usize) -> Self {
        let view = core.session_view(dead);
        let writer = Writer { name: view.name, session: dead as u16, incarnation: view.incarnation };
        let weights_at = core.geo.session(dead) + session::weight(LANES, Sum::Superseded);
        Self { stash_max: 0, weights_at, ..Self::new(core, 0, writer) }
    }

    /// The owner that this lane's blocks name.
    pub fn owner(&self) -> u16 {
        self.session as u16 + 1
    }

    /// Takes a block of the class from the stash.
    #[inline]
    pub(super) fn take_stashed(&mut self, class: u8) -> Option<Claimed> {
        let stash = &mut self.stash[usize::from(class)];
        let claimed = stash.blocks.pop()?;
        self.stash_room += stash.granules;
        Some(claimed)
    }

    /// The blocks in the stash. Tests and models account for every block.
    #[cfg(any(test, loom, slate_search))]
    pub fn stashed(&self) -> usize {
        self.stash.iter().map(|stash| stash.blocks.len()).sum()
    }
}

impl Stash {
    fn of(core: &Core<'_>, class: usize) -> Self {
        // Class 0 has no blocks.
        let granules = core.geo.classes().granules(class as u8).unwrap_or(u32::MAX);
        Self { blocks: Vec::with_capacity(STASH_MAX), granules }
    }
}

/// The number of granules that a lane may keep in its stash.
fn stash_granules(core: &Core<'_>) -> u32 {
    if cfg!(any(loom, slate_search)) {
        return u32::MAX;
    }
    core.geo.granules() / STASHES_PART / (core.geo.sessions() * session::LANES) as u32
}

impl Core<'_> {
    /// Raises one of the lane's counters by a plain load and store, because only this lane writes the word.
    #[inline]
    pub(super) fn count(&self, lane: &Lane, counter: Counter, by: u64) {
        if session::COUNTERS_KEPT {
            let word = self.at(lane.counters_at + counter as usize);
            word.store(word.load(Relaxed).wrapping_add(by), Relaxed);
        }
    }

    /// Adds granules to one of the lane's sums; `last` names their source. As in [`Core::count`], this is one store. If
    /// the writer is killed, the word tells whether the addition was done.
    #[inline]
    pub(super) fn weigh(&self, lane: &Lane, sum: Sum, last: u64, granules: u64) {
        if session::WEIGHTS_KEPT {
            let word = self.at(lane.weights_at + sum as usize);
            word.store(Weight(word.load(Relaxed)).with(last, granules).0, Relaxed);
        }
    }
}
