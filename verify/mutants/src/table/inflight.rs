//! Mutants of `src/engine/protocol/inflight.rs`.

use super::{Mutant, long, models, schedules, states};

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
];
