//! Mutants of `src/board/keeper.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/keeper.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a nudge does not wake the keeper",
        lost: "Leases that are shorter than a beat lapse.",
        file: FILE,
        search: "let _sleeping_or_before_the_look = self.lock();
        self.changed.notify_all();",
        replace: "let _sleeping_or_before_the_look = self.lock();",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
    Mutant {
        name: "the keeper renews nothing",
        lost: "Each lease lapses.",
        file: FILE,
        search: "        seat.renew(boot_ns);
",
        replace: "",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
    Mutant {
        name: "the keeper does not wake for renewals",
        lost: "Leases that are shorter than a beat lapse.",
        file: FILE,
        search: "map_or(due_ns, |renewal_ns| renewal_ns.min(due_ns))",
        replace: "map_or(due_ns, |_| due_ns)",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
];
