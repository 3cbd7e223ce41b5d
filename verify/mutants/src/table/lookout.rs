//! Mutants of `src/board/lookout.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/lookout.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a lookout does not look",
    lost: "Who only reads never learns that the board was replaced.",
    file: FILE,
    search: "region.look();",
    replace: "",
    caught_by: &[test(
        "-p slateboard --lib board::lookout::tests::a_lookout_notices_that_the_board_is_not_at_its_path",
    )],
}];
