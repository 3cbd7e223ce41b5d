//! Mutants of `src/board/mod.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/mod.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "who only reads has the writers' mapping",
    lost: "A process that was given a reader can write to the board.",
    file: FILE,
    search: "Some(path) => self.options.clone().open_read_only(path),",
    replace: "Some(_) => Ok(self.reader()),",
    caught_by: &[test(
        "-p slateboard --lib board::reader::tests::paused::who_only_reads_has_a_mapping_that_nothing_can_be_written_to",
    )],
}];
