//! Which slot a key has: one guard word per bucket chain, no owner to wait for.
//!
//! A slot lives FREED -> OPEN -> LIVE … -> RETIRED -> RETIRED without a block -> FREED, its head's counter rising each
//! time. Whoever
//! meets a guard first applies what it asks for, which anybody may do any number of times; then it acts
//! by one compare-and-swap of the guard, which succeeds only if the guard stood still during the scan.
//! Readers never touch the guard.

use super::{
    Core, Fault, Full, Tries, acquire,
    blocks::{Claimed, Lane, Least},
    chain::last_word,
    publish::Now,
};
use crate::layout::{
    Block, GenWord, Guard, GuardOp, Head, HeadKind, Overflow, SlotHash, State, StateKind, geometry, record,
};
use crate::sync::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// Buckets of one chain, at most.
pub const CHAIN_MAX: usize = if cfg!(any(loom, slate_search)) { 4 } else { 128 };

/// A key with what its lookup needs.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    /// The key.
    pub bytes: &'k [u8],
    /// Its hash on this board.
    pub hash: u64,
    /// Its shard.
    pub shard: usize,
    /// The bucket, of the whole table, where its chain starts.
    pub bucket: usize,
    /// Its fingerprint.
    pub fingerprint: u16,
}

impl<'k> Key<'k> {
    /// Looks the numbers up.
    #[inline]
    pub fn new(geo: &geometry::Geometry, key: &'k str) -> Self {
        let hash = geo.hash(key.as_bytes());
        let shard = geo.shard_of(key, hash);
        let fingerprint = geometry::fingerprint_of(hash);
        Self { bytes: key.as_bytes(), hash, shard, bucket: geo.bucket_of(shard, hash), fingerprint }
    }
}

/// Where a key lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Word of the head; the hash is the word before.
    pub head_at: usize,
    /// The hash word under which it was found.
    pub hash: SlotHash,
}

/// A slot with the head that was found in it.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Where.
    pub slot: Slot,
    /// The head: LIVE with the key, or OPEN for its fingerprint.
    pub head: Head,
}

/// What a scan of a chain saw.
#[derive(Default)]
struct Scan {
    found: Option<Found>,
    free: Option<u16>,
    retired: Option<u16>,
}

/// What came of looking for a key's slot.
pub(super) enum Sought {
    /// It has one.
    Found(Found),
    /// It has none, and is to get none.
    Absent,
    /// It has none, and is to get one.
    Missing(Missing),
}

/// A chain in which a key has no slot.
pub(super) struct Missing {
    guard: Guard,
    free: Option<u16>,
    retired: Option<u16>,
}

/// The buckets of a chain, by their first words.
pub(super) struct Chain<'c> {
    core: &'c Core<'c>,
    bucket: usize,
    next: Option<usize>,
    left: usize,
    damaged: bool,
}

impl Chain<'_> {
    /// Whether the chain ended as one does, and not at a link that cannot be.
    pub(super) fn ended(&self) -> Result<(), Fault> {
        if self.damaged { Err(Fault::Corrupt("a bucket's link")) } else { Ok(()) }
    }
}

impl Iterator for Chain<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let base = self.next?;
        self.left -= 1;
        let link = acquire(self.core.at(base + 1));
        let next = self.core.linked(self.bucket, link);
        self.damaged = link != 0 && (next.is_none() || self.left == 0);
        self.next = next.filter(|_| !self.damaged);
        Some(base)
    }
}

/// Words of the hashes of the bucket at `base`.
pub(super) fn slots_of(base: usize) -> impl Iterator<Item = usize> {
    (0..geometry::SLOTS).map(move |slot| base + 2 + 2 * slot)
}

