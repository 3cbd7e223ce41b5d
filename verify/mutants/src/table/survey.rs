//! Mutants of `src/engine/protocol/survey.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/survey.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a walk believes what it copied",
        lost: "A list has a torn value, or misses a key that stands.",
        file: FILE,
        search: "if self.holds(Proof::HeadOrFloor(slot, head, since)) {",
        replace: "if since < u64::MAX {",
        caught_by: &[models("view::a_walk_finds_every_key_that_stands")],
    },
    Mutant {
        name: "a walk without the history has no prefix",
        lost: "A walk tells keys that nobody asked for.",
        file: FILE,
        search: "Ok(true) if key.starts_with(prefix.as_bytes()) => each(Ok(&key)),",
        replace: "Ok(true) => each(Ok(&key)),",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_walk_without_the_history_tells_its_prefix_and_its_damage_alone",
        )],
    },
    Mutant {
        name: "a walk without the history tells any damage",
        lost: "A list is damaged because of keys that it does not have.",
        file: FILE,
        search: "                        if damaged.concerns(prefix) {",
        replace: "                        if damaged.concerns(prefix) || !prefix.is_empty() {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_walk_without_the_history_tells_its_prefix_and_its_damage_alone",
        )],
    },
    Mutant {
        name: "a key that has moved is absent from a walk",
        lost: "A list misses the keys of a board that has moved.",
        file: FILE,
        search: "Some(HeadKind::Moved) => return Err(Fault::Moved),",
        replace: "Some(HeadKind::Moved) => return Ok(false),",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_walk_without_the_history_tells_its_prefix_and_its_damage_alone",
        )],
    },
];
