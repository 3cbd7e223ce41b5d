//! Mutants of `src/region/signals.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/signals.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a process dies of a signal before its sessions ended",
        lost: "What was bound to the other sessions of the process stays until somebody reaps it.",
        file: FILE,
        search: "started.elapsed() < patience",
        replace: "started.elapsed() > patience",
        caught_by: &[test(
            "-p slateboard --test processes_killed a_signal_ends_the_session_in_good_order_and_then_the_process",
        )],
    },
    Mutant {
        name: "a signal that the program ignores ends its sessions",
        lost: "A program that goes on loses its sessions, as one that runs in the background does at each interrupt.",
        file: FILE,
        search: "matches!(handler, SigHandler::SigIgn) || before.set(old).is_err()",
        replace: "before.set(old).is_err()",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "a handler that the program has set since is replaced",
        lost: "A program's own handler is never called.",
        file: FILE,
        search: "matches!(handler, SigHandler::SigIgn) || before.set(old).is_err()",
        replace: "matches!(handler, SigHandler::SigIgn) || before.set(old).is_err() && before.get().is_none()",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "the program's own handler is not called",
        lost: "A program that handles the signal never learns of it.",
        file: FILE,
        search: "Some(SigHandler::Handler(before)) => before(number),",
        replace: "Some(SigHandler::Handler(_)) => {}",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "the program's own handler with information is not called",
        lost: "A program that handles the signal never learns of it.",
        file: FILE,
        search: "Some(SigHandler::SigAction(before)) => before(number, info, context),",
        replace: "Some(SigHandler::SigAction(_)) => drop((info, context)),",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "a signal that a session caught before ends the next session",
        lost: "A session ends just after it has attached.",
        file: FILE,
        search: "CAUGHT.store(0, Ordering::Relaxed);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "a signal has no effect when no session is there",
        lost: "A process without a session cannot be ended.",
        file: FILE,
        search: "Some(SigHandler::SigDfl) if !looked_for => Signals::end_by(SIGNALS[at]),",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "a signal ends the process before its sessions",
        lost: "Others find the sessions dead, and what is bound to them stays until they are reaped.",
        file: FILE,
        search: "Some(SigHandler::SigDfl) if !looked_for => Signals::end_by(SIGNALS[at]),",
        replace: "Some(SigHandler::SigDfl) => Signals::end_by(SIGNALS[at]),",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "a process that blocks a signal outlives its sessions",
        lost: "A process that was asked to end goes on without its sessions.",
        file: FILE,
        search: "let _ = SigSet::from(signal).thread_unblock();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::a_signal_has_the_effect_that_the_program_gave_it",
        )],
    },
    Mutant {
        name: "calls that the handler interrupts fail",
        lost: "A program's own reads and writes fail when it is asked to end.",
        file: FILE,
        search: "SaFlags::SA_RESTART, SigSet::empty())",
        replace: "SaFlags::empty(), SigSet::empty())",
        caught_by: &[test(
            "-p slateboard --lib region::signals::tests::calls_that_the_handler_interrupts_go_on",
        )],
    },
];
