//! Mutants of `src/board/options.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/options.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "sizes are not checked",
        lost: "A board of no size is refused with another reason, or made.",
        file: FILE,
        search: "!(least..=most).contains(&value)",
        replace: "value == u64::MAX && least > most",
        caught_by: &[test("-p slateboard --test sizes numbers_out_of_range_are_refused_with_least_and_most")],
    },
    Mutant {
        name: "a number may exceed its range by one",
        lost: "A board has sizes that its format cannot hold.",
        file: FILE,
        search: "!(least..=most).contains(&value)",
        replace: "!(least..=most + 1).contains(&value)",
        caught_by: &[test("-p slateboard --test sizes numbers_out_of_range_are_refused_with_least_and_most")],
    },
    Mutant {
        name: "a reader's beat may be zero",
        lost: "The thread of a reader looks at the board's path without a pause.",
        file: FILE,
        search: "        self.check_beat()?;
        let region = Region::open_read_only",
        replace: "        let region = Region::open_read_only",
        caught_by: &[test("-p slateboard --test sizes a_beat_is_looked_at_when_a_board_is_opened_too")],
    },
];
