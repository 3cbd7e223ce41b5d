//! The bodies of the fuzz targets on the stable toolchain: over random bytes, and over the corpus that is kept in `fuzz/`.
//! `mutated_image` runs the target `region_image` over random bytes.

use slateboard_kit::{durable_files, edges, image, operations, random::script};
use std::path::Path;

/// Random inputs of each body.
const SEEDS: u64 = if cfg!(miri) { 2 } else { 400 };

fn random(play: fn(&[u8]), len_max: usize) {
    for seed in 0..SEEDS {
        let bytes = script(seed, len_max);
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
    random(operations::play, 2_048);
}

#[test]
fn random_sizes_come_back_or_are_refused() {
    random(edges::play, 512);
}

#[test]
fn random_durable_files_are_read_or_refused() {
    random(durable_files::play_snapshot, 512);
    random(durable_files::play_journal, 512);
}

#[test]
fn kept_durable_files_are_read_or_refused() {
    kept(durable_files::play_snapshot, "snapshot");
    kept(durable_files::play_journal, "journal");
}

#[test]
fn kept_operations_agree_with_the_model() {
    kept(operations::play, "operations");
}

#[test]
fn kept_sizes_come_back_or_are_refused() {
    kept(edges::play, "edges");
}

#[test]
fn kept_damage_ends_every_call() {
    kept(image::play, "region_image");
}
