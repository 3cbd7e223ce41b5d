//! Mutants of `src/region/process.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/process.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "whoever has the process id is the process",
        lost: "An eviction kills a bystander that has the id of a process that has ended.",
        file: FILE,
        search: "Some(start_time) if start_time == wanted.start_time",
        replace: "Some(start_time) if start_time > 0",
        caught_by: &[test(
            "-p slateboard --lib region::process::tests::a_process_that_has_the_id_of_another_is_not_found",
        )],
    },
    Mutant {
        name: "a process id means the same in each namespace",
        lost: "An eviction kills a bystander that has the same id in another container.",
        file: FILE,
        search: "wanted.pid_namespace == 0 || wanted.pid_namespace != own.pid_namespace",
        replace: "wanted.pid_namespace == 0 && own.pid_namespace > 0",
        caught_by: &[test("-p slateboard --lib region::process::tests::what_cannot_be_proved_is_refused")],
    },
    Mutant {
        name: "a process without a start time is found",
        lost: "An eviction compares with a start time that nobody recorded.",
        file: FILE,
        search: "if wanted.start_time == 0 {",
        replace: "if wanted.start_time == u64::MAX {",
        caught_by: &[test("-p slateboard --lib region::process::tests::what_cannot_be_proved_is_refused")],
    },
    Mutant {
        name: "a process that has ended is found",
        lost: "An eviction tells that it killed a process that had ended.",
        file: FILE,
        search: "        if process.has_ended() {",
        replace: "        if process.has_ended() && wanted.pid == 0 {",
        caught_by: &[test(
            "-p slateboard --lib region::process::tests::a_process_is_found_by_its_identity_and_killed",
        )],
    },
];
