//! Ending the life of a session that is gone: finishing or taking back what it was doing.
//!
//! The caller holds the dead session's lock byte, so there is one reaper at a time. Each step can be repeated: the next
//! reaper finishes the work of a killed one.

use super::{
    Core, Fault,
    history::Logged,
    lane::{Claimed, Lane},
    publish::{Change, Expect, Now, Outcome},
    retention::Superseded,
    slots::Key,
};
use crate::layout::{
    Block, GenWord, Guard, Head, HeadKind, State, StateKind, Writer,
    record::{self, RecordKind},
    session::{self, Counter, LANES, Sum, Weight},
};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed},
    fence,
};
use std::ops::Range;

/// The result of ending a life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reaped {
    /// The number of blocks that went back to the board.
    pub blocks: u64,
    /// The number of published puts that were brought into the history.
    pub logged: u64,
    /// The number of ephemeral entries that were removed.
    pub ephemerals: u64,
}

impl Core<'_> {
    /// Ends the life of session `dead`, whose lock byte the caller holds. The lane is the reaper's own, or one from
    /// [`Lane::for_reaping`].
    pub fn reap(&self, lane: &mut Lane, dead: usize, now: Now) -> Result<Reaped, Fault> {
        let mut reaped = Reaped::default();
        self.finish_intents(dead);
        self.finish_blocks(lane, dead, &mut reaped)?;
        self.finish_pending(lane)?;
        reaped.ephemerals = self.remove_ephemerals(lane, dead, RecordKind::Died, now)?;
        self.free_names_of(dead as u16 + 1);
        self.announce_all();
        self.vacate(dead);
        self.count(lane, Counter::Reaped, 1);
        Ok(reaped)
    }

    /// Ends the caller's own life in an orderly way, like a reap that finds nothing to finish.
    pub fn leave(&self, lanes: &mut [Lane], now: Now) -> Result<(), Fault> {
        for lane in &mut *lanes {
            self.empty_stash(lane);
        }
        let Some(lane) = lanes.first_mut() else { return Ok(()) };
        self.check_fence(lane)?;
        self.remove_ephemerals(lane, lane.session, RecordKind::Detached, now)?;
        self.empty_stash(lane);
        self.vacate(lane.session);
        Ok(())
    }

    /// Frees the blocks that the dead session's floor steps were about to free: the floor passed the event, and the
    /// block is still in the life that the intent names.
    fn finish_intents(&self, dead: usize) {
        for intent in 0..LANES {
            let at = self.geo.session(dead) + session::intent(intent);
            let event = super::acquire(self.at(at + session::INTENT_EVENT));
            let seen = State(self.at(at + session::INTENT_STATE).load(Relaxed));
            let index = u32::try_from(self.at(at + session::INTENT_BLOCK).load(Relaxed)).unwrap_or(0);
            if let Some(block) = self.block(index).filter(|_| event != 0 && self.floor() >= event) {
                let granules = self.footprint(block);
                let mut state = self.load_state(block);
                if state.tag() == seen.tag() {
                    let superseded = Superseded { block, state, granules };
                    self.take_superseded(dead as u16 + 1, superseded);
                    state = self.load_state(block);
                }
                // The dead session, or a reaper in its name, took the block. It is freed with all other blocks of the
                // dead session.
                let taken = State::new(StateKind::Claimed, dead as u16 + 1, seen.next_tag());
                if state == taken {
                    self.weigh_for(dead, Sum::Freed, Weight::of_event(event), granules);
                }
            }
            self.forget_intent(dead, intent);
        }
    }

    /// Whether this was added to one of the dead session's sums.
    fn is_weighed(&self, dead: usize, sum: Sum, last: u64) -> bool {
        // Relaxed: the owner is dead, and the release of its lock ordered everything it did.
        let weight =
            |lane| Weight(self.at(self.geo.session(dead) + session::weight(lane, sum)).load(Relaxed));
        !session::WEIGHTS_KEPT || (0..=LANES).any(|lane| weight(lane).ends_with(last))
    }

    /// Adds to one of the dead session's sums what it, or a reaper that was killed, did not add.
    fn weigh_for(&self, dead: usize, sum: Sum, last: u64, granules: u64) {
        if !self.is_weighed(dead, sum, last) {
            let word = self.at(self.geo.session(dead) + session::weight(LANES, sum));
            // Relaxed: as above, for the next reaper. The sums are estimates while others write.
            word.store(Weight(word.load(Relaxed)).with(last, granules).0, Relaxed);
        }
    }

    /// Adds what the event of a published block superseded to the dead session's sum, and also the block itself if it
    /// was let go.
    fn weigh_event(&self, dead: usize, block: Block, doomed: bool) {
        let GenWord::Generation(own) = self.load_gen(block) else { return };
        let superseded = record::superseded_in(self.record_word(block, record::SHAPE));
        self.weigh_for(dead, Sum::Superseded, own, superseded);
        if doomed {
            self.weigh_for(dead, Sum::Freed, Weight::of_doomed(own), self.footprint(block));
        }
    }

    /// Finishes or takes back what the dead session did with its blocks. Walks through the whole block table.
    fn finish_blocks(&self, lane: &mut Lane, dead: usize, reaped: &mut Reaped) -> Result<(), Fault> {
        let owner = dead as u16 + 1;
        let end = (self.reserved() * self.geo.extent_granules()).min(self.geo.granules());
        let mut owned = Vec::new();
        for block in (1..end).filter_map(|index| self.geo.block(index)) {
            // Relaxed: the owner is dead, and the release of its lock ordered everything it did.
            let state = State(self.state_of(block).load(Relaxed));
            if state.owner() == owner {
                owned.push((self.is_left(dead, block, state), block, state));
            }
        }
        // Each block's sums are settled before those of the next one, because a sum tells only what was added last.
        owned.sort_by_key(|&(left, ..)| left);
        owned.into_iter().try_for_each(|(_, block, state)| self.finish_block(lane, block, state, reaped))
    }

    /// What must still be added to the dead session's sums for a block. This gives the order in which blocks are
    /// settled.
    fn is_left(&self, dead: usize, block: Block, state: State) -> (bool, bool) {
        // Acquire: the state was loaded relaxed, and the generation word must be read after it (P7).
        fence(Acquire);
        match (state.kind(), self.load_gen(block)) {
            (StateKind::Inflight | StateKind::Doomed | StateKind::Limbo, GenWord::Generation(own)) => (
                !self.is_weighed(dead, Sum::Freed, Weight::of_doomed(own)),
                !self.is_weighed(dead, Sum::Superseded, own),
            ),
            _ => (true, true),
        }
    }

    fn finish_block(
        &self,
        lane: &mut Lane,
        block: Block,
        state: State,
        reaped: &mut Reaped,
    ) -> Result<(), Fault> {
        // Acquire: the state was loaded relaxed, and the generation word must be read after it (P7).
        fence(Acquire);
        match state.kind() {
            StateKind::Claimed => {
                if let GenWord::Bucket(_) = self.load_gen(block) {
                    // The session was killed before the block was INFLIGHT. No trace of a bucket may remain, because
                    // `bucket_of_slot` relies on it. Relaxed: no other thread looks at a private block, and freeing it
                    // orders this store (P7).
                    self.gen_of(block).store(GenWord::None.pack(), Relaxed);
                }
                reaped.blocks += u64::from(self.free_owned(block, state));
            }
            StateKind::Doomed => {
                self.weigh_event(session_of(state), block, true);
                self.free_pieces(block, state.tag());
                reaped.blocks += u64::from(self.free_owned(block, state));
            }
            StateKind::Limbo => {
                self.weigh_event(session_of(state), block, false);
                reaped.blocks += u64::from(self.leave_limbo(block, state.owner(), state.tag()));
            }
            StateKind::Inflight => {
                let published = match self.bucket_of_inflight(block) {
                    Some(bucket) => {
                        let linked = self.is_linked(bucket, block, state)?;
                        if linked {
                            self.count_bucket(self.geo.shard_of_bucket(bucket), block)?;
                        }
                        linked
                    }
                    None => {
                        let published = self.is_published(lane, block, state, reaped)?;
                        if published {
                            self.announce_for(block);
                        }
                        published
                    }
                };
                self.end_inflight(block, state, published, reaped);
            }
            _ => {}
        }
        Ok(())
    }

    fn bucket_of_inflight(&self, block: Block) -> Option<usize> {
        match self.load_gen(block) {
            GenWord::Bucket(bucket) => Some(bucket as usize).filter(|&bucket| bucket < self.geo.buckets()),
            _ => None,
        }
    }

    /// Whether an unfinished bucket is part of its chain, after applying what the guard asks for.
    fn is_linked(&self, bucket: usize, block: Block, state: State) -> Result<bool, Fault> {
        for _ in 0..1024 {
            let guard = Guard(super::acquire(self.at(self.geo.bucket(bucket))));
            if self.apply(bucket, guard)? {
                let linked = self.is_in_chain(bucket, Claimed { block, tag: state.tag() });
                if !linked {
                    self.gen_of(block).store(GenWord::None.pack(), Relaxed);
                }
                return Ok(linked);
            }
        }
        Err(Fault::Contended)
    }

    /// Whether the block was published. If it is still its key's newest record, its event is brought into the history.
    fn is_published(
        &self,
        lane: &mut Lane,
        block: Block,
        state: State,
        reaped: &mut Reaped,
    ) -> Result<bool, Fault> {
        let slot = self.slot_of(block);
        // The head is loaded before the generation word. In the opposite order, a put that was superseded between the
        // two loads would look like one that was never published.
        let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match self.load_gen(block) {
            GenWord::Unlogged(tag) if tag == state.tag() => {
                if current {
                    let logged = self.log(lane, block, tag)?;
                    reaped.logged += u64::from(matches!(logged, Logged::At(_)));
                }
                current
            }
            GenWord::Generation(_) => true,
            _ => false,
        })
    }

    fn names(&self, head_at: usize, block: Block) -> bool {
        let head = self.load_head(head_at);
        head.is(HeadKind::Live) && head.block() == block.index()
    }

    fn end_inflight(&self, block: Block, state: State, published: bool, reaped: &mut Reaped) {
        let owned = State::new(StateKind::Owned, 0, state.tag());
        if published {
            self.weigh_event(session_of(state), block, false);
            // AcqRel: takes over for the dead owner (P7).
            if self.state_of(block).compare_exchange(state.0, owned.0, AcqRel, Acquire).is_ok() {
                return;
            }
            if self.leave_limbo(block, state.owner(), state.tag()) {
                reaped.blocks += 1;
                return;
            }
            // Only the floor also changes a dead owner's block: it made the block DOOMED.
            self.weigh_event(session_of(state), block, true);
            self.free_pieces(block, state.tag());
            let doomed = State::new(StateKind::Doomed, state.owner(), state.tag());
            reaped.blocks += u64::from(self.free_owned(block, doomed));
        } else {
            self.free_pieces(block, state.tag());
            reaped.blocks += u64::from(self.free_owned(block, state));
        }
    }

    /// Announces the deadline of a published record, because its dead writer may not have done so.
    fn announce_for(&self, block: Block) {
        let Some(words) = self.header_words(block).filter(|words| words.deadline() != 0) else { return };
        if let Some(bucket) = self.bucket_of_slot(words.slot()) {
            self.announce_deadline(bucket, words.deadline());
        }
    }

    /// Removes the entries that were bound to this life of the session. `kind` tells how it ended.
    fn remove_ephemerals(
        &self,
        lane: &mut Lane,
        dead: usize,
        kind: RecordKind,
        now: Now,
    ) -> Result<u64, Fault> {
        let view = self.session_view(dead);
        if session::COUNTERS_KEPT && view.counters[Counter::Ephemerals as usize] == 0 {
            return Ok(0);
        }
        let life = (dead as u16, view.incarnation);
        let ends = |bound: Writer| (bound.session, bound.incarnation) == life;
        self.remove_bound(lane, 0..self.geo.buckets(), (&ends, kind), now)
    }

    /// Removes the entries of a group of buckets that are bound to a life that is over. There may be such an entry,
    /// because a session may act for another one, and put it just while the other ended. Returns how many there were.
    pub fn remove_orphans(&self, lane: &mut Lane, group: usize, now: Now) -> Result<u64, Fault> {
        let ends =
            |bound: Writer| usize::from(bound.session) < self.geo.sessions() && !self.is_in_life(bound);
        self.remove_bound(lane, self.geo.groups().buckets(group), (&ends, RecordKind::Died), now)
    }

    /// Removes the entries of these buckets that are bound to a life that ends.
    fn remove_bound(
        &self,
        lane: &mut Lane,
        mut buckets: Range<usize>,
        (ends, kind): (Ends<'_>, RecordKind),
        now: Now,
    ) -> Result<u64, Fault> {
        buckets.try_fold(0, |removed, bucket| {
            self.slots(bucket).try_fold(removed, |removed, hash_at| {
                let is_removed = self.remove_ephemeral(lane, hash_at + 1, (ends, kind), now)?;
                Ok(removed + u64::from(is_removed))
            })
        })
    }

    /// Removes a slot's entry if it is bound to a life that ends, even while others update it: an update keeps it bound
    /// to the session.
    fn remove_ephemeral(
        &self,
        lane: &mut Lane,
        head_at: usize,
        (ends, kind): (Ends<'_>, RecordKind),
        now: Now,
    ) -> Result<bool, Fault> {
        let mut tried = 0;
        for _ in 0..64 {
            let bound = self.ephemeral_at(lane, head_at, ends)?;
            let Some((key, generation)) = bound.filter(|(_, generation)| *generation != tried) else {
                return Ok(false);
            };
            let Ok(key) = String::from_utf8(key) else { return Ok(false) };
            let key = Key::new(self.geo, &key);
            let change = Change::tombstone(kind, Expect::Generation(generation));
            match self.change(lane, &key, &change, now, None) {
                Ok(Outcome::Done { .. }) => return Ok(true),
                // The entry was updated meanwhile and has another generation, or it is damaged.
                Ok(_) => tried = generation,
                // The scrubber handles a damaged key. It must not keep the session record occupied forever.
                Err(Fault::Corrupt(_)) => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::Contended)
    }

    /// The key and the generation of a LIVE slot's entry that is bound to a life that ends.
    fn ephemeral_at(
        &self,
        lane: &mut Lane,
        head_at: usize,
        ends: Ends<'_>,
    ) -> Result<Option<(Vec<u8>, u64)>, Fault> {
        for _ in 0..64 {
            let head: Head = self.load_head(head_at);
            let Some(block) = self.block(head.block()).filter(|_| head.is(HeadKind::Live)) else {
                return Ok(None);
            };
            let generation = self.load_gen(block);
            let mut key = Vec::new();
            let header = self.copy_key(block, &mut key);
            // The copy comes from one life of the block only if the head did not change (P2).
            fence(Acquire);
            if !self.head_is(head_at, head) {
                continue;
            }
            let is_ours = header.is_some_and(|header| {
                !header.kind.is_tombstone() && header.ephemeral != 0 && ends(Writer::unpack(header.ephemeral))
            });
            match generation {
                GenWord::Generation(generation) if is_ours => return Ok(Some((key, generation))),
                // Another session updated the entry, and the update is not in the history yet.
                GenWord::Unlogged(_) if is_ours => match self.help(lane, head_at, head) {
                    Err(Fault::Corrupt(_)) => return Ok(None),
                    helped => helped?,
                },
                _ => return Ok(None),
            }
        }
        Err(Fault::Contended)
    }
}

/// Whether what is bound to this life of a session ends.
type Ends<'a> = &'a dyn Fn(Writer) -> bool;

/// The session that owns a block in this state.
fn session_of(state: State) -> usize {
    usize::from(state.owner()).saturating_sub(1)
}
