//! Whatever stands in the region, no call panics, hangs or reads out of bounds: the body of the fuzz target
//! `region_image` over random bytes, for machines without a fuzzer.

use slateboard_kit::{image, random::script};
use std::ops::Range;

const SEEDS: u64 = if cfg!(miri) { 4 } else { 1_000 };

fn play(seeds: Range<u64>) {
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| image::play(&script(seed, 512)));
        assert!(outcome.is_ok(), "seed {seed} panics");
    }
}

#[test]
fn a_damaged_region_ends_every_call() {
    play(0..SEEDS);
}

#[test]
fn a_damaged_region_ends_every_call_for_other_seeds() {
    play(SEEDS..2 * SEEDS);
}
