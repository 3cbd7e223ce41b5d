//! Mutants of `src/region/clock.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/clock.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "boot time is as the container shows it",
        lost: "What lives in one container is over in another.",
        file: FILE,
        search: ".wrapping_sub(AHEAD_NS.load(Ordering::Relaxed))",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test time a_deadline_means_the_same_in_a_container_with_another_boot_time",
        )],
    },
    Mutant {
        name: "the nanoseconds of an offset do not count",
        lost: "Deadlines differ between containers by up to a second.",
        file: FILE,
        search: ".wrapping_add(nanoseconds).cast_unsigned()",
        replace: ".cast_unsigned()",
        caught_by: &[test(
            "-p slateboard --lib region::clock::tests::the_offset_of_a_time_namespace_is_read_with_its_sign",
        )],
    },
];
