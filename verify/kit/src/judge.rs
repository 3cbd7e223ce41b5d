//! The judgement of a board at rest: the independent check ([`slateboard_fsck`]) of its bytes, and the comparison of
//! what it found with the reference.

use crate::places::words;
use slateboard_fsck::{Summary, check};
use std::path::Path;

/// What the words hold, or everything that is wrong with them. Nobody may be writing; `living` are the records of
/// attached sessions, which keep blocks at hand.
///
/// # Errors
/// The findings, one a line.
pub fn sound(words: &[u64], living: &[u16]) -> Result<Summary, String> {
    check(words, living).map_err(|findings| {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        findings.join("\n")
    })
}

/// Fails unless the board is sound: above all, every block is free or named by exactly one slot, event, chain or
/// record. No session may be attached.
pub fn assert_sound(path: &Path) -> Summary {
    assert_sound_with(path, &[])
}

/// As [`assert_sound`], while the sessions of these records are attached.
pub fn assert_sound_with(path: &Path, living: &[u16]) -> Summary {
    let words = words(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    sound(&words, living).unwrap_or_else(|what| panic!("{} is not sound:\n{what}", path.display()))
}
