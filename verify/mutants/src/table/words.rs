//! Mutants of `src/engine/layout/words.rs`.

use super::{Mutant, states, test};

const FILE: &str = "src/engine/layout/words.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a group's swept word does not count its changes",
        lost: "A sweep takes the word for unchanged, and replaces the deadline that another took over meanwhile.",
        file: FILE,
        search: "self.0.wrapping_add(1) & mask(Self::COUNT_BITS)",
        replace: "self.0 & mask(Self::COUNT_BITS)",
        caught_by: &[states("sweeps")],
    },
    Mutant {
        name: "the deadlines of a clock's first unit are rounded up",
        lost: "An entry that is over in the first millisecond of the clock is not ended by a sweep for another.",
        file: FILE,
        search: "            1 => Some(1),
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::layout::words::tests::a_hint_is_not_later_than_the_first_deadlines_of_a_clock",
        )],
    },
];
