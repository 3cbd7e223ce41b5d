//! Mutants of `src/board/seat.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/seat.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "every lease is renewed whenever the keeper wakes",
        lost: "The history is full of renewals.",
        file: FILE,
        search: "renewal.due_ns <= boot_ns)",
        replace: "renewal.due_ns <= boot_ns.max(renewal.due_ns))",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "a renewal is due again at once",
        lost: "The keeper renews without a pause, and the history is full of it.",
        file: FILE,
        search: "renewal.due_ns = boot_ns.saturating_add(renewal.every_ns);",
        replace: "renewal.due_ns = boot_ns.min(renewal.every_ns);",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "a lease is renewed once",
        lost: "Leases lapse after their first renewal.",
        file: FILE,
        search: "                self.renewals.lock().push(renewal);",
        replace: "                drop(renewal);",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "the keeper wakes for the last lease that is due",
        lost: "The shorter of two leases lapses.",
        file: FILE,
        search: "iter().map(|renewal| renewal.due_ns).min()",
        replace: "iter().map(|renewal| renewal.due_ns).max()",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::each_lease_of_a_session_is_renewed_until_it_is_released",
        )],
    },
];