impl Core<'_> {
    /// First words of the buckets of a chain. Ends at a link that cannot be.
    pub(super) fn chain(&self, bucket: usize) -> Chain<'_> {
        Chain { core: self, bucket, next: Some(self.geo.bucket(bucket)), left: CHAIN_MAX, damaged: false }
    }

    /// The overflow bucket of the chain that a link names.
    fn linked(&self, bucket: usize, link: u64) -> Option<usize> {
        let index = u32::try_from(link).ok()?;
        let block = self.block(index).filter(|&block| self.fits(block, geometry::BUCKET_WORDS))?;
        self.is_bucket_of(bucket, block).then(|| self.geo.data(block))
    }

    /// Whether the block says that it is an overflow bucket of the chain. Anything else must never be taken for
    /// one: what stands there would be changed as if it were slots. The link carries the word (P8).
    fn is_bucket_of(&self, bucket: usize, block: Block) -> bool {
        self.load_gen(block) == GenWord::Bucket(bucket as u64)
    }

    /// Words of the hashes of a chain, in order; each head is the word behind.
    pub(super) fn slots(&self, bucket: usize) -> impl Iterator<Item = usize> + use<'_> {
        self.chain(bucket).flat_map(slots_of)
    }

    /// The chain's first bucket, of the whole table, of a slot of the table or of an overflow bucket, by
    /// the word of its head; `None` where no slot is.
    pub(super) fn bucket_of_slot(&self, head_at: usize) -> Option<usize> {
        let table = self.geo.bucket(0)..self.geo.bucket(self.geo.buckets());
        if table.contains(&head_at) {
            return Some((head_at - table.start) / geometry::BUCKET_WORDS);
        }
        let granule = head_at.checked_sub(self.geo.data_at())? / self.geo.granule_words();
        // An overflow bucket is longer than the smallest granule.
        let span = self.geo.granules_for(geometry::BUCKET_WORDS);
        let block = |back| self.block(u32::try_from(granule.checked_sub(back)?).ok()?);
        (0..span).filter_map(block).filter(|&block| self.fits(block, geometry::BUCKET_WORDS)).find_map(
            |block| match self.load_gen(block) {
                GenWord::Bucket(bucket) if (bucket as usize) < self.geo.buckets() => Some(bucket as usize),
                _ => None,
            },
        )
    }

    /// The slot's hash and head of one life: the hash did not change around the head.
    #[inline(always)]
    pub(super) fn slot_at(&self, hash_at: usize) -> Option<(SlotHash, Head)> {
        let hash = SlotHash(acquire(self.at(hash_at)));
        let head = self.load_head(hash_at + 1);
        // Relaxed: the head was loaded with acquire; a later life's hash was written before its head (P8).
        (self.at(hash_at).load(Relaxed) == hash.0).then_some((hash, head))
    }

    /// Whether the slot is in the life in which its hash word was read, and its key was not retired: that cannot be taken
    /// back. While this holds, nobody has given the newest record back; those before it belong to events.
    pub(super) fn lives(&self, slot: Slot) -> bool {
        // What was copied before is of the record only if this is seen to hold after it (P2).
        fence(Acquire);
        let Some((hash, head)) = self.slot_at(slot.head_at - 1) else { return false };
        // MOVED with a block was LIVE.
        hash == slot.hash && (head.is(HeadKind::Live) || head.is(HeadKind::Moved) && head.block() != 0)
    }

    /// Finds the key's slot. `make`: whether it is to get one where it has none.
    pub(super) fn find(&self, key: &Key<'_>, make: bool) -> Result<Sought, Fault> {
        let guard_at = self.geo.bucket(key.bucket);
        let mut tries = Tries::new();
        loop {
            let guard = Guard(acquire(self.at(guard_at)));
            if self.apply(key.bucket, guard)?
                && let Some(scan) = self.scan(key, guard)?
            {
                if let Some(found) = scan.found {
                    return Ok(Sought::Found(found));
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

    /// Gives a key a slot that has none.
    #[cold]
    pub(super) fn make(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        missing: Missing,
        now: Now,
    ) -> Result<Found, Fault> {
        let mut missing = missing;
        let mut tries = Tries::new();
        loop {
            self.make_slot(lane, key, &missing, now)?;
            tries.again(missing.guard.0, "a bucket's guard")?;
            match self.find(key, true)? {
                Sought::Found(found) => return Ok(found),
                Sought::Missing(still) => missing = still,
                Sought::Absent => {}
            }
        }
    }

    /// Looks through the chain; `None` where something changed meanwhile.
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
            let found = Found { slot: Slot { head_at: hash_at + 1, hash }, head };
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
        // Behind damage the key may have a slot: it must not get another.
        chain.ended()?;
        Ok(Some(scan))
    }

    /// Whether the slot of this LIVE head is the key's; `None` where the head changed meanwhile.
    pub(super) fn is_live_as(&self, key: &Key<'_>, found: Found) -> Result<Option<bool>, Fault> {
        let block = self.block(found.head.block()).ok_or(Fault::Corrupt("a slot's block"))?;
        let same = self.key_is(block, key);
        // What was read is the record's only if the block was still the head's (P2).
        fence(Acquire);
        Ok(self.head_is(found.slot.head_at, found.head).then_some(same))
    }

    /// A tombstone of the chain that can be retired.
    fn find_tombstone(&self, bucket: usize) -> Option<(usize, Head)> {
        self.slots(bucket).map(|hash_at| hash_at + 1).find_map(|head_at| {
            let head = self.load_head(head_at);
            self.has_passed(head).then_some((head_at, head))
        })
    }

    /// Whether the head names a tombstone whose event has left the history. Its writer may still look at it: that keeps
    /// the block, not the slot. To be proved by the head's compare-and-swap.
    fn has_passed(&self, head: Head) -> bool {
        let Some(block) = self.block(head.block()).filter(|_| head.is(HeadKind::Live)) else { return false };
        self.is_tombstone(block)
            && matches!(self.load_gen(block), GenWord::Generation(event) if event <= self.floor())
    }

    /// Whether the block has a sound tombstone: damage that looks like a removal must end no key.
    fn is_tombstone(&self, block: Block) -> bool {
        let Some(words) = self.header_words(block).filter(|words| words.is_tombstone()) else {
            return false;
        };
        let mut key = Vec::new();
        self.copy_key(block, &mut key).is_some()
            && words.value_len() == 0
            && words.is_sound(self.geo.hash(&key), &[])
    }

    /// Whether the record in the block has this key. To be proved afterwards, like every copy.
    #[inline]
    pub(super) fn key_is(&self, block: Block, key: &Key<'_>) -> bool {
        let words = key.bytes.len().div_ceil(8);
        let shape = self.record_word(block, record::SHAPE);
        if shape & 0x7ff != key.bytes.len() as u64 || !self.fits(block, record::HEADER_WORDS + words) {
            return false;
        }
        let base = self.geo.data(block) + record::HEADER_WORDS;
        let (whole, _) = key.bytes.as_chunks::<8>();
        let stored = &self.words[base..base + words];
        let equal =
            |(stored, bytes): (&AtomicU64, &[u8; 8])| stored.load(Relaxed) == u64::from_le_bytes(*bytes);
        stored.iter().zip(whole).all(equal)
            && stored.get(whole.len()).is_none_or(|stored| stored.load(Relaxed) == last_word(key.bytes))
    }

    /// Does what the guard asks for, if the guard stands. Whether it stood. Anybody may do this, any
    /// number of times.
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
                // Release: who meets the new hash or head meets the life before it complete (P8). A late
                // helper fails: numbers and counters only rise.
                if let Some(GuardOp::Claim { fingerprint, .. }) = guard.op() {
                    if hash.number() < number {
                        let claimed = SlotHash::new(number, fingerprint);
                        let _ = hash_word.compare_exchange(hash.0, claimed.0, Release, Acquire);
                    }
                    // Never from RETIRED: a late claim would reopen a slot that has lived since.
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

    /// Appends the block to the chain, unless it is there. Links are never taken back, so a late helper
    /// finds the last link taken.
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
            // Release: who follows the link sees an empty bucket (P8).
            let _ = self.at(last + 1).compare_exchange(0, u64::from(index), Release, Acquire);
        }
        Ok(true)
    }

    /// Makes progress towards a slot for the key: claims a free one, frees a retired one, retires a
    /// tombstone, or adds a bucket. Before all that it ends what expired in the chain.
    fn make_slot(&self, lane: &mut Lane, key: &Key<'_>, missing: &Missing, now: Now) -> Result<(), Fault> {
        // Early: the slots of what expired come back only when its events have left the history.
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
        // AcqRel: the scan is over before it; who sees it applies it to what the scan saw (P8).
        let guard_word = self.at(self.geo.bucket(key.bucket));
        let _ = guard_word.compare_exchange(guard.0, guard.next(next).0, AcqRel, Relaxed);
        Ok(())
    }

    /// Ends a key whose tombstone has left the history, and gives the tombstone back: nobody needs its version from the
    /// record any more, and a reader that is still there finds that the slot's life is over ([`Core::lives`]).
    pub(super) fn retire(&self, shard: usize, head_at: usize, head: Head) -> Result<(), Fault> {
        let block = self.block(head.block()).ok_or(Fault::Corrupt("a slot's block"))?;
        let version = self.record_word(block, record::VERSION);
        let tombstone = self.is_tombstone(block);
        // A tombstone only, and a version of no other life: the head stood still around both (P2).
        fence(Acquire);
        if !tombstone || !self.head_is(head_at, head) {
            return Ok(());
        }
        let base = self.at(self.geo.shard(shard) + geometry::SHARD_VERSION_BASE);
        base.fetch_max(version, AcqRel);
        let retired = head.next(HeadKind::Retired, head.block());
        // AcqRel: who sees it RETIRED sees the version base (P8).
        if self.at(head_at).compare_exchange(head.0, retired.0, AcqRel, Relaxed).is_ok() {
            self.give_back(head_at, retired);
        }
        Ok(())
    }

    /// Gives back the tombstone that this RETIRED head names. Anybody may do this, any number of times: the block is
    /// LIMBO first, then the head does not name it any more, then it is free. So no head names a block that begins
    /// another life, and a block whose state is read while the head names it is in the tombstone's life. What its writer
    /// still looks at is left for that to free.
    #[cold]
    pub(super) fn give_back(&self, head_at: usize, head: Head) {
        let block = self.block(head.block());
        let of_slot = block.filter(|&block| {
            // What a damaged record or head says frees nothing: that may be another key's.
            self.is_tombstone(block) && self.slot_of(block) == head_at
        });
        let state = of_slot.map(|block| (block, self.load_state(block)));
        fence(Acquire);
        if !self.head_is(head_at, head) {
            return;
        }
        let limbo = state.and_then(|(block, state)| self.make_limbo(block, state));
        // AcqRel, acquire on failure too: who frees the block has seen that the head does not name it (P7).
        let _ = self.at(head_at).compare_exchange(head.0, head.next(HeadKind::Retired, 0).0, AcqRel, Acquire);
        if let Some((block, state)) = limbo.filter(|(_, state)| state.owner() == 0) {
            self.free_owned(block, state);
        }
    }

    /// From OWNED, or INFLIGHT of its writer, to LIMBO of the same. The block in that state; `None` where it is in neither.
    fn make_limbo(&self, block: Block, state: State) -> Option<(Block, State)> {
        let mut state = state;
        // Its writer may settle it meanwhile, and another may make it LIMBO: no more than that happens before it is.
        for _ in 0..3 {
            match state.kind() {
                StateKind::Owned | StateKind::Inflight => {}
                StateKind::Limbo => return Some((block, state)),
                _ => return None,
            }
            let limbo = State::new(StateKind::Limbo, state.owner(), state.tag());
            // AcqRel: who meets it LIMBO meets the head RETIRED (P7).
            match self.state_of(block).compare_exchange(state.0, limbo.0, AcqRel, Acquire) {
                Ok(_) => return Some((block, limbo)),
                Err(now) if State(now).tag() == state.tag() => state = State(now),
                Err(_) => return None,
            }
        }
        None
    }

    /// Ends what the writer of a tombstone that was given back meanwhile, or its reaper, had to do with it. Whether this
    /// was such a block.
    #[cold]
    pub(super) fn leave_limbo(&self, block: Block, owner: u16, tag: u64) -> bool {
        let limbo = |owner| State::new(StateKind::Limbo, owner, tag);
        let word = self.state_of(block);
        // AcqRel: the owner's accesses are over when another frees it, and the head is seen RETIRED (P7).
        let left = word.compare_exchange(limbo(owner).0, limbo(0).0, AcqRel, Acquire).is_ok();
        if left {
            self.end_limbo(block, limbo(0));
        }
        left
    }

    /// Frees a block that was nobody's LIMBO when it was looked at: who made it so may have been killed.
    #[cold]
    pub(super) fn end_limbo(&self, block: Block, limbo: State) {
        let head_at = self.slot_of(block);
        if self.bucket_of_slot(head_at).is_none() {
            return;
        }
        // Acquire: behind the block's state, so at least as new as RETIRED.
        let head = self.load_head(head_at);
        if head.block() != block.index() {
            self.free_owned(block, limbo);
        } else if head.is(HeadKind::Retired) {
            self.give_back(head_at, head);
        }
    }

    /// Word of the head of the slot that a record names.
    pub(super) fn slot_of(&self, block: Block) -> usize {
        (self.record_word(block, record::PLACE) >> 32) as usize
    }

    /// Retires every tombstone whose event has left the history. Floor steps do that; this finds those that a killed
    /// one left.
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

    /// Retires the tombstone that an event was, as soon as the event has left the history.
    #[cold]
    pub(super) fn retire_passed(&self, head_at: usize) {
        let Some(bucket) = self.bucket_of_slot(head_at) else { return };
        let head = self.load_head(head_at);
        if self.has_passed(head) {
            // Damage is reported to whoever needs the slot.
            let _ = self.retire(self.geo.shard_of_bucket(bucket), head_at, head);
        }
    }

    /// Appends an overflow bucket; or, when there may be no more, lets events go so that tombstones may
    /// be retired.
    fn add_bucket(&self, lane: &mut Lane, key: &Key<'_>, guard: Guard) -> Result<(), Fault> {
        let added =
            (0..self.geo.shards()).map(|shard| self.overflow(shard).count()).fold(0, u64::saturating_add);
        let longest = CHAIN_MAX.min(Guard::SLOT_MAX / geometry::SLOTS);
        if added >= self.geo.shape().overflow_max || self.chain(key.bucket).count() >= longest {
            let room = self.shrink_history(lane, 16)?
                || (self.has_tombstone(key.bucket) && self.shrink_to(lane, Least::Nothing)?);
            // Another may have retired the tombstone that the scan saw, or freed its slot: then there is one.
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
        // AcqRel: who sees the guard sees the empty bucket (P8).
        if guard_word.compare_exchange(guard.0, link.0, AcqRel, Relaxed).is_err() {
            // No trace of a bucket may stay behind: `bucket_of_slot` goes by it.
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

    fn overflow(&self, shard: usize) -> Overflow {
        Overflow(acquire(self.at(self.geo.shard(shard) + geometry::SHARD_OVERFLOW)))
    }

    /// Counts an overflow bucket that is linked, unless it was counted: for whoever linked it, and for the reaper
    /// that finds it unsettled. The shard's word names the bucket that was counted last; every other says of itself
    /// that it was, because whoever counts the next writes it there before.
    pub fn count_bucket(&self, shard: usize, block: Block) -> Result<(), Fault> {
        let word = self.at(self.geo.shard(shard) + geometry::SHARD_OVERFLOW);
        let mut tries = Tries::new();
        loop {
            let overflow = self.overflow(shard);
            // Relaxed: behind the shard's word, which carries the mark of every bucket counted before its last (P8).
            let marked = self.at(self.geo.data(block)).load(Relaxed) == Overflow::COUNTED;
            if marked || overflow.last() == block.index() {
                return Ok(());
            }
            let last = self.block(overflow.last()).filter(|&last| self.fits(last, geometry::BUCKET_WORDS));
            // Nothing else may be written to: a damaged word names anything.
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

    /// Whether a slot of the chain has a removed key, whose event holds it.
    fn has_tombstone(&self, bucket: usize) -> bool {
        self.slots(bucket).any(|hash_at| {
            let head = self.load_head(hash_at + 1);
            head.is(HeadKind::Live) && self.block(head.block()).is_some_and(|block| self.is_tombstone(block))
        })
    }

    /// Whether the chain has a slot that waits to be freed, or changed since the guard was loaded.
    fn has_room(&self, bucket: usize, guard: Guard) -> bool {
        acquire(self.at(self.geo.bucket(bucket))) != guard.0
            || self.slots(bucket).any(|hash_at| self.load_head(hash_at + 1).is(HeadKind::Retired))
    }

    /// Whether the block is a bucket of the chain. For the reaper, after applying the chain's guard.
    pub(super) fn is_in_chain(&self, bucket: usize, claimed: Claimed) -> bool {
        let base = self.geo.data(claimed.block);
        self.chain(bucket).any(|at| at == base)
    }

    /// Retires the slots whose heads stayed OPEN since `before` was taken: their inserters are dead, or so
    /// slow that they will find it out; and finishes what killed ones left of giving tombstones back. Returns the OPEN
    /// heads of now. For the keeper, now and then.
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
                    // AcqRel: as `retire`.
                    let _ = self.at(hash_at + 1).compare_exchange(head.0, retired.0, AcqRel, Relaxed);
                } else {
                    open.push((hash_at + 1, head));
                }
            }
        }
        open
    }
}
