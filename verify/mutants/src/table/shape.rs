//! Mutants of `src/engine/layout/shape.rs`.

use super::{Mutant, test};

const FILE: &str = "src/engine/layout/shape.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a board's file may say any number of sessions",
        lost: "A session's lock byte is the elected one's.",
        file: FILE,
        search: "!within(self.sessions, 1, SESSIONS_MAX)",
        replace: "self.sessions == 0",
        caught_by: &[test(
            "-p slateboard --lib engine::layout::shape::tests::each_number_of_a_shape_has_its_bounds",
        )],
    },
    Mutant {
        name: "a board's file may say any number of names",
        lost: "A record names its writer by a number that it cannot hold.",
        file: FILE,
        search: "!within(self.names, 1, 16_384)",
        replace: "self.names == 0",
        caught_by: &[test(
            "-p slateboard --lib engine::layout::shape::tests::each_number_of_a_shape_has_its_bounds",
        )],
    },
];
