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
        name: "a session does not tell its lock file",
        lost: "Nobody can ask whether a session is alive, and no dead session is reaped.",
        file: FILE,
        search: "put(session::LOCK_FILE, identity.lock_file);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test liveness a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on",
        )],
    },
    Mutant {
        name: "nobody knows in which lock file a session is",
        lost: "Nobody can ask whether a session is alive, and no dead session is reaped.",
        file: FILE,
        search: "self.session_word(session, session::LOCK_FILE).load(Relaxed)",
        replace: "self.session_word(session, session::LOCK_FILE).load(Relaxed) & 0",
        caught_by: &[test(
            "-p slateboard --test liveness a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on",
        )],
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
    Mutant {
        name: "a session says another process's number",
        lost: "The list of sessions shows a wrong process.",
        file: FILE,
        search: "put(session::PID, identity.pid);",
        replace: "put(session::PID, identity.start_time);",
        caught_by: &[test("-p slateboard --lib board::seat::tests::a_session_s_record_says_whose_it_is")],
    },
    Mutant {
        name: "a session that was ended writes as long as nobody has its record",
        lost: "What it puts names a session that is not there, and what is bound to it never ends.",
        file: FILE,
        search: "if word == ours { Ok(()) } else { Err(Fault::Fenced) }",
        replace: "if session::incarnation(word) == session::incarnation(ours) { Ok(()) } else { Err(Fault::Fenced) }",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_put_that_was_held_up_asks_again_whether_its_session_was_ended",
        )],
    },
];
