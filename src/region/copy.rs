//! Copies between words that others change and bytes of our own, faster than word by word.
//!
//! The optimiser does not turn a loop of atomic loads into wide ones, so a copy of 64 KiB by words takes twice as
//! long as the memory needs. Here are three ways, chosen by length and by what the processor has: words, 32
//! bytes at a time (AVX), and the processor's own copy loop (`rep movsb`, where it is fast).
//!
//! # Safety
//!
//! Assembly, because no access of the language may meet a word that another process changes, but an atomic one.
//! What the assembly does to a shared word is what hardware does: it loads or stores it once, whole (aligned
//! eight bytes are never torn, whatever the width of the instruction that they are part of), in no order. That
//! is a relaxed access. Fences before and after give it its order, as they do for words: the assembly is never
//! moved across them, since it may touch any memory. `rep movsb` may be reordered with later loads on no
//! processor that documents it, and ends with `lfence` after loads from shared words all the same.
//!
//! Each block of assembly reads `len` bytes at one address and writes `len` at the other. Both come from slices
//! whose lengths were compared, which do not overlap: one is ours alone, borrowed for writing or not shared.
//! They change no flag but the arithmetic ones, no stack, and the registers they name.

use crate::sync::{AtomicU64, Ordering::Relaxed};

/// Bytes from which on the processor's own copy loop is used, where it is fast.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const OWN_LOOP_FROM: usize = 16 << 10;

/// Fills `to` from words that others may change meanwhile: relaxed, each word whole.
///
/// # Panics
/// Where there are fewer words than the bytes need.
pub fn load(from: &[AtomicU64], to: &mut [u8]) {
    let whole = to.len() / 8;
    let (from, last) = (&from[..whole], from.get(whole));
    let (words, rest) = to.split_at_mut(whole * 8);
    load_whole(from, words);
    if !rest.is_empty() {
        let bytes = last.map_or([0; 8], |word| word.load(Relaxed).to_le_bytes());
        rest.copy_from_slice(&bytes[..rest.len()]);
    }
}

/// Stores bytes to words that others may read meanwhile: relaxed, each word whole, the last one padded with zeros.
///
/// # Panics
/// Where there are fewer words than the bytes need.
pub fn store(from: &[u8], to: &[AtomicU64]) {
    let (words, rest) = from.split_at(from.len() / 8 * 8);
    store_whole(words, &to[..words.len() / 8]);
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        to[words.len() / 8].store(u64::from_le_bytes(last), Relaxed);
    }
}

/// Asks for the lines of these words, to be changed soon.
pub fn prefetch_write(words: &[&AtomicU64]) {
    words.iter().for_each(|word| prefetch_write_line(word));
}

/// Asks for the lines of these words, which follow each other, to be changed soon.
pub fn prefetch_write_run(words: &[AtomicU64]) {
    words.iter().step_by(LINE).for_each(prefetch_write_line);
}

/// Asks for the lines of these words, which follow each other, to be read soon. Others keep them.
#[inline]
pub fn prefetch_read(words: &[AtomicU64]) {
    words.iter().step_by(LINE).for_each(prefetch_read_line);
}

/// Words of a cache line.
const LINE: usize = 8;

#[inline]
fn prefetch_write_line(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint, which touches no memory as far as the language goes and never faults. Processors that do not
    // know it take it for a no-op.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) std::ptr::from_ref(word), options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = word;
}

