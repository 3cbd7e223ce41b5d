//! Whatever stands in the region, no call panics, hangs or reads out of bounds, and no read gives a value that
//! nobody wrote.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slateboard_kit::image::play(bytes));
