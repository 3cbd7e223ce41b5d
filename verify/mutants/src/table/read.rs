//! Mutants of `src/engine/protocol/read.rs`.

use super::{Mutant, models};

const FILE: &str = "src/engine/protocol/read.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the value before an unlogged one is accepted by the head",
        lost: "A reader takes a torn copy for the value before.",
        file: FILE,
        search: "let proof = Proof::Floor(since);",
        replace: "let now = Head(self.at(slot.head_at).load(Relaxed));
        let proof = Proof::HeadOrFloor(slot, now, since);",
        caught_by: &[models("read::the_value_before_an_unlogged_one_is_whole")],
    },
    Mutant {
        name: "the second pass loads the generation after the head",
        lost: "A reader's second pass copies a block that is reused.",
        file: FILE,
        search: "Proof::HeadOrFloor(slot, head, since);",
        replace: "Proof::HeadOrFloor(slot, head, self.generation());",
        caught_by: &[models("stall::a_second_pass_copies_no_reused_block")],
    },
    Mutant {
        name: "a reader stores",
        lost: "A reader changes the board.",
        file: FILE,
        search: "let since = self.generation();",
        replace: "let since = self.generation();
            self.raise_shard(key.shard, since);",
        caught_by: &[models("read::the_value_before_an_unlogged_one_is_whole")],
    },
    Mutant {
        name: "a handle's reader does not ask whose slot it is",
        lost: "A read by handle returns another key's value.",
        file: FILE,
        search: "Some((hash, head)) if hash == slot.hash && head.is(HeadKind::Live) => {",
        replace: "Some((_, head)) if head.is(HeadKind::Live) => {",
        caught_by: &[models("slots::a_known_slot_answers_for_no_other_key")],
    },
    Mutant {
        name: "a poller takes any change that is not in the history for its own",
        lost: "A poller passes over a change that it has not seen.",
        file: FILE,
        search: "is_some_and(entering) && self.holds(Proof::Head(slot.head_at, now))",
        replace: "is_some_and(entering)",
        caught_by: &[models("stall::a_poller_takes_no_later_change_for_its_own")],
    },
    Mutant {
        name: "a moved key is absent",
        lost: "A reader takes a key that has moved for one that was removed.",
        file: FILE,
        search: "Some(HeadKind::Moved) => Err(Fault::Moved),",
        replace: "Some(HeadKind::Moved) => Ok(None),",
        caught_by: &[models("moved::a_read_finds_the_key_or_is_told")],
    },
];
