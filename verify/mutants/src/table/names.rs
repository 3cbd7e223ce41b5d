//! Mutants of `src/engine/protocol/names.rs`.

use super::{Mutant, models, states, test};

const FILE: &str = "src/engine/protocol/names.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a name is shown before it is whole",
        lost: "A reader sees a name's entry and not its bytes.",
        file: FILE,
        search: "self.name_word(index).store(ready.0, Release);",
        replace: "self.name_word(index).store(ready.0, Relaxed);",
        caught_by: &[models("sessions::an_interned_name_is_whole")],
    },
    Mutant {
        name: "a name's entry is taken without being changed",
        lost: "A sweep gives up a name that a session has just taken.",
        file: FILE,
        search: "state.taken(kind)",
        replace: "state.with(kind)",
        caught_by: &[models("sessions::a_name_in_use_is_not_given_up")],
    },
    Mutant {
        name: "a sweep of names does not look at sessions",
        lost: "A sweep gives up a name that a session goes by.",
        file: FILE,
        search: "self.refer_sessions(&mut referred);",
        replace: "",
        caught_by: &[models("sessions::a_name_in_use_is_not_given_up")],
    },
    Mutant {
        name: "a sweep of names looks at sessions first",
        lost: "A sweep gives up a name that a session took between the two looks.",
        file: FILE,
        search: "let states: Vec<NameState> = (0..self.geo.names()).map(state).collect();
        let referred = self.referred_names()?;",
        replace: "let referred = self.referred_names()?;
        let states: Vec<NameState> = (0..self.geo.names()).map(state).collect();",
        caught_by: &[models("sessions::a_name_in_use_is_not_given_up")],
    },
    Mutant {
        name: "a reader does not learn that names were freed",
        lost: "A reader shows another session's name for one that was given up.",
        file: FILE,
        search: "self.name_word(0).fetch_add(1, AcqRel);",
        replace: "",
        caught_by: &[models("sessions::a_name_that_is_shown_is_its_session_s")],
    },
    Mutant {
        name: "a name is taken before it is written down",
        lost: "A sweep gives up a name that its session is about to refer to.",
        file: FILE,
        search: "        self.at(self.geo.session(session) + session::NAME).store(index as u64, Release);
        // AcqRel: a sweep that sees the entry taken sees the session that refers to it. The last creator of a freed
        // entry is done with it (P11).
        self.name_word(index).compare_exchange(state.0, next.0, AcqRel, Relaxed).is_ok()",
        replace: "        let taken = self.name_word(index).compare_exchange(state.0, next.0, AcqRel, Relaxed).is_ok();
        self.at(self.geo.session(session) + session::NAME).store(index as u64, Release);
        taken",
        caught_by: &[states("names-swept")],
    },
    Mutant {
        name: "a full table of names is not swept",
        lost: "Nobody attaches under a new name once so many names were used.",
        file: FILE,
        search: "self.sweep_names().unwrap_or(false)",
        replace: "false",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::a_sweep_of_names_keeps_those_that_are_referred_to")],
    },
];
