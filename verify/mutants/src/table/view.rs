//! Mutants of `src/engine/protocol/view.rs`.

use super::{Mutant, long, models, states, test, torture};

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
        caught_by: &[
            test("-p slateboard --test history a_view_is_of_any_generation_from_the_floor_to_the_newest"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a view of the present is one generation old",
        lost: "What a caller was told before is missing in a later view.",
        file: FILE,
        search: "        let generation = self.newest();
        Point",
        replace: "        let generation = self.newest().saturating_sub(1);
        Point",
        caught_by: &[
            test("-p slateboard --test history a_view_is_of_any_generation_from_the_floor_to_the_newest"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "the oldest view is refused",
        lost: "A generation that the history holds cannot be viewed.",
        file: FILE,
        search: "if self.floor() > floor_max {",
        replace: "if self.floor() >= floor_max {",
        caught_by: &[test(
            "-p slateboard --test history a_view_is_of_any_generation_from_the_floor_to_the_newest",
        )],
    },
    Mutant {
        name: "a view leaves out its own generation's change",
        lost: "A view shows the board of the generation before.",
        file: FILE,
        search: "&& generation <= point.generation
",
        replace: "&& generation < point.generation
",
        caught_by: &[test(
            "-p slateboard --test history a_view_is_of_any_generation_from_the_floor_to_the_newest",
        )],
    },
    Mutant {
        name: "an event supersedes a tombstone",
        lost: "The first value after a removal is told with a previous value.",
        file: FILE,
        search: "        let item = self.copy_item(block, generation, proof, verify)?.ok_or(Fault::Lagged)?;
        Ok((!item.header.kind.is_tombstone()).then_some(item))",
        replace: "        let item = self.copy_item(block, generation, proof, verify)?.ok_or(Fault::Lagged)?;
        Ok(Some(item))",
        caught_by: &[test(
            "-p slateboard --test history an_event_tells_what_was_done_by_whom_and_what_it_superseded",
        )],
    },
    Mutant {
        name: "an event is told whatever its key",
        lost: "A watch tells events of other keys.",
        file: FILE,
        search: "if !filter(&key) {",
        replace: "if !filter(&key) && key.is_empty() {",
        caught_by: &[test("-p slateboard --test history a_watch_tells_what_its_prefix_has_and_nothing_else")],
    },
    Mutant {
        name: "a damaged event's key is named if it falls into the chain",
        lost: "Damage of one key is reported under the name of another.",
        file: FILE,
        search: "let fits = self.fits_slot(bucket, hash.fingerprint(), &bytes);",
        replace: "let falls = |key| Key::new(self.geo, key).bucket == bucket;
        let fits = hash.0 != 0 && std::str::from_utf8(&bytes).is_ok_and(falls);",
        caught_by: &[test("-p slateboard --test lists a_damaged_key_is_not_taken_for_another_of_its_chain")],
    },
    Mutant {
        name: "a key is copied from a slot whose life ended",
        lost: "A removed key is told to be damaged when another key takes its slot.",
        file: FILE,
        search: "        let copied = self.copy_item(block, generation, self.proof(point), verify);
        if !self.lives(found.slot) {",
        replace: "        let copied = self.copy_item(block, generation, self.proof(point), verify);
        if !self.lives(found.slot) && copied.is_err() {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::past::a_removed_key_whose_slot_passes_on_while_it_is_copied_is_absent",
        )],
    },
    Mutant {
        name: "a slot whose life ended leads to records",
        lost: "A view finds the value of another key.",
        file: FILE,
        search: "if step == 0 && !self.lives(found.slot) {",
        replace: "if step == u64::MAX && !self.lives(found.slot) {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::past::a_slot_that_passed_on_leads_to_no_record_of_another_key",
        )],
    },
];
