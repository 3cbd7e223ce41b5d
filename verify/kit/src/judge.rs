//! The independent check of a board at rest, by the bytes of its file.

use slateboard_fsck::{Summary, check};
use std::path::Path;

/// The words of the file.
pub fn words(path: &Path) -> Vec<u64> {
    let bytes = std::fs::read(path).unwrap();
    let (words, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty(), "the file ends within a word");
    words.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

/// Fails unless the board is sound: above all, every block is free or named by exactly one slot, event, chain or
/// record. Nobody may be writing, and no session may be attached: they keep blocks at hand.
pub fn assert_sound(path: &Path) -> Summary {
    assert_sound_with(path, &[])
}

/// As [`assert_sound`], while these records' sessions are attached.
pub fn assert_sound_with(path: &Path, living: &[u16]) -> Summary {
    check(&words(path), living).unwrap_or_else(|findings| {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        panic!("{} is not sound:\n{}", path.display(), findings.join("\n"))
    })
}
