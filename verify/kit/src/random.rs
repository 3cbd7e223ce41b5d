//! Random numbers that are the same in every run with the same seed.
//!
//! The generator is fastrand's (wyrand). Its output may change with a major version of that crate: a seed names a run of
//! one version of this repository.

pub use fastrand::Rng as Random;
use std::time::{SystemTime, UNIX_EPOCH};

/// A seed from the clock, for runs that shall differ.
pub fn seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}

/// Fewer than `len_max` random bytes, which follow from the seed.
pub fn script(seed: u64, len_max: usize) -> Vec<u8> {
    let mut random = Random::with_seed(seed);
    let mut bytes = vec![0; random.usize(..len_max)];
    random.fill(&mut bytes);
    bytes
}
