//! Mutants of `src/board/event.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/event.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "events after the last generation overflow",
        lost: "A watch that resumes at the largest generation panics.",
        file: FILE,
        search: "since.saturating_add(1)",
        replace: "since.wrapping_add(1)",
        caught_by: &[test(
            "-p slateboard --test history each_event_is_told_once_and_in_order_from_any_generation_on",
        )],
    },
    Mutant {
        name: "a watch skips its shard's newest event",
        lost: "A watch misses an event.",
        file: FILE,
        search: "core.shard_changes(shard) < self.next",
        replace: "core.shard_changes(shard) <= self.next",
        caught_by: &[test("-p slateboard --test history a_watch_tells_what_its_prefix_has_and_nothing_else")],
    },
    Mutant {
        name: "the number of missed events is one less",
        lost: "A reader that fell behind is told a wrong number.",
        file: FILE,
        search: "(floor + 1).saturating_sub(self.next)",
        replace: "floor.saturating_sub(self.next)",
        caught_by: &[test(
            "-p slateboard --test history each_event_is_told_once_and_in_order_from_any_generation_on",
        )],
    },
    Mutant {
        name: "the first event after missed ones is left out",
        lost: "A reader that fell behind misses one more event than it was told.",
        file: FILE,
        search: "self.next = floor + 1;",
        replace: "self.next = floor + 2;",
        caught_by: &[test(
            "-p slateboard --test history each_event_is_told_once_and_in_order_from_any_generation_on",
        )],
    },
    Mutant {
        name: "where to resume is one too late",
        lost: "A reader that resumes where it was told misses an event.",
        file: FILE,
        search: ".with_missed(missed, floor)",
        replace: ".with_missed(missed, floor + 1)",
        caught_by: &[test(
            "-p slateboard --test history each_event_is_told_once_and_in_order_from_any_generation_on",
        )],
    },
    Mutant {
        name: "a touch's event is told as a put",
        lost: "A watch takes a renewal for a new value.",
        file: FILE,
        search: "RecordKind::Touched => MutationKind::Touch",
        replace: "RecordKind::Touched => MutationKind::Put",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "an expiry is told as a removal",
        lost: "A watch does not learn that a time to live was over.",
        file: FILE,
        search: "RecordKind::Expired => MutationKind::Expire",
        replace: "RecordKind::Expired => MutationKind::Remove",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "the end of a session is told as its death",
        lost: "A watch takes an orderly end for a crash.",
        file: FILE,
        search: "RecordKind::Detached => MutationKind::Detached",
        replace: "RecordKind::Detached => MutationKind::Died",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "a removal is told with a value",
        lost: "A watch takes what a removal leaves for a value.",
        file: FILE,
        search: "(!item.header.kind.is_tombstone()).then_some(item.value)",
        replace: "Some(item.value)",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "what was superseded is told under the event's writer",
        lost: "Nobody learns whose value was overwritten.",
        file: FILE,
        search: "reader::writer_info(core, previous.header.writer)",
        replace: "reader::writer_info(core, item.header.writer)",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "what was superseded is told with the event's codec",
        lost: "A previous value is decoded as what it is not.",
        file: FILE,
        search: "CodecId::new(previous.header.codec)",
        replace: "CodecId::new(item.header.codec)",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "what was superseded is told with the event's version",
        lost: "A previous value is told under a version that it never had.",
        file: FILE,
        search: "version: previous.header.version",
        replace: "version: item.header.version",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "a damaged event is told again and again",
        lost: "Who reads the history never gets past a damaged event.",
        file: FILE,
        search: "                    let generation = self.next;
                    self.next += 1;
",
        replace: "                    let generation = self.next;
",
        caught_by: &[test(
            "-p slateboard --lib board::event::tests::a_damaged_event_is_told_once_and_passed",
        )],
    },
    Mutant {
        name: "impossible counters are told again and again",
        lost: "Who reads the history of a damaged board gets errors without end.",
        file: FILE,
        search: "                self.next = newest + 1;
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::event::tests::impossible_counters_are_told_once_and_passed",
        )],
    },
    Mutant {
        name: "an event that left the history still names its sessions",
        lost: "An event is told under the name of another session.",
        file: FILE,
        search: "core.point_at(item.generation.saturating_sub(1)).is_err()",
        replace: "core.point_at(item.generation).is_err()",
        caught_by: &[test(
            "-p slateboard --lib board::event::tests::an_event_names_sessions_until_it_leaves_the_history",
        )],
    },
    Mutant {
        name: "an event that left the history still names who wrote what it superseded",
        lost: "A superseded value is told under the name of another session.",
        file: FILE,
        search: "        previous.for_each(|previous| previous.writer.name.clear());",
        replace: "        let _ = previous;",
        caught_by: &[test(
            "-p slateboard --lib board::event::tests::an_event_names_sessions_until_it_leaves_the_history",
        )],
    },
    Mutant {
        name: "an event that comes while others are skipped is skipped",
        lost: "A watch of a prefix misses an event, and nobody tells it.",
        file: FILE,
        search: "self.next = self.next.max(counted + 1);",
        replace: "self.next = self.next.max(counted.max(core.generation()) + 1);",
        caught_by: &[test(
            "-p slateboard --lib board::event::tests::what_comes_while_others_events_are_skipped_is_not_skipped",
        )],
    },
];
