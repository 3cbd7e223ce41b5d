//! Which slot a key gets: each chain of buckets has one guard word, and nobody owns the chain.
//!
//! A slot goes through FREED, OPEN, LIVE any number of times, RETIRED, RETIRED without a block, and FREED again. Its
//! head's counter rises each time. Whoever meets a guard first applies what the guard asks for, which anybody may do any
//! number of times. Then it acts by one compare-and-swap of the guard, which succeeds only if the guard stood still
//! during the scan. Readers never touch the guard.

use super::{
    Core, Fault, Full, Tries, acquire,
    lane::{Claimed, Lane},
    publish::Now,
    retention::Least,
    slots::{CHAIN_MAX, Key, Slot, SlotHead, slots_of},
};
use crate::layout::{Block, GenWord, Guard, GuardOp, Head, HeadKind, Overflow, SlotHash, geometry};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// The result of a scan of a chain.
#[derive(Default)]
struct Scan {
    found: Option<SlotHead>,
    free: Option<u16>,
    retired: Option<u16>,
}

/// The result of the search for a key's slot.
pub(super) enum Sought {
    /// The key has a slot.
    Slot(SlotHead),
    /// The key has no slot and does not get one.
    Absent,
    /// The key has no slot and gets one.
    Missing(Missing),
}

/// A chain in which a key has no slot.
pub(super) struct Missing {
    guard: Guard,
    free: Option<u16>,
    retired: Option<u16>,
}

