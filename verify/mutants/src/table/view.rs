//! Mutants of `src/engine/protocol/view.rs`.

use super::{Mutant, models, states, torture};

const FILE: &str = "src/engine/protocol/view.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a view never lags",
        lost: "A view takes a reused block's bytes for a value of its generation.",
        file: FILE,
        search: "Proof::Floor(point.floor_max)",
        replace: "Proof::Floor(point.floor_max | u64::MAX)",
        caught_by: &[models("view::a_view_is_whole_or_lags")],
    },
    Mutant {
        name: "an event outlives its floor by one",
        lost: "An event is told with the bytes of a block that is reused.",
        file: FILE,
        search: "Proof::Floor(before)",
        replace: "Proof::Floor(position)",
        caught_by: &[models("view::an_event_is_whole_or_gone")],
    },
    Mutant {
        name: "the present is what is counted",
        lost: "What a read told is not in the same reader's list.",
        file: FILE,
        search: "if word.lap() < lap {",
        replace: "if word.lap() <= lap {",
        caught_by: &[models("told::what_a_read_told_can_be_listed"), states("told")],
    },
    Mutant {
        name: "no second look at the counter",
        lost: "What a read told is not in a later list.",
        file: FILE,
        search: "if self.is_entered(next, word) { next } else { self.generation() }",
        replace: "if self.is_entered(next, word) { next } else { counted }",
        caught_by: &[models("told::what_a_read_told_is_in_a_later_present")],
    },
    Mutant {
        name: "the present has an event without its generation word",
        lost: "A list is of a generation whose value cannot be found.",
        file: FILE,
        search: "if self.is_entered(next, word) { next } else",
        replace: "if word.lap() == lap { next } else",
        caught_by: &[models("told::what_a_read_told_can_be_listed")],
    },
    Mutant {
        name: "the next generation is accepted before it is entered",
        lost: "A view is of a generation that does not exist yet.",
        file: FILE,
        search: "generation > counted && generation > self.newest()",
        replace: "generation > counted && generation > counted + 1",
        caught_by: &[models("view::the_next_generation_can_be_seen_when_it_is_entered")],
    },
    Mutant {
        name: "a view of a moved slot is empty",
        lost: "A view takes a key that has moved for one that was removed.",
        file: FILE,
        search: "Some(HeadKind::Moved) => Err(Fault::Moved),",
        replace: "Some(HeadKind::Moved) => Ok(None),",
        caught_by: &[models("moved::a_read_finds_the_key_or_is_told")],
    },
    Mutant {
        name: "a view takes a newer value",
        lost: "A view shows several generations at once.",
        file: FILE,
        search: "                && generation <= point.generation",
        replace: "                && generation <= self.newest().max(point.generation)",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
    Mutant {
        name: "a view of the present is one generation old",
        lost: "What a caller was told before is missing in a later view.",
        file: FILE,
        search: "        let generation = self.newest();
        Point",
        replace: "        let generation = self.newest().saturating_sub(1);
        Point",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
];
