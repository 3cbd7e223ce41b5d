//! Mutants of `cli/src/commands/sessions.rs`.

use super::{Mutant, test};

const FILE: &str = "cli/src/commands/sessions.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "sessions that cannot be asked for are no finding",
    lost: "A script takes sessions for known that are not.",
    file: FILE,
    search: "Status::Attention",
    replace: "Status::Done",
    caught_by: &[test("-p slateboard-cli --test unknown sessions_and_status_say_what_they_cannot_see")],
}];
