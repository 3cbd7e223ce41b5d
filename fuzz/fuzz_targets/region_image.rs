//! Whatever stands in the region, no call panics, hangs or reads out of bounds. `cargo +nightly fuzz run
//! region_image`; tests/mutated_image.rs plays the same body over pseudo-random scripts.
#![no_main]

#[path = "../src/image.rs"]
mod image;

libfuzzer_sys::fuzz_target!(|script: &[u8]| image::play(script));
