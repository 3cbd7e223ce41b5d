//! Retiring a key whose removal has left the history, and giving its tombstone back.
//!
//! A tombstone belongs to no event, so no floor step frees it. The slot's head becomes RETIRED, which cannot be taken
//! back. Then the block becomes LIMBO, the head drops the block, and the block becomes free, in this order: a block never
//! begins another life while a head names it. A tombstone that its writer still looks at is LIMBO of the writer, who
//! frees it. Anybody may finish each step, any number of times.

use super::{Core, Fault};
use crate::layout::{Block, GenWord, Head, HeadKind, State, StateKind, geometry, record};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed},
    fence,
};

impl Core<'_> {
    /// A tombstone of the chain that can be retired.
    pub(super) fn find_tombstone(&self, bucket: usize) -> Option<(usize, Head)> {
        self.slots(bucket).map(|hash_at| hash_at + 1).find_map(|head_at| {
            let head = self.load_head(head_at);
            self.has_passed(head).then_some((head_at, head))
        })
    }

    /// Whether a slot of the chain has a removed key whose event is still in the history.
    pub(super) fn has_tombstone(&self, bucket: usize) -> bool {
        self.slots(bucket).any(|hash_at| {
            let head = self.load_head(hash_at + 1);
            head.is(HeadKind::Live) && self.block(head.block()).is_some_and(|block| self.is_tombstone(block))
        })
    }

    /// Whether the head names a tombstone whose event has left the history. If its writer still looks at it, that
    /// delays only the block, not the slot. The compare-and-swap of the head must prove the answer.
    fn has_passed(&self, head: Head) -> bool {
        let Some(block) = self.block(head.block()).filter(|_| head.is(HeadKind::Live)) else { return false };
        self.is_tombstone(block)
            && matches!(self.load_gen(block), GenWord::Generation(event) if event <= self.floor())
    }

    /// Whether the block has a sound tombstone. Damage that looks like a removal must not end a key.
    fn is_tombstone(&self, block: Block) -> bool {
        let Some(words) = self.header_words(block).filter(|words| words.is_tombstone()) else {
            return false;
        };
        let mut key = Vec::new();
        self.copy_key(block, &mut key).is_some()
            && words.value_len() == 0
            && words.is_sound(self.geo.hash(&key), &[])
    }

    /// Ends a key whose tombstone has left the history, and gives the tombstone back. Nobody needs its version from the
    /// record any more. A reader that still reads it finds that the slot's life is over ([`Core::lives`]).
    pub(super) fn retire(&self, shard: usize, head_at: usize, head: Head) -> Result<(), Fault> {
        let block = self.block(head.block()).ok_or(Fault::Corrupt("a slot's block"))?;
        let version = self.record_word(block, record::VERSION);
        let tombstone = self.is_tombstone(block);
        // The block is a tombstone, and its version belongs to this life: the head did not change around both (P2).
        fence(Acquire);
        if !tombstone || !self.head_is(head_at, head) {
            return Ok(());
        }
        let base = self.at(self.geo.shard(shard) + geometry::SHARD_VERSION_BASE);
        base.fetch_max(version, AcqRel);
        let retired = head.next(HeadKind::Retired, head.block());
        // AcqRel: a thread that sees it RETIRED sees the version base (P8).
        if self.at(head_at).compare_exchange(head.0, retired.0, AcqRel, Relaxed).is_ok() {
            self.give_back(head_at, retired);
        }
        Ok(())
    }

    /// Retires the tombstone that an event produced, as soon as the event has left the history.
    #[cold]
    pub(super) fn retire_passed(&self, head_at: usize) {
        let Some(bucket) = self.bucket_of_slot(head_at) else { return };
        let head = self.load_head(head_at);
        if self.has_passed(head) {
            // Damage is reported to the thread that needs the slot.
            let _ = self.retire(self.geo.shard_of_bucket(bucket), head_at, head);
        }
    }

    /// Retires every tombstone whose event has left the history. Floor steps normally do that. This call finds those
    /// that a killed session left.
    pub(super) fn retire_all(&self) -> Result<(), Fault> {
        for bucket in 0..self.geo.buckets() {
            for head_at in self.slots(bucket).map(|hash_at| hash_at + 1) {
                let head = self.load_head(head_at);
                if self.has_passed(head) {
                    self.retire(self.geo.shard_of_bucket(bucket), head_at, head)?;
                } else if head.is(HeadKind::Retired) && head.block() != 0 {
                    self.give_back(head_at, head);
                }
            }
        }
        Ok(())
    }

    /// Retires the slots whose heads have been OPEN since `before` was taken. Their inserters are dead, or so slow that
    /// they will notice it. Also finishes giving back the tombstones that killed sessions left. Returns the heads that
    /// are OPEN now. The keeper calls this from time to time.
    pub fn sweep_open(&self, before: &[(usize, Head)]) -> Vec<(usize, Head)> {
        let mut open = Vec::new();
        for bucket in 0..self.geo.buckets() {
            for hash_at in self.slots(bucket) {
                let head = self.load_head(hash_at + 1);
                if head.is(HeadKind::Retired) && head.block() != 0 {
                    self.give_back(hash_at + 1, head);
                }
                if !head.is(HeadKind::Open) {
                    continue;
                }
                if before.contains(&(hash_at + 1, head)) {
                    let retired = head.next(HeadKind::Retired, 0);
                    // AcqRel: as in `retire`.
                    let _ = self.at(hash_at + 1).compare_exchange(head.0, retired.0, AcqRel, Relaxed);
                } else {
                    open.push((hash_at + 1, head));
                }
            }
        }
        open
    }

    /// Gives back the tombstone that this RETIRED head names. Any thread may do this, any number of times. First the
    /// block becomes LIMBO, then the head drops it, and then it becomes free. So no head names a block that begins
    /// another life, and a block whose state is read while the head names it is in the tombstone's life. If its writer
    /// still looks at the block, the writer frees it.
    #[cold]
    pub(super) fn give_back(&self, head_at: usize, head: Head) {
        let block = self.block(head.block());
        let of_slot = block.filter(|&block| {
            // If the record or the head is damaged, nothing is freed, because the block may belong to another key.
            self.is_tombstone(block) && self.slot_of(block) == head_at
        });
        let state = of_slot.map(|block| (block, self.load_state(block)));
        fence(Acquire);
        if !self.head_is(head_at, head) {
            return;
        }
        let limbo = state.and_then(|(block, state)| self.make_limbo(block, state));
        // AcqRel, and acquire on failure: the thread that frees the block has seen that the head does not name it (P7).
        let _ = self.at(head_at).compare_exchange(head.0, head.next(HeadKind::Retired, 0).0, AcqRel, Acquire);
        if let Some((block, state)) = limbo.filter(|(_, state)| state.owner() == 0) {
            self.free_owned(block, state);
        }
    }

    /// Changes a block from OWNED, or from INFLIGHT of its writer, to LIMBO with the same owner. Returns the block's
    /// state after that; `None` if it is in neither state.
    fn make_limbo(&self, block: Block, state: State) -> Option<(Block, State)> {
        let mut state = state;
        // Its writer may settle it meanwhile, and another thread may make it LIMBO. No more than these two changes can
        // happen first.
        for _ in 0..3 {
            match state.kind() {
                StateKind::Owned | StateKind::Inflight => {}
                StateKind::Limbo => return Some((block, state)),
                _ => return None,
            }
            let limbo = State::new(StateKind::Limbo, state.owner(), state.tag());
            // AcqRel: a thread that sees it LIMBO sees the head RETIRED (P7).
            match self.state_of(block).compare_exchange(state.0, limbo.0, AcqRel, Acquire) {
                Ok(_) => return Some((block, limbo)),
                Err(now) if State(now).tag() == state.tag() => state = State(now),
                Err(_) => return None,
            }
        }
        None
    }

    /// Finishes what the writer of a tombstone, or its reaper, had to do with it if it was given back meanwhile.
    /// Returns whether it was.
    #[cold]
    pub(super) fn leave_limbo(&self, block: Block, owner: u16, tag: u64) -> bool {
        let limbo = |owner| State::new(StateKind::Limbo, owner, tag);
        let word = self.state_of(block);
        // AcqRel: the owner's accesses are over when another thread frees the block, and the head is seen RETIRED (P7).
        let left = word.compare_exchange(limbo(owner).0, limbo(0).0, AcqRel, Acquire).is_ok();
        if left {
            self.end_limbo(block, limbo(0));
        }
        left
    }

    /// Frees a LIMBO block that had no owner when it was looked at. The thread that made it LIMBO may have been killed.
    #[cold]
    pub(super) fn end_limbo(&self, block: Block, limbo: State) {
        let head_at = self.slot_of(block);
        if self.bucket_of_slot(head_at).is_none() {
            return;
        }
        // Acquire: the head is read after the block's state, so it is at least as new as RETIRED.
        let head = self.load_head(head_at);
        if head.block() != block.index() {
            self.free_owned(block, limbo);
        } else if head.is(HeadKind::Retired) {
            self.give_back(head_at, head);
        }
    }
}
