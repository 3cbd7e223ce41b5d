//! Values larger than an extent: the head block lists pieces, each a block of its own.
//!
//! A piece is in state PART and its generation word names the head block and the end of its tag. The
//! head is INFLIGHT before it lists a piece, and lists a piece before that becomes a PART. Whoever frees
//! the head frees the pieces that name it first; the walk can be repeated, so that a reaper finishes
//! what a killed one began.

use super::{Core, Fault, blocks::Claimed, blocks::Lane};
use crate::layout::{
    Block, GenWord, State, StateKind,
    record::{self, Words},
};
use crate::sync::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed, Release},
};

impl Core<'_> {
    /// Bytes of a piece that is a whole extent.
    pub(super) fn piece_bytes(&self) -> usize {
        self.geo.extent_granules() as usize * self.geo.granule_words() * 8
    }

    /// Pieces of a chained value.
    pub(super) fn pieces(&self, value_len: usize) -> usize {
        value_len.div_ceil(self.piece_bytes())
    }

    /// Whether a record of these lengths needs a chain.
    #[inline]
    pub(super) fn is_chained(&self, key_len: usize, value_len: usize) -> bool {
        self.geo.granules_for(record::words_of(key_len, value_len)) > self.geo.extent_granules() as usize
    }

    /// Granules of the head block of a record.
    #[inline]
    pub(super) fn head_granules(&self, key_len: usize, value_len: usize) -> usize {
        let inline = if self.is_chained(key_len, value_len) { self.pieces(value_len) * 8 } else { value_len };
        self.geo.granules_for(record::words_of(key_len, inline))
    }

    /// Claims the pieces, lists them from word `at` of the head, and fills them.
    pub(super) fn fill_chain(
        &self,
        lane: &mut Lane,
        head: Claimed,
        at: usize,
        value: &[u8],
    ) -> Result<(), Fault> {
        // The list may hold what an earlier life left: until a piece names this head it is not this chain's.
        for (number, bytes) in value.chunks(self.piece_bytes()).enumerate() {
            let granules = self.geo.granules_for(bytes.len().div_ceil(8));
            let piece = self.claim(lane, granules, false)?;
            self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);
            let parent = GenWord::parent(head.block.index(), head.tag);
            // Release, in this order: who sees PART sees whose it is.
            self.gen_of(piece.block).store(parent.pack(), Release);
            let part = State::new(StateKind::Part, 0, piece.tag);
            self.state_of(piece.block).store(part.0, Release);
            self.store_bytes(self.geo.data(piece.block), bytes);
        }
        Ok(())
    }

    /// Frees the pieces of a chain whose head the caller has the right to free and which has this tag.
    #[inline]
    pub(super) fn free_pieces(&self, lane: &Lane, head: Block, tag: u64) {
        if record::is_chained(self.record_word(head, record::SHAPE)) {
            self.free_chain(lane, head, tag);
        }
    }

    #[cold]
    fn free_chain(&self, _lane: &Lane, head: Block, tag: u64) {
        let Some(words) = self.header_words(head).filter(Words::chained) else { return };
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
                // AcqRel: the readers' proof is the head's; the next owner sees this life over (P7).
                let _ = self.state_of(piece).compare_exchange(state.0, free.0, AcqRel, Relaxed);
                self.unhint(piece);
            }
        }
    }

    /// How many pieces a chain has; `None` where its lengths cannot be.
    pub(super) fn piece_count(&self, head: Block, words: &Words) -> Option<usize> {
        let count = self.pieces(words.value_len());
        let can = words.value_len() as u64 <= self.geo.shape().value_max;
        (can && self.fits(head, words.value_at() + count)).then_some(count)
    }

    /// A piece of a chain, as the head lists it, with room for so many bytes; `None` where it cannot be. To be
    /// proved afterwards, like every copy. The number is below [`Core::piece_count`].
    pub(super) fn piece(&self, head: Block, words: &Words, number: usize, bytes: usize) -> Option<Block> {
        let index = u32::try_from(self.record_word(head, words.value_at() + number)).ok()?;
        self.block(index).filter(|&piece| self.fits(piece, bytes.div_ceil(8)))
    }

    /// Stores bytes from word `at` on, the last word padded with zeros. Relaxed: what publishes the
    /// block orders them (P1, P2).
    #[inline]
    pub(super) fn store_bytes(&self, at: usize, bytes: &[u8]) {
        let target = &self.words[at..at + bytes.len().div_ceil(8)];
        if bytes.len() >= LARGE {
            return self.machine.store(bytes, target);
        }
        store_words(bytes, target);
    }

    /// Fills `out` from word `at` on. Relaxed, as [`Core::record_word`]. The words must have been found to lie
    /// in reserved pages.
    #[inline]
    pub(super) fn load_bytes(&self, at: usize, out: &mut [u8]) {
        let source = &self.words[at..at + out.len().div_ceil(8)];
        if out.len() >= LARGE {
            return self.machine.load(source, out);
        }
        load_words(source, out);
    }
}

/// Bytes from which on a copy is the machine's: below, words one by one are faster than the call.
const LARGE: usize = 256;

/// Stores bytes word by word, the last one padded with zeros. There are as many words as the bytes need.
#[inline]
pub(super) fn store_words(bytes: &[u8], target: &[AtomicU64]) {
    let (words, rest) = bytes.as_chunks::<8>();
    let (fours, last) = words.as_chunks::<4>();
    // By fours: the optimiser does not unroll a loop of atomic stores.
    let (target_fours, target_last) = target[..words.len()].as_chunks::<4>();
    for (target, bytes) in target_fours.iter().zip(fours) {
        target.iter().zip(bytes).for_each(|(word, bytes)| word.store(u64::from_le_bytes(*bytes), Relaxed));
    }
    for (word, bytes) in target_last.iter().zip(last) {
        word.store(u64::from_le_bytes(*bytes), Relaxed);
    }
    if let (Some(word), false) = (target.last(), rest.is_empty()) {
        word.store(last_word(bytes), Relaxed);
    }
}

/// Loads bytes word by word. There are as many words as the bytes need.
#[inline]
pub(super) fn load_words(source: &[AtomicU64], out: &mut [u8]) {
    let (words, rest) = out.as_chunks_mut::<8>();
    let (source_fours, source_last) = source[..words.len()].as_chunks::<4>();
    // By fours, as above.
    let (fours, last) = words.as_chunks_mut::<4>();
    for (bytes, source) in fours.iter_mut().zip(source_fours) {
        bytes.iter_mut().zip(source).for_each(|(bytes, word)| *bytes = word.load(Relaxed).to_le_bytes());
    }
    for (bytes, word) in last.iter_mut().zip(source_last) {
        *bytes = word.load(Relaxed).to_le_bytes();
    }
    if let (Some(word), false) = (source.last(), rest.is_empty()) {
        let last = word.load(Relaxed).to_le_bytes();
        rest.iter_mut().zip(last).for_each(|(byte, last)| *byte = last);
    }
}

/// The word of the bytes behind the last whole one, zero padded. Where there are eight bytes it is cut from
/// the last eight: a copy of a length that is not known costs a call.
pub(super) fn last_word(bytes: &[u8]) -> u64 {
    let rest = bytes.len() % 8;
    match bytes.last_chunk::<8>() {
        Some(_) if rest == 0 => 0,
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}
