//! Reading a key. Readers store nothing, and what is not in the history does not exist yet.
//!
//! Pass 1 takes what the slot's head names and accepts the copy if the head stood still. Pass 2 reads
//! the generation first: what was current then is not reused while the floor has not passed it, so the
//! copy is good although the head moves on. A copy is judged (lengths, checksum) only after it was
//! accepted: a torn one is not corruption.

use super::{
    Core, Fault, Tries, acquire,
    copy::{Proof, key_is},
    load_header,
    slots::{Key, Slot, SlotHead},
};
use crate::layout::{
    Block, GenWord, Head, HeadKind, SlotHash, geometry,
    record::{self, PackedHeader, RecordHeader},
};
use crate::sync::Ordering::Relaxed;

/// A record that was copied, accepted and checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopiedRecord {
    /// Everything except key and value, as the record holds it.
    pub words: PackedHeader,
    /// The generation of its event.
    pub generation: u64,
    /// Where the key lives.
    pub slot: Slot,
    /// The head that names the record.
    pub head: Head,
    /// The hash of the value, if it was verified: with the key's, it makes the checksum.
    pub value_hash: u64,
}

/// How checksums are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Verify {
    /// Every read verifies the checksum.
    #[default]
    Always,
    /// Reads leave checksums to the scrubber.
    Scrub,
}

impl CopiedRecord {
    /// Where a read stores what it finds. Passing a record's header from function to function would cost more than the
    /// copy of a small value.
    pub const EMPTY: Self = Self {
        words: PackedHeader::EMPTY,
        generation: 0,
        slot: Slot { head_at: 0, hash: SlotHash(0) },
        head: Head(0),
        value_hash: 0,
    };

    /// Stores where a copied record was found, if it is sound and belongs to this slot.
    #[inline(always)]
    pub(super) fn accept(
        &mut self,
        key_hash: u64,
        generation: u64,
        found: SlotHead,
        verify: Verify,
        value: &[u8],
    ) -> Result<(), &'static str> {
        if record::DETAILS && verify == Verify::Always {
            self.value_hash = record::hash_of(value);
            if !self.words.is_sound_with(key_hash, self.value_hash) {
                return Err("a record's checksum");
            }
        }
        if self.words.slot() != found.slot.head_at {
            return Err("a record's slot");
        }
        (self.generation, self.slot, self.head) = (generation, found.slot, found.head);
        Ok(())
    }

    /// Everything except key and value.
    pub fn header(&self) -> RecordHeader {
        self.words.unpack().unwrap_or_default()
    }
}

/// Where a read stores what it finds.
struct Target<'t> {
    verify: Verify,
    copy: &'t mut CopiedRecord,
    value: &'t mut Vec<u8>,
}

/// Where a read looks first.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'k> {
    /// It searches the whole chain at once.
    Nowhere,
    /// It looks in the slot where a key with this hash lived last.
    InSlot(u64, Slot),
    /// It looks in the first bucket of the key's chain.
    ByKey(&'k Key<'k>),
}

/// The result of a glance at a key.
enum Glance {
    /// The key's value was copied.
    Is,
    /// The key has no value.
    Absent,
    /// A glance cannot tell. The key must be searched for.
    Unclear,
}

/// The result of an attempt.
enum Attempt {
    /// The target holds the record.
    Is,
    Absent,
    Again,
}

