//! Mutants of `src/engine/protocol/claim.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/claim.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a put that finds no block retires nothing",
        lost: "A put is refused although a tombstone that nobody gave back would make room.",
        file: FILE,
        search: "self.retire_all()?;",
        replace: "",
        caught_by: &[models("slots::a_tombstone_left_behind_gives_room")],
    },
    Mutant {
        name: "a change lets events go only down to four",
        lost: "A put is refused although events of the history hold blocks of its size.",
        file: FILE,
        search: "self.claim_by_shrinking(lane, class, least)?",
        replace: "self.claim_by_shrinking(lane, class, if least == Least::Nothing { Least::Few } else { least })?",
        caught_by: &[test("-p slateboard --test room one_value_removed_makes_room_for_one")],
    },
    Mutant {
        name: "a removal takes no larger block",
        lost: "A removal is refused although a large block is free.",
        file: FILE,
        search: "if removal && let Some",
        replace: "if removal && class == 0 && let Some",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::claims::a_larger_block_does")],
    },
    Mutant {
        name: "a change without room keeps its stash",
        lost: "An extent whose other blocks are all free is not cut, because of blocks that the caller itself keeps at hand.",
        file: FILE,
        search: "        self.empty_stash(lane);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::claims::a_claim_gives_up_what_the_lane_keeps",
        )],
    },
    Mutant {
        name: "no extent is cut anew",
        lost: "A board that was full of values of one size refuses those of another.",
        file: FILE,
        search: "            .or_else(|| self.recut_extent(lane, class))",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::a_full_board_says_so_and_still_removes",
        )],
    },
    Mutant {
        name: "a change takes no larger block",
        lost: "A put is refused although a block somewhat larger is free.",
        file: FILE,
        search: "(class + 1..=last).find_map(",
        replace: "(class + 1..=last).filter(|_| reach == u8::MAX).find_map(",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::claims::a_larger_block_does")],
    },
    Mutant {
        name: "hints are trusted to the end",
        lost: "A put is refused because of a hint that a killed session left.",
        file: FILE,
        search: ".find_free(lane, class, true)",
        replace: ".find_free(lane, class, false)",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::claims::a_wrong_hint_hides_no_block",
        )],
    },
    Mutant {
        name: "a refusal does not look for pinned blocks",
        lost: "A user is told to remove keys where stopped sessions hold the blocks.",
        file: FILE,
        search: "if self.any_pinned() {",
        replace: "if self.any_pinned() && class == 0 {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::claims::a_refusal_says_whether_blocks_are_pinned",
        )],
    },
    Mutant {
        name: "a put uses the reserve",
        lost: "A full board cannot be emptied.",
        file: FILE,
        search: "None if removal => self.claim_reserve(lane, class),",
        replace: "None => self.claim_reserve(lane, class),",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::the_reserve_is_for_removals_alone_and_lets_a_board_be_emptied",
        )],
    },
    Mutant {
        name: "a removal does not use the reserve",
        lost: "A full board cannot be emptied.",
        file: FILE,
        search: "None if removal => self.claim_reserve(lane, class),",
        replace: "None if removal => None,",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::the_reserve_is_for_removals_alone_and_lets_a_board_be_emptied",
        )],
    },
    Mutant {
        name: "hints of larger blocks are trusted to the end",
        lost: "A put is refused although a block somewhat larger is free, because of a hint that a killed session left.",
        file: FILE,
        search: ".or_else(|| self.find_larger(lane, class, LARGER, true))",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::claims::a_wrong_hint_hides_no_block",
        )],
    },
    Mutant {
        name: "a removal trusts the hints",
        lost: "A removal is refused because of a hint that a killed session left.",
        file: FILE,
        search: "self.find_larger(lane, class, u8::MAX, true)",
        replace: "self.find_larger(lane, class, u8::MAX, false)",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::claims::a_wrong_hint_hides_no_block",
        )],
    },
];
