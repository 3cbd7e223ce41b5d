//! Mutants of `src/engine/protocol/lane.rs`.

use super::{Mutant, test};

const FILE: &str = "src/engine/protocol/lane.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "what a lane gives away still counts",
        lost: "A lane keeps nothing at hand any more, and each put searches.",
        file: FILE,
        search: "self.stash_room += stash.granules;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_lane_keeps_eight_blocks_of_a_size_and_its_share_of_the_bytes",
        )],
    },
    Mutant {
        name: "a reaper keeps blocks at hand",
        lost: "Blocks are lost under the name of a dead session.",
        file: FILE,
        search: "Self { stash_max: 0, weights_at",
        replace: "Self { stash_max: STASH_MAX, weights_at",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_reaper_keeps_no_block_in_the_name_of_the_dead",
        )],
    },
];
