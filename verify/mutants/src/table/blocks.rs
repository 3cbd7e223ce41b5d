//! Mutants of `src/engine/protocol/blocks.rs`.

use super::{Mutant, long, models, schedules, states, test};

const FILE: &str = "src/engine/protocol/blocks.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "claimed by a store",
        lost: "Two writers own one block.",
        file: FILE,
        search: "word.compare_exchange(state.0, claimed.0, Acquire, Relaxed).ok()?;",
        replace: "word.store(claimed.0, Release);",
        caught_by: &[models("blocks::no_block_is_claimed_twice")],
    },
    Mutant {
        name: "no second look at the class",
        lost: "A claim gives a block of the size that its extent had before it was cut anew.",
        file: FILE,
        search: "if self.class_of(self.geo.extent_of(block)).class() != class {",
        replace: "if class == u8::MAX {",
        caught_by: &[models("blocks::a_recut_extent_gives_no_block_of_its_old_class"), states("two-sizes")],
    },
    Mutant {
        name: "an extent is recut around a block in use",
        lost: "A block in use is cut into blocks of another size.",
        file: FILE,
        search: "let done = complete
            && self",
        replace: "let done = (complete || !held.is_empty())
            && self",
        caught_by: &[models("stall::an_extent_in_use_is_not_recut"), states("two-sizes")],
    },
    Mutant {
        name: "LIMBO is claimed as it is",
        lost: "A block whose head still names it begins another life.",
        file: FILE,
        search: "            self.end_limbo(block, state);
",
        replace: "            let word = self.state_of(block);
            let _ = word.compare_exchange(state.0, state.0 & !7, AcqRel, Acquire);
",
        caught_by: &[states("give-back")],
    },
    Mutant {
        name: "reclaimed with the old tag",
        lost: "A late helper takes a block's next life for the one that it helps.",
        file: FILE,
        search: "        let tag = state.next_tag();
        let claimed = State::new(StateKind::Claimed, owner, tag);
        // AcqRel",
        replace: "        let tag = state.tag();
        let claimed = State::new(StateKind::Claimed, owner, tag);
        // AcqRel",
        caught_by: &[states("doomed"), long(schedules("one-key"))],
    },
    Mutant {
        name: "a lane keeps one block more",
        lost: "Lanes keep more from the others than they may.",
        file: FILE,
        search: "stash.blocks.len() < lane.stash_max",
        replace: "stash.blocks.len() <= lane.stash_max",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_lane_keeps_eight_blocks_of_a_size_and_its_share_of_the_bytes",
        )],
    },
    Mutant {
        name: "a lane keeps blocks of any size",
        lost: "Idle lanes keep a large part of the board from the others.",
        file: FILE,
        search: "left.min(lane.stash_room)",
        replace: "left",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_lane_keeps_eight_blocks_of_a_size_and_its_share_of_the_bytes",
        )],
    },
    Mutant {
        name: "what a lane keeps does not count",
        lost: "Idle lanes keep a large part of the board from the others.",
        file: FILE,
        search: "lane.stash_room -= stash.granules;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_lane_keeps_eight_blocks_of_a_size_and_its_share_of_the_bytes",
        )],
    },
    Mutant {
        name: "a lane keeps blocks of the reserve",
        lost: "A put takes what is reserved for removals.",
        file: FILE,
        search: "extent >= self.first_extent()",
        replace: "extent < u32::MAX",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::the_reserve_is_for_removals_alone_and_lets_a_board_be_emptied",
        )],
    },
    Mutant {
        name: "extents that are claimed are not counted",
        lost: "A figure that is shown is wrong.",
        file: FILE,
        search: "                hint.store(u64::from(extent), Relaxed);
                self.count(lane, Counter::Extents, 1);",
        replace: "                hint.store(u64::from(extent), Relaxed);",
        caught_by: &[test(
            "-p slateboard --lib board::metrics::tests::what_sessions_did_is_counted_by_its_kind",
        )],
    },
];
