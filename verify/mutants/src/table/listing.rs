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
    Mutant {
        name: "an event that leaves the history meanwhile is damage",
        lost: "A sound board is told to be damaged while others write.",
        file: FILE,
        search: "                Err(_) => {}",
        replace: "                Err(_) => damaged.push(Damage::of_event(core, generation, COUNTERS)),",
        caught_by: &[test(
            "-p slateboard --lib board::listing::tests::events_that_leave_the_history_meanwhile_are_no_damage",
        )],
    },
    Mutant {
        name: "a history that laps before a look at its soundness is damage",
        lost: "A sound board is told to be damaged when the one who asks is paused.",
        file: FILE,
        search: "|| floor > core.generation() {",
        replace: "|| floor > newest {",
        caught_by: &[test(
            "-p slateboard --lib board::listing::tests::events_that_leave_the_history_meanwhile_are_no_damage",
        )],
    },
];
