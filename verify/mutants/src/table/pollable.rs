//! Mutants of `src/board/pollable.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/pollable.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a descriptor is clear before anybody has looked",
        lost: "Who polls first and reads then sleeps over what is there already.",
        file: FILE,
        search: "let descriptor = eventfd(1,",
        replace: "let descriptor = eventfd(0,",
        caught_by: &[test(
            "-p slateboard --lib board::pollable::tests::a_descriptor_with_nothing_to_read_waits_to_be_alerted",
        )],
    },
    Mutant {
        name: "a descriptor stays readable",
        lost: "Who polls never sleeps again.",
        file: FILE,
        search: "let _ = rustix::io::read(&*self.descriptor, &mut [0; 8]);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::pollable::tests::a_descriptor_with_nothing_to_read_waits_to_be_alerted",
        )],
    },
    Mutant {
        name: "a descriptor is cleared after the registration",
        lost: "An event right after the registration is slept over.",
        file: FILE,
        search: "        if !matches!(registered, Ok(true)) {",
        replace: "        let _ = rustix::io::read(&*self.descriptor, &mut [0; 8]);
        if !matches!(registered, Ok(true)) {",
        caught_by: &[test(
            "-p slateboard --lib \
             board::pollable::tests::what_comes_around_the_registration_leaves_the_descriptor_readable",
        )],
    },
    Mutant {
        name: "a descriptor is clear although there is an event",
        lost: "Who polls sleeps although the last read left something.",
        file: FILE,
        search: "            alert.fire();
        }
        registered",
        replace: "        }
        registered",
        caught_by: &[test(
            "-p slateboard --lib \
             board::pollable::tests::what_comes_around_the_registration_leaves_the_descriptor_readable",
        )],
    },
    Mutant {
        name: "a descriptor is clear although there is an error",
        lost: "Who polls a lost board sleeps for ever.",
        file: FILE,
        search: "        if !matches!(registered, Ok(true)) {",
        replace: "        if matches!(registered, Ok(false)) {",
        caught_by: &[test(
            "-p slateboard --lib \
             board::pollable::tests::what_comes_around_the_registration_leaves_the_descriptor_readable",
        )],
    },
    Mutant {
        name: "a descriptor is never alerted",
        lost: "Who polls sleeps over every event.",
        file: FILE,
        search: "            if self.waits(Place::register)? {",
        replace: "            if self.waits(|_, _, _, _| Ok(true))? {",
        caught_by: &[test(
            "-p slateboard --lib board::pollable::tests::a_descriptor_with_nothing_to_read_waits_to_be_alerted",
        )],
    },
    Mutant {
        name: "a stream is never alerted",
        lost: "A task sleeps over every event.",
        file: FILE,
        search: "ready!(self.poll_event(context, Place::register));",
        replace: "ready!(self.poll_event(context, |_, _, _, _| Ok(true)));",
        caught_by: &[test(
            "-p slateboard --lib board::pollable::tests::a_stream_is_pending_only_while_it_waits_to_be_alerted",
        )],
    },
    Mutant {
        name: "a stream sleeps over an event before its registration",
        lost: "A task sleeps although there is an event.",
        file: FILE,
        search: "if register(&self.place, counter, wanted, Alert::Task(context.waker().clone()))? {",
        replace: "if register(&self.place, counter, wanted, Alert::Task(context.waker().clone()))? || wanted > 0 {",
        caught_by: &[test(
            "-p slateboard --lib board::pollable::tests::a_stream_is_pending_only_while_it_waits_to_be_alerted",
        )],
    },
    Mutant {
        name: "a stream of a lost board goes on",
        lost: "A task that reads a stream to its end never ends.",
        file: FILE,
        search: "            if self.over {
                return Poll::Ready(None);",
        replace: "            if self.over && self.watch.generation() == u64::MAX {
                return Poll::Ready(None);",
        caught_by: &[test("-p slateboard --test streams streams_of_a_lost_board_say_so_once_and_end")],
    },
    Mutant {
        name: "a stream ends when it fell behind",
        lost: "A task hears of no event after it was too slow once.",
        file: FILE,
        search: "event.as_ref().is_err_and(is_lost)",
        replace: "event.is_err()",
        caught_by: &[test("-p slateboard --test streams a_stream_that_fell_behind_says_how_far_and_goes_on")],
    },
    Mutant {
        name: "new programs get a watch's descriptor",
        lost: "A program that a process starts keeps the descriptor.",
        file: FILE,
        search: "eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)",
        replace: "eventfd(1, EventfdFlags::NONBLOCK)",
        caught_by: &[test(
            "-p slateboard --lib board::pollable::tests::a_descriptor_with_nothing_to_read_waits_to_be_alerted",
        )],
    },
];
