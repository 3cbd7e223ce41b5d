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
];
