//! Mutants of `src/durable/load.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/load.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the digest of a snapshot is not compared",
        lost: "A chunk of another snapshot is taken for one of this.",
        file: FILE,
        search: " || footer.digest != digest",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_files a_chunk_of_another_snapshot_is_not_taken_for_one_of_this",
        )],
    },
    Mutant {
        name: "what follows the footer is not looked at",
        lost: "A snapshot that something was appended to passes for sound.",
        file: FILE,
        search: "if frames.offset() != frames.length() {",
        replace: "if frames.offset() > frames.length() {",
        caught_by: &[test(
            "-p slateboard --test durable_files a_chunk_of_another_snapshot_is_not_taken_for_one_of_this",
        )],
    },
];
