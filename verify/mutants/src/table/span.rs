//! Mutants of `src/board/index/span.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/index/span.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an empty range is looked up",
        lost: "A list of a range without keys panics.",
        file: FILE,
        search: "start >= end,",
        replace: "start > end,",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a tighter bound that excludes its key is not taken",
        lost: "A list has the key that its range excludes.",
        file: FILE,
        search: "(_, new) => matches!(new, Excluded(_)),",
        replace: "_ => false,",
        caught_by: &[test(
            "-p slateboard --lib board::index::span::tests::a_span_has_the_keys_of_its_prefix_between_its_bounds",
        )],
    },
    Mutant {
        name: "a wider bound replaces a tighter one",
        lost: "A list has keys that its prefix does not have.",
        file: FILE,
        search: "(new > old) == start",
        replace: "(new > old) == start || new != old",
        caught_by: &[test(
            "-p slateboard --lib board::index::span::tests::a_span_has_the_keys_of_its_prefix_between_its_bounds",
        )],
    },
    Mutant {
        name: "a span that is read backwards goes on forwards",
        lost: "A list of many keys in reverse repeats its first batch.",
        file: FILE,
        search: "if backwards { self.end = bound } else { self.start = bound }",
        replace: "if backwards { self.start = bound } else { self.start = bound }",
        caught_by: &[test(
            "-p slateboard --lib board::index::span::tests::what_was_passed_is_left_out_in_either_direction",
        )],
    },
];
