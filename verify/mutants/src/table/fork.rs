//! Mutants of `src/region/fork.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/fork.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a board that was removed is told as replaced",
    lost: "The user is not told to make a new one.",
    file: FILE,
    search: "Moved::Gone => GONE,",
    replace: "Moved::Gone => REPLACED,",
    caught_by: &[test("-p slateboard --lib region::fork::tests::a_mark_tells_how_the_board_moved")],
}];
