//! Mutants of `src/engine/layout/words.rs`.

use super::{Mutant, states};

const FILE: &str = "src/engine/layout/words.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a group's swept word does not count its changes",
    lost: "A sweep takes the word for unchanged, and replaces the deadline that another took over meanwhile.",
    file: FILE,
    search: "self.0.wrapping_add(1) & mask(Self::COUNT_BITS)",
    replace: "self.0 & mask(Self::COUNT_BITS)",
    caught_by: &[states("sweeps")],
}];
