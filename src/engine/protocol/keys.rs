//! What an index of the keys is made from: which slot has which key, which events change that, and a key's record at a
//! point by its slot. An index belongs to the handle that keeps it. Nothing here stores to the region.

use super::{
    Core, Fault,
    copy::Proof,
    read::{CopiedRecord, Verify},
    slots::{Key, Slot, SlotHead, slots_of},
    view::Point,
};
use crate::layout::{
    Block, GenWord, Head, HeadKind, SlotHash,
    record::{self, PackedHeader},
};
use crate::sync::Ordering::Relaxed;

/// The effect of an event on a slot.
#[derive(Clone, Copy, Debug)]
pub struct SlotChange {
    /// The word of the slot's head.
    pub head_at: usize,
    /// The head before the event. It is LIVE if the slot already had its key.
    pub previous: Head,
    /// The head that the event produced.
    pub head: Head,
    /// Whether the key is absent after the event.
    pub tombstone: bool,
}

/// The key of a slot, as its head tells it.
#[derive(Clone, Copy, Debug)]
pub struct SlotKey {
    /// The current head.
    pub head: Head,
    /// The previous head.
    pub previous: Head,
    /// The generation of the record; `None` while it is not in the history.
    pub generation: Option<u64>,
    /// Whether the key is absent.
    pub tombstone: bool,
}

