//! Mutants of `src/engine/protocol/reap.rs`.

use super::{Mutant, long, models, schedules, states};

const FILE: &str = "src/engine/protocol/reap.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "settled for the dead by a store",
        lost: "The reaper takes back a block that the floor has let go meanwhile.",
        file: FILE,
        search: "if self.state_of(block).compare_exchange(state.0, owned.0, AcqRel, Acquire).is_ok() {",
        replace: "self.state_of(block).store(owned.0, crate::sync::Ordering::Release);
            if owned.0 != 0 {",
        caught_by: &[models("reap::a_put_let_go_while_it_is_reaped")],
    },
    Mutant {
        name: "the reaper loads the generation word before the head",
        lost: "The reaper takes a put that was published and superseded for one that never was.",
        file: FILE,
        search: "let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match self.load_gen(block) {",
        replace: "let gen_word = self.load_gen(block);
        let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match gen_word {",
        caught_by: &[
            models("reap::a_put_that_is_superseded_meanwhile_was_published"),
            states("put-put-kill"),
        ],
    },
    Mutant {
        name: "reaped without finishing the next event",
        lost: "The event of a dead writer is entered and never counted.",
        file: FILE,
        search: "self.finish_pending(lane)?;",
        replace: "",
        caught_by: &[
            models("reap::an_uncounted_event_is_counted"),
            states("reaper-killed"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "reaped without finishing intents",
        lost: "A superseded block leaks with the writer that was killed between floor and free.",
        file: FILE,
        search: "self.finish_intents(dead);",
        replace: "",
        caught_by: &[
            models("reap::a_killed_floor_step_leaks_nothing"),
            states("floor"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "a dead session's record is given up before its work is finished",
        lost: "What a dead session left is nobody's once its reaper was killed, too.",
        file: FILE,
        search: "        self.finish_intents(dead);
        self.finish_blocks",
        replace: "        self.vacate(dead);
        self.finish_intents(dead);
        self.finish_blocks",
        caught_by: &[states("reaper-killed")],
    },
    Mutant {
        name: "a dead session's record is given up before its names",
        lost: "A name that a dead session was making is never freed once its reaper was killed, too.",
        file: FILE,
        search: "        self.free_names_of(dead as u16 + 1);
        self.announce_all();
        self.vacate(dead);",
        replace: "        self.vacate(dead);
        self.free_names_of(dead as u16 + 1);
        self.announce_all();",
        caught_by: &[states("names")],
    },
    Mutant {
        name: "a dead session's record is given up before its sleepers are woken",
        lost: "Who sleeps on a killed writer's event is never woken once its reaper was killed, too.",
        file: FILE,
        search: "        self.announce_all();
        self.vacate(dead);",
        replace: "        self.vacate(dead);
        self.announce_all();",
        caught_by: &[models("wake::a_killed_reaper_s_sleepers_are_woken")],
    },
    Mutant {
        name: "reaped without waking",
        lost: "Who sleeps on a killed writer's event is never woken.",
        file: FILE,
        search: "self.announce_all();",
        replace: "",
        caught_by: &[models("wake::a_killed_writer_s_sleepers_are_woken")],
    },
    Mutant {
        name: "half-made names stay",
        lost: "A name's entry is lost with the session that was making it.",
        file: FILE,
        search: "self.free_names_of(dead as u16 + 1);",
        replace: "",
        caught_by: &[
            models("sessions::a_half_made_name_is_freed"),
            states("names"),
            long(schedules("mortals")),
        ],
    },
    Mutant {
        name: "the reaper announces no deadline",
        lost: "An entry whose writer was killed never expires.",
        file: FILE,
        search: "self.announce_for(block);",
        replace: "",
        caught_by: &[models("expire::a_killed_put_s_deadline_is_known"), states("deadline-kill")],
    },
    Mutant {
        name: "the reaper adds nothing that was superseded",
        lost: "The history's weight misses what a dead writer superseded.",
        file: FILE,
        search: "        self.weigh_for(dead, Sum::Superseded, own, superseded);
",
        replace: "        let _ = superseded;
",
        caught_by: &[states("reaper-killed")],
    },
    Mutant {
        name: "the reaper adds what the dead added",
        lost: "The history's weight counts what a dead writer superseded twice.",
        file: FILE,
        search: "        if !self.is_weighed(dead, sum, last) {",
        replace: "        {",
        caught_by: &[states("reaper-killed")],
    },
    Mutant {
        name: "the reaper adds nothing that was freed",
        lost: "The history's weight still counts what a dead writer freed.",
        file: FILE,
        search: "                if state == taken {",
        replace: "                if state == taken && event == u64::MAX {",
        caught_by: &[states("floor")],
    },
    Mutant {
        name: "the reaper leaves a tombstone that was given back",
        lost: "The block of a dead writer's tombstone is never free again.",
        file: FILE,
        search: "            StateKind::Limbo => {
                self.weigh_event(session_of(state), block, false);
                reaped.blocks += u64::from(self.leave_limbo(block, state.owner(), state.tag()));
            }
",
        replace: "",
        caught_by: &[states("remove-lapped")],
    },
    Mutant {
        name: "a tombstone given back beside its reaper passes for doomed",
        lost: "The history's weight falls by a tombstone that no event superseded.",
        file: FILE,
        search: "            if self.leave_limbo(block, state.owner(), state.tag()) {",
        replace: "            if false {",
        caught_by: &[states("remove-lapped")],
    },
    Mutant {
        name: "the reaper counts no bucket",
        lost: "The count of a shard's overflow buckets misses one that a dead writer linked.",
        file: FILE,
        search: "                        if linked {",
        replace: "                        if linked && bucket == usize::MAX {",
        caught_by: &[states("link-count")],
    },
    Mutant {
        name: "an updated entry outlives its session",
        lost: "An entry bound to a session stays after the session's end, because another updated it.",
        file: FILE,
        search: "Ok(_) => tried = generation,",
        replace: "Ok(_) => return Ok(false),",
        caught_by: &[schedules("bound")],
    },
    Mutant {
        name: "an update that is not logged outlives its session",
        lost: "An entry bound to a session stays after the session's end, because its update was not in the history yet.",
        file: FILE,
        search: "GenWord::Unlogged(_) if is_ours => match",
        replace: "GenWord::Unlogged(_) if is_ours && head.0 == 0 => match",
        caught_by: &[schedules("bound")],
    },
];
