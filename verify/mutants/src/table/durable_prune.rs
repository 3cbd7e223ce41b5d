//! Mutants of `src/durable/prune.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/prune.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the segment of a stopped writer is archived",
        lost: "A writer that goes on appends to a file that is removed, and acknowledges it.",
        file: FILE,
        search: "(Ok(scan), Some(held)) => (scan.last, Some(held)),
                    _ => continue,",
        replace: "(Ok(scan), held) => (scan.last, held),
                    _ => continue,",
        caught_by: &[test(
            "-p slateboard --test durable_files the_segment_of_a_stopped_writer_is_not_archived",
        )],
    },
    Mutant {
        name: "what no snapshot covers is archived",
        lost: "The only copy of an event is removed when room is short.",
        file: FILE,
        search: "if (name.line, last) <= covered {",
        replace: "if (name.line, last) <= (covered.0, u64::MAX) {",
        caught_by: &[test("-p slateboard --test durable_files what_no_snapshot_covers_is_never_removed")],
    },
    Mutant {
        name: "the archive grows without end",
        lost: "The disk fills.",
        file: FILE,
        search: "if total <= most {",
        replace: "if total <= most || most > 0 {",
        caught_by: &[test(
            "-p slateboard --test durable_files segments_that_a_snapshot_covers_are_archived_and_then_removed",
        )],
    },
    Mutant {
        name: "nothing is archived",
        lost: "The journal is full although snapshots cover it.",
        file: FILE,
        search: "if (name.line, last) <= covered {",
        replace: "if (name.line, last) <= covered && last == 0 {",
        caught_by: &[test(
            "-p slateboard --test durable_files segments_that_a_snapshot_covers_are_archived_and_then_removed",
        )],
    },
    Mutant {
        name: "a journal beyond its limit is not told",
        lost: "The disk fills with what no snapshot covers.",
        file: FILE,
        search: "if total > most {",
        replace: "if total > most && most == 0 {",
        caught_by: &[test(
            "-p slateboard --test durable_files a_journal_that_no_snapshot_covers_does_not_grow_beyond_its_limit",
        )],
    },
];
