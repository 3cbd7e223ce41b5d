//! Mutants of `src/engine/protocol/inflight.rs`.

use super::{Mutant, long, models, schedules, states, test};

const FILE: &str = "src/engine/protocol/inflight.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a writer leaves its tombstone that was given back",
        lost: "The block of a tombstone that others gave back is never free again.",
        file: FILE,
        search: "Err(_) => drop(self.leave_limbo(claimed.block, lane.owner(), claimed.tag)),",
        replace: "Err(_) => {}",
        caught_by: &[models("slots::a_tombstone_is_given_back_beside_its_writer"), states("full-expired")],
    },
    Mutant {
        name: "a doomed block keeps its tag",
        lost: "A late helper takes a block's next life for the one that it helps.",
        file: FILE,
        search: "Err(state) if state == doomed.0 => self.free_doomed(lane, claimed, doomed),",
        replace: "Err(state) if state == doomed.0 => {
                let held = State::new(StateKind::Claimed, lane.owner(), claimed.tag);
                self.state_of(claimed.block).store(held.0 | state & 0, Release);
                self.keep(lane, claimed);
            }",
        caught_by: &[models("blocks::a_doomed_block_begins_with_another_tag")],
    },
    Mutant {
        name: "settled by a store",
        lost: "An owner takes back a block that the floor has doomed, and nobody frees it.",
        file: FILE,
        search: "match word.compare_exchange(inflight.0, owned.0, Release, Acquire) {",
        replace: "word.store(owned.0, Release);
        match Ok::<u64, u64>(inflight.0) {",
        caught_by: &[
            models("blocks::a_late_owner_learns_its_generation"),
            states("doomed"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "a doomed block's owner adds nothing",
        lost: "The weight of the history does not fall with a doomed block.",
        file: FILE,
        search:
            "            self.weigh(lane, Sum::Freed, Weight::of_doomed(own), self.footprint(claimed.block));
",
        replace: "            let _ = own;
",
        caught_by: &[states("doomed")],
    },
    Mutant {
        name: "begin in the other order",
        lost: "A block is in flight with the generation word of its life before, so that its reaper judges it by that.",
        file: FILE,
        search: "        self.gen_of(claimed.block).store(gen_word, Release);
        let state = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        self.state_of(claimed.block).store(state.0, Release);",
        replace: "        let state = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        self.state_of(claimed.block).store(state.0, Release);
        self.gen_of(claimed.block).store(gen_word, Release);",
        caught_by: &[states("reuse-kill"), long(schedules("one-key"))],
    },
    Mutant {
        name: "a doomed block's owner leaves its pieces",
        lost: "The pieces of a long value that was let go early are never free again.",
        file: FILE,
        search: "        self.free_pieces(claimed.block, claimed.tag);
",
        replace: "",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::reaping::what_a_writer_still_looks_at_is_settled_or_kept")],
    },
    Mutant {
        name: "a doomed block's owner takes it and forgets it",
        lost: "A block that was let go early is never free again.",
        file: FILE,
        search: "            self.keep(lane, claimed);",
        replace: "            let _ = claimed;",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::reaping::what_a_writer_still_looks_at_is_settled_or_kept")],
    },
    Mutant {
        name: "a block that was not published stays in flight",
        lost: "A block that a refused put gives back is never free again.",
        file: FILE,
        search: "        // Release: as in `free`. A store is enough, because no other thread knows an unpublished block.
        self.state_of(claimed.block).store(state.0, Release);",
        replace: "        let _ = state;",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::a_full_board_says_so_and_still_removes")],
    },
];
