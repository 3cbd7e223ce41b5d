//! What the fuzz targets do, on stable: over pseudo-random bytes, and over the corpus that is kept of their runs.
//! The target `region_image` has a test of its own for the former, `mutated_image`.

use slateboard_kit as bodies;
use slateboard_kit::children as support;

use std::path::Path;
use support::Random;

/// Inputs of pseudo-random bytes for each body.
const SEEDS: u64 = if cfg!(miri) { 2 } else { 400 };

fn random(play: fn(&[u8]), len_max: u64) {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let len = random.below(len_max);
        let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        let outcome = std::panic::catch_unwind(|| play(&bytes));
        assert!(outcome.is_ok(), "seed {seed} fails");
    }
}

fn kept(play: fn(&[u8]), target: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there is no corpus of {target}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| play(&bytes));
        assert!(outcome.is_ok(), "{} fails", file.display());
    }
}

#[test]
fn random_operations_agree_with_the_model() {
    random(bodies::operations::play, 2_048);
}

#[test]
fn random_sizes_come_back_or_are_refused() {
    random(bodies::edges::play, 512);
}

#[test]
fn kept_operations_agree_with_the_model() {
    kept(bodies::operations::play, "operations");
}

#[test]
fn kept_sizes_come_back_or_are_refused() {
    kept(bodies::edges::play, "edges");
}

#[test]
fn kept_damage_ends_every_call() {
    kept(bodies::image::play, "region_image");
}
