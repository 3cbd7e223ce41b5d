//! Mutants of `src/board/notifier.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/notifier.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the notifier does not ask to be woken",
        lost: "Streams and descriptors hear of a change when the thread looks by itself.",
        file: FILE,
        search: "let seen = core.ask_wake(wake::BOARD);",
        replace: "let seen = core.counter_value(wake::BOARD);",
        caught_by: &[test(
            "-p slateboard --lib board::waits::tests::who_sleeps_is_woken_by_the_writer_and_not_by_its_own_clock",
        )],
    },
    Mutant {
        name: "who registers too late is not told so",
        lost: "A change between the read and the registration is slept over.",
        file: FILE,
        search: "Ok(!has_come(&core, counter, core.counter_value(counter), wanted))",
        replace: "Ok(self.id > 0 || !has_come(&core, counter, core.counter_value(counter), wanted))",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::who_registers_after_the_change_is_told_so",
        )],
    },
    Mutant {
        name: "a waiter that left is kept",
        lost: "A task's waker lives on after its stream.",
        file: FILE,
        search: "state.waiters.remove(&self.id)",
        replace: "state.waiters.remove(&0)",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_last_waiter_that_leaves_wakes_the_thread_and_nobody_is_kept",
        )],
    },
    Mutant {
        name: "the last waiter that leaves wakes nobody",
        lost: "The thread holds a closed board open until its own time is over.",
        file: FILE,
        search: "            if was_last {",
        replace: "            if was_last && self.id == 0 {",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_last_waiter_that_leaves_wakes_the_thread_and_nobody_is_kept",
        )],
    },
];
