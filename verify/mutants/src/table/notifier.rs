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
    Mutant {
        name: "the thread does not look whether the board moved",
        lost: "Tasks and descriptors of a board without keepers never hear that it moved.",
        file: FILE,
        search: "            region.look();
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_thread_looks_from_time_to_time_and_lets_the_waiters_look",
        )],
    },
    Mutant {
        name: "a look by the thread's own clock alerts nobody",
        lost: "A wake that was lost with its writer is slept over for ever.",
        file: FILE,
        search: "            region.look();
            shared.alert(|_| true);",
        replace: "            region.look();",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_thread_looks_from_time_to_time_and_lets_the_waiters_look",
        )],
    },
    Mutant {
        name: "nobody is alerted when the board is lost",
        lost: "Tasks and descriptors of a lost board sleep for ever.",
        file: FILE,
        search: "            // Each waiter finds out itself that the board is lost.
            shared.alert(|_| true);
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_thread_looks_from_time_to_time_and_lets_the_waiters_look",
        )],
    },
    Mutant {
        name: "looks by the thread's own clock do not become rarer",
        lost: "A thread wakes each second for ever although nothing comes.",
        file: FILE,
        search: "Rest::new(self.rest.looks.saturating_add(1))",
        replace: "Rest::new(self.rest.looks)",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_thread_looks_from_time_to_time_and_lets_the_waiters_look",
        )],
    },
    Mutant {
        name: "time that passed while nobody waited counts",
        lost: "Who waits first after a pause is alerted for nothing.",
        file: FILE,
        search: "        if slept {
",
        replace: "        if slept && self.rest.looks > 9 {
",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::time_that_passed_while_nobody_waited_counts_for_nobody",
        )],
    },
    Mutant {
        name: "a dropped notifier does not end its thread",
        lost: "Each board that is closed leaves a thread.",
        file: FILE,
        search: "        self.shared.lock().over = true;
        self.shared",
        replace: "        self.shared",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::a_notifier_that_is_dropped_ends_its_thread",
        )],
    },
    Mutant {
        name: "a thread that nobody needs seems to hold the board",
        lost: "Whoever leaves last wakes the thread again and again for nothing.",
        file: FILE,
        search: "state.holds = !slept;",
        replace: "state.holds = true;",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_last_waiter_that_leaves_wakes_the_thread_and_nobody_is_kept",
        )],
    },
    Mutant {
        name: "the first waiter does not wake the thread",
        lost: "Tasks and descriptors that begin to wait after a pause hear of nothing.",
        file: FILE,
        search: "            if idle {
",
        replace: "            if idle && self.id == 0 {
",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::the_last_waiter_that_leaves_wakes_the_thread_and_nobody_is_kept",
        )],
    },
    Mutant {
        name: "who waits for a later event is alerted",
        lost: "Tasks and descriptors of one shard wake for the events of all.",
        file: FILE,
        search: "if shared.alert(|waiter| waiter.is_due(&core)) {",
        replace: "if shared.alert(|waiter| waiter.wanted > 0) {",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::those_are_alerted_for_whom_an_event_came",
        )],
    },
    Mutant {
        name: "a waker that panics ends the thread",
        lost: "One task takes the events of all others.",
        file: FILE,
        search: "std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()))",
        replace: "Ok::<(), Box<dyn std::any::Any + Send>>(waker.wake())",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::a_waker_that_panics_takes_nothing_from_others",
        )],
    },
    Mutant {
        name: "a forked child takes a place among the waiters",
        lost: "A child gets a descriptor that is never readable, and may wait for a lock for ever.",
        file: FILE,
        search: "        // Fails in a forked child, which does not have the thread.
        region.words()?;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test processes_forked a_forked_child_is_refused_everything_and_attaches_anew",
        )],
    },
    Mutant {
        name: "an event does not begin the looks anew",
        lost: "After a quiet time a lost wake delays tasks and descriptors by four seconds for ever.",
        file: FILE,
        search: "        if shared.alert(|waiter| waiter.is_due(&core)) {
            self.rest = Rest::new(0);",
        replace: "        if shared.alert(|waiter| waiter.is_due(&core)) {",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::an_event_begins_the_looks_anew_and_is_late_once",
        )],
    },
    Mutant {
        name: "who cannot be woken naps for a moment each time",
        lost: "A reader without a doorbell takes a thousand looks a second.",
        file: FILE,
        search: "self.nap = (self.nap * 2).min(NAP_MAX);",
        replace: "self.nap = self.nap.min(NAP_MAX);",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::who_cannot_be_woken_naps_longer_and_longer",
        )],
    },
    Mutant {
        name: "who cannot be woken naps without a bound",
        lost: "A reader without a doorbell learns of a change seconds late.",
        file: FILE,
        search: "self.nap = (self.nap * 2).min(NAP_MAX);",
        replace: "self.nap *= 2;",
        caught_by: &[test(
            "-p slateboard --lib board::notifier::tests::who_cannot_be_woken_naps_longer_and_longer",
        )],
    },
];
