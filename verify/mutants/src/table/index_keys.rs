//! Mutants of `src/board/index/keys.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/index/keys.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the index keeps a removal for one event too long",
        lost: "The index has a key more than the history has removals.",
        file: FILE,
        search: "&& *first.key() <= floor",
        replace: "&& *first.key() < floor",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_key_leaves_with_its_removal_and_not_before",
        )],
    },
    Mutant {
        name: "a removal by an event leaves the key in the index",
        lost: "The index grows with each key that comes and goes.",
        file: FILE,
        search: "!change.tombstone && known(change)",
        replace: "known(change)",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_key_leaves_with_its_removal_and_not_before",
        )],
    },
    Mutant {
        name: "a removal that a walk finds is kept for ever",
        lost: "The index grows with each key that a walk finds removed.",
        file: FILE,
        search: "                if slot.tombstone {",
        replace: "                if slot.tombstone && head_at == 0 {",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_key_leaves_with_its_removal_and_not_before",
        )],
    },
    Mutant {
        name: "a removal takes a key that came back",
        lost: "A list misses a key that was removed and put again.",
        file: FILE,
        search: "if self.heads.get(head_at) == head {",
        replace: "if head != Head(0) {",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::what_changes_while_the_slots_are_read_is_in_the_index",
        )],
    },
    Mutant {
        name: "a walk leaves the keys that its slots had",
        lost: "The index grows with each slot that passes from key to key.",
        file: FILE,
        search: "walk.passed.insert(head_at as u32);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_key_leaves_with_its_removal_and_not_before",
        )],
    },
    Mutant {
        name: "a walk takes the changes during it for read",
        lost: "A list misses a key that was put while the index was made.",
        file: FILE,
        search: "self.generation = Some(generation);
        self.walked",
        replace: "self.generation = Some(core.generation());
        self.walked",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::what_changes_while_the_slots_are_read_is_in_the_index",
        )],
    },
    Mutant {
        name: "an event that a walk has seen is applied again",
        lost: "The index takes a slot back to an earlier state, under a key that it has not read.",
        file: FILE,
        search: "        if seen(&change) {
            return Ok(());
        }
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::what_changes_while_the_slots_are_read_is_in_the_index",
        )],
    },
];
