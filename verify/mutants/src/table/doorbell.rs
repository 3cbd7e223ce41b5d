//! Mutants of `src/region/doorbell.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/doorbell.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a doorbell may have too few flags",
        lost: "Who sleeps on a shard without a flag is never woken.",
        file: FILE,
        search: "if found < expected {",
        replace: "if found < expected.min(1) {",
        caught_by: &[test(
            "-p slateboard --lib region::doorbell::tests::a_doorbell_without_a_flag_for_each_counter_or_with_rights_for_others_is_refused",
        )],
    },
    Mutant {
        name: "a doorbell may be anybody's",
        lost: "Another user wakes and silences the sleepers of a board.",
        file: FILE,
        search: "validate::check_file(&file, &path)?.st_size",
        replace: "validate::check_file_to_ask(&file, &path)?.st_size",
        caught_by: &[test(
            "-p slateboard --lib region::doorbell::tests::a_doorbell_without_a_flag_for_each_counter_or_with_rights_for_others_is_refused",
        )],
    },
];
