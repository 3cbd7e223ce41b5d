//! Mutants of `src/region/futex.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/futex.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a wake is for one sleeper",
    lost: "Of the processes that sleep on a shard one is told of a change, and the others are late.",
    file: FILE,
    search: "futex::wake(low_half(word), Flags::empty(), i32::MAX as u32).unwrap_or(0)",
    replace: "futex::wake(low_half(word), Flags::empty(), 1).unwrap_or(0)",
    caught_by: &[test("-p slateboard --lib region::futex::tests::all_who_sleep_are_woken_at_once")],
}];
