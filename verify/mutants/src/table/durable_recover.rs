//! Mutants of `src/durable/recover.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/recover.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "missing generations are not told",
        lost: "A board has older values and says nothing.",
        file: FILE,
        search: "if event.generation > expected {",
        replace: "if event.generation > expected && expected == 0 {",
        caught_by: &[test("-p slateboard --test durable_files a_gap_is_told_unless_a_snapshot_has_it")],
    },
    Mutant {
        name: "what is known to have been there is not missed",
        lost: "The newest snapshot is lost, and the board has older values and says nothing.",
        file: FILE,
        search: "if self.known >= expected {",
        replace: "if self.known >= expected && expected == 0 {",
        caught_by: &[test(
            "-p slateboard --test durable_damage a_file_that_is_cut_anywhere_gives_no_older_value_in_silence",
        )],
    },
    Mutant {
        name: "files of which none is valid make an empty board",
        lost: "A damaged board comes back empty, in silence.",
        file: FILE,
        search: "match names.iter().any(is_durable) {",
        replace: "match names.iter().any(is_durable) && names.is_empty() {",
        caught_by: &[test(
            "-p slateboard --test durable_files files_without_a_valid_one_are_an_error_and_not_an_empty_board",
        )],
    },
    Mutant {
        name: "files that were put aside make an empty board",
        lost: "The second recovery of a damaged board gives an empty one, in silence.",
        file: FILE,
        search: "Name::parse(name).is_some() || name.contains(CORRUPT);",
        replace: "Name::parse(name).is_some();",
        caught_by: &[test(
            "-p slateboard --test durable_files files_without_a_valid_one_are_an_error_and_not_an_empty_board",
        )],
    },
    Mutant {
        name: "a void snapshot is used",
        lost: "What was given up at a recovery comes back in the place of what followed it.",
        file: FILE,
        search: "source.name.line > line && source.first <= generation",
        replace: "source.name.line > line && source.first == 0 && generation == 0",
        caught_by: &[test(
            "-p slateboard --test durable_files the_next_line_makes_the_rest_of_the_earlier_one_void",
        )],
    },
    Mutant {
        name: "what an earlier recovery put aside is forgotten",
        lost: "The second recovery gives older values, in silence.",
        file: FILE,
        search: "earlier.chain(search",
        replace: "earlier.take(0).chain(search",
        caught_by: &[test(
            "-p slateboard --test durable_files a_snapshot_that_was_put_aside_before_is_still_told",
        )],
    },
    Mutant {
        name: "a recovery goes on beside a save",
        lost: "One removes what the other writes.",
        file: FILE,
        search: r#"let held = disk.lock(SAVING).map_err(|error| failed(disk, LOCK, "locked", error))?;"#,
        replace: r#"let held = disk.lock(SAVING + 1).map_err(|error| failed(disk, LOCK, "locked", error))?;"#,
        caught_by: &[test("-p slateboard --test durable_files one_process_at_a_time_saves_or_recovers")],
    },
    Mutant {
        name: "a line begins without what only memory had",
        lost: "A power cut loses what the new line acknowledged events after.",
        file: FILE,
        search: "Journal::begin_line(disk, &author, limits, self.synced, |journal| {",
        replace: "Journal::begin_line(disk, &author, limits, self.known, |journal| {",
        caught_by: &[test(
            "-p slateboard --test durable_faults a_line_that_begins_loses_nothing_of_the_one_before",
        )],
    },
    Mutant {
        name: "the name of the snapshot that is recovered may not be on disk",
        lost: "A power cut takes the snapshot under a line that counts on it.",
        file: FILE,
        search: r#"disk.sync_folder().map_err(|error| failed(disk, "", "synced", error))?;"#,
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_faults the_name_of_a_snapshot_is_on_disk_before_a_line_counts_on_it",
        )],
    },
    Mutant {
        name: "a damaged snapshot stays in its place",
        lost: "Each recovery reads it again, and it counts as one of the last three.",
        file: FILE,
        search: "Err(why) => self.put_aside(name, why)?,
            }
        }
        Ok(None)",
        replace: "Err(_) => {}
            }
        }
        Ok(None)",
        caught_by: &[test(
            "-p slateboard --test durable_damage a_bit_that_is_flipped_gives_no_wrong_value_and_no_older_one_in_silence",
        )],
    },
];
