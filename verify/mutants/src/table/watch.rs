//! Mutants of `src/board/watch.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/watch.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a waiter does not ask to be woken",
        lost: "A watch hears of a change when it looks by itself.",
        file: FILE,
        search: "let seen = core.ask_wake(counter);",
        replace: "let seen = core.counter_value(counter);",
        caught_by: &[test(
            "-p slateboard --lib board::waits::tests::who_sleeps_is_woken_by_the_writer_and_not_by_its_own_clock",
        )],
    },
    Mutant {
        name: "a wait for a key reads the counter after the key",
        lost: "A change between the two is slept over.",
        file: FILE,
        search: "            found => found.and_then(|entry| entry.deadline),
        };",
        replace: "            found => found.and_then(|entry| entry.deadline),
        };
        let seen = seen.max(reader.core()?.shard_changes(shard));",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_change_after_the_read_is_not_slept_over",
        )],
    },
    Mutant {
        name: "a wait for a key does not wake for the deadline",
        lost: "Who waits hears late that a time to live is over.",
        file: FILE,
        search: "expires.map_or(Duration::MAX, Deadline::remaining)",
        replace: "expires.filter(|_| seen == 0).map_or(Duration::MAX, Deadline::remaining)",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::the_end_of_a_time_to_live_is_not_slept_over",
        )],
    },
    Mutant {
        name: "a waiter does not look whether the board moved",
        lost: "Who waits beside a stopped keeper waits for a board that is gone.",
        file: FILE,
        search: "                reader.region.look();
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_waiter_looks_itself_whether_the_board_moved",
        )],
    },
    Mutant {
        name: "a wait for a key takes the version that is known",
        lost: "A wait ends at once though nothing changed.",
        file: FILE,
        search: "entry.version > newer_than",
        replace: "entry.version >= newer_than",
        caught_by: &[test("-p slateboard --test api waiting_for_a_key_ends_when_it_changes")],
    },
    Mutant {
        name: "a wait for a first value takes none for a removal",
        lost: "A wait for a key that was never there ends at once.",
        file: FILE,
        search: "None if newer_than > 0 =>",
        replace: "None =>",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::who_waits_for_a_first_value_hears_of_no_removal",
        )],
    },
    Mutant {
        name: "a watch whose time is over does not look",
        lost: "A call without a time-out never tells an event.",
        file: FILE,
        search: "        loop {
            if let Some(event) = self.read()? {",
        replace: "        loop {
            if has_passed(deadline) {
                return Ok(None);
            }
            if let Some(event) = self.read()? {",
        caught_by: &[test("-p slateboard --test history a_watch_tells_what_its_prefix_has_and_nothing_else")],
    },
    Mutant {
        name: "a watch tells what only contains its prefix",
        lost: "A watch tells events of other keys.",
        file: FILE,
        search: "key.starts_with(prefix)",
        replace: "key.windows(prefix.len().max(1)).any(|part| part == prefix || prefix.is_empty())",
        caught_by: &[test("-p slateboard --test history a_watch_tells_what_its_prefix_has_and_nothing_else")],
    },
    Mutant {
        name: "a watch that got an event does not poll again",
        lost: "Events that follow each other closely are told later than they could be.",
        file: FILE,
        search: "            if let Some(event) = self.read()? {
                self.waiting.looks = 0;",
        replace: "            if let Some(event) = self.read()? {",
        caught_by: &[test("-p slateboard --lib board::watch::tests::a_watch_that_got_an_event_polls_again")],
    },
    Mutant {
        name: "a waiter sleeps past its deadline",
        lost: "A wait of a millisecond takes a second or more.",
        file: FILE,
        search: "deadline.map_or(look_again, |deadline| deadline.min(look_again))",
        replace: "deadline.map_or(look_again, |_| look_again)",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_waiter_sleeps_neither_past_its_deadline_nor_past_its_next_look",
        )],
    },
    Mutant {
        name: "a waiter with a deadline does not look before it",
        lost: "A waiter with a long timeout misses a lost wake until its time is over.",
        file: FILE,
        search: "deadline.map_or(look_again, |deadline| deadline.min(look_again))",
        replace: "deadline.unwrap_or(look_again)",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_waiter_sleeps_neither_past_its_deadline_nor_past_its_next_look",
        )],
    },
    Mutant {
        name: "a spinner never looks itself",
        lost: "A waiter that spins misses a lost wake, and that its board moved, for ever.",
        file: FILE,
        search: "if started.elapsed() >= LOOK_MIN {",
        replace: "if started.elapsed() >= LOOK_MIN * 1000 {",
        caught_by: &[test("-p slateboard --lib board::watch::tests::a_spinner_looks_itself_after_a_second")],
    },
    Mutant {
        name: "somebody sleeps on a damaged counter",
        lost: "A watch of a shard whose counter is damaged tells events a second late.",
        file: FILE,
        search: "if core.can_wake() && seen < wanted {",
        replace: "if core.can_wake() {",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_damaged_counter_brings_no_event_and_nobody_sleeps_on_it",
        )],
    },
    Mutant {
        name: "a damaged counter brings an event",
        lost: "A watch of a shard whose counter is damaged looks without a pause.",
        file: FILE,
        search: "(counter == wake::BOARD || seen >= wanted) && core.newest() >= wanted",
        replace: "if counter == wake::BOARD { core.newest() >= wanted } else { seen >= wanted }",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_damaged_counter_brings_no_event_and_nobody_sleeps_on_it",
        )],
    },
    Mutant {
        name: "an event has come before its shard counts it",
        lost: "A watch of a shard looks without a pause while others write elsewhere.",
        file: FILE,
        search: "(counter == wake::BOARD || seen >= wanted) && core.newest() >= wanted",
        replace: "(counter == wake::BOARD || seen < u64::MAX) && core.newest() >= wanted",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_damaged_counter_brings_no_event_and_nobody_sleeps_on_it",
        )],
    },
    Mutant {
        name: "a watch of a lost board goes on",
        lost: "Whoever reads all events of a watch never comes to an end.",
        file: FILE,
        search: "        self.over = next.as_ref().is_err_and(is_lost);
        next.transpose()",
        replace: "        next.transpose()",
        caught_by: &[test(
            "-p slateboard --lib board::watch::tests::a_watch_of_a_board_that_moved_says_so_once_and_ends",
        )],
    },
];