#[inline]
fn prefetch_read_line(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: as `prefetch_write_line`.
    unsafe {
        std::arch::asm!("prefetcht0 [{}]", in(reg) std::ptr::from_ref(word), options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = word;
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn load_whole(from: &[AtomicU64], to: &mut [u8]) {
    assert!(size_of_val(from) == to.len(), "as many words as bytes need");
    let (source, target) = (from.as_ptr().cast::<u8>(), to.as_mut_ptr());
    match Way::of(to.len()) {
        // SAFETY: both are `to.len()` bytes, as was just compared; `to` is ours alone.
        Way::OwnLoop => unsafe { own_loop(source, target, to.len()) },
        // SAFETY: as above, in whole steps; the processor has AVX.
        Way::Wide => unsafe { wide(source, target, to.len() / STEP * STEP) },
        Way::Words => return load_words(from, to),
    }
    let done = Way::done(to.len());
    load_words(&from[done / 8..], &mut to[done..]);
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn store_whole(from: &[u8], to: &[AtomicU64]) {
    assert!(size_of_val(to) == from.len(), "as many words as bytes need");
    let (source, target) = (from.as_ptr(), to.as_ptr().cast::<u8>().cast_mut());
    match Way::of(from.len()) {
        // SAFETY: both are `from.len()` bytes, as was just compared. Atomics may be written through a shared
        // reference; what is written to is memory that allows it, because a read-only mapping is never
        // given to a call that stores.
        Way::OwnLoop => unsafe { own_loop(source, target, from.len()) },
        // SAFETY: as above, in whole steps; the processor has AVX.
        Way::Wide => unsafe { wide(source, target, from.len() / STEP * STEP) },
        Way::Words => return store_words(from, to),
    }
    let done = Way::done(from.len());
    store_words(&from[done..], &to[done / 8..]);
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn load_whole(from: &[AtomicU64], to: &mut [u8]) {
    load_words(from, to);
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn store_whole(from: &[u8], to: &[AtomicU64]) {
    store_words(from, to);
}

fn load_words(from: &[AtomicU64], to: &mut [u8]) {
    for (bytes, word) in to.as_chunks_mut::<8>().0.iter_mut().zip(from) {
        *bytes = word.load(Relaxed).to_le_bytes();
    }
}

fn store_words(from: &[u8], to: &[AtomicU64]) {
    for (bytes, word) in from.as_chunks::<8>().0.iter().zip(to) {
        word.store(u64::from_le_bytes(*bytes), Relaxed);
    }
}

/// Bytes of a turn of [`wide`].
#[cfg(all(target_arch = "x86_64", not(miri)))]
const STEP: usize = 128;

/// How so many bytes are copied.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[derive(Clone, Copy)]
enum Way {
    Words,
    Wide,
    OwnLoop,
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
impl Way {
    fn of(len: usize) -> Self {
        if len >= OWN_LOOP_FROM && std::arch::is_x86_feature_detected!("ermsb") {
            Way::OwnLoop
        } else if len >= STEP && std::arch::is_x86_feature_detected!("avx") {
            Way::Wide
        } else {
            Way::Words
        }
    }

    /// Bytes that the way leaves nothing of.
    fn done(len: usize) -> usize {
        if matches!(Way::of(len), Way::OwnLoop) { len } else { len / STEP * STEP }
    }
}

/// # Safety
/// `len` bytes may be read at `from` and written at `to`, which do not overlap.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn own_loop(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: by the caller. The direction flag is clear, as everywhere between functions.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            "lfence",
            inout("rcx") len => _, inout("rsi") from => _, inout("rdi") to => _,
            options(nostack, preserves_flags)
        );
    }
}

/// # Safety
/// `len` bytes may be read at `from` and written at `to`, which do not overlap; `len` is a multiple of [`STEP`] and
/// not 0; the processor has AVX.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn wide(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: by the caller: each turn copies the next 128 bytes, until `len` are done.
    unsafe {
        std::arch::asm!(
            "2:",
            "vmovdqu ymm0, [{from}]",
            "vmovdqu ymm1, [{from} + 32]",
            "vmovdqu ymm2, [{from} + 64]",
            "vmovdqu ymm3, [{from} + 96]",
            "vmovdqu [{to}], ymm0",
            "vmovdqu [{to} + 32], ymm1",
            "vmovdqu [{to} + 64], ymm2",
            "vmovdqu [{to} + 96], ymm3",
            "add {from}, 128",
            "add {to}, 128",
            "sub {left}, 128",
            "jnz 2b",
            "vzeroupper",
            from = inout(reg) from => _, to = inout(reg) to => _, left = inout(reg) len => _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
    }

    #[test]
    fn every_way_copies_every_byte_and_no_other() {
        let sizes =
            [0, 1, 7, 8, 9, 127, 128, 129, 255, 256, 1000, 4096, 16_383, 16_384, 16_385, 65_536, 70_001];
        for len in sizes {
            let bytes = pattern(len);
            let words: Vec<AtomicU64> = (0..len.div_ceil(8) + 1).map(|_| AtomicU64::new(u64::MAX)).collect();
            let (used, behind) = words.split_at(len.div_ceil(8));
            store(&bytes, used);
            assert_eq!(behind[0].load(Relaxed), u64::MAX, "{len}: nothing behind is written");
            let mut read = vec![0xee; len + 1];
            load(used, &mut read[..len]);
            assert!(read[..len] == bytes && read[len] == 0xee, "{len}");
            let padding = used
                .last()
                .map_or(0, |word| word.load(Relaxed).checked_shr(8 * (len % 8) as u32).unwrap_or(0));
            assert!(len % 8 == 0 || padding == 0, "{len}: the last word is padded with zeros");
        }
    }

    #[test]
    fn asking_for_lines_changes_nothing() {
        let word = AtomicU64::new(7);
        prefetch_write(&[&word, &word]);
        prefetch_write_run(std::slice::from_ref(&word));
        prefetch_read(std::slice::from_ref(&word));
        assert_eq!(word.load(Relaxed), 7);
    }
}