impl Core<'_> {
    /// Finds the key's slot. `make` says whether the key gets a slot if it has none.
    pub(super) fn find(&self, key: &Key<'_>, make: bool) -> Result<Sought, Fault> {
        let guard_at = self.geo.bucket(key.bucket);
        let mut tries = Tries::new();
        loop {
            let guard = Guard(acquire(self.at(guard_at)));
            if self.apply(key.bucket, guard)?
                && let Some(scan) = self.scan(key, guard)?
            {
                if let Some(found) = scan.found {
                    return Ok(Sought::Slot(found));
                }
                if make {
                    return Ok(Sought::Missing(Missing { guard, free: scan.free, retired: scan.retired }));
                }
                if self.at(guard_at).load(Relaxed) == guard.0 {
                    return Ok(Sought::Absent);
                }
            }
            tries.again(guard.0, "a bucket's guard")?;
        }
    }

    /// Gives a slot to a key that has none.
    #[cold]
    pub(super) fn make(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        missing: Missing,
        now: Now,
    ) -> Result<SlotHead, Fault> {
        let mut missing = missing;
        let mut tries = Tries::new();
        loop {
            self.make_slot(lane, key, &missing, now)?;
            tries.again(missing.guard.0, "a bucket's guard")?;
            match self.find(key, true)? {
                Sought::Slot(found) => return Ok(found),
                Sought::Missing(still) => missing = still,
                Sought::Absent => {}
            }
        }
    }

    /// Scans the chain. Returns `None` if something changed meanwhile.
    fn scan(&self, key: &Key<'_>, guard: Guard) -> Result<Option<Scan>, Fault> {
        let mut scan = Scan::default();
        let mut chain = self.chain(key.bucket);
        for (position, hash_at) in chain.by_ref().flat_map(slots_of).enumerate() {
            let Some((hash, head)) = self.slot_at(hash_at) else { return Ok(None) };
            if hash.number() > guard.number() {
                return Ok(None);
            }
            let position = position as u16;
            let ours = hash.fingerprint() == key.fingerprint;
            let found = SlotHead { slot: Slot { head_at: hash_at + 1, hash }, head };
            match head.kind() {
                _ if hash.fingerprint() == 0 => scan.free = scan.free.or(Some(position)),
                Some(HeadKind::Retired) if head.block() != 0 => {
                    self.give_back(hash_at + 1, head);
                    return Ok(None);
                }
                Some(HeadKind::Retired) => scan.retired = scan.retired.or(Some(position)),
                Some(HeadKind::Live) if ours => match self.is_live_as(key, found)? {
                    Some(true) => return Ok(Some(Scan { found: Some(found), ..scan })),
                    Some(false) => {}
                    None => return Ok(None),
                },
                Some(HeadKind::Open) if ours => return Ok(Some(Scan { found: Some(found), ..scan })),
                Some(HeadKind::Freed) if ours => return Ok(None),
                Some(HeadKind::Moved) => return Err(Fault::Moved),
                Some(HeadKind::Live | HeadKind::Open | HeadKind::Freed | HeadKind::Pending) => {}
                None => return Err(Fault::Corrupt("a slot's head")),
            }
        }
        // The key may have a slot behind the damage, so it must not get another one.
        chain.ended()?;
        Ok(Some(scan))
    }

    /// Whether the slot of this LIVE head belongs to the key. `None` if the head changed meanwhile.
    pub(super) fn is_live_as(&self, key: &Key<'_>, found: SlotHead) -> Result<Option<bool>, Fault> {
        let block = self.block(found.head.block()).ok_or(Fault::Corrupt("a slot's block"))?;
        let same = self.key_is(block, key);
        // The words that were read belong to the record only if the head still named the block afterwards (P2).
        fence(Acquire);
        Ok(self.head_is(found.slot.head_at, found.head).then_some(same))
    }

    /// Makes progress towards a slot for the key: claims a free slot, frees a retired one, retires a tombstone, or adds
    /// a bucket. Before that, it ends what expired in the chain.
    fn make_slot(&self, lane: &mut Lane, key: &Key<'_>, missing: &Missing, now: Now) -> Result<(), Fault> {
        // This comes early, because the slots of expired entries become free only when their events have left the
        // history.
        if self.end_in_chain(lane, key.bucket, now)? > 0 {
            return Ok(());
        }
        let (fingerprint, guard) = (key.fingerprint, missing.guard);
        let next = match (missing.free, missing.retired) {
            (Some(slot), _) => GuardOp::Claim { slot, fingerprint },
            (None, Some(slot)) => GuardOp::Free { slot },
            (None, None) => match self.find_tombstone(key.bucket) {
                Some((head_at, head)) => return self.retire(key.shard, head_at, head),
                None => return self.add_bucket(lane, key, guard),
            },
        };
        // AcqRel: the scan is over before it. A thread that sees the guard applies it to what the scan saw (P8).
        let guard_word = self.at(self.geo.bucket(key.bucket));
        let _ = guard_word.compare_exchange(guard.0, guard.next(next).0, AcqRel, Relaxed);
        Ok(())
    }

    /// Applies what the guard asks for, if the guard is still current. Returns whether it was. Any thread may do this,
    /// any number of times.
    pub(super) fn apply(&self, bucket: usize, guard: Guard) -> Result<bool, Fault> {
        let stands = || self.at(self.geo.bucket(bucket)).load(Relaxed) == guard.0;
        match guard.op() {
            None => return Ok(true),
            Some(GuardOp::Frozen) => return Err(Fault::Moved),
            Some(GuardOp::Link { block }) => return self.apply_link(bucket, block, stands),
            Some(GuardOp::Claim { slot, .. } | GuardOp::Free { slot }) => {
                let hash_at =
                    self.slots(bucket).nth(usize::from(slot)).ok_or(Fault::Corrupt("a guard's slot"))?;
                let (hash_word, head_word) = (self.at(hash_at), self.at(hash_at + 1));
                let hash = SlotHash(acquire(hash_word));
                let head = Head(acquire(head_word));
                if !stands() {
                    return Ok(false);
                }
                let number = guard.number();
                // Release: a thread that sees the new hash or head sees the previous life complete (P8). A late helper
                // fails, because numbers and counters only rise.
                if let Some(GuardOp::Claim { fingerprint, .. }) = guard.op() {
                    if hash.number() < number {
                        let claimed = SlotHash::new(number, fingerprint);
                        let _ = hash_word.compare_exchange(hash.0, claimed.0, Release, Acquire);
                    }
                    // RETIRED is never changed here: a late claim would reopen a slot that has lived since.
                    if head.is(HeadKind::Freed) {
                        let open = head.next(HeadKind::Open, 0);
                        let _ = head_word.compare_exchange(head.0, open.0, Release, Acquire);
                    }
                } else {
                    if head.is(HeadKind::Retired) {
                        let freed = head.next(HeadKind::Freed, 0);
                        let _ = head_word.compare_exchange(head.0, freed.0, Release, Acquire);
                    }
                    if hash.number() < number {
                        let _ =
                            hash_word.compare_exchange(hash.0, SlotHash::new(number, 0).0, Release, Acquire);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Appends the block to the chain, unless it is already in it. Links are never removed, so a late helper finds the
    /// last link taken.
    fn apply_link(&self, bucket: usize, index: u32, stands: impl Fn() -> bool) -> Result<bool, Fault> {
        let block = self.block(index).ok_or(Fault::Corrupt("a guard's block"))?;
        let base = self.geo.data(block);
        let mut last = self.geo.bucket(bucket);
        let mut chain = self.chain(bucket);
        for at in chain.by_ref() {
            if at == base {
                return Ok(stands());
            }
            last = at;
        }
        let ended = chain.ended();
        let link = acquire(self.at(last + 1));
        if !stands() {
            return Ok(false);
        }
        ended?;
        if !self.is_bucket_of(bucket, block) {
            return Err(Fault::Corrupt("a guard's block"));
        }
        if link == 0 {
            // Release: a thread that follows the link sees an empty bucket (P8).
            let _ = self.at(last + 1).compare_exchange(0, u64::from(index), Release, Acquire);
        }
        Ok(true)
    }

    /// Appends an overflow bucket. If no more may be added, lets events go so that tombstones can be retired.
    fn add_bucket(&self, lane: &mut Lane, key: &Key<'_>, guard: Guard) -> Result<(), Fault> {
        let added =
            (0..self.geo.shards()).map(|shard| self.overflow(shard).count()).fold(0, u64::saturating_add);
        let longest = CHAIN_MAX.min(Guard::SLOT_MAX / geometry::SLOTS);
        if added >= self.geo.shape().overflow_max || self.chain(key.bucket).count() >= longest {
            let room = self.shrink_history(lane, 16)?
                || (self.has_tombstone(key.bucket) && self.shrink_to(lane, Least::Nothing)?);
            // Another thread may have retired the tombstone that the scan saw, or freed its slot. Then a slot is
            // available.
            return if room || self.has_room(key.bucket, guard) {
                Ok(())
            } else {
                Err(Fault::Full(Full::Slots))
            };
        }
        let claimed = self.claim(lane, self.geo.granules_for(geometry::BUCKET_WORDS), false)?;
        for word in 0..geometry::BUCKET_WORDS {
            self.at(self.geo.data(claimed.block) + word).store(0, Relaxed);
        }
        self.begin(lane, claimed, GenWord::Bucket(key.bucket as u64).pack());
        let link = guard.next(GuardOp::Link { block: claimed.block.index() });
        let guard_word = self.at(self.geo.bucket(key.bucket));
        // AcqRel: a thread that sees the guard sees the empty bucket (P8).
        if guard_word.compare_exchange(guard.0, link.0, AcqRel, Relaxed).is_err() {
            // No trace of a bucket may remain, because `bucket_of_slot` relies on it.
            self.gen_of(claimed.block).store(GenWord::None.pack(), Relaxed);
            self.unbegin(lane, claimed);
            self.keep(lane, claimed);
            return Ok(());
        }
        self.apply(key.bucket, link)?;
        self.count_bucket(key.shard, claimed.block)?;
        self.settle(lane, claimed);
        Ok(())
    }

    /// Whether the chain has a slot that waits to be freed, or the guard changed since it was loaded.
    fn has_room(&self, bucket: usize, guard: Guard) -> bool {
        acquire(self.at(self.geo.bucket(bucket))) != guard.0
            || self.slots(bucket).any(|hash_at| self.load_head(hash_at + 1).is(HeadKind::Retired))
    }

    fn overflow(&self, shard: usize) -> Overflow {
        Overflow(acquire(self.at(self.geo.shard(shard) + geometry::SHARD_OVERFLOW)))
    }

    /// Counts a linked overflow bucket, unless it is already counted. The thread that linked it calls this, and so does a
    /// reaper that finds the bucket unsettled. The shard's word names the bucket that was counted last. Every other
    /// counted bucket carries a mark, which the thread that counts the next bucket stores before it does so.
    pub fn count_bucket(&self, shard: usize, block: Block) -> Result<(), Fault> {
        let word = self.at(self.geo.shard(shard) + geometry::SHARD_OVERFLOW);
        let mut tries = Tries::new();
        loop {
            let overflow = self.overflow(shard);
            // Relaxed: ordered by the load of the shard's word, which carries the mark of every bucket counted before
            // its last (P8).
            let marked = self.at(self.geo.data(block)).load(Relaxed) == Overflow::COUNTED;
            if marked || overflow.last() == block.index() {
                return Ok(());
            }
            let last = self.block(overflow.last()).filter(|&last| self.fits(last, geometry::BUCKET_WORDS));
            // Only a genuine bucket may be written to, because a damaged word may name any block.
            if let Some(last) = last.filter(|&last| matches!(self.load_gen(last), GenWord::Bucket(_))) {
                self.at(self.geo.data(last)).store(Overflow::COUNTED, Relaxed);
            }
            // AcqRel: carries the mark of the last one (P8).
            if word.compare_exchange(overflow.0, overflow.next(block.index()).0, AcqRel, Relaxed).is_ok() {
                return Ok(());
            }
            tries.again(overflow.0, "a shard's count of overflow buckets")?;
        }
    }

    /// Whether the block is a bucket of the chain. The reaper asks this after it has applied the chain's guard.
    pub(super) fn is_in_chain(&self, bucket: usize, claimed: Claimed) -> bool {
        let base = self.geo.data(claimed.block);
        self.chain(bucket).any(|at| at == base)
    }
}
