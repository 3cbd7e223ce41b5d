//! Mutants of `src/durable/merge.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/merge.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "where epochs differ the oldest counts",
        lost: "A stopped writer's events replace those that followed them.",
        file: FILE,
        search: ".max_by_key(|cursor| cursor.source.name)",
        replace: ".min_by_key(|cursor| cursor.source.name)",
        caught_by: &[test(
            "-p slateboard --test durable_files where_epochs_differ_the_newest_counts_and_that_is_told",
        )],
    },
    Mutant {
        name: "a conflict is not told",
        lost: "Two histories are taken for one.",
        file: FILE,
        search: "self.told.known = self.told.known.max(generation);",
        replace: "let is_conflict = is_conflict && generation == 0;
        self.told.known = self.told.known.max(generation);",
        caught_by: &[test(
            "-p slateboard --test durable_files where_epochs_differ_the_newest_counts_and_that_is_told",
        )],
    },
    Mutant {
        name: "void generations count",
        lost: "What was given up at a recovery comes back in the place of what followed it.",
        file: FILE,
        search: "number > floor && number < void_from",
        replace: "number > floor && void_from > 0",
        caught_by: &[test(
            "-p slateboard --test durable_files the_next_line_makes_the_rest_of_the_earlier_one_void",
        )],
    },
    Mutant {
        name: "a torn end is not told",
        lost: "Events that were on disk are missing in silence.",
        file: FILE,
        search: "if damage.at_end && is_last {",
        replace: "if damage.at_end && is_last && name.epoch == 0 {",
        caught_by: &[test(
            "-p slateboard --test durable_damage a_file_that_is_cut_anywhere_gives_no_older_value_in_silence",
        )],
    },
    Mutant {
        name: "a note that all was synced is not believed",
        lost: "An event that was acknowledged is missing in silence.",
        file: FILE,
        search: "self.synced = self.synced.max(generation);
        self.known = self.known.max(generation);",
        replace: "self.synced = self.synced.max(generation);",
        caught_by: &[test(
            "-p slateboard --test durable_damage a_bit_that_is_flipped_gives_no_wrong_value_and_no_older_one_in_silence",
        )],
    },
    Mutant {
        name: "an event whose mutations are of another generation counts",
        lost: "A frame with the wrong content passes for an event.",
        file: FILE,
        search: "records.iter().all(|record| record.generation == generation)",
        replace: "records.iter().all(|record| record.generation <= u64::MAX - generation)",
        caught_by: &[test(
            "-p slateboard --test durable_files an_event_whose_mutations_are_of_another_generation_is_none",
        )],
    },
];
