//! Whatever stands in the region, no call panics, hangs or reads out of bounds: the body of the fuzz target
//! `region_image` over pseudo-random scripts, for machines without a fuzzer.

use slateboard_kit::image;

use std::ops::Range;

/// The script of a seed, from a multiplicative generator (Knuth, MMIX).
fn script(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let len = 16 + usize::from(next()) * 2;
    (0..len).map(|_| next()).collect()
}

fn play(seeds: Range<u64>) {
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| image::play(&script(seed)));
        assert!(outcome.is_ok(), "seed {seed} panics");
    }
}

const SEEDS: u64 = if cfg!(miri) { 4 } else { 1_000 };

#[test]
fn a_damaged_region_ends_every_call() {
    play(0..SEEDS);
}

#[test]
fn a_damaged_region_ends_every_call_for_other_seeds() {
    play(SEEDS..2 * SEEDS);
}