impl Core<'_> {
    /// Replaces `out` with the key's value and returns the rest; `None` if the key has no value. The caller checks the
    /// deadline. For tests, models and tools: [`Core::get_to`] without a copy.
    #[cfg(any(test, loom, slate_search, feature = "internals"))]
    pub fn get(
        &self,
        key: &Key<'_>,
        hint: Option<Slot>,
        verify: Verify,
        out: &mut Vec<u8>,
    ) -> Result<Option<CopiedRecord>, Fault> {
        let mut copy = CopiedRecord::EMPTY;
        Ok(self.get_to(key, hint, verify, &mut copy, out)?.then_some(copy))
    }

    /// Replaces `out` with the key's value, and `copy` with the rest. Returns whether the key has a value; the caller
    /// checks the deadline. If there is no value, the contents of `out` and `copy` mean nothing.
    ///
    /// `hint` is where the key lived last.
    #[inline]
    pub fn get_to(
        &self,
        key: &Key<'_>,
        hint: Option<Slot>,
        verify: Verify,
        copy: &mut CopiedRecord,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let lookup = hint.map_or(Lookup::ByKey(key), |slot| Lookup::InSlot(key.hash, slot));
        let search = |copy: &mut _, value: &mut _| self.search(key, &mut Target { verify, copy, value });
        self.glance_or(lookup, verify, copy, out, |is, _, _| Ok(is), search)
    }

    /// Reads a key by a glance, which suffices for nearly every read. `told` gets whether the key has a value, its
    /// record and the value. If a glance does not suffice, the answer comes from `search`, which the caller compiles
    /// separately. Both get what they need as arguments, so that the record of a glance can stay in registers.
    #[inline(always)]
    pub fn glance_or<T>(
        &self,
        lookup: Lookup<'_>,
        verify: Verify,
        copy: &mut CopiedRecord,
        out: &mut Vec<u8>,
        told: impl FnOnce(bool, &mut CopiedRecord, &mut Vec<u8>) -> T,
        search: impl FnOnce(&mut CopiedRecord, &mut Vec<u8>) -> T,
    ) -> T {
        let glance = match lookup {
            Lookup::Nowhere => Glance::Unclear,
            Lookup::InSlot(key_hash, slot) => self.glance_at(key_hash, slot, verify, copy, out),
            Lookup::ByKey(key) => self.glance(key, verify, copy, out),
        };
        let is = match glance {
            Glance::Is => true,
            Glance::Absent => false,
            Glance::Unclear => return search(copy, out),
        };
        told(is, copy, out)
    }

    /// Searches the key's whole chain, repeatedly while its slot changes.
    #[cold]
    fn search(&self, key: &Key<'_>, target: &mut Target<'_>) -> Result<bool, Fault> {
        let mut tries = Tries::new();
        loop {
            // This must be loaded before the head.
            let since = self.generation();
            match self.attempt(key, since, target)? {
                Attempt::Is => return Ok(!target.copy.words.is_tombstone()),
                Attempt::Absent => return Ok(false),
                Attempt::Again => {}
            }
            tries.again(since, "a slot's head")?;
        }
    }

    /// Whether the record that `head` names in the slot is still the key's newest: the head is current, or the change
    /// that follows it is not in the history yet. A head's counter rises at every change, so nothing else needs to be
    /// checked.
    pub fn is_newest(&self, slot: Slot, head: Head) -> bool {
        match self.slot_at(slot.head_at - 1) {
            Some((hash, now)) if hash == slot.hash => now == head || self.is_entering(slot, head, now),
            _ => false,
        }
    }

    /// Whether `now` is the change after `head`, and was not in the history when this call began. A reader that polls
    /// meets this state at every change, and would read the previous value again and again.
    fn is_entering(&self, slot: Slot, head: Head, now: Head) -> bool {
        if !now.is(HeadKind::Live) || now != head.next(HeadKind::Live, now.block()) {
            return false;
        }
        let entering = |block| matches!(self.load_gen(block), GenWord::Unlogged(_));
        // These words belong to the block's life under this head only if the head is still current (P2).
        self.block(now.block()).is_some_and(entering) && self.holds(Proof::Head(slot.head_at, now))
    }

    /// Reads a key with this hash that lived in this slot last. Nearly all keys still do, and the slot does not change
    /// during the copy. A slot's hash word belongs to one life, and in one life a slot has one key. So if the word has
    /// not changed, the key need not be compared again.
    ///
    /// A glance passes the core only to inlined functions, so the caller's core stays in registers.
    #[inline(always)]
    fn glance_at(
        &self,
        key_hash: u64,
        slot: Slot,
        verify: Verify,
        copy: &mut CopiedRecord,
        value: &mut Vec<u8>,
    ) -> Glance {
        match self.slot_at(slot.head_at - 1) {
            Some((hash, head)) if hash == slot.hash && head.is(HeadKind::Live) => {
                self.glance_live(key_hash, None, SlotHead { slot, head }, verify, copy, value)
            }
            _ => Glance::Unclear,
        }
    }

    /// As [`Core::glance_at`], for a key that is looked up: reads the only slot of the chain's first bucket that has
    /// its fingerprint.
    #[inline(always)]
    fn glance(&self, key: &Key<'_>, verify: Verify, copy: &mut CopiedRecord, value: &mut Vec<u8>) -> Glance {
        let base = self.geo.bucket(key.bucket);
        let bucket = &self.words[base..base + geometry::BUCKET_WORDS];
        let link = acquire(&bucket[1]);
        // Relaxed: this is only a filter; `slot_at` reads the hash again, in order.
        let ours = |&slot: &usize| bucket[2 + 2 * slot].load(Relaxed) as u16 == key.fingerprint;
        let Some(slot) = (0..geometry::SLOTS).find(ours) else {
            // As at the end of `attempt`.
            return if link == 0 { Glance::Absent } else { Glance::Unclear };
        };
        let hash_at = base + 2 + 2 * slot;
        match self.slot_at(hash_at) {
            Some((hash, head)) if hash.fingerprint() == key.fingerprint && head.is(HeadKind::Live) => {
                let found = SlotHead { slot: Slot { head_at: hash_at + 1, hash }, head };
                self.glance_live(key.hash, Some(key), found, verify, copy, value)
            }
            _ => Glance::Unclear,
        }
    }

    /// Copies the record that a LIVE head names, if it is in the history, lies in one block and is sound, and if the head
    /// does not change. `of_key` is the key that the record must have; `None` if the slot's life already proves it.
    #[inline(always)]
    fn glance_live(
        &self,
        key_hash: u64,
        of_key: Option<&Key<'_>>,
        found: SlotHead,
        verify: Verify,
        copy: &mut CopiedRecord,
        value: &mut Vec<u8>,
    ) -> Glance {
        let Some(block) = self.block(found.head.block()) else { return Glance::Unclear };
        // This is loaded before the record: if it is a generation, the record is complete.
        let GenWord::Generation(generation) = self.load_gen(block) else { return Glance::Unclear };
        let proof = Proof::Head(found.slot.head_at, found.head);
        let record = self.record(block);
        let copied = of_key.is_none_or(|key| key_is(record, key))
            && load_header(record, &mut copy.words)
            && !copy.words.in_pieces()
            && self.copy_from(record, &copy.words, value).is_some()
            && self.holds(proof);
        if !copied || copy.accept(key_hash, generation, found, verify, value).is_err() {
            return Glance::Unclear;
        }
        if copy.words.is_tombstone() { Glance::Absent } else { Glance::Is }
    }

    /// Scans the chain. If the key has no slot, there was a moment during the scan when it was absent, because a key
    /// leaves its slot only after its removal left the history.
    fn attempt(&self, key: &Key<'_>, since: u64, target: &mut Target<'_>) -> Result<Attempt, Fault> {
        let mut chain = self.chain(key.bucket);
        for base in chain.by_ref() {
            let slots = &self.words[base..base + geometry::BUCKET_WORDS];
            for slot in 0..geometry::SLOTS {
                // Relaxed: this is only a filter; `slot_at` reads the hash again, in order.
                if slots[2 + 2 * slot].load(Relaxed) as u16 != key.fingerprint {
                    continue;
                }
                if let Some(attempt) = self.attempt_in(key, base + 2 + 2 * slot, since, target)? {
                    return Ok(attempt);
                }
            }
        }
        // The key may be behind the damage.
        chain.ended()?;
        Ok(Attempt::Absent)
    }

    /// Looks at a slot that had the key's fingerprint. Returns `None` if it does not belong to the key.
    fn attempt_in(
        &self,
        key: &Key<'_>,
        hash_at: usize,
        since: u64,
        target: &mut Target<'_>,
    ) -> Result<Option<Attempt>, Fault> {
        let Some((hash, head)) = self.slot_at(hash_at) else { return Ok(Some(Attempt::Again)) };
        match head.kind() {
            _ if hash.fingerprint() != key.fingerprint => Ok(None),
            Some(HeadKind::Live) => {
                let found = SlotHead { slot: Slot { head_at: hash_at + 1, hash }, head };
                self.live(key, found, since, target)
            }
            Some(HeadKind::Moved) => Err(Fault::Moved),
            Some(_) => Ok(None),
            None => Err(Fault::Corrupt("a slot's head")),
        }
    }

    /// Copies the record that a LIVE head names. Returns `None` if the slot belongs to another key.
    fn live(
        &self,
        key: &Key<'_>,
        found: SlotHead,
        since: u64,
        target: &mut Target<'_>,
    ) -> Result<Option<Attempt>, Fault> {
        let SlotHead { slot, head } = found;
        let proof = Proof::HeadOrFloor(slot, head, since);
        let Some(block) = self.block(head.block()) else { return self.refuse(proof, "a slot's block") };
        // This is loaded before the record: if it is a generation, the record is complete.
        let gen_word = self.load_gen(block);
        if !self.key_is(block, key) {
            return self.not_ours(block, found, proof);
        }
        match gen_word {
            GenWord::Generation(generation) => {
                self.take(key, block, generation, found, proof, target).map(Some)
            }
            GenWord::Unlogged(_) => self.before(key, block, slot, since, target).map(Some),
            _ => self.refuse(proof, "a block's generation word"),
        }
    }

    /// The version before a record that is not in the history. Only the floor proves this copy: the head says nothing
    /// about a record that it no longer names.
    #[cold]
    fn before(
        &self,
        key: &Key<'_>,
        unlogged: Block,
        slot: Slot,
        since: u64,
        target: &mut Target<'_>,
    ) -> Result<Attempt, Fault> {
        let proof = Proof::Floor(since);
        let previous = Head(self.record_word(unlogged, record::PREVIOUS));
        if !previous.is(HeadKind::Live) {
            return Ok(if self.holds(proof) { Attempt::Absent } else { Attempt::Again });
        }
        let Some(block) = self.block(previous.block()) else {
            return Ok(self.refuse(proof, "a record's previous head")?.unwrap_or(Attempt::Again));
        };
        match self.load_gen(block) {
            GenWord::Generation(generation) if self.key_is(block, key) => {
                let found = SlotHead { slot, head: previous };
                self.take(key, block, generation, found, proof, target)
            }
            _ => Ok(self.refuse(proof, "a superseded record")?.unwrap_or(Attempt::Again)),
        }
    }

    /// The record belongs to another key with this fingerprint, or it is damaged: then its key does not have the
    /// fingerprint of its slot.
    #[cold]
    fn not_ours(&self, block: Block, found: SlotHead, proof: Proof) -> Result<Option<Attempt>, Fault> {
        let mut bytes = Vec::new();
        let whole = self.copy_key(block, &mut bytes).is_some();
        if !self.holds(proof) {
            return Ok(Some(Attempt::Again));
        }
        let fits = geometry::fingerprint_of(self.geo.hash(&bytes)) == found.slot.hash.fingerprint();
        if whole && fits { Ok(None) } else { Err(Fault::Corrupt("a record's key")) }
    }

    /// Reports damage if the proof holds. Otherwise the caller looks again.
    #[cold]
    fn refuse(&self, proof: Proof, what: &'static str) -> Result<Option<Attempt>, Fault> {
        if self.holds(proof) { Err(Fault::Corrupt(what)) } else { Ok(Some(Attempt::Again)) }
    }

    /// Copies a record and judges the copy: first whether it is of one life, then whether it is sound.
    fn take(
        &self,
        key: &Key<'_>,
        block: Block,
        generation: u64,
        found: SlotHead,
        proof: Proof,
        target: &mut Target<'_>,
    ) -> Result<Attempt, Fault> {
        let Target { verify, copy, value } = target;
        if !self.load_header(block, &mut copy.words) || self.copy_value(block, &copy.words, value).is_none() {
            return self.not_whole(proof);
        }
        if !self.holds(proof) {
            return Ok(Attempt::Again);
        }
        copy.accept(key.hash, generation, found, *verify, value).map_err(Fault::Corrupt)?;
        Ok(Attempt::Is)
    }

    /// A copy with invalid lengths is damaged or torn.
    #[cold]
    fn not_whole(&self, proof: Proof) -> Result<Attempt, Fault> {
        if self.holds(proof) { Err(Fault::Corrupt("a record's lengths")) } else { Ok(Attempt::Again) }
    }
}
