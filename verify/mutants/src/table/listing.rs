//! Mutants of `src/board/listing.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/listing.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "soundness names a damaged record twice",
        lost: "A damaged record is counted as two.",
        file: FILE,
        search: "let known = |other: &Damage| other.key.is_some() && other.key == found.key;",
        replace: "let known = |other: &Damage| other.key.is_some() && other.generation == found.generation;",
        caught_by: &[test(
            "-p slateboard --test lists a_damaged_record_takes_nothing_from_other_keys_and_is_named",
        )],
    },
    Mutant {
        name: "an error counts the damage that it names as more",
        lost: "An error tells a wrong number of damaged records.",
        file: FILE,
        search: "all.len() - NAMED)",
        replace: "all.len())",
        caught_by: &[test(
            "-p slateboard --lib board::listing::tests::an_error_counts_the_damaged_records_and_names_some",
        )],
    },
];
