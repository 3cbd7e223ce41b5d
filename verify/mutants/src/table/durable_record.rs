//! Mutants of `src/durable/record.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/record.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an entry loses its deadline on disk",
        lost: "What had a time to live stays for ever after a reboot.",
        file: FILE,
        search: "put(DEADLINE_NS, &self.deadline_ns.to_le_bytes());",
        replace: "",
        caught_by: &[test("-p slateboard --test durable_files a_journal_alone_is_enough")],
    },
    Mutant {
        name: "an entry loses its session on disk",
        lost: "An ephemeral entry outlives its session after a reboot.",
        file: FILE,
        search: "put(EPHEMERAL, &self.ephemeral.to_le_bytes());",
        replace: "",
        caught_by: &[test("-p slateboard --test durable_files a_journal_alone_is_enough")],
    },
];
