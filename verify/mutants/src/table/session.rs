//! Mutants of `src/board/session.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/session.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "who attaches does not count what is entered",
        lost: "The event of a killed writer is not counted until a beat.",
        file: FILE,
        search: "let _ = region.core()?.finish_pending(&mut seat.lane());",
        replace: "",
        caught_by: &[test("-p slateboard --test uncounted who_attaches_counts_it_before_anything_else")],
    },
    Mutant {
        name: "who attaches reaps nobody",
        lost: "What the dead hold stays until a beat.",
        file: FILE,
        search: "let _ = region.reap_dead();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::who_attaches_reaps_the_dead_although_there_is_a_free_record",
        )],
    },
    Mutant {
        name: "a session that could not attach keeps the lock byte",
        lost: "A record is lost for each attempt to attach that fails.",
        file: FILE,
        search: "region.roll.let_go(index, certificate);",
        replace: "std::mem::forget(certificate);",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_finds_no_room_for_its_name_leaves_record_and_lock_free",
        )],
    },
    Mutant {
        name: "a name may be one byte longer",
        lost: "A session is known by a part of its name.",
        file: FILE,
        search: "name.len() > NAME_MAX",
        replace: "name.len() > NAME_MAX + 1",
        caught_by: &[test("-p slateboard --lib board::presence::tests::a_name_has_1_to_56_bytes")],
    },
    Mutant {
        name: "a dropped session does not leave",
        lost: "What was bound to a session stays after it.",
        file: FILE,
        search: "self.seat.leave();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::who_attaches_reaps_the_dead_although_there_is_a_free_record",
        )],
    },
    Mutant {
        name: "nobody looks at the path after the session",
        lost: "Who reads on after a session never learns that the board was replaced.",
        file: FILE,
        search: "lookout::take_over(&self.seat.region);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::lookout::tests::the_handles_that_stay_after_a_session_get_a_lookout",
        )],
    },
    Mutant {
        name: "a put does not tell the keeper its deadline",
        lost: "An entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "self.seat().expects_expiry(change.deadline);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_put_and_a_touch_with_a_time_to_live_tell_the_keeper_their_deadline",
        )],
    },
    Mutant {
        name: "who attaches is refused for a session that cannot be reaped",
        lost: "One damaged session keeps everybody from attaching.",
        file: FILE,
        search: "let _ = region.reap_dead();",
        replace: "region.reap_dead()?;",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_cannot_be_reaped_keeps_nobody_from_anything",
        )],
    },
];
