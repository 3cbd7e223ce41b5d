//! Mutants of `src/engine/protocol/reap.rs`.

use super::{Mutant, long, models, schedules, states, stepper, test};

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
    Mutant {
        name: "vacated before ephemerals are removed",
        lost: "An entry that is bound to a dead session stays for ever when its reaper is killed or finds no room.",
        file: FILE,
        search: "        reaped.ephemerals = self.remove_ephemerals(lane, dead, RecordKind::Died, now)?;
        self.free_names_of(dead as u16 + 1);
        self.announce_all();
        self.vacate(dead);",
        replace: "        self.vacate(dead);
        reaped.ephemerals = self.remove_ephemerals(lane, dead, RecordKind::Died, now)?;
        self.free_names_of(dead as u16 + 1);
        self.announce_all();",
        caught_by: &[
            test("-p slateboard --lib engine::protocol::tests::reaping::a_reap_without_room_is_repeated"),
            long(stepper("reap of a bound value")),
        ],
    },
    Mutant {
        name: "intents finished after the blocks",
        lost: "The block that a killed floor step was about to free stays taken by a session that is gone.",
        file: FILE,
        search: "        self.finish_intents(dead);
        self.finish_blocks(lane, dead, &mut reaped)?;",
        replace: "        self.finish_blocks(lane, dead, &mut reaped)?;
        self.finish_intents(dead);",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_every_lane_was_about_to_free_is_freed",
        )],
    },
    Mutant {
        name: "reaped without settling blocks",
        lost: "The blocks of a dead session are never free again.",
        file: FILE,
        search: "        self.finish_blocks(lane, dead, &mut reaped)?;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_bucket_in_the_making_is_linked_or_freed",
        )],
    },
    Mutant {
        name: "reaped without removing ephemerals",
        lost: "An entry that is bound to a session stays after the session died.",
        file: FILE,
        search: "        reaped.ephemerals = self.remove_ephemerals(lane, dead, RecordKind::Died, now)?;",
        replace: "        let _ = now;",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_ends_what_is_bound_to_the_dead_alone",
        )],
    },
    Mutant {
        name: "reaped without vacating the record",
        lost: "The record of a dead session is never free for another, and every keeper reaps it again.",
        file: FILE,
        search: "        self.vacate(dead);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_without_room_is_repeated",
        )],
    },
    Mutant {
        name: "a reap is not counted",
        lost: "The number of sessions that died is wrong.",
        file: FILE,
        search: "        self.count(lane, Counter::Reaped, 1);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_ends_what_is_bound_to_the_dead_alone",
        )],
    },
    Mutant {
        name: "vacated before sleepers are woken",
        lost: "Who sleeps on a dead writer's event is never woken when the reaper is killed as well.",
        file: FILE,
        search: "        self.announce_all();
        self.vacate(dead);",
        replace: "        self.vacate(dead);
        self.announce_all();",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::sleepers_are_woken_before_the_record_is_free",
        )],
    },
    Mutant {
        name: "vacated before half-made names are freed",
        lost: "A half-made name is lost when the reaper of the session that was making it is killed.",
        file: FILE,
        search: "        self.free_names_of(dead as u16 + 1);
        self.announce_all();
        self.vacate(dead);",
        replace: "        self.announce_all();
        self.vacate(dead);
        self.free_names_of(dead as u16 + 1);",
        caught_by: &[stepper("reap of a name half made")],
    },
    Mutant {
        name: "a session that leaves keeps its lanes' blocks",
        lost: "The blocks that lanes keep at hand are lost with every session that ends in order.",
        file: FILE,
        search: "        for lane in &mut *lanes {
            self.empty_stash(lane);
        }",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_session_that_leaves_leaves_nothing",
        )],
    },
    Mutant {
        name: "a session leaves without a look at its fence",
        lost: "A session that was reaped although it lives ends the next session of its record.",
        file: FILE,
        search: "        self.check_fence(lane)?;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_session_that_was_reaped_does_not_end_the_next_life",
        )],
    },
    Mutant {
        name: "a session leaves its ephemerals",
        lost: "An entry that is bound to a session stays after the session detached.",
        file: FILE,
        search: "        self.remove_ephemerals(lane, lane.session, RecordKind::Detached, now)?;",
        replace: "        let _ = now;",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_session_that_leaves_leaves_nothing",
        )],
    },
    Mutant {
        name: "a session keeps what removing its ephemerals let go",
        lost: "The blocks that the last removals of a session freed are lost with it.",
        file: FILE,
        search: "        self.remove_ephemerals(lane, lane.session, RecordKind::Detached, now)?;
        self.empty_stash(lane);",
        replace: "        self.remove_ephemerals(lane, lane.session, RecordKind::Detached, now)?;",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_session_that_leaves_leaves_nothing",
        )],
    },
    Mutant {
        name: "a session leaves without vacating its record",
        lost: "The record of a session that detached looks like that of a dead one.",
        file: FILE,
        search: "        self.vacate(lane.session);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_session_that_leaves_leaves_nothing",
        )],
    },
    Mutant {
        name: "a session vacates before its ephemerals are removed",
        lost: "What is bound to a session stays for ever when the session finds no room to remove it.",
        file: FILE,
        search: "        self.remove_ephemerals(lane, lane.session, RecordKind::Detached, now)?;
        self.empty_stash(lane);
        self.vacate(lane.session);",
        replace: "        self.vacate(lane.session);
        self.remove_ephemerals(lane, lane.session, RecordKind::Detached, now)?;
        self.empty_stash(lane);",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::leaving_without_room_is_left_to_the_reaper",
        )],
    },
    Mutant {
        name: "an orderly end looks like a death",
        lost: "A watcher is told that a session died that has detached.",
        file: FILE,
        search: "RecordKind::Detached",
        replace: "RecordKind::Died",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_session_that_leaves_leaves_nothing",
        )],
    },
    Mutant {
        name: "an intent is finished although the floor did not move",
        lost: "A reaper frees a block that the history still shows.",
        file: FILE,
        search: "event != 0 && self.floor() >= event",
        replace: "event != 0",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_is_still_in_use_is_not_freed_for_the_dead",
        )],
    },
    Mutant {
        name: "an intent is finished in another life of its block",
        lost: "A reaper frees a block that another key uses by now.",
        file: FILE,
        search: "state.tag() == seen.tag()",
        replace: "state.tag() != 0",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_is_still_in_use_is_not_freed_for_the_dead",
        )],
    },
    Mutant {
        name: "only the first lane's intent is finished",
        lost: "A block leaks with every other thread that was killed between floor and free.",
        file: FILE,
        search: "for intent in 0..LANES {",
        replace: "for intent in 0..LANES.min(1) {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_every_lane_was_about_to_free_is_freed",
        )],
    },
    Mutant {
        name: "blocks are settled in the order of the table",
        lost: "The history's weight counts twice what a killed reaper had added.",
        file: FILE,
        search: "        owned.sort_by_key(|&(left, ..)| left);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_a_killed_reaper_added_is_not_added_twice",
        )],
    },
    Mutant {
        name: "a private block keeps the mark of a bucket",
        lost: "A slot of a later bucket is taken for one of another chain.",
        file: FILE,
        search: "                    self.gen_of(block).store(GenWord::None.pack(), Relaxed);
                }
                reaped.blocks",
        replace: "                }
                reaped.blocks",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::a_bucket_that_was_hardly_begun_leaves_no_trace",
        )],
    },
    Mutant {
        name: "a private block is not freed",
        lost: "The blocks at hand of a dead session are never free again.",
        file: FILE,
        search: "                reaped.blocks += u64::from(self.free_owned(block, state));
            }
            StateKind::Doomed",
        replace: "            }
            StateKind::Doomed",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::a_bucket_that_was_hardly_begun_leaves_no_trace",
        )],
    },
    Mutant {
        name: "the reaper of a doomed block adds nothing",
        lost: "The history's weight still counts a block that a dead writer had to free.",
        file: FILE,
        search: "                self.weigh_event(session_of(state), block, true);
                self.free_pieces(block, state.tag());",
        replace: "                self.free_pieces(block, state.tag());",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_the_dead_still_looked_at_is_settled_or_freed",
        )],
    },
    Mutant {
        name: "the reaper of a doomed block leaves its pieces",
        lost: "The pieces of a long value that a dead writer had to free are never free again.",
        file: FILE,
        search: "                self.weigh_event(session_of(state), block, true);
                self.free_pieces(block, state.tag());",
        replace: "                self.weigh_event(session_of(state), block, true);",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_the_dead_still_looked_at_is_settled_or_freed",
        )],
    },
    Mutant {
        name: "the reaper leaves a doomed block",
        lost: "A block that a dead writer had to free is never free again.",
        file: FILE,
        search: "                self.free_pieces(block, state.tag());
                reaped.blocks += u64::from(self.free_owned(block, state));
            }
            StateKind::Limbo",
        replace: "                self.free_pieces(block, state.tag());
            }
            StateKind::Limbo",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_the_dead_still_looked_at_is_settled_or_freed",
        )],
    },
    Mutant {
        name: "the reaper of a tombstone given back adds nothing",
        lost: "The history's weight misses what a dead writer's removal superseded.",
        file: FILE,
        search: "                self.weigh_event(session_of(state), block, false);
                reaped.blocks",
        replace: "                reaped.blocks",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_the_dead_still_looked_at_is_settled_or_freed",
        )],
    },
    Mutant {
        name: "a bucket that was not linked keeps its mark",
        lost: "A slot of a later bucket is taken for one of another chain.",
        file: FILE,
        search: "                    self.gen_of(block).store(GenWord::None.pack(), Relaxed);
                }
                return Ok(linked);",
        replace: "                }
                return Ok(linked);",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_bucket_in_the_making_is_linked_or_freed",
        )],
    },
    Mutant {
        name: "the reaper does not apply the guard",
        lost: "The reaper frees a bucket that the chain's guard is about to link.",
        file: FILE,
        search: "if self.apply(bucket, guard)? {",
        replace: "if guard.0 != u64::MAX {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_bucket_in_the_making_is_linked_or_freed",
        )],
    },
    Mutant {
        name: "the reaper logs nothing",
        lost: "A dead writer's published put never becomes an event.",
        file: FILE,
        search: "                if current {
                    let logged",
        replace: "                if current && tag == 0 {
                    let logged",
        caught_by: &[states("reaper-killed")],
    },
    Mutant {
        name: "a superseded event passes for one that was never published",
        lost: "The reaper frees a block that the history owns.",
        file: FILE,
        search: "GenWord::Generation(_) => true,",
        replace: "GenWord::Generation(_) => current,",
        caught_by: &[states("put-put-kill")],
    },
    Mutant {
        name: "the reaper of an unsettled block adds nothing",
        lost: "The history's weight misses what a dead writer superseded and did not add.",
        file: FILE,
        search: "        if published {
            self.weigh_event(session_of(state), block, false);",
        replace: "        if published {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_the_dead_still_looked_at_is_settled_or_freed",
        )],
    },
    Mutant {
        name: "a block doomed beside its reaper is not taken off",
        lost: "The history's weight still counts a block that was let go while it was reaped.",
        file: FILE,
        search: "            self.weigh_event(session_of(state), block, true);
            self.free_pieces",
        replace: "            self.free_pieces",
        caught_by: &[states("doomed")],
    },
    Mutant {
        name: "the reaper of an unpublished put leaves its pieces",
        lost: "The pieces of a long put that was killed are never free again.",
        file: FILE,
        search: "        } else {
            self.free_pieces(block, state.tag());",
        replace: "        } else {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reaper_that_dies_is_followed_by_one_that_finishes",
        )],
    },
    Mutant {
        name: "the reaper leaves an unpublished put",
        lost: "The block of a put that was killed is never free again.",
        file: FILE,
        search: "            self.free_pieces(block, state.tag());
            reaped.blocks += u64::from(self.free_owned(block, state));
        }",
        replace: "            self.free_pieces(block, state.tag());
        }",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_bucket_in_the_making_is_linked_or_freed",
        )],
    },
    Mutant {
        name: "an entry ends with another session",
        lost: "A reap removes what is bound to other sessions in their first lives.",
        file: FILE,
        search: "(bound.session, bound.incarnation) == life",
        replace: "bound.incarnation == life.1",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_ends_what_is_bound_to_the_dead_alone",
        )],
    },
    Mutant {
        name: "a damaged key keeps the dead attached",
        lost: "One damaged entry makes every reap of its session fail, and its record is never free.",
        file: FILE,
        search: "Err(Fault::Corrupt(_)) => return Ok(false),",
        replace: "Err(Fault::Corrupt(what)) => return Err(Fault::Corrupt(what)),",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_damaged_key_does_not_keep_the_dead_attached",
        )],
    },
    Mutant {
        name: "a sweep removes what is bound to the living",
        lost: "The keys of living sessions disappear.",
        file: FILE,
        search: "&& !self.is_in_life(bound);",
        replace: ";",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::what_is_bound_to_a_life_that_is_over_is_removed_and_what_is_bound_to_another_stays",
        )],
    },
    Mutant {
        name: "what is bound to a session stays in overflow buckets",
        lost: "An entry outlives the session that it was to end with.",
        file: FILE,
        search: "self.slots(bucket).try_fold(removed, |removed, hash_at| {",
        replace: "self.slots(bucket).take(crate::layout::geometry::SLOTS).try_fold(removed, |removed, hash_at| {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_ends_what_is_bound_to_the_dead_in_every_bucket_of_a_chain",
        )],
    },
    Mutant {
        name: "whatever stands ends in place of what was bound",
        lost: "A value that a living session put is removed with a dead one's entry.",
        file: FILE,
        search: "let change = Change::tombstone(kind, Expect::Generation(generation));",
        replace: "let change = Change::tombstone(kind, if generation > 0 { Expect::Any } else { Expect::Absent });",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_ends_what_is_bound_to_the_dead_and_nothing_that_was_put_meanwhile",
        )],
    },
    Mutant {
        name: "what was updated while it was being ended stays",
        lost: "An entry outlives the session that it was to end with.",
        file: FILE,
        search: "Ok(_) => tried = generation,",
        replace: "Ok(_) => return Ok(tried > generation),",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reap_ends_what_is_bound_to_the_dead_and_nothing_that_was_put_meanwhile",
        )],
    },
];
