//! Mutants of `src/engine/protocol/history.rs`.

use super::{Mutant, long, models, schedules, states};

const FILE: &str = "src/engine/protocol/history.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no lap check",
        lost: "A helper with a stale view overwrites an event of a later lap.",
        file: FILE,
        search: "word.lap() == lap - 1 || self.is_damaged_at(position)",
        replace: "true",
        caught_by: &[
            models("history::a_stale_view_overwrites_no_event_of_a_later_lap"),
            states("lap-3"),
            schedules("one-key"),
        ],
    },
    Mutant {
        name: "the counter is not helped",
        lost: "A put returns a generation that the board's counter does not show.",
        file: FILE,
        search: "self.show(shard, own);",
        replace: "",
        caught_by: &[
            models("history::two_helpers_of_one_put_make_one_event"),
            states("put-put-kill"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "generation word loaded before the counter",
        lost: "Two helpers of one put make two events of it.",
        file: FILE,
        search: "let generation = self.generation();
            let position = generation + 1;
            // After the generation, never before: that makes entries unique.
            match self.load_gen(block) {",
        replace: "let gen_word = self.load_gen(block);
            let generation = self.generation();
            let position = generation + 1;
            match gen_word {",
        caught_by: &[
            models("history::two_helpers_of_one_put_make_one_event"),
            states("put-put"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "the counter is raised by a store",
        lost: "A late finisher takes the generation back.",
        file: FILE,
        search: "counter.compare_exchange(position - 1, position, Release, Relaxed).is_ok()",
        replace: "{ counter.store(position, Release); true }",
        caught_by: &[
            models("history::a_late_finisher_takes_nothing_back"),
            states("put-put"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "the counter is raised without release",
        lost: "A poller sees the counter and not the event that it tells.",
        file: FILE,
        search: "counter.compare_exchange(position - 1, position, Release, Relaxed).is_ok()",
        replace: "counter.compare_exchange(position - 1, position, Relaxed, Relaxed).is_ok()",
        caught_by: &[models("history::a_poller_finds_what_the_counter_tells")],
    },
    Mutant {
        name: "the shard's counter is not raised",
        lost: "A watcher of the shard never learns of the event.",
        file: FILE,
        search: "if let Some(shard) = shard {
            self.raise_shard(shard, position);
        }",
        replace: "",
        caught_by: &[models("history::a_poller_finds_what_the_counter_tells")],
    },
    Mutant {
        name: "the floor may pass the generation",
        lost: "The floor passes the newest event, and its readers' blocks are freed.",
        file: FILE,
        search: "if event > generation {",
        replace: "if event == u64::MAX {",
        caught_by: &[
            models("history::the_floor_stays_below_the_generation"),
            states("floor"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "no tag test",
        lost: "A late helper logs a later life of the block that it helps.",
        file: FILE,
        search: "GenWord::Unlogged(other) if other == tag => {}",
        replace: "GenWord::Unlogged(_) => {}",
        caught_by: &[
            models("history::a_late_helper_logs_no_later_life"),
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
        // Room is made before an event enters the ring. Without this a damaged counter would be walked after.
        if floor + self.geo.history() < generation {
            return Err(Fault::Corrupt(\"the distance of the history's two counters\"));
        }",
        replace: "",
        caught_by: &[
            models("reap::a_killed_floor_step_frees_no_other_key"),
            states("two-keys"),
            long(schedules("scarce")),
        ],
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
        name: "no shard counter help",
        lost: "A put returns a generation that its shard's counter does not show.",
        file: FILE,
        search: "            self.raise_shard(shard, own);
",
        replace: "            let _ = shard;
",
        caught_by: &[states("helper"), long(schedules("one-key"))],
    },
    Mutant {
        name: "finish without the generation's re-read",
        lost: "A late finisher completes an event that was superseded, from words of a later life.",
        file: FILE,
        search: "        if self.generation() == position - 1 {",
        replace: "        {",
        caught_by: &[states("stale-finisher"), long(schedules("one-key"))],
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
        name: "generation given by a store",
        lost: "A late helper gives an old generation to a block's later life.",
        file: FILE,
        search: "let _ = self.gen_of(block).compare_exchange(gen_word.pack(), own, Release, Acquire);",
        replace: "self.gen_of(block).store(own, Release);",
        caught_by: &[states("lap-3")],
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
