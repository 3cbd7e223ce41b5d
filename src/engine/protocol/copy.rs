//! Copies of records, and the proof that a copy is of one life of its block.
//!
//! Others may reuse a block while it is copied. So a copy is judged (lengths, checksum) only after `Core::holds` found
//! its `Proof` to hold.

use super::{
    Core,
    bytes::last_word,
    slots::{Key, Slot},
};
use crate::layout::{
    Block, Head, header,
    record::{self, PackedHeader, RecordHeader},
};
use crate::sync::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
    fence,
};

/// The condition under which a copy is accepted.
#[derive(Clone, Copy)]
pub(super) enum Proof {
    /// The head did not change.
    Head(usize, Head),
    /// The head did not change; or the floor has not passed the generation and the life of the slot continues. The
    /// second part is needed for a retired tombstone, which belongs to no event.
    HeadOrFloor(Slot, Head, u64),
    /// The floor has not passed the generation. Used for blocks that an event owns, and for events.
    Floor(u64),
}

impl Core<'_> {
    /// Whether everything copied so far comes from one life of its block (P2).
    #[inline(always)]
    pub(super) fn holds(&self, proof: Proof) -> bool {
        fence(Acquire);
        // Relaxed, all: they follow the fence.
        let floor_at_most = |generation| self.at(header::FLOOR).load(Relaxed) <= generation;
        match proof {
            Proof::Head(at, head) => self.head_is(at, head),
            Proof::HeadOrFloor(slot, head, since) => {
                self.head_is(slot.head_at, head) || (floor_at_most(since) && self.lives(slot))
            }
            Proof::Floor(since) => floor_at_most(since),
        }
    }

    /// Whether the record in the block has this key. As for every copy, the answer must be proved afterwards.
    #[inline(always)]
    pub(super) fn key_is(&self, block: Block, key: &Key<'_>) -> bool {
        key_is(self.record(block), key)
    }

    /// Replaces `out` with the block's value. Returns `None` if the lengths are invalid.
    pub(super) fn copy(&self, block: Block, out: &mut Vec<u8>) -> Option<PackedHeader> {
        let words = self.header_words(block)?;
        self.copy_value(block, &words, out).map(|()| words)
    }

    /// As [`Core::copy`], but stores the words where the caller provides.
    #[inline(always)]
    pub(super) fn copy_into(&self, block: Block, words: &mut PackedHeader, out: &mut Vec<u8>) -> Option<()> {
        if self.load_header(block, words) { self.copy_value(block, words, out) } else { None }
    }

    /// Replaces `out` with the value of the record with these words. The old contents of `out` are not cleared first,
    /// so a buffer that is reused is written only once per read.
    pub(super) fn copy_value(&self, block: Block, words: &PackedHeader, out: &mut Vec<u8>) -> Option<()> {
        if words.in_pieces() {
            self.copy_pieces(block, words, out)
        } else {
            self.copy_whole(block, words, out)
        }
    }

    /// As [`Core::copy_value`], for a value in one block.
    pub(super) fn copy_whole(&self, block: Block, words: &PackedHeader, out: &mut Vec<u8>) -> Option<()> {
        self.copy_from(self.record(block), words, out)
    }

    /// As [`Core::copy_whole`], for a record that starts with these words.
    #[inline(always)]
    pub(super) fn copy_from(
        &self,
        record: &[AtomicU64],
        words: &PackedHeader,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let value = record.get(words.value_at()..words.record_words())?;
        fit(out, words.value_len());
        self.load_from(value, out);
        Some(())
    }

    /// Replaces `out` with the block's key. Returns `None` if the lengths are invalid.
    pub(super) fn copy_key(&self, block: Block, out: &mut Vec<u8>) -> Option<RecordHeader> {
        let words = self.header_words(block).filter(|words| self.fits(block, words.value_at()))?;
        out.resize(words.key_len(), 0);
        self.load_bytes(self.geo.data(block) + record::HEADER_WORDS, out);
        words.unpack()
    }
}

/// Whether a record that starts with these words has this key. As for every copy, the answer must be proved afterwards.
#[inline(always)]
pub(super) fn key_is(record: &[AtomicU64], key: &Key<'_>) -> bool {
    let words = key.bytes.len().div_ceil(8);
    let Some(stored) = record.get(..record::HEADER_WORDS + words) else { return false };
    if stored[record::SHAPE].load(Relaxed) & 0x7ff != key.bytes.len() as u64 {
        return false;
    }
    let (whole, _) = key.bytes.as_chunks::<8>();
    let stored = &stored[record::HEADER_WORDS..];
    let equal = |(stored, bytes): (&AtomicU64, &[u8; 8])| stored.load(Relaxed) == u64::from_le_bytes(*bytes);
    stored.iter().zip(whole).all(equal)
        && stored.get(whole.len()).is_none_or(|stored| stored.load(Relaxed) == last_word(key.bytes))
}

/// Gives a buffer this length. What it holds then is replaced by the caller.
#[inline(always)]
pub(super) fn fit(out: &mut Vec<u8>, len: usize) {
    if out.len() != len {
        refit(out, len);
    }
}

/// Apart, because a buffer that is used again often has the length. One that is too small is replaced: what it holds
/// need not be moved, and a long one comes from the system with zeros.
#[cold]
fn refit(out: &mut Vec<u8>, len: usize) {
    if len > out.capacity() {
        *out = vec![0; len];
    } else {
        out.resize(len, 0);
    }
}
