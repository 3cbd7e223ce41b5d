//! Mutants of `src/region/mapping.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/mapping.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a forked child keeps the mapping",
    lost: "A process that has nothing of the board takes its memory, and a stray store in it changes the board.",
    file: FILE,
    search: "map.advise(Advice::DontFork).map_err(failed)?;",
    replace: "",
    caught_by: &[test(
        "-p slateboard --test region_processes a_forked_child_has_neither_the_mapping_nor_the_certificate",
    )],
}];
