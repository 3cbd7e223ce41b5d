//! Mutants of `src/engine/protocol/sessions.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/sessions.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a life is shown before its identity",
        lost: "A session is seen with the identity of the one before.",
        file: FILE,
        search: "word.store(session::incarnation_word(incarnation, true), Release);",
        replace: "word.store(session::incarnation_word(incarnation, true), Relaxed);",
        caught_by: &[models("sessions::a_life_is_seen_with_its_identity")],
    },
    Mutant {
        name: "a session counts from its record's first life",
        lost: "A session shows the puts of all that had its record.",
        file: FILE,
        search: "put(session::baseline(counter), self.counter_sum(session, counter));",
        replace: "",
        caught_by: &[test("-p slateboard --lib board::presence::tests::a_session_counts_from_its_attach")],
    },
    Mutant {
        name: "an invitation is not noted",
        lost: "What others bind to a session stays when it ends.",
        file: FILE,
        search: "self.count(lane, Counter::Ephemerals, 1);",
        replace: "self.count(lane, Counter::Ephemerals, 0);",
        caught_by: &[test(
            "-p slateboard --test guests what_a_guest_binds_ends_with_its_host_whichever_way_that_ends",
        )],
    },
];
