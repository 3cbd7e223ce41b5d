//! Keys and values of every size come back as they were, or are refused and change nothing.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slateboard_kit::edges::play(bytes));
