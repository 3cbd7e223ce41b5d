//! Mutants of `src/engine/protocol/retention.rs`.

use super::{Mutant, long, models, schedules, states, test};

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
    Mutant {
        name: "room is made for an event that has room",
        lost: "The history holds one event fewer than it can.",
        file: FILE,
        search: "floor + self.geo.history() >= position",
        replace: "floor + self.geo.history() > position",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::the_history_has_exactly_the_events_that_it_may_have")],
    },
    Mutant {
        name: "no room is made for one event more",
        lost: "An event takes the ring's word of one that is in the history.",
        file: FILE,
        search: "floor + self.geo.history() >= position",
        replace: "floor + self.geo.history() + 1 >= position",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::the_history_has_exactly_the_events_that_it_may_have")],
    },
    Mutant {
        name: "room for the next event is made one event late",
        lost: "A put makes room while others wait for it.",
        file: FILE,
        search: "self.floor() + history <= generation",
        replace: "self.floor() + history < generation",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::the_history_has_exactly_the_events_that_it_may_have")],
    },
    Mutant {
        name: "room for the next event is made one event early",
        lost: "The history holds one event fewer than it can.",
        file: FILE,
        search: "self.floor() + history <= generation",
        replace: "self.floor() + history <= generation + 1",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::the_history_has_exactly_the_events_that_it_may_have")],
    },
    Mutant {
        name: "the least history is one event shorter",
        lost: "A history that gives way loses one event more than it says.",
        file: FILE,
        search: "floor + least < generation",
        replace: "floor + least <= generation",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::a_history_of_few_events_stays_on_a_full_board_as_long_as_it_can")],
    },
    Mutant {
        name: "the least history is one event longer",
        lost: "A history does not give the room that it can.",
        file: FILE,
        search: "floor + least < generation",
        replace: "floor + least + 1 < generation",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::a_history_of_few_events_stays_on_a_full_board_as_long_as_it_can")],
    },
    Mutant {
        name: "a history at its least holds any bytes",
        lost: "Superseded values take the room of values.",
        file: FILE,
        search: "held <= quarter",
        replace: "held <= u64::MAX",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::the_history_holds_a_quarter_of_the_data_at_most")],
    },
    Mutant {
        name: "the bytes of the history are not weighed",
        lost: "Superseded values take the room of values.",
        file: FILE,
        search: "self.weigh_history(lane);",
        replace: "",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::the_history_holds_a_quarter_of_the_data_at_most")],
    },
    Mutant {
        name: "a full board gives up its history at once",
        lost: "Readers of a full board meet a history of no event.",
        file: FILE,
        search: "Least::Few => HISTORY_OF_THE_FULL,",
        replace: "Least::Few => 0,",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::a_history_of_few_events_stays_on_a_full_board_as_long_as_it_can")],
    },
    Mutant {
        name: "events that hold no block leave early",
        lost: "A full board gives up its history for nothing.",
        file: FILE,
        search: "self.history_holds_any()",
        replace: "true",
        caught_by: &[test("-p slateboard --lib engine::protocol::tests::bounds::a_history_of_few_events_stays_on_a_full_board_as_long_as_it_can")],
    },
    Mutant {
        name: "events that leave the history are not counted",
        lost: "A figure that is shown is wrong.",
        file: FILE,
        search: "self.count(lane, Counter::Floored, 1);",
        replace: "",
        caught_by: &[test("-p slateboard --lib board::metrics::tests::what_sessions_did_is_counted_by_its_kind")],
    },
];
