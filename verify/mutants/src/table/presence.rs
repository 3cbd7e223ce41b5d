//! Mutants of `src/board/presence.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/presence.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a keeper looks at one session more",
        lost: "A keeper of an overloaded machine asks the kernel more often than it may.",
        file: FILE,
        search: "looks == Suspects::LOOKS",
        replace: "looks > Suspects::LOOKS",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_that_is_not_elected_looks_at_eight_and_goes_on_behind_them",
        )],
    },
    Mutant {
        name: "a beat in the future is never late",
        lost: "A session whose beat is damaged is never found dead by keepers that are not elected.",
        file: FILE,
        search: "heartbeat_ns.abs_diff(self.boot_ns)",
        replace: "self.boot_ns.saturating_sub(heartbeat_ns)",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_beat_is_late_when_it_is_too_far_from_the_present_on_either_side",
        )],
    },
    Mutant {
        name: "a record that this process holds is taken again",
        lost: "Two sessions have one record.",
        file: FILE,
        search: " held.contains(&index)",
        replace: " false",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::each_record_has_one_session_and_there_are_no_more_sessions_than_records",
        )],
    },
    Mutant {
        name: "a session that ended stays elected",
        lost: "Nobody of this process is elected after it, and the next session in its record passes for elected.",
        file: FILE,
        search: "self.elected.lock().take_if(|elected| *elected == index);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::one_keeper_is_elected_until_its_session_ends",
        )],
    },
    Mutant {
        name: "a record that was given back stays held",
        lost: "The record of an ended session is not used again by its process.",
        file: FILE,
        search: "self.held.lock().remove(&index);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::each_record_has_one_session_and_there_are_no_more_sessions_than_records",
        )],
    },
    Mutant {
        name: "the sessions of a local board pass for dead",
        lost: "Who lists the sessions of a local board sees only dead ones.",
        file: FILE,
        search: "self.held.lock().contains(&index)",
        replace: "false",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::the_dead_are_counted_and_the_living_and_the_free_are_not",
        )],
    },
    Mutant {
        name: "all sessions of the process are elected",
        lost: "The work of the elected one is done by each.",
        file: FILE,
        search: "*elected == Some(index)",
        replace: "elected.is_some()",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::one_keeper_is_elected_until_its_session_ends",
        )],
    },
    Mutant {
        name: "the records of the dead are not taken",
        lost: "A board is full as long as nobody reaps.",
        file: FILE,
        search: "free.into_iter().chain(occupied)",
        replace: "free.into_iter().chain(Vec::new())",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_dead_session_s_record_is_reaped_and_taken_when_no_other_is_free",
        )],
    },
    Mutant {
        name: "the record of the dead is taken as it is",
        lost: "What was bound to the dead stays, and its blocks belong to the next session.",
        file: FILE,
        search: "if core.is_occupied(index) { self.reap_held(&core, index) } else { Ok(true) }",
        replace: "Ok::<bool, Error>(true)",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_dead_session_s_record_is_reaped_and_taken_when_no_other_is_free",
        )],
    },
    Mutant {
        name: "a reaper keeps the lock byte",
        lost: "The record of the dead is never free again.",
        file: FILE,
        search: "self.roll.let_go(index, certificate);
        outcome",
        replace: "std::mem::forget(certificate);
        outcome",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::the_dead_are_counted_and_the_living_and_the_free_are_not",
        )],
    },
    Mutant {
        name: "who cannot be reaped keeps the dead behind it from being reaped",
        lost: "One damaged session keeps what all others hold.",
        file: FILE,
        search: "Err(error) => failed = Some(error),",
        replace: "Err(error) => return Err(error),",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_cannot_be_reaped_keeps_nobody_from_anything",
        )],
    },
    Mutant {
        name: "who cannot be reaped keeps others out",
        lost: "One damaged session keeps everybody from attaching.",
        file: FILE,
        search: "failed = Some(error);",
        replace: "return Err(error);",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_cannot_be_reaped_keeps_nobody_from_anything",
        )],
    },
    Mutant {
        name: "who cannot be reaped holds up the other keepers",
        lost: "One damaged session keeps what all others hold while the elected keeper is stopped.",
        file: FILE,
        search: "self.reap_if_dead(&core, index).unwrap_or(false)",
        replace: "self.reap_if_dead(&core, index)?",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_cannot_be_reaped_keeps_nobody_from_anything",
        )],
    },
    Mutant {
        name: "a session that another reaped meanwhile is reaped again",
        lost: "One death is counted twice, and a reaper works in a record that has no session.",
        file: FILE,
        search: "if core.is_occupied(index) { self.reap_held(core, index) } else { Ok(false) }",
        replace: "self.reap_held(core, index)",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_another_reaped_meanwhile_is_not_reaped_again",
        )],
    },
    Mutant {
        name: "a lock that cannot be probed proves a death",
        lost: "A session that lives is reaped because the kernel did not answer.",
        file: FILE,
        search: "Err(_) => Presence::Unknown,",
        replace: "Err(_) => Presence::Dead,",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_lock_that_cannot_be_probed_proves_no_death",
        )],
    },
    Mutant {
        name: "free records count among the eight that a keeper looks at",
        lost: "The keepers of a board with few sessions look at some of them seldom.",
        file: FILE,
        search: "            if !core.is_occupied(index) {
                continue;
            }
            let was_dead",
        replace: "            if !core.is_occupied(index) {
                looks += 1;
                continue;
            }
            let was_dead",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_that_is_not_elected_looks_at_eight_and_goes_on_behind_them",
        )],
    },
    Mutant {
        name: "a session is asked for in another lock file",
        lost: "A living session is shown as dead after the lock file was replaced.",
        file: FILE,
        search: "_ if lock_file != self.lock_file() => Presence::Unknown,",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test liveness a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on",
        )],
    },
    Mutant {
        name: "a session with its lock in another file is reaped",
        lost: "The entries and blocks of a living session are taken away while it writes.",
        file: FILE,
        search: "if !self.can_ask(core, index) {",
        replace: "if false {",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_may_have_its_lock_elsewhere_is_neither_reaped_nor_replaced",
        )],
    },
    Mutant {
        name: "a full board does not say that some sessions are unknown",
        lost: "Who cannot attach is told to make a larger board, and not that the lock file was replaced.",
        file: FILE,
        search: "occupied.retain(|&index| self.can_ask(&core, index));",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test liveness the_record_of_an_unknown_session_is_given_to_nobody",
        )],
    },
    Mutant {
        name: "sessions with their locks in another file do not use the board",
        lost: "A board is replaced under its living sessions after the lock file was replaced.",
        file: FILE,
        search: "&& core.lock_file(index) != lock_file;",
        replace: "&& index == usize::MAX;",
        caught_by: &[test(
            "-p slateboard --test liveness a_board_whose_lock_file_was_replaced_is_not_a_board_without_users",
        )],
    },
    Mutant {
        name: "the dead use the board",
        lost: "A board whose sessions died cannot be replaced without force.",
        file: FILE,
        search: "&& core.lock_file(index) != lock_file;",
        replace: ";",
        caught_by: &[test(
            "-p slateboard --test liveness a_board_whose_lock_file_was_replaced_is_not_a_board_without_users",
        )],
    },
    Mutant {
        name: "nobody uses a board that cannot be opened",
        lost: "A board is replaced under its living sessions because this process may not read it.",
        file: FILE,
        search: "Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Full) => return Err(error),",
        replace: "",
        caught_by: &[test("-p slateboard --test liveness who_may_not_open_the_lock_file_knows_nothing")],
    },
];
