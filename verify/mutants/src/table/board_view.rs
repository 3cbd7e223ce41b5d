//! Mutants of `src/board/view.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/view.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "an entry outlives its deadline by an instant",
    lost: "A view has an entry that a get of the same instant does not find.",
    file: FILE,
    search: "deadline_ns <= instant_ns",
    replace: "deadline_ns < instant_ns",
    caught_by: &[test("-p slateboard --lib board::view::tests::a_deadline_has_passed_at_its_own_instant")],
}];
