//! Mutants of `src/engine/protocol/claim.rs`.

use super::{Mutant, models};

const FILE: &str = "src/engine/protocol/claim.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a put that finds no block retires nothing",
    lost: "A put is refused although a tombstone that nobody gave back would make room.",
    file: FILE,
    search: "self.retire_all()?;",
    replace: "",
    caught_by: &[models("slots::a_tombstone_left_behind_gives_room")],
}];
