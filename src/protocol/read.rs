//! Reading a key. Readers store nothing, and what is not in the history does not exist yet.
//!
//! Pass 1 takes what the slot's head names and accepts the copy if the head stood still. Pass 2 reads
//! the generation first: what was current then is not reused while the floor has not passed it, so the
//! copy is good although the head moves on. A copy is judged (lengths, checksum) only after it was
//! accepted: a torn one is not corruption.

use super::{
    Core, Fault, Tries,
    slots::{Found, Key, Slot, slots_of},
};
use crate::layout::{
    Block, GenWord, Geometry, Head, HeadKind, SlotHash, geometry, header,
    record::{self, RecordHeader},
};
use crate::sync::{
    Ordering::{Acquire, Relaxed},
    fence,
};

/// A record as it was copied, accepted and checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Everything but key and value.
    pub header: RecordHeader,
    /// Generation of its event.
    pub generation: u64,
    /// Where the key lives.
    pub slot: Slot,
    /// The head that names the record.
    pub head: Head,
}

/// What to do about checksums.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verify {
    /// Every read verifies the checksum.
    #[default]
    Always,
    /// Reads leave it to the scrubber.
    Scrub,
}

impl Meta {
    /// Where a read puts what it finds: moving a record's header from function to function costs more than
    /// a small value's copy.
    pub const EMPTY: Self = Self {
        header: RecordHeader::EMPTY,
        generation: 0,
        slot: Slot { head_at: 0, hash: SlotHash(0) },
        head: Head(0),
    };
}

/// Where a read puts what it finds.
struct Target<'t> {
    verify: Verify,
    meta: &'t mut Meta,
    value: &'t mut Vec<u8>,
}

/// How an attempt ended.
enum Attempt {
    /// The target has it.
    Is,
    Absent,
    Again,
}

/// By what a copy is accepted.
#[derive(Clone, Copy)]
pub(super) enum Proof {
    /// The head stood still.
    Head(usize, Head),
    /// The head stood still, or the floor has not passed the generation.
    HeadOrFloor(usize, Head, u64),
    /// The floor has not passed the generation.
    Floor(u64),
}