impl Core<'_> {
    /// Reads the effect of the event at `position` on its slot, without the value. `wanted` is called with the key. If
    /// it returns true, the key replaces `key`, and was found to belong to the slot. The key that `wanted` sees may be
    /// torn; in that case this call returns `Lagged`.
    pub fn slot_change(
        &self,
        position: u64,
        wanted: impl FnOnce(&SlotChange) -> bool,
        key: &mut Vec<u8>,
    ) -> Result<SlotChange, Fault> {
        let proof = Proof::Floor(position.checked_sub(1).ok_or(Fault::Lagged)?);
        let block = self.event_block(position, proof)?;
        let Some(words) = self.header_words(block) else { return self.gone(proof, "a record's lengths") };
        let previous = Head(words.0[record::PREVIOUS]);
        let change = SlotChange {
            head_at: words.slot(),
            previous,
            head: previous.next(HeadKind::Live, block.index()),
            tombstone: words.is_tombstone(),
        };
        if wanted(&change) {
            let fits = self.copy_key(block, key).is_some() && self.is_where_it_was_made(&words, &change, key);
            if !self.holds(proof) {
                return Err(Fault::Lagged);
            }
            if !fits {
                return Err(Fault::Corrupt("an event's slot"));
            }
        }
        if self.holds(proof) { Ok(change) } else { Err(Fault::Lagged) }
    }

    /// Whether the slot that the event names is in the key's chain, has the key's fingerprint, and has a head that may
    /// follow the event's head. While the event is in the history, its slot does not pass to another key.
    fn is_where_it_was_made(&self, words: &PackedHeader, change: &SlotChange, bytes: &[u8]) -> bool {
        let Some(key) = self.key_of(words, bytes) else { return false };
        if !self.slots(key.bucket).any(|hash_at| hash_at + 1 == change.head_at) {
            return false;
        }
        let now = (0..TURNS).find_map(|_| self.slot_at(change.head_at - 1));
        now.is_some_and(|(hash, head)| {
            hash.fingerprint() == key.fingerprint && head.counter() >= change.head.counter()
        })
    }

    /// The key of a record with these words; `None` if they are not valid. A tombstone, which has no value, must also
    /// have a valid checksum: damage that looks like a removal must not hide a key.
    fn key_of<'k>(&self, words: &PackedHeader, bytes: &'k [u8]) -> Option<Key<'k>> {
        let key = Key::new(self.geo, std::str::from_utf8(bytes).ok()?);
        let gone = words.is_tombstone();
        (!gone || (words.value_len() == 0 && words.is_sound(key.hash, &[]))).then_some(key)
    }

    /// Calls `each` for every slot, with the word of its head and its contents, in no particular order.
    pub fn heads(&self, mut each: impl FnMut(usize, Head) -> Result<(), Fault>) -> Result<(), Fault> {
        for bucket in 0..self.geo.buckets() {
            let mut chain = self.chain(bucket);
            for hash_at in chain.by_ref().flat_map(slots_of) {
                let head = self.load_head(hash_at + 1);
                match head.kind() {
                    Some(HeadKind::Moved) => return Err(Fault::Moved),
                    Some(_) => each(hash_at + 1, head)?,
                    None => return Err(Fault::Corrupt("a slot's head")),
                }
            }
            chain.ended()?;
        }
        Ok(())
    }

    /// Replaces `key` with the key of a slot that [`Core::heads`] reported. Returns `None` if no key lives there.
    pub fn slot_key(&self, head_at: usize, key: &mut Vec<u8>) -> Result<Option<SlotKey>, Fault> {
        for _ in 0..TURNS {
            let Some((hash, head)) = self.slot_at(head_at - 1) else { continue };
            if !head.is(HeadKind::Live) {
                return Ok(None);
            }
            let proof = Proof::Head(head_at, head);
            let block = self.block(head.block());
            let found = block.and_then(|block| {
                // This is loaded before the record: if it is a generation, the record is complete.
                let gen_word = self.load_gen(block);
                let words = self.header_words(block)?;
                self.copy_key(block, key)?;
                Some((gen_word, words))
            });
            if !self.holds(proof) {
                continue;
            }
            let (gen_word, words) = found.ok_or(Fault::Corrupt("a slot's block"))?;
            let fits = self.key_of(&words, key).is_some_and(|key| {
                hash.fingerprint() == key.fingerprint && self.bucket_of_slot(head_at) == Some(key.bucket)
            });
            if words.slot() != head_at || !fits {
                return Err(Fault::Corrupt("a record's slot"));
            }
            let generation = match gen_word {
                GenWord::Generation(generation) => Some(generation),
                GenWord::Unlogged(_) => None,
                _ => return Err(Fault::Corrupt("a block's generation word")),
            };
            let (previous, tombstone) = (Head(words.0[record::PREVIOUS]), words.is_tombstone());
            return Ok(Some(SlotKey { head, previous, generation, tombstone }));
        }
        Err(Fault::Contended)
    }

    /// Announces a call of [`Core::get_in`] for the slot, so that its words are prefetched.
    #[inline]
    pub fn prefetch_slot(&self, head_at: usize) {
        self.machine.prefetch_read(&self.words[head_at - 1..=head_at]);
    }

    /// As [`Core::prefetch_slot`], when the call comes soon: prefetches the slot's newest record, which has about this
    /// many words.
    #[inline]
    pub fn prefetch_record(&self, head_at: usize, words: usize) {
        // Relaxed: this is only a hint.
        let head = Head(self.at(head_at).load(Relaxed));
        if let Some(block) = self.block(head.block()) {
            self.machine.prefetch_read(std::slice::from_ref(self.gen_of(block)));
            let data = &self.words[self.geo.data(block)..];
            self.machine.prefetch_read(&data[..words.clamp(1, EXPECTED).min(data.len())]);
        }
    }

    /// Replaces `out` with the value that the key had at the point, and `copy` with the rest. Returns whether the key
    /// had a value. The caller checks the deadline. `head_at` is the slot where the key has lived since it was last
    /// created, at the point or before.
    #[inline]
    pub fn get_in(
        &self,
        key: &Key<'_>,
        head_at: usize,
        point: Point,
        verify: Verify,
        copy: &mut CopiedRecord,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let Some(found) = self.stable_slot(head_at - 1, None)? else {
            return self.still_there(point).map(|()| false);
        };
        let Some((block, generation)) = self.record_at(found, point)? else { return Ok(false) };
        let ours = self.key_is(block, key);
        let copied = self.copy_into(block, &mut copy.words, out);
        self.still_there(point)?;
        if !ours || !self.lives(found.slot) {
            return self.get_elsewhere(key, block, found, point, verify, copy, out);
        }
        copied.ok_or(Fault::Corrupt("a record's lengths"))?;
        if found.slot.hash.fingerprint() != key.fingerprint {
            // A list must not report a key that a get does not find.
            return Err(Fault::Corrupt("the hash of a record's slot"));
        }
        copy.accept(key.hash, generation, found, verify, out).map_err(Fault::Corrupt)?;
        Ok(!copy.words.is_tombstone())
    }

    /// The slot now has a record of another key, or none, or a damaged one.
    #[cold]
    #[allow(clippy::too_many_arguments, reason = "those of `get_in`, and what it found")]
    fn get_elsewhere(
        &self,
        key: &Key<'_>,
        block: Block,
        found: SlotHead,
        point: Point,
        verify: Verify,
        copy: &mut CopiedRecord,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        // The record is sound or damaged. Damage is reported first.
        let copied = self.copy_item(block, point.generation, self.proof(point), verify);
        if self.lives(found.slot) {
            copied?.ok_or(Fault::Lagged)?;
        }
        let Some(item) = self.get_at(key, point, verify)? else { return Ok(false) };
        let slot = Slot { head_at: item.header.slot as usize, hash: SlotHash(0) };
        let (words, generation) = (item.header.pack(), item.generation);
        *copy = CopiedRecord { words, generation, slot, ..CopiedRecord::EMPTY };
        *out = item.value;
        Ok(true)
    }
}

/// The maximal number of words of a record that are prefetched. After them, the processor's own prefetcher has started.
const EXPECTED: usize = 256;
/// How often a slot is read again when it changes during the read.
const TURNS: usize = 64;
