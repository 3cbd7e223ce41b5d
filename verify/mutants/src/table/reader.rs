//! Mutants of `src/board/reader.rs`.

use super::{Mutant, torture};

const FILE: &str = "src/board/reader.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "an expired entry is present",
    lost: "A value is returned after its time to live.",
    file: FILE,
    search: "let present = is && !is_expired(found.words.deadline());",
    replace: "let present = is;",
    caught_by: &[torture("--kills 60 --seed 1")],
}];
