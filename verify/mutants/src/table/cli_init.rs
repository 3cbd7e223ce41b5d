//! Mutants of `cli/src/commands/init.rs`.

use super::{Mutant, test};

const FILE: &str = "cli/src/commands/init.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a region that cannot be opened has no users",
    lost: "A second board is made beside one whose users cannot be asked for.",
    file: FILE,
    search: "nobody_uses(&region)?;
                continue;",
    replace: "continue;",
    caught_by: &[test(
        "-p slateboard-cli --test unknown no_second_board_is_made_beside_one_that_cannot_be_asked",
    )],
}];
