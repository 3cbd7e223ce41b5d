//! Mutants of `src/engine/protocol/read.rs`.

use super::{Mutant, models, test};

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
    Mutant {
        name: "a read does not verify the checksum",
        lost: "A damaged value is returned.",
        file: FILE,
        search: "if record::DETAILS && verify == Verify::Always {",
        replace: "if record::DETAILS && verify == Verify::Always && value.len() > record::KEY_MAX << 20 {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::a_record_of_another_slot_and_a_changed_value_are_damage",
        )],
    },
    Mutant {
        name: "a record of another slot is read",
        lost: "Damage of one key returns the value of another.",
        file: FILE,
        search: "if self.words.slot() != found.slot.head_at {",
        replace: "if self.words.slot() == 0 {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::a_record_of_another_slot_and_a_changed_value_are_damage",
        )],
    },
    Mutant {
        name: "a tombstone under a record that is not in the history is a value",
        lost: "A removed key has an empty value while the next put is stopped.",
        file: FILE,
        search: "Attempt::Is => return Ok(!target.copy.words.is_tombstone()),",
        replace: "Attempt::Is => return Ok(true),",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::before_a_record_that_is_not_in_the_history_its_predecessor_answers",
        )],
    },
    Mutant {
        name: "another life of the same block is the newest",
        lost: "Who polls with a handle misses changes when a block comes back to the key.",
        file: FILE,
        search: "Some((hash, now)) if hash == slot.hash => now == head ||",
        replace: "Some((hash, now)) if hash == slot.hash => now.block() == head.block() && now.is(HeadKind::Live) ||",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_learns_of_a_change_although_the_record_lies_in_the_same_block",
        )],
    },
    Mutant {
        name: "no change is entering",
        lost: "Who polls reads the previous value again and again while a writer is stopped.",
        file: FILE,
        search: "now == head || self.is_entering(slot, head, now),",
        replace: "now == head,",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::a_head_is_the_newest_until_the_next_change_is_in_the_history",
        )],
    },
    Mutant {
        name: "any change that is entering follows what a poller saw",
        lost: "Who polls misses a change that lies before one that is not in the history.",
        file: FILE,
        search: "now != head.next(HeadKind::Live, now.block())",
        replace: "now.counter() == head.counter()",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::a_head_is_the_newest_until_the_next_change_is_in_the_history",
        )],
    },
    Mutant {
        name: "a change in the history is entering",
        lost: "Who polls misses the next change.",
        file: FILE,
        search: "matches!(self.load_gen(block), GenWord::Unlogged(_));",
        replace: "matches!(self.load_gen(block), GenWord::Unlogged(_) | GenWord::Generation(_));",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::a_head_is_the_newest_until_the_next_change_is_in_the_history",
        )],
    },
    Mutant {
        name: "a glance takes the first bucket for the whole chain",
        lost: "Keys in overflow buckets are absent.",
        file: FILE,
        search: "return if link == 0 { Glance::Absent } else { Glance::Unclear };",
        replace: "return if link < u64::MAX { Glance::Absent } else { Glance::Unclear };",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::more_keys_than_the_table_overflow_into_buckets",
        )],
    },
    Mutant {
        name: "a record that is not in the history is read",
        lost: "A value is returned that no event has.",
        file: FILE,
        search: "let GenWord::Generation(generation) = self.load_gen(block) else { return Glance::Unclear };",
        replace: "let (GenWord::Generation(generation) | GenWord::Unlogged(generation)) = self.load_gen(block) else { return Glance::Unclear };",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::newest::before_a_record_that_is_not_in_the_history_its_predecessor_answers",
        )],
    },
    Mutant {
        name: "a glance does not compare keys",
        lost: "A read returns the value of another key.",
        file: FILE,
        search: "of_key.is_none_or(|key| key_is(record, key))",
        replace: "of_key.is_none_or(|key| !key.bytes.is_empty() || key_is(record, key))",
        caught_by: &[test(
            "-p slateboard --test handles keys_of_one_fingerprint_in_one_chain_are_told_apart",
        )],
    },
    Mutant {
        name: "a glance at a tombstone is a value",
        lost: "A removed key has an empty value.",
        file: FILE,
        search: "if copy.words.is_tombstone() { Glance::Absent } else { Glance::Is }",
        replace: "Glance::Is",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_follows_its_key_through_changes_and_removals",
        )],
    },
    Mutant {
        name: "a search does not compare keys",
        lost: "A read returns the value of another key.",
        file: FILE,
        search: "        if !self.key_is(block, key) {
            return self.not_ours",
        replace: "        if !self.key_is(block, key) && key.bytes.is_empty() {
            return self.not_ours",
        caught_by: &[test(
            "-p slateboard --test handles keys_of_one_fingerprint_in_one_chain_are_told_apart",
        )],
    },
    Mutant {
        name: "another key of the same fingerprint is damage",
        lost: "A key cannot be read because of another.",
        file: FILE,
        search: "if whole && fits { Ok(None) }",
        replace: "if whole && fits && block.index() == 0 { Ok(None) }",
        caught_by: &[test(
            "-p slateboard --test handles keys_of_one_fingerprint_in_one_chain_are_told_apart",
        )],
    },
    Mutant {
        name: "another key of the same fingerprint ends a search",
        lost: "A key behind another of its fingerprint is absent.",
        file: FILE,
        search: "if whole && fits { Ok(None) }",
        replace: "if whole && fits { Ok(Some(Attempt::Absent)) }",
        caught_by: &[test(
            "-p slateboard --test handles keys_of_one_fingerprint_in_one_chain_are_told_apart",
        )],
    },
];
