//! What a reader remembers of the record that it copied last, so that it need not look the key up again while the slot's
//! head stays the same.
//!
//! The same head means the same life of the same block. The word of a head is a head for ever: buckets are never removed.
//! Its counter rises at every change of the slot, also when the slot passes to another key, so a head does not come back
//! (but for 2^38 changes of one slot between two reads, and then with the same block). And no block begins another life
//! while a head names it. So from the read that found the head to a later load that gives the same head, the head never
//! changed, the block held the same record, whose words nobody changes, and that record was in the history and was the
//! key's newest. Its place, its lengths and everything else that the reader returned still hold. Only the bytes of the
//! value are copied again.

use super::{
    Machine,
    copy::fit,
    read::{CopiedRecord, Verify},
    slots::Slot,
};
use crate::layout::{Geometry, Head, record};
use crate::sync::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
    fence,
};

/// Where a record and its value were found. It is a hint: [`Recall::copy`] tells whether it still holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recall {
    /// Where the key lives.
    pub slot: Slot,
    /// The head that names the record.
    pub head: Head,
    /// The words of the value, from the first to the one behind the last.
    value_at: usize,
    value_end: usize,
    value_len: usize,
    /// The value's hash, which the record's checksum covers; only if the copy was verified.
    value_hash: u64,
}

impl Recall {
    /// Remembers a copied record that is a value.
    pub fn of(geo: &Geometry, found: &CopiedRecord) -> Self {
        let words = &found.words;
        let value_at = geo.block(found.head.block()).map(|block| geo.data(block) + words.value_at());
        let value_len = words.value_len();
        // A value in pieces is found through its list. Its range is no range here, so it is never copied from here.
        let (value_at, value_end) = match value_at.filter(|_| !words.in_pieces()) {
            Some(at) => (at, at + value_len.div_ceil(8)),
            None => (1, 0),
        };
        let CopiedRecord { slot, head, value_hash, .. } = *found;
        Self { slot, head, value_at, value_end, value_len, value_hash }
    }

    /// Replaces `out` with the value if the record is still the key's newest. Otherwise returns `false`, and `out` holds
    /// anything: the key must be looked up. The same is returned if the bytes are not those that were verified.
    ///
    /// The words must be those of the region where the record was found: their length, and the pages that are reserved
    /// in them, never shrink.
    #[inline(always)]
    pub fn copy(
        &self,
        words: &[AtomicU64],
        machine: &impl Machine,
        verify: Verify,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(head) = words.get(self.slot.head_at) else { return false };
        // Relaxed: this look only saves the copy of a record that is not the newest. The words that follow are no older
        // than those which the read before found in the same place.
        if head.load(Relaxed) != self.head.0 {
            return false;
        }
        let Some(value) = words.get(self.value_at..self.value_end) else { return false };
        fit(out, self.value_len);
        machine.load(value, out);
        // What was copied belongs to the record only if the head still names it (P2).
        fence(Acquire);
        // Relaxed: it follows the fence.
        head.load(Relaxed) == self.head.0
            && (!record::DETAILS || verify == Verify::Scrub || record::hash_of(out) == self.value_hash)
    }
}
