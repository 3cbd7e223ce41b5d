//! Mutants of `src/board/evict.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/evict.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an eviction is of whoever has the record",
        lost: "An eviction of a session that has ended concerns the next one in its record.",
        file: FILE,
        search: "        let index = usize::from(life.session);
        if !self.core()?.is_in_life(life) {",
        replace: "        let index = usize::from(life.session);
        if life.incarnation == 0 {",
        caught_by: &[test(
            "-p slateboard --test guests a_stopped_session_is_evicted_and_what_was_bound_to_it_ends",
        )],
    },
    Mutant {
        name: "an eviction does not reap a dead session",
        lost: "What was bound to the session stays, although the eviction told that it is over.",
        file: FILE,
        search: "self.reap_life(life)?;
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test guests a_stopped_session_is_evicted_and_what_was_bound_to_it_ends",
        )],
    },
];
