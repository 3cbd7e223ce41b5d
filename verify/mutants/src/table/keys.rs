//! Mutants of `src/engine/protocol/keys.rs`.

use super::{Mutant, long, test, torture};

const FILE: &str = "src/engine/protocol/keys.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the index begins without the first slots of the buckets",
        lost: "Lists miss keys that were there before the index was made.",
        file: FILE,
        search: "for hash_at in chain.by_ref().flat_map(slots_of) {",
        replace: "for hash_at in chain.by_ref().flat_map(|base| slots_of(base).skip(1)) {",
        caught_by: &[
            test("-p slateboard --test index the_index_has_the_keys_of_every_slot"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "an event names a slot of any chain",
        lost: "Damage of an event's record gives its key the slot of another, which lists then miss.",
        file: FILE,
        search: "if !self.slots(key.bucket).any(|hash_at| hash_at + 1 == change.head_at) {",
        replace: "if change.head_at == 0 {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::an_event_is_believed_only_if_it_fits_the_slot_that_it_names",
        )],
    },
    Mutant {
        name: "an event names a slot of any fingerprint",
        lost: "Damage of an event's record gives its key the slot of another, which lists then miss.",
        file: FILE,
        search: "hash.fingerprint() == key.fingerprint && head.counter() >= change.head.counter()",
        replace: "hash.0 != 0 && key.hash != 0 && head.counter() >= change.head.counter()",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::an_event_is_believed_only_if_it_fits_the_slot_that_it_names",
        )],
    },
    Mutant {
        name: "an event's head is later than the slot's",
        lost: "Damage of an event's record makes the index take its slot for one that it knows.",
        file: FILE,
        search: "hash.fingerprint() == key.fingerprint && head.counter() >= change.head.counter()",
        replace: "hash.fingerprint() == key.fingerprint && head.0 > 0",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::an_event_is_believed_only_if_it_fits_the_slot_that_it_names",
        )],
    },
    Mutant {
        name: "a list reads whatever key its slot has",
        lost: "A list has the value of another key, or damage that is none.",
        file: FILE,
        search: "if !ours || !self.lives(found.slot) {",
        replace: "if (!ours && key.hash == 0) || !self.lives(found.slot) {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_key_whose_slot_has_another_by_now_is_read_where_it_lives",
        )],
    },
    Mutant {
        name: "a key whose slot has another by now is absent",
        lost: "A list misses a key that was removed and put again in another slot.",
        file: FILE,
        search: "let Some(item) = self.get_at(key, point, verify)? else { return Ok(false) };",
        replace: "let Some(item) = self.get_at(key, point, verify)?.filter(|item| item.key.is_empty()) else { return Ok(false) };",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_key_whose_slot_has_another_by_now_is_read_where_it_lives",
        )],
    },
    Mutant {
        name: "damage of a slot's record hides its key",
        lost: "A list misses a key whose record is damaged, and does not say so.",
        file: FILE,
        search: "            copied?.ok_or(Fault::Lagged)?;",
        replace: "            let _ = copied;",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_key_whose_slot_has_another_by_now_is_read_where_it_lives",
        )],
    },
    Mutant {
        name: "a list reports a key that a read does not find",
        lost: "A list has a key whose slot is damaged, and a get of the key finds nothing.",
        file: FILE,
        search: "if found.slot.hash.fingerprint() != key.fingerprint {",
        replace: "if found.slot.hash.fingerprint() != key.fingerprint && key.hash == 0 {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_list_reports_no_key_that_a_read_does_not_find",
        )],
    },
];
