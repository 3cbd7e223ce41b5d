//! Whatever a segment of the journal has, recovery returns, and gives no value that the board did not have.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slateboard_kit::durable_files::play_journal(bytes));
