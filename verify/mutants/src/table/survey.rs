//! Mutants of `src/engine/protocol/survey.rs`.

use super::{Mutant, models};

const FILE: &str = "src/engine/protocol/survey.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a walk believes what it copied",
    lost: "A list has a torn value, or misses a key that stands.",
    file: FILE,
    search: "if self.holds(Proof::HeadOrFloor(slot, head, since)) {",
    replace: "if since < u64::MAX {",
    caught_by: &[models("view::a_walk_finds_every_key_that_stands")],
}];
