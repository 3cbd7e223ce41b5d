//! Mutants of `src/region/truncation.rs`, and of the checks that rely on it.

use super::{Mutant, test};

const FILE: &str = "src/region/truncation.rs";
const OTHERS: &str = "-p slateboard --test truncation every_other_sigbus_has_the_effect_that_it_had";
const WRITES: &str = "-p slateboard --test truncation writes_to_a_board_that_was_cut_short_are_in_the_file_or_not_acknowledged";
const READS: &str =
    "-p slateboard --test truncation reads_of_a_board_that_was_cut_short_tell_the_truth_or_that_it_moved";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a handler of SIGBUS that the program had is not called",
        lost: "A program that handles its own faults is ended by them.",
        file: FILE,
        search: "Some(SigHandler::Handler(before)) => before(number),",
        replace: "Some(SigHandler::Handler(_)) => {}",
        caught_by: &[test(OTHERS)],
    },
    Mutant {
        name: "a SIGBUS that the program ignores ends it",
        lost: "A program that ignores the signal is ended by one that another process sends.",
        file: FILE,
        search: "Some(SigHandler::SigIgn) if code <= 0 => {}",
        replace: "Some(SigHandler::SigIgn) if code > 0 => {}",
        caught_by: &[test(OTHERS)],
    },
    Mutant {
        name: "a write to a page that the file lost is acknowledged",
        lost: "What a put stored is seen by its own process alone.",
        file: "src/board/seat.rs",
        search: "        self.region.stands()?;\n        outcome",
        replace: "        outcome",
        caught_by: &[test(WRITES)],
    },
    Mutant {
        name: "a key is absent in a page that the file lost",
        lost: "A reader takes a page of zeros for an empty board.",
        file: "src/board/reader.rs",
        search: "self.region.kept(Ok(None))",
        replace: "Ok(None)",
        caught_by: &[test(READS)],
    },
    Mutant {
        name: "a handle reads a page that the file lost",
        lost: "A reader by handle takes a page of zeros for an empty board.",
        file: "src/board/key.rs",
        search: "let is = reader.region.kept(is)?;",
        replace: "let is = is?;",
        caught_by: &[test(READS)],
    },
    Mutant {
        name: "a list leaves out what the file lost",
        lost: "A list is short, and looks whole.",
        file: "src/board/list.rs",
        search: "            let next = self.of.reader().region.kept(next);\n",
        replace: "",
        caught_by: &[test(READS)],
    },
    Mutant {
        name: "a file that was cut short is whole to a look",
        lost: "Processes that touch nothing of what was cut off go on, and nobody can open the board.",
        file: "src/region/file.rs",
        search: "size >= self.mapping.len_bytes() as u64",
        replace: "size + self.mapping.len_bytes() as u64 >= size",
        caught_by: &[test("-p slateboard --test region_files a_region_that_was_cut_short_has_moved")],
    },
];
