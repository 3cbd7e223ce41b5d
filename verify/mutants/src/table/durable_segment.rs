//! Mutants of `src/durable/segment.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/segment.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a segment under the name of another is read",
        lost: "A file that was copied to another name makes conflicts.",
        file: FILE,
        search: "Ok(if is_its_own {",
        replace: "Ok(if is_its_own || head.sequence < u64::MAX {",
        caught_by: &[test("-p slateboard --test durable_files a_file_under_the_name_of_another_is_not_used")],
    },
    Mutant {
        name: "the synced mark of a segment is not read",
        lost: "A writer writes everything again that was on disk.",
        file: FILE,
        search: "scan.synced = scan.synced.max(number)",
        replace: "scan.synced = scan.synced.min(number)",
        caught_by: &[test(
            "-p slateboard --test durable_files a_stopped_writer_does_not_keep_another_from_the_next_epoch",
        )],
    },
    Mutant {
        name: "a segment with a torn end is gone on in",
        lost: "Frames behind a torn one stand where no reader looks for them.",
        file: FILE,
        search: "Step::Frame(_) | Step::Damage(_) => scan.is_clean = false,",
        replace: "Step::Frame(_) | Step::Damage(_) => {}",
        caught_by: &[test("-p slateboard --test durable_files a_segment_with_a_torn_end_is_not_gone_on_in")],
    },
];
