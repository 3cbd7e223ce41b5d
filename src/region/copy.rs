//! Copies between shared words and private bytes, faster than word by word.
//!
//! The optimiser does not merge a loop of atomic loads into wide loads, so a copy of 64 KiB word by word takes twice as
//! long as the memory needs. There are four methods, chosen by the length and by the features of the processor: words,
//! 32 bytes per turn in steps of 16 (SSE, which every processor has), 128 bytes per turn in steps of 32 (AVX), and the
//! processor's own copy loop (`rep movsb`, if it is fast).
//!
//! # Safety
//!
//! The copies are written in assembly, because the language allows only atomic accesses to words that another process
//! changes. The hardware loads or stores each shared word once and whole: aligned eight bytes are never torn, whatever
//! the width of the instruction. It guarantees no order between the words. That is equivalent to a relaxed access.
//! Fences before and after the copy order it, as they order accesses to words: the compiler never moves the assembly
//! across them, because it may access any memory. No processor documents that it reorders `rep movsb` with later loads.
//! Nevertheless an `lfence` follows it.
//!
//! Each block of assembly reads `len` bytes at one address and writes `len` bytes at the other. Both addresses come from
//! slices whose lengths were compared. The slices do not overlap, because one of them is private: it is borrowed mutably,
//! or it is not shared memory. The blocks change only the arithmetic flags and the registers that they name. They do not
//! use the stack.

use crate::sync::{AtomicU64, Ordering::Relaxed};

/// The number of bytes from which on the processor's own copy loop is used, if it is fast.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const OWN_LOOP_FROM: usize = 16 << 10;

/// Fills `to` from words that others may change at the same time. Each word is loaded whole, by a relaxed load.
///
/// # Panics
/// If `from` has fewer words than `to` needs.
#[inline(always)]
pub fn load(from: &[AtomicU64], to: &mut [u8]) {
    if to.len() < SHORT { load_short(from, to) } else { load_long(from, to) }
}

/// Below this number of bytes, a copy is compiled into its caller, and uses what every processor has.
const SHORT: usize = 256;

#[inline(always)]
fn load_short(from: &[AtomicU64], to: &mut [u8]) {
    let from = &from[..to.len().div_ceil(8)];
    let done = load_steps(from, to);
    load_rest(&from[done / 8..], &mut to[done..]);
}

#[inline(never)]
fn load_long(from: &[AtomicU64], to: &mut [u8]) {
    let whole = to.len() / 8 * 8;
    load_whole(&from[..whole / 8], &mut to[..whole]);
    load_rest(&from[whole / 8..], &mut to[whole..]);
}

/// Copies word by word. The last word may have fewer bytes.
#[inline(always)]
fn load_rest(from: &[AtomicU64], to: &mut [u8]) {
    let (words, rest) = to.as_chunks_mut::<8>();
    let mut from = from.iter();
    for (bytes, word) in words.iter_mut().zip(from.by_ref()) {
        *bytes = word.load(Relaxed).to_le_bytes();
    }
    if let (Some(word), false) = (from.next(), rest.is_empty()) {
        rest.iter_mut().zip(word.load(Relaxed).to_le_bytes()).for_each(|(byte, last)| *byte = last);
    }
}

/// Copies the first bytes, as many turns of 32 as there are, and returns how many. There must be as many words as the
/// bytes need.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn load_steps(from: &[AtomicU64], to: &mut [u8]) -> usize {
    let len = to.len() / SHORT_STEP * SHORT_STEP;
    assert!(size_of_val(from) >= len, "as many words as bytes need");
    if len > 0 {
        // SAFETY: both slices have `len` bytes, a multiple of the step that is not 0. `to` is borrowed mutably.
        unsafe { short(from.as_ptr().cast(), to.as_mut_ptr(), len) }
    }
    len
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn load_steps(_from: &[AtomicU64], _to: &mut [u8]) -> usize {
    0
}

