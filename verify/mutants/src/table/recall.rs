//! Mutants of `src/engine/protocol/recall.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/recall.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "what is remembered is copied without a second look at the head",
        lost: "A handle returns a torn value, or another key's.",
        file: FILE,
        search: "        head.load(Relaxed) == self.head.0
            && (",
        replace: "        self.slot.head_at > 0
            && (",
        caught_by: &[models("read::what_a_reader_remembers_is_whole_and_the_newest")],
    },
    Mutant {
        name: "what is remembered is returned without a look at the head",
        lost: "A handle returns a value that was replaced or removed.",
        file: FILE,
        search: "let Some(head) = words.get(self.slot.head_at) else { return false };",
        replace: "let Some(head) = words.get(self.slot.head_at) else { return false };
        let head = &AtomicU64::new(if head.load(Relaxed) > 0 { self.head.0 } else { 0 });",
        caught_by: &[
            test(
                "-p slateboard --test handles a_handle_learns_of_a_change_although_the_record_lies_in_the_same_block",
            ),
            models("read::what_a_reader_remembers_is_whole_and_the_newest"),
        ],
    },
    Mutant {
        name: "what is remembered is compared by its block alone",
        lost: "A handle returns what it remembers of a record whose block has another one now.",
        file: FILE,
        search: "let Some(head) = words.get(self.slot.head_at) else { return false };",
        replace: "let Some(head) = words.get(self.slot.head_at) else { return false };
        let now = Head(head.load(Relaxed));
        let head = &AtomicU64::new(if now.block() == self.head.block() { self.head.0 } else { now.0 });",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_learns_of_a_change_although_the_record_lies_in_the_same_block",
        )],
    },
    Mutant {
        name: "what is remembered is not verified again",
        lost: "A handle returns a value that was damaged since it read it first.",
        file: FILE,
        search: "|| record::hash_of(out) == self.value_hash",
        replace: "|| record::hash_of(out) == self.value_hash || self.value_len > 0",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_verifies_a_value_each_time_that_it_returns_it",
        )],
    },
    Mutant {
        name: "a value in pieces is remembered as one that follows its key",
        lost: "A handle returns the list of a long value's blocks, and what follows, as the value.",
        file: FILE,
        search: "value_at.filter(|_| !words.in_pieces())",
        replace: "value_at.filter(|_| !words.in_pieces() || value_len > 0)",
        caught_by: &[test("-p slateboard --test handles a_handle_returns_a_value_again_whatever_its_length")],
    },
];
