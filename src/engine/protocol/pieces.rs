//! Values larger than an extent: the head block lists pieces, each a block of its own.
//!
//! A piece is in state PART and its generation word names the head block and the end of its tag. The
//! head is INFLIGHT before it lists a piece, and lists a piece before that becomes a PART. Whoever frees
//! the head frees the pieces that name it first; the walk can be repeated, so that a reaper finishes
//! what a killed one began.

use super::{Core, copy::fit};
use crate::layout::{
    Block, GenWord, State, StateKind,
    record::{self, PackedHeader},
};
use crate::sync::Ordering::{AcqRel, Relaxed};

impl Core<'_> {
    /// The number of bytes in a piece that is a whole extent.
    pub(super) fn piece_bytes(&self) -> usize {
        self.geo.extent_granules() as usize * self.geo.granule_words() * 8
    }

    /// The number of pieces of a value of this length.
    pub(super) fn pieces(&self, value_len: usize) -> usize {
        value_len.div_ceil(self.piece_bytes())
    }

    /// Whether the value of a record with these lengths is stored in pieces.
    #[inline]
    pub(super) fn needs_pieces(&self, key_len: usize, value_len: usize) -> bool {
        self.geo.granules_for(record::words_of(key_len, value_len)) > self.geo.extent_granules() as usize
    }

    /// The number of granules of the head block of a record.
    #[inline]
    pub(super) fn head_granules(&self, key_len: usize, value_len: usize) -> usize {
        let inline =
            if self.needs_pieces(key_len, value_len) { self.pieces(value_len) * 8 } else { value_len };
        self.geo.granules_for(record::words_of(key_len, inline))
    }

    /// Frees the pieces of a value. The caller has the right to free its head block, which has this tag.
    #[inline]
    pub(super) fn free_pieces(&self, head: Block, tag: u64) {
        if record::is_in_pieces(self.record_word(head, record::SHAPE)) {
            self.free_listed(head, tag);
        }
    }

    #[cold]
    fn free_listed(&self, head: Block, tag: u64) {
        let Some(words) = self.header_words(head).filter(PackedHeader::in_pieces) else { return };
        for number in 0..self.pieces(words.value_len()) {
            let at = words.value_at() + number;
            if !self.fits(head, at + 1) {
                return;
            }
            let index = u32::try_from(self.record_word(head, at)).unwrap_or(0);
            let Some(piece) = self.block(index) else { continue };
            let state = self.load_state(piece);
            if state.is(StateKind::Part) && self.load_gen(piece) == GenWord::parent(head.index(), tag) {
                let free = State::new(StateKind::Free, 0, state.tag());
                // AcqRel: readers prove the copy by the head. The next owner sees that this life is over (P7).
                let _ = self.state_of(piece).compare_exchange(state.0, free.0, AcqRel, Relaxed);
                self.unhint(piece);
            }
        }
    }

    /// The number of pieces of a record's value; `None` if its lengths are invalid.
    pub(super) fn piece_count(&self, head: Block, words: &PackedHeader) -> Option<usize> {
        let count = self.pieces(words.value_len());
        let can = words.value_len() as u64 <= self.geo.shape().value_max;
        (can && self.fits(head, words.value_at() + count)).then_some(count)
    }

    /// A piece, as the head block lists it, with room for this number of bytes; `None` if it is invalid. As for every
    /// copy, it must be proved afterwards. The number is below [`Core::piece_count`].
    pub(super) fn piece(
        &self,
        head: Block,
        words: &PackedHeader,
        number: usize,
        bytes: usize,
    ) -> Option<Block> {
        let index = u32::try_from(self.record_word(head, words.value_at() + number)).ok()?;
        self.block(index).filter(|&piece| self.fits(piece, bytes.div_ceil(8)))
    }

    /// As [`Core::copy_value`], for a value in pieces.
    #[cold]
    pub(super) fn copy_pieces(&self, block: Block, words: &PackedHeader, out: &mut Vec<u8>) -> Option<()> {
        let pieces = self.piece_count(block, words)?;
        fit(out, words.value_len());
        for (number, bytes) in out.chunks_mut(self.piece_bytes()).enumerate().take(pieces) {
            let piece = self.piece(block, words, number, bytes.len())?;
            self.load_bytes(self.geo.data(piece), bytes);
        }
        Some(())
    }
}
