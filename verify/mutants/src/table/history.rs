//! Mutants of `src/engine/protocol/history.rs`.

use super::{Mutant, long, models, schedules, states};

const FILE: &str = "src/engine/protocol/history.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an owner does not wake for another that counted its event",
        lost: "A helper counts an event and is stopped before it wakes anybody: the sleepers sleep on.",
        file: FILE,
        search: "if !self.complete(position, block, GenWord::Unlogged(tag), shard) {",
        replace: "if !self.complete(position, block, GenWord::Unlogged(tag), shard) && shard.is_none() {",
        caught_by: &[models("stall::an_owner_wakes_for_a_helper_that_stopped")],
    },
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
            // The generation word is loaded after the counter, never before it: that makes entries unique.
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
        caught_by: &[states("stale-finisher")],
    },
    Mutant {
        name: "generation given by a store",
        lost: "A late helper gives an old generation to a block's later life.",
        file: FILE,
        search: "let _ = self.gen_of(block).compare_exchange(gen_word.pack(), own, Release, Acquire);",
        replace: "self.gen_of(block).store(own, Release);",
        caught_by: &[states("stale-finisher")],
    },
];
