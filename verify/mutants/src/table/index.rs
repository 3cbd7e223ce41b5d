//! Mutants of `src/board/index/mod.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/index/mod.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no list builds the index",
        lost: "Each list looks at every slot of the board.",
        file: FILE,
        search: "                *state = State::Asked;
                return Ok(false);",
        replace: "                return Ok(false);",
        caught_by: &[test("-p slateboard --lib board::index::tests::the_second_list_builds_the_index")],
    },
    Mutant {
        name: "an index that could not be built is never tried again",
        lost: "After damage that is mended each list looks at every slot.",
        file: FILE,
        search: "*left -= 1;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::index::tests::an_index_that_could_not_be_built_is_tried_again_after_sixteen_lists",
        )],
    },
    Mutant {
        name: "an index that could not be built is tried at each list",
        lost: "Each list of a damaged board costs a failed attempt beside its walk.",
        file: FILE,
        search: "*state = State::Resting(REST);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::index::tests::an_index_that_could_not_be_built_is_tried_again_after_sixteen_lists",
        )],
    },
];
