//! Mutants of `src/board/metrics.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/metrics.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a session is told with whatever name its place has",
        lost: "A session that has ended is told under the name of another.",
        file: FILE,
        search: "filter(|_| core.names_stand(freed))",
        replace: "filter(|_| core.names_stand(freed) || freed < u64::MAX)",
        caught_by: &[test(
            "-p slateboard --lib board::reader::tests::paused::a_session_is_told_with_its_own_name_or_with_none",
        )],
    },
    Mutant {
        name: "the metrics count unknown sessions as dead",
        lost: "A figure says that sessions are dead of which nobody knows that.",
        file: FILE,
        search: "sessions_dead: with(Presence::Dead),",
        replace: "sessions_dead: with(Presence::Dead) + with(Presence::Unknown),",
        caught_by: &[test(
            "-p slateboard --test liveness a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on",
        )],
    },
    Mutant {
        name: "the metrics count no unknown sessions",
        lost: "Who watches the figures does not learn that sessions cannot be asked.",
        file: FILE,
        search: "sessions_unknown: with(Presence::Unknown),",
        replace: "sessions_unknown: 0,",
        caught_by: &[test(
            "-p slateboard --test liveness a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on",
        )],
    },
];
