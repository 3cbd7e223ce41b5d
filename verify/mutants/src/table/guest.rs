//! Mutants of `src/board/guest.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/guest.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a guest does not ask whether its host lives",
        lost: "A process acts for a dead session, and what it binds ends at once.",
        file: FILE,
        search: "Presence::Dead => return Err(over(life)),",
        replace: "Presence::Dead => {}",
        caught_by: &[test(
            "-p slateboard --test guests a_guest_does_not_act_for_a_dead_session_that_nobody_has_reaped",
        )],
    },
    Mutant {
        name: "a guest acts for a session that has ended",
        lost: "A process whose session has ended is not fenced, but told that it was not invited.",
        file: FILE,
        search: "        if !core.is_in_life(life) {",
        replace: "        if life.incarnation == 0 {",
        caught_by: &[test(
            "-p slateboard --test guests a_guest_acts_only_for_a_session_of_the_board_that_lives_and_has_invited_it",
        )],
    },
    Mutant {
        name: "a guest acts for a session of another board",
        lost: "What a process binds ends with a stranger.",
        file: FILE,
        search: "self.board.is_none_or(|board| region.uuid() == Some(board))",
        replace: "self.board.is_none_or(|board| region.uuid().is_some() || region.uuid() == Some(board))",
        caught_by: &[test(
            "-p slateboard --test guests a_guest_acts_only_for_a_session_of_the_board_that_lives_and_has_invited_it",
        )],
    },
    Mutant {
        name: "a guest acts for a session that has not invited it",
        lost: "What a process binds does not end with the session, whose end looks for nothing.",
        file: FILE,
        search: "if record.counters[Counter::Ephemerals as usize] == 0 {",
        replace: "if record.counters[Counter::Ephemerals as usize] == u64::MAX {",
        caught_by: &[test(
            "-p slateboard --test guests a_guest_acts_only_for_a_session_of_the_board_that_lives_and_has_invited_it",
        )],
    },
    Mutant {
        name: "a guest goes on binding to a host that has ended",
        lost: "What a process binds stays until a keeper finds it.",
        file: FILE,
        search: "false => Err(over(host)),",
        replace: "false => Ok(()),",
        caught_by: &[test(
            "-p slateboard --test guests what_a_guest_binds_ends_with_its_host_whichever_way_that_ends",
        )],
    },
];