impl Core<'_> {
    /// Appends the key's value to `out` and returns the rest; `None` where the key has no value. The
    /// deadline is the caller's to judge. For tests, models and tools: [`Core::get_to`] without a copy.
    #[cfg(any(test, loom, slate_search, feature = "internals"))]
    pub fn get(
        &self,
        key: &Key<'_>,
        hint: Option<Slot>,
        verify: Verify,
        out: &mut Vec<u8>,
    ) -> Result<Option<Meta>, Fault> {
        let mut meta = Meta::EMPTY;
        Ok(self.get_to(key, hint, verify, &mut meta, out)?.then_some(meta))
    }

    /// Appends the key's value to `out`, with the rest in `meta`. Whether the key has a value; the deadline
    /// is the caller's to judge.
    pub fn get_to(
        &self,
        key: &Key<'_>,
        hint: Option<Slot>,
        verify: Verify,
        meta: &mut Meta,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let start = out.len();
        let mut target = Target { verify, meta, value: out };
        let mut tries = Tries::new();
        let mut hint = hint;
        let mut since = None;
        loop {
            let attempt = match hint.take() {
                Some(slot) => self.attempt_at(key, slot, since, &mut target)?,
                None => self.attempt(key, since, &mut target)?,
            };
            match attempt {
                Attempt::Is => return Ok(!target.meta.header.kind.is_tombstone()),
                Attempt::Absent => return Ok(false),
                Attempt::Again => target.value.truncate(start),
            }
            // Strictly before the head is loaded again.
            let generation = self.generation();
            since = Some(generation);
            tries.again(generation, "a slot's head")?;
        }
    }

    /// Whether the slot still has the head that a read found there: then its record is the key's newest. A head's
    /// counter rises at every change, so nothing else needs to be looked at.
    pub fn is_newest(&self, slot: Slot, head: Head) -> bool {
        self.slot_at(slot.head_at - 1) == Some((slot.hash, head))
    }

    /// Looks at the slot where the key lived last; another key there says nothing about this one.
    fn attempt_at(
        &self,
        key: &Key<'_>,
        slot: Slot,
        since: Option<u64>,
        target: &mut Target<'_>,
    ) -> Result<Attempt, Fault> {
        match self.slot_at(slot.head_at - 1) {
            Some((hash, head)) if hash == slot.hash && head.is(HeadKind::Live) => {
                Ok(self.live(key, Found { slot, head }, since, target)?.unwrap_or(Attempt::Again))
            }
            _ => Ok(Attempt::Again),
        }
    }

    /// Scans the chain. Without a slot of the key there was a moment during the scan when it was absent:
    /// a key leaves its slot only after its removal left the history.
    fn attempt(&self, key: &Key<'_>, since: Option<u64>, target: &mut Target<'_>) -> Result<Attempt, Fault> {
        let mut chain = self.chain(key.bucket);
        for hash_at in chain.by_ref().flat_map(slots_of) {
            // Relaxed: only a filter; `slot_at` reads the hash again, in order.
            if self.at(hash_at).load(Relaxed) as u16 != key.fingerprint {
                continue;
            }
            let Some((hash, head)) = self.slot_at(hash_at) else { return Ok(Attempt::Again) };
            match head.kind() {
                _ if hash.fingerprint() != key.fingerprint => {}
                Some(HeadKind::Live) => {
                    let found = Found { slot: Slot { head_at: hash_at + 1, hash }, head };
                    if let Some(attempt) = self.live(key, found, since, target)? {
                        return Ok(attempt);
                    }
                }
                Some(HeadKind::Moved) => return Err(Fault::Moved),
                Some(_) => {}
                None => return Err(Fault::Corrupt("a slot's head")),
            }
        }
        // Behind damage it may be there.
        chain.ended()?;
        Ok(Attempt::Absent)
    }

    /// Copies what a LIVE head names; `None` where the slot is another key's.
    fn live(
        &self,
        key: &Key<'_>,
        found: Found,
        since: Option<u64>,
        target: &mut Target<'_>,
    ) -> Result<Option<Attempt>, Fault> {
        let Found { slot, head } = found;
        let proof = match since {
            None => Proof::Head(slot.head_at, head),
            Some(generation) => Proof::HeadOrFloor(slot.head_at, head, generation),
        };
        let Some(block) = self.block(head.block()) else { return self.refuse(proof, "a slot's block") };
        // Before the record: if it is a generation, the record is complete.
        let gen_word = self.load_gen(block);
        if !self.key_is(block, key) {
            return self.not_ours(block, found, proof);
        }
        match (gen_word, since) {
            (GenWord::Generation(generation), _) => {
                self.take(key, block, generation, found, proof, target).map(Some)
            }
            (GenWord::Unlogged(_), None) => Ok(Some(Attempt::Again)),
            (GenWord::Unlogged(_), Some(since)) => self.before(key, block, slot, since, target).map(Some),
            _ => self.refuse(proof, "a block's generation word"),
        }
    }

    /// The version before a record that is not in the history. Only the floor proves this copy: the head
    /// says nothing about what it no longer names.
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
                let found = Found { slot, head: previous };
                self.take(key, block, generation, found, proof, target)
            }
            _ => Ok(self.refuse(proof, "a superseded record")?.unwrap_or(Attempt::Again)),
        }
    }

    /// Another key with this fingerprint, or damage: a record whose key does not have the fingerprint of
    /// its slot.
    #[cold]
    fn not_ours(&self, block: Block, found: Found, proof: Proof) -> Result<Option<Attempt>, Fault> {
        let mut bytes = Vec::new();
        let whole = self.copy_key(block, &mut bytes).is_some();
        if !self.holds(proof) {
            return Ok(Some(Attempt::Again));
        }
        let fits = geometry::fingerprint_of(self.geo.hash(&bytes)) == found.slot.hash.fingerprint();
        if whole && fits { Ok(None) } else { Err(Fault::Corrupt("a record's key")) }
    }

    /// Damage, if the proof holds; otherwise look again.
    #[cold]
    fn refuse(&self, proof: Proof, what: &'static str) -> Result<Option<Attempt>, Fault> {
        if self.holds(proof) { Err(Fault::Corrupt(what)) } else { Ok(Some(Attempt::Again)) }
    }

    /// Whether everything copied so far is of one life of its block (P2).
    pub(super) fn holds(&self, proof: Proof) -> bool {
        fence(Acquire);
        // Relaxed, all: behind the fence.
        let floor_at_most = |generation| self.at(header::FLOOR).load(Relaxed) <= generation;
        match proof {
            Proof::Head(at, head) => self.head_is(at, head),
            Proof::HeadOrFloor(at, head, since) => self.head_is(at, head) || floor_at_most(since),
            Proof::Floor(since) => floor_at_most(since),
        }
    }

    /// Copies a record and judges the copy: first whether it is whole, then whether it is sound.
    #[inline(always)]
    fn take(
        &self,
        key: &Key<'_>,
        block: Block,
        generation: u64,
        found: Found,
        proof: Proof,
        target: &mut Target<'_>,
    ) -> Result<Attempt, Fault> {
        let Found { slot, head } = found;
        let copied = self.copy(block, target.value);
        if !self.holds(proof) {
            return Ok(Attempt::Again);
        }
        let header = copied.ok_or(Fault::Corrupt("a record's lengths"))?;
        let value = &target.value[target.value.len() - header.value_len as usize..];
        if target.verify == Verify::Always && !is_sound(&header, key.hash, value) {
            return Err(Fault::Corrupt("a record's checksum"));
        }
        if header.slot as usize != slot.head_at {
            return Err(Fault::Corrupt("a record's slot"));
        }
        *target.meta = Meta { header, generation, slot, head };
        Ok(Attempt::Is)
    }

    /// Appends the block's value to `out`; `None`, with `out` as it was, where the lengths cannot be.
    #[inline(always)]
    pub(super) fn copy(&self, block: Block, out: &mut Vec<u8>) -> Option<RecordHeader> {
        let header = self.record_header(block)?;
        let len = header.value_len as usize;
        if header.chained {
            let start = out.len();
            for number in 0..self.piece_count(block, &header)? {
                let Some((piece, bytes)) = self.piece(block, &header, number) else {
                    out.truncate(start);
                    return None;
                };
                self.load_bytes(self.geo.data(piece), bytes, out);
            }
        } else {
            if !self.fits(block, record::words_of(usize::from(header.key_len), len)) {
                return None;
            }
            self.load_bytes(self.geo.data(block) + header.value_at(), len, out);
        }
        Some(header)
    }

    /// Replaces `out` with the block's key; `None` where the lengths cannot be.
    pub(super) fn copy_key(&self, block: Block, out: &mut Vec<u8>) -> Option<RecordHeader> {
        let header = self.record_header(block)?;
        out.clear();
        if !self.fits(block, header.value_at()) {
            return None;
        }
        self.load_bytes(self.geo.data(block) + record::HEADER_WORDS, usize::from(header.key_len), out);
        Some(header)
    }
}

/// Whether a record's checksum is that of its words, key and value.
pub(super) fn is_sound(header: &RecordHeader, key_hash: u64, value: &[u8]) -> bool {
    !record::DETAILS || header.checksum == header.checksum_of(key_hash, record::hash_of(value))
}

/// Whether a record's bytes are sound, its key included.
pub(super) fn is_sound_with_key(geo: &Geometry, header: &RecordHeader, key: &[u8], value: &[u8]) -> bool {
    is_sound(header, geo.hash(key), value)
}
