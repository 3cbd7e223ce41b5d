//! Mutants of `src/region/registry.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/registry.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a closed descriptor stays registered",
        lost: "A forked child closes a descriptor of somebody else.",
        file: FILE,
        search: "slot.compare_exchange(self.entry, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()",
        replace: "slot.load(Ordering::Acquire) == self.entry",
        caught_by: &[test(
            "-p slateboard --lib region::registry::tests::a_dropped_descriptor_leaves_its_entry",
        )],
    },
    Mutant {
        name: "a descriptor that a fork copied before its entry is used",
        lost: "A forked child keeps the parent's death certificate.",
        file: FILE,
        search: "            if quiet() {
                return Ok(registered);
            }",
        replace: "            return Ok(registered);",
        caught_by: &[test(
            "-p slateboard --lib region::registry::tests::a_fork_before_the_entry_is_seen_and_the_file_opened_again",
        )],
    },
    Mutant {
        name: "a forked child keeps the certificates",
        lost: "A process is not seen dead while a child of it lives.",
        file: FILE,
        search: "unsafe { libc::close(descriptor) };",
        replace: "let _ = descriptor;",
        caught_by: &[test(
            "-p slateboard --test region_processes a_forked_child_has_neither_the_mapping_nor_the_certificate",
        )],
    },
];
