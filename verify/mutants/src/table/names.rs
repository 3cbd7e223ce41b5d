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
        name: "half-made names of others are freed",
        lost: "Two sessions make one entry of the table, and both believe that it has their name.",
        file: FILE,
        search: "if state.kind() == Some(NameKind::Claimed { owner }) {",
        replace: "if owner != 0 && matches!(state.kind(), Some(NameKind::Claimed { .. })) {",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::reaping::a_name_in_the_making_is_its_own_maker_s")],
    },
    Mutant {
        name: "a sweep of names does not look at values",
        lost: "An entry's writer is shown under the name of another session.",
        file: FILE,
        search: "        self.refer_slots(&mut referred)?;",
        replace: "",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_sweep_of_names_keeps_those_that_are_referred_to")],
    },
    Mutant {
        name: "a sweep of names does not look at the history",
        lost: "An event's writer is shown under the name of another session.",
        file: FILE,
        search: "        self.refer_history(&mut referred)?;",
        replace: "",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_name_stays_as_long_as_the_history_shows_it")],
    },
    Mutant {
        name: "a sweep of names does not look at previous records",
        lost: "The writer of an event's previous value is shown under the name of another session.",
        file: FILE,
        search: "self.block(previous.block()).filter(|_| !gone)",
        replace: "self.block(previous.block()).filter(|_| gone)",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_name_stays_as_long_as_the_history_shows_it")],
    },
    Mutant {
        name: "a sweep of names looks past the history",
        lost: "Names that nobody can be shown any more stay, and new ones are refused.",
        file: FILE,
        search: "self.block(previous.block()).filter(|_| !gone)",
        replace: "self.block(previous.block()).filter(|_| gone || !gone)",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_name_stays_as_long_as_the_history_shows_it")],
    },
    Mutant {
        name: "a full table of names is not swept",
        lost: "New names are refused although nothing refers to the old ones.",
        file: FILE,
        search: "if !self.sweep_names().unwrap_or(false) {",
        replace: "if self.geo.names() > 0 {",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_sweep_of_names_keeps_those_that_are_referred_to")],
    },
    Mutant {
        name: "a name that is known gets another entry",
        lost: "Sessions that come and go under one name fill the table.",
        file: FILE,
        search: "filter(|_| same) else { break }",
        replace: "filter(|_| same && index == 0) else { break }",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_name_has_one_entry_and_a_session_without_one_refers_to_none")],
    },
    Mutant {
        name: "a sweep that another was faster than finds no room",
        lost: "A session cannot attach to a board with thousands of free names.",
        file: FILE,
        search: "return Ok(states[1..].iter().any(|state| state.kind() == Some(NameKind::Free)));",
        replace: "return Ok(false);",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_sweep_of_names_keeps_those_that_are_referred_to")],
    },
    Mutant {
        name: "a sweep of names reads the floor before the counter",
        lost: "A session is refused for want of room for its name, because the history laps meanwhile.",
        file: FILE,
        search: "        let newest = self.generation();
        let floor = self.floor();
",
        replace: "        let floor = self.floor();
        let newest = self.generation();
",
        caught_by: &[states("names-lapped")],
    },
    Mutant {
        name: "a name is taken for a longer one that begins with it",
        lost: "A session writes under another's name.",
        file: FILE,
        search: ".is_some_and(|bytes| bytes == name);",
        replace: ".is_some_and(|bytes| bytes.starts_with(name));",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::a_name_is_compared_in_whole")],
    },
    Mutant {
        name: "names that nothing refers to are in use",
        lost: "A table of names looks full that has room.",
        file: FILE,
        search: "referred && matches!(state.kind(), Some(NameKind::Ready { .. }))",
        replace: "matches!(state.kind(), Some(NameKind::Ready { .. })) && (referred || index > 0)",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::names::only_names_that_something_refers_to_are_in_use")],
    },
];
