//! Mutants of `src/board/bulk.rs`.

use super::{Mutant, torture};

const FILE: &str = "src/board/bulk.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a removal of a prefix leaves its first key",
    lost: "A key stays that was there all the time.",
    file: FILE,
    search: "for key in found.entries {",
    replace: "for key in found.entries.into_iter().skip(1) {",
    caught_by: &[torture("--kills 60 --seed 1")],
}];
