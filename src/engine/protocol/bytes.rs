//! Converts bytes to words and back, whole words at a time.

use super::Core;
use crate::sync::{AtomicU64, Ordering::Relaxed};

/// The number of bytes from which on the machine's copy is used. Below it, a copy word by word is faster than the call.
const LARGE: usize = 256;

impl Core<'_> {
    /// Stores bytes from word `at` on; the last word is padded with zeros. Relaxed: the publication of the block orders
    /// these stores (P1, P2).
    #[inline]
    pub(super) fn store_bytes(&self, at: usize, bytes: &[u8]) {
        let target = &self.words[at..at + bytes.len().div_ceil(8)];
        if bytes.len() >= LARGE {
            return self.machine.store(bytes, target);
        }
        store_words(bytes, target);
    }

    /// Fills `out` from word `at` on. Relaxed, as [`Core::record_word`]. The caller must have checked that the words
    /// lie in reserved pages.
    #[inline]
    pub(super) fn load_bytes(&self, at: usize, out: &mut [u8]) {
        self.load_from(&self.words[at..at + out.len().div_ceil(8)], out);
    }

    /// As [`Core::load_bytes`], from these words. There must be as many as the bytes need.
    #[inline(always)]
    pub(super) fn load_from(&self, source: &[AtomicU64], out: &mut [u8]) {
        if out.len() >= LARGE {
            return self.machine.load(source, out);
        }
        load_words(source, out);
    }
}

/// Stores bytes word by word; the last word is padded with zeros. There must be as many words as the bytes need.
#[inline]
pub(super) fn store_words(bytes: &[u8], target: &[AtomicU64]) {
    let (words, rest) = bytes.as_chunks::<8>();
    let (fours, last) = words.as_chunks::<4>();
    // Four at a time, because the optimiser does not unroll a loop of atomic stores.
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

/// Loads bytes word by word. There must be as many words as the bytes need.
#[inline]
pub(super) fn load_words(source: &[AtomicU64], out: &mut [u8]) {
    let (words, rest) = out.as_chunks_mut::<8>();
    let (source_fours, source_last) = source[..words.len()].as_chunks::<4>();
    // Four at a time, as above.
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

/// The word of the bytes after the last whole word, padded with zeros. If there are at least eight bytes, it is cut
/// from the last eight, because a copy of a length unknown at compile time costs a call.
pub(super) fn last_word(bytes: &[u8]) -> u64 {
    let rest = bytes.len() % 8;
    match bytes.last_chunk::<8>() {
        Some(_) if rest == 0 => 0,
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}
