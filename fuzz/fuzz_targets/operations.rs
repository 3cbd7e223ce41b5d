//! Every answer of a sound board is the model's, and the board is sound at the end.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slateboard_kit::operations::play(bytes));
