//! Mutants of `src/durable/mod.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/mod.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "files of newer versions are read",
        lost: "An older build misreads what a newer one wrote.",
        file: FILE,
        search: "if head.version != VERSION_NUMBER {",
        replace: "if head.version < VERSION_NUMBER {",
        caught_by: &[test(
            "-p slateboard --test durable_files files_of_a_newer_version_are_refused_and_stay",
        )],
    },
    Mutant {
        name: "files of other boards are read",
        lost: "A board gets the values of another.",
        file: FILE,
        search: "if head.board != board {",
        replace: "if head.board != board && head.version != VERSION_NUMBER {",
        caught_by: &[test("-p slateboard --test durable_files files_of_another_board_are_refused")],
    },
];
