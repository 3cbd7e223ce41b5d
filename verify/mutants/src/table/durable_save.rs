//! Mutants of `src/durable/save.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/save.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a snapshot gets its name before its bytes are on disk",
        lost: "After a power cut a snapshot has its name and is empty, and the journal that it covered is gone.",
        file: FILE,
        search: r#"self.file.sync().map_err(|error| failed(self.disk, &new, "synced", error))?;"#,
        replace: "",
        caught_by: &[test("-p slateboard --test durable_faults snapshots_alone_lose_nothing_acknowledged")],
    },
    Mutant {
        name: "the folder is not synced after a snapshot got its name",
        lost: "After a power cut the snapshot has no name, and the journal that it covered is gone.",
        file: FILE,
        search: "if let Err(error) = self.disk.sync_folder() {",
        replace: "if let Err(error) = Ok::<(), std::io::Error>(()) {",
        caught_by: &[test("-p slateboard --test durable_faults snapshots_alone_lose_nothing_acknowledged")],
    },
    Mutant {
        name: "a snapshot is not read back",
        lost: "A disk that writes something else makes a snapshot that cannot be used, and older ones are removed.",
        file: FILE,
        search: "self.verify(&new)?;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_files a_snapshot_that_is_not_read_back_as_it_was_written_is_no_snapshot",
        )],
    },
    Mutant {
        name: "a snapshot whose folder could not be synced keeps its name",
        lost: "A name that may not be on disk counts as one of the last three.",
        file: FILE,
        search: "let _ = self.disk.remove(&self.name);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_files a_snapshot_whose_name_may_not_be_on_disk_is_removed",
        )],
    },
    Mutant {
        name: "leftovers of killed writers stay",
        lost: "Each writer that is killed leaves a file for ever, and the next one of the same name fails.",
        file: FILE,
        search: "    for name in names.iter().filter(is_ours) {",
        replace: "    for name in names.iter().filter(is_ours).take(0) {",
        caught_by: &[test(
            "-p slateboard --test durable_files what_a_killed_writer_left_is_removed_by_the_next",
        )],
    },
    Mutant {
        name: "files of others are removed as leftovers",
        lost: "A file of the user that has the ending is gone.",
        file: FILE,
        search: "name.strip_suffix(NEW).and_then(Name::parse).is_some();",
        replace: "name.ends_with(NEW);",
        caught_by: &[test(
            "-p slateboard --test durable_files what_a_killed_writer_left_is_removed_by_the_next",
        )],
    },
    Mutant {
        name: "two processes save at once",
        lost: "One removes the file that the other is writing.",
        file: FILE,
        search: "disk.lock(SAVING).map_err(|error| failed(disk, super::disk::LOCK",
        replace: "disk.lock(SAVING + 1).map_err(|error| failed(disk, super::disk::LOCK",
        caught_by: &[test("-p slateboard --test durable_files one_process_at_a_time_saves_or_recovers")],
    },
    Mutant {
        name: "all snapshots stay",
        lost: "The folder grows without end.",
        file: FILE,
        search: ".skip(KEPT).rev()",
        replace: ".skip(usize::MAX).rev()",
        caught_by: &[test("-p slateboard --test durable_files the_last_three_snapshots_stay")],
    },
    Mutant {
        name: "one snapshot fewer stays",
        lost: "There is one fewer to fall back on.",
        file: FILE,
        search: ".skip(KEPT).rev()",
        replace: ".skip(KEPT - 1).rev()",
        caught_by: &[test("-p slateboard --test durable_files the_last_three_snapshots_stay")],
    },
    Mutant {
        name: "a save that is given up leaves its file",
        lost: "A failed save takes space for ever.",
        file: FILE,
        search: "if !self.is_done {",
        replace: "if self.entries > u64::MAX / 2 {",
        caught_by: &[test("-p slateboard --test durable_files a_save_that_is_given_up_leaves_nothing")],
    },
    Mutant {
        name: "chunks are never packed",
        lost: "Snapshots are several times as long.",
        file: FILE,
        search: "let is_packed = self.is_packing && pack(chunk, out);",
        replace: "let is_packed = false;",
        caught_by: &[test("-p slateboard --test durable_files long_values_and_many_chunks_come_back")],
    },
    Mutant {
        name: "an entry of any length goes into a chunk",
        lost: "A snapshot has a chunk that no reader takes.",
        file: FILE,
        search: "if bytes > PAYLOAD_MAX {",
        replace: "if bytes > usize::MAX / 2 {",
        caught_by: &[test(
            "-p slateboard --test durable_files an_entry_that_no_chunk_has_room_for_is_refused",
        )],
    },
];
