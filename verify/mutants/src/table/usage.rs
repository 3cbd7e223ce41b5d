//! Mutants of `src/engine/protocol/usage.rs`.

use super::{Mutant, test};

const FILE: &str = "src/engine/protocol/usage.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a table is full when it has one overflow bucket more than it may",
        lost: "A full table does not say that it refuses keys.",
        file: FILE,
        search: "usage.refuses_keys &= usage.overflow >= overflow_max;",
        replace: "usage.refuses_keys &= usage.overflow > overflow_max;",
        caught_by: &[test(
            "-p slateboard --lib board::metrics::tests::overflow_buckets_are_used_and_a_table_without_a_slot_refuses_keys",
        )],
    },
    Mutant {
        name: "the slot of a removed key makes no room",
        lost: "A table whose history gives slots back says that it refuses keys.",
        file: FILE,
        search: "room |= !used || self.is_a_tombstone(head);",
        replace: "room |= !used;",
        caught_by: &[test(
            "-p slateboard --lib board::metrics::tests::overflow_buckets_are_used_and_a_table_without_a_slot_refuses_keys",
        )],
    },
    Mutant {
        name: "overflow buckets are told among the values",
        lost: "The bytes of values and of the history are wrong.",
        file: FILE,
        search:
            "                    StateKind::Owned if matches!(self.load_gen(block), GenWord::Bucket(_)) => {
                        usage.overflow_granules += size(class);
                    }
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::metrics::tests::overflow_buckets_are_used_and_a_table_without_a_slot_refuses_keys",
        )],
    },
];
