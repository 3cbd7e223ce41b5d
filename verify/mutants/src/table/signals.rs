//! Mutants of `src/region/signals.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/signals.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a process dies of a signal before its sessions ended",
    lost: "What was bound to the other sessions of the process stays until somebody reaps it.",
    file: FILE,
    search: "started.elapsed() < patience",
    replace: "started.elapsed() > patience",
    caught_by: &[test(
        "-p slateboard --test processes_killed a_signal_ends_the_session_in_good_order_and_then_the_process",
    )],
}];
