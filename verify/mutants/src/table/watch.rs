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
];
