//! Mutants of `src/durable/journal.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/journal.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a failed sync is repeated on the same file",
        lost: "What the kernel dropped is acknowledged by the next sync.",
        file: FILE,
        search: "if let Err(error) = self.file.sync() {
            self.is_broken = true;",
        replace: "if let Err(error) = self.file.sync() {
            self.is_broken = false;",
        caught_by: &[test(
            "-p slateboard --test durable_faults a_writer_with_a_short_history_loses_nothing_acknowledged",
        )],
    },
    Mutant {
        name: "a failed append is followed by the next in the same segment",
        lost: "Frames stand at other places than their checks say.",
        file: FILE,
        search: "if let Err(error) = self.file.append(&batch) {
            self.is_broken = true;",
        replace: "if let Err(error) = self.file.append(&batch) {
            self.is_broken = false;",
        caught_by: &[test("-p slateboard --test durable_faults one_writer_loses_nothing_acknowledged")],
    },
    Mutant {
        name: "what another writer appended counts as on disk",
        lost: "What a failed sync of a dead writer lost is acknowledged.",
        file: FILE,
        search: "is_doubtful: scan.last > scan.synced,",
        replace: "is_doubtful: false,",
        caught_by: &[test(
            "-p slateboard --test durable_files what_another_writer_did_not_sync_is_written_again_before_it_is_acknowledged",
        )],
    },
    Mutant {
        name: "a sync that did nothing acknowledges everything",
        lost: "What is in no file is acknowledged.",
        file: FILE,
        search: "self.push()?;
        if let Err(error) = self.file.sync()",
        replace: "if let Err(error) = self.file.sync()",
        caught_by: &[test("-p slateboard --test durable_faults one_writer_loses_nothing_acknowledged")],
    },
    Mutant {
        name: "a sync acknowledges what was only written",
        lost: "A power cut loses what was acknowledged.",
        file: FILE,
        search: "if let Err(error) = self.file.sync() {",
        replace: "if let Err(error) = Ok::<(), std::io::Error>(()) {",
        caught_by: &[test("-p slateboard --test durable_faults one_writer_loses_nothing_acknowledged")],
    },
    Mutant {
        name: "a new segment has no name on disk",
        lost: "A power cut loses a segment whose frames were acknowledged.",
        file: FILE,
        search: "match written.and_then(|()| disk.sync_folder()) {",
        replace: "match written {",
        caught_by: &[test("-p slateboard --test durable_faults one_writer_loses_nothing_acknowledged")],
    },
    Mutant {
        name: "a new segment has no head on disk",
        lost: "A power cut leaves a segment that cannot be read, and recovery doubts what follows.",
        file: FILE,
        search: ".and_then(|()| file.sync());",
        replace: ".and_then(|()| file.length().map(|_| ()));",
        caught_by: &[test(
            "-p slateboard --test durable_files a_segment_that_was_only_begun_is_not_put_aside",
        )],
    },
    Mutant {
        name: "a segment grows without end",
        lost: "Nothing that a snapshot covers can be removed.",
        file: FILE,
        search: "if noted.is_ok() && self.length >= self.limits.segment_bytes {",
        replace: "if noted.is_ok() && self.length == u64::MAX {",
        caught_by: &[test(
            "-p slateboard --test durable_files a_segment_that_is_long_enough_is_followed_by_the_next",
        )],
    },
    Mutant {
        name: "what was not on disk is not written again",
        lost: "What another writer did not sync is lost when it is doubted.",
        file: FILE,
        search: "self.copy_from(source).inspect_err(|_| self.is_broken = true)?;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_files what_another_writer_did_not_sync_is_written_again_before_it_is_acknowledged",
        )],
    },
    Mutant {
        name: "an event is appended whatever is missing before it",
        lost: "A gap of the journal is told by nobody.",
        file: FILE,
        search: "if generation != self.appended + 1 {",
        replace: "if generation <= self.appended {",
        caught_by: &[test("-p slateboard --test durable_files generations_are_appended_once_and_in_order")],
    },
    Mutant {
        name: "an event is appended again",
        lost: "The journal has two events of one generation.",
        file: FILE,
        search: "if generation <= self.appended {
            return Ok(false);",
        replace: "if generation == u64::MAX {
            return Ok(false);",
        caught_by: &[test("-p slateboard --test durable_files generations_are_appended_once_and_in_order")],
    },
    Mutant {
        name: "every writer opens an epoch",
        lost: "Each command leaves a file of its own.",
        file: FILE,
        search: "if !is_last || name.is_archived || !scan.is_clean {",
        replace: "if is_last || name.is_archived || !scan.is_clean {",
        caught_by: &[test("-p slateboard --test durable_files the_next_writer_goes_on_in_the_same_segment")],
    },
    Mutant {
        name: "a line begins before its events are on disk",
        lost: "After a power cut the new line has a name and no events, and those of the line before are void.",
        file: FILE,
        search: r#"journal.file.sync().map_err(|error| failed(&**disk, &new, "synced", error))?;"#,
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_faults a_line_that_begins_loses_nothing_of_the_one_before",
        )],
    },
    Mutant {
        name: "the name of a line's first segment is not on disk",
        lost: "After a power cut the board is in the line before, and what the new line acknowledged is void.",
        file: FILE,
        search: r#"disk.sync_folder().map_err(|error| failed(&**disk, &name, "made permanent", error))?;"#,
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_faults a_line_that_begins_loses_nothing_of_the_one_before",
        )],
    },
];
