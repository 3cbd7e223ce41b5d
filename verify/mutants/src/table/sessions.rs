//! Mutants of `src/engine/protocol/sessions.rs`.

use super::{Mutant, models};

const FILE: &str = "src/engine/protocol/sessions.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a life is shown before its identity",
    lost: "A session is seen with the identity of the one before.",
    file: FILE,
    search: "word.store(session::incarnation_word(incarnation, true), Release);",
    replace: "word.store(session::incarnation_word(incarnation, true), Relaxed);",
    caught_by: &[models("sessions::a_life_is_seen_with_its_identity")],
}];