/// Stores bytes to words that others may read at the same time. Each word is stored whole, by a relaxed store. The last
/// one is padded with zeros.
///
/// # Panics
/// If `to` has fewer words than `from` needs.
pub fn store(from: &[u8], to: &[AtomicU64]) {
    let (words, rest) = from.split_at(from.len() / 8 * 8);
    store_whole(words, &to[..words.len() / 8]);
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        to[words.len() / 8].store(u64::from_le_bytes(last), Relaxed);
    }
}

/// Prefetches the cache lines of these words for writing.
pub fn prefetch_write(words: &[&AtomicU64]) {
    words.iter().for_each(|word| prefetch_write_line(word));
}

/// Prefetches the cache lines of these consecutive words for writing.
pub fn prefetch_write_run(words: &[AtomicU64]) {
    words.iter().step_by(LINE).for_each(prefetch_write_line);
}

/// Prefetches the cache lines of these consecutive words for reading. Other processors keep their copies.
#[inline]
pub fn prefetch_read(words: &[AtomicU64]) {
    words.iter().step_by(LINE).for_each(prefetch_read_line);
}

/// The number of words in a cache line.
const LINE: usize = 8;

#[inline]
fn prefetch_write_line(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: the instruction is a hint, which never faults and accesses no memory in the sense of the language.
    // Processors that do not support it treat it as a no-op.
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
        // SAFETY: both slices have `to.len()` bytes, as asserted above. `to` is borrowed mutably.
        Way::OwnLoop => unsafe { own_loop(source, target, to.len()) },
        // SAFETY: as above, for a multiple of `STEP` that is not 0. The processor has AVX.
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
        // SAFETY: both slices have `from.len()` bytes, as asserted above. Atomics may be written through a shared
        // reference. The memory is writable, because a read-only mapping is never passed to a function that stores.
        Way::OwnLoop => unsafe { own_loop(source, target, from.len()) },
        // SAFETY: as above, for a multiple of `STEP` that is not 0. The processor has AVX.
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

/// The number of bytes that one turn of [`wide`] copies.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const STEP: usize = 128;

/// The method of a copy.
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

    /// How many of the `len` bytes the method copies. The rest is copied word by word.
    fn done(len: usize) -> usize {
        if matches!(Way::of(len), Way::OwnLoop) { len } else { len / STEP * STEP }
    }
}

/// # Safety
/// `len` bytes must be readable at `from` and writable at `to`, and must not overlap.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn own_loop(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller guarantees the ranges. The direction flag is clear, as the calling convention requires.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            "lfence",
            inout("rcx") len => _, inout("rsi") from => _, inout("rdi") to => _,
            options(nostack, preserves_flags)
        );
    }
}

/// The number of bytes that one turn of [`short`] copies.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const SHORT_STEP: usize = 32;

/// # Safety
/// `len` bytes must be readable at `from` and writable at `to`, and must not overlap. `len` must be a multiple of
/// [`SHORT_STEP`] and not 0.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn short(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller guarantees the ranges. Each turn copies the next 32 bytes, until `len` bytes are copied.
    unsafe {
        std::arch::asm!(
            "2:",
            "movups {a}, [{from} + {at}]",
            "movups {b}, [{from} + {at} + 16]",
            "movups [{to} + {at}], {a}",
            "movups [{to} + {at} + 16], {b}",
            "add {at}, 32",
            "cmp {at}, {len}",
            "jb 2b",
            from = in(reg) from, to = in(reg) to, len = in(reg) len, at = inout(reg) 0_usize => _,
            a = out(xmm_reg) _, b = out(xmm_reg) _,
            options(nostack)
        );
    }
}

/// # Safety
/// `len` bytes must be readable at `from` and writable at `to`, and must not overlap. `len` must be a multiple of
/// [`STEP`] and not 0. The processor must have AVX.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn wide(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller guarantees the ranges. Each turn copies the next 128 bytes, until `len` bytes are copied.
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
        let longer = [511, 1000, 4096, 16_383, 16_384, 16_385, 65_536, 70_001];
        for len in (0..=300).chain(longer) {
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
