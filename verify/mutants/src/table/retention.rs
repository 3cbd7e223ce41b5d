//! Mutants of `src/engine/protocol/retention.rs`.

use super::{Mutant, long, models, schedules, states};

const FILE: &str = "src/engine/protocol/retention.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the floor may pass the generation",
        lost: "The floor passes the newest event, and its readers' blocks are freed.",
        file: FILE,
        search: "if event > generation {",
        replace: "if event == u64::MAX {",
        caught_by: &[
            models("history::the_floor_stays_below_the_generation"),
            states("stale-helper"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "no intent",
        lost: "A writer killed between floor and free leaks the superseded block.",
        file: FILE,
        search: "self.intend(lane, &oldest);",
        replace: "",
        caught_by: &[
            models("reap::a_killed_floor_step_leaks_nothing"),
            states("floor"),
            schedules("one-key"),
        ],
    },
    Mutant {
        name: "intent without a second look at the floor",
        lost: "The reaper of a killed floor step frees a block of another key.",
        file: FILE,
        search: "if self.at(header::FLOOR).load(Relaxed) != floor {
            return Ok(None);
        }
        // Room is made before an event enters the ring. Without this check the floor would follow a damaged counter.
        if floor + self.geo.history() < generation {
            return Err(Fault::Corrupt(\"the distance of the history's two counters\"));
        }",
        replace: "",
        caught_by: &[models("reap::a_killed_floor_step_frees_no_other_key")],
    },
    Mutant {
        name: "the oldest event is taken without a second look at the floor",
        lost: "A floor step that others overtook takes the board for damaged.",
        file: FILE,
        search: "if self.at(header::FLOOR).load(Relaxed) != floor {
            return Ok(None);
        }
        // Room",
        replace: "// Room",
        caught_by: &[states("two-keys"), long(schedules("scarce"))],
    },
    Mutant {
        name: "doomed by a store",
        lost: "The floor dooms a block that its owner has settled, and nobody frees it.",
        file: FILE,
        search: "self.state_of(block).compare_exchange(state.0, doomed.0, AcqRel, Acquire).is_ok()",
        replace: "{ self.state_of(block).store(doomed.0, Release); true }",
        caught_by: &[
            models("blocks::a_late_owner_learns_its_generation"),
            states("doomed"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "no pin",
        lost: "A superseded block begins another life while its owner still asks it for its generation.",
        file: FILE,
        search: "StateKind::Inflight if self.doom(block, state) => return None,",
        replace: "StateKind::Inflight => return self.reclaim(owner, block, state),",
        caught_by: &[states("doomed"), schedules("one-key")],
    },
    Mutant {
        name: "an intent is not forgotten",
        lost: "A stale intent lets the reaper free a block that is in use.",
        file: FILE,
        search: "self.at(at + session::INTENT_EVENT).store(0, Release);",
        replace: "let _ = at;",
        caught_by: &[states("floor")],
    },
    Mutant {
        name: "freed by a store",
        lost: "A superseded block is given away while its owner still looks at it.",
        file: FILE,
        search: "StateKind::Inflight if self.doom(block, state) => return None,",
        replace: "StateKind::Inflight => {
                    self.state_of(block).store(State::new(StateKind::Free, 0, state.tag()).0, Release);
                    return None;
                }",
        caught_by: &[models("blocks::a_late_owner_learns_its_generation"), states("lap-3")],
    },
];
