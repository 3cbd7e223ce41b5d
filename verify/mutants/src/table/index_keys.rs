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
    Mutant {
        name: "a walk that failed leaves what it read",
        lost: "A list misses keys whose slots a walk read before damage ended it.",
        file: FILE,
        search: "                *self = Self::new(core.geometry());
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_walk_that_failed_leaves_nothing_behind",
        )],
    },
    Mutant {
        name: "an index that is ahead of the counter is believed",
        lost: "Lists miss keys that were put after damage of the counter.",
        file: FILE,
        search: "(core.floor()..=core.generation() + 1).contains(&own)",
        replace: "core.floor() <= own",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::an_index_that_is_ahead_of_a_damaged_counter_looks_at_the_slots",
        )],
    },
    Mutant {
        name: "a walk takes a record for one that is in the history",
        lost: "The index keeps a key whose removal entered the history after a walk.",
        file: FILE,
        search: "None => self.heads.set(head_at, slot.previous),",
        replace: "None => self.heads.set(head_at, slot.head),",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_removal_that_enters_the_history_after_a_walk_takes_its_key_along",
        )],
    },
    Mutant {
        name: "the index reads the floor before the counter",
        lost: "The index keeps a key whose slot got another while it read the two.",
        file: FILE,
        search: "        let newest = core.generation().max(generation);
        #[cfg(test)]
        crate::sync::paused::pause(crate::sync::paused::At::Floor);
        let floor = core.floor();
",
        replace: "        let floor = core.floor();
        #[cfg(test)]
        crate::sync::paused::pause(crate::sync::paused::At::Floor);
        let newest = core.generation().max(generation);
",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::a_key_whose_slot_gets_another_while_the_index_is_paused_leaves_it",
        )],
    },
    Mutant {
        name: "an event that is not counted is not in the index",
        lost: "A list leaves out a key that a get has told already.",
        file: FILE,
        search: "let newest = core.generation().max(generation);",
        replace: "let newest = core.generation().max(generation.min(core.generation()));",
        caught_by: &[test(
            "-p slateboard --lib board::index::keys::tests::an_event_that_is_not_counted_is_in_the_index",
        )],
    },
];
