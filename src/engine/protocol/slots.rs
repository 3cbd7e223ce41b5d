//! Where keys live: slots in buckets, buckets in chains, and how chains are walked.
//!
//! A key belongs to one chain, by its hash. A slot is two words: the hash word, with the key's fingerprint and the number
//! of the guard that gave the slot away, and the head. A walk ends at a link that names no bucket of its chain, and
//! `Chain::ended` reports it.

use super::{Core, Fault, acquire};
use crate::layout::{Block, GenWord, Head, HeadKind, SlotHash, geometry, record};
use crate::sync::{
    Ordering::{Acquire, Relaxed},
    fence,
};

/// The maximal number of buckets in one chain.
pub const CHAIN_MAX: usize = if cfg!(any(loom, slate_search)) { 4 } else { 128 };

/// A key with the values that its lookup needs.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    /// The key.
    pub bytes: &'k [u8],
    /// The key's hash on this board.
    pub hash: u64,
    /// The key's shard.
    pub shard: usize,
    /// The bucket where its chain starts, as an index into the whole table.
    pub bucket: usize,
    /// The key's fingerprint.
    pub fingerprint: u16,
}

impl<'k> Key<'k> {
    /// Computes the values of a key. Compiled into its callers: returning them takes as long as computing the half of them.
    #[inline(always)]
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
    /// The word of the head. The word before it is the hash.
    pub head_at: usize,
    /// The hash word under which it was found.
    pub hash: SlotHash,
}

/// A slot with the head that was found in it.
#[derive(Clone, Copy, Debug)]
pub struct SlotHead {
    /// Where the slot is.
    pub slot: Slot,
    /// The head: LIVE with the key, or OPEN for its fingerprint.
    pub head: Head,
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
    /// Whether the chain ended regularly, and not at an invalid link.
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
        // Most chains are one bucket long.
        let next = if link == 0 { None } else { self.core.linked(self.bucket, link) };
        self.damaged = link != 0 && (next.is_none() || self.left == 0);
        self.next = next.filter(|_| !self.damaged);
        Some(base)
    }
}

/// The hash words of the bucket at `base`.
pub(super) fn slots_of(base: usize) -> impl Iterator<Item = usize> {
    (0..geometry::SLOTS).map(move |slot| base + 2 + 2 * slot)
}

impl Core<'_> {
    /// The first words of the buckets of a chain. Ends at an invalid link.
    pub(super) fn chain(&self, bucket: usize) -> Chain<'_> {
        Chain { core: self, bucket, next: Some(self.geo.bucket(bucket)), left: CHAIN_MAX, damaged: false }
    }

    /// The overflow bucket of the chain that a link names.
    fn linked(&self, bucket: usize, link: u64) -> Option<usize> {
        let index = u32::try_from(link).ok()?;
        let block = self.block(index).filter(|&block| self.fits(block, geometry::BUCKET_WORDS))?;
        self.is_bucket_of(bucket, block).then(|| self.geo.data(block))
    }

    /// Whether the block is marked as an overflow bucket of the chain. Nothing else may be taken for one, because its
    /// contents would be changed as if they were slots. The link carries the word (P8).
    pub(super) fn is_bucket_of(&self, bucket: usize, block: Block) -> bool {
        self.load_gen(block) == GenWord::Bucket(bucket as u64)
    }

    /// The hash words of a chain, in order. Each head is the next word.
    pub(super) fn slots(&self, bucket: usize) -> impl Iterator<Item = usize> + use<'_> {
        self.chain(bucket).flat_map(slots_of)
    }

    /// The first bucket, as an index into the whole table, of the chain of a slot, which is given by the word of its
    /// head. The slot may be in the table or in an overflow bucket. `None` if no slot is there.
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

    /// The slot's hash and head of one life: the hash did not change while the head was loaded.
    #[inline(always)]
    pub(super) fn slot_at(&self, hash_at: usize) -> Option<(SlotHash, Head)> {
        let hash = SlotHash(acquire(self.at(hash_at)));
        let head = self.load_head(hash_at + 1);
        // Relaxed: the head was loaded with acquire, and the hash of a later life was written before its head (P8).
        (self.at(hash_at).load(Relaxed) == hash.0).then_some((hash, head))
    }

    /// Whether the slot is still in the life in which its hash word was read, and its key was not retired. Retiring is
    /// final. While this holds, nobody has given back the newest record; older records belong to events.
    pub(super) fn lives(&self, slot: Slot) -> bool {
        // A copy made before belongs to the record only if this is seen to hold after it (P2).
        fence(Acquire);
        let Some((hash, head)) = self.slot_at(slot.head_at - 1) else { return false };
        // A MOVED head with a block was LIVE before.
        hash == slot.hash && (head.is(HeadKind::Live) || head.is(HeadKind::Moved) && head.block() != 0)
    }

    /// The word of the head of the slot that a record names.
    pub(super) fn slot_of(&self, block: Block) -> usize {
        (self.record_word(block, record::PLACE) >> 32) as usize
    }
}
