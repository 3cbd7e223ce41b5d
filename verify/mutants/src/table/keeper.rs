//! Mutants of `src/board/keeper.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/keeper.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a keeper does not beat",
        lost: "A session that lives is asked about by all keepers, and looks late to whoever lists sessions.",
        file: FILE,
        search: "core.beat(usize::from(seat.writer.session), boot_ns);",
        replace: "",
        caught_by: &[test("-p slateboard --lib board::keeper::tests::a_keeper_beats")],
    },
    Mutant {
        name: "a keeper does not count what is entered",
        lost: "The event of a killed writer is not counted until somebody writes or attaches.",
        file: FILE,
        search: "let _ = core.finish_pending(&mut lane);",
        replace: "let _ = &mut lane;",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_counts_what_a_killed_writer_entered",
        )],
    },
    Mutant {
        name: "the elected keeper reaps nobody",
        lost: "What the dead hold, and what was bound to them, stays until their beats are late.",
        file: FILE,
        search: "let _ = seat.region.reap_dead();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_reaps_the_dead_at_its_next_beat",
        )],
    },
    Mutant {
        name: "the other keepers reap nobody",
        lost: "Nobody reaps the dead while the elected keeper is stopped.",
        file: FILE,
        search: "seat.region.reap_suspects(&self.suspects)",
        replace: "Ok::<usize, crate::error::Error>(self.suspects.from)",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_reap_those_whose_beats_are_late",
        )],
    },
    Mutant {
        name: "the other keepers ask about sessions whose beats are not late",
        lost: "Each keeper asks the kernel about all sessions at each beat.",
        file: FILE,
        search: "self.suspects.late_ns = self.late_ns();",
        replace: "self.suspects.late_ns = 0;",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_reap_those_whose_beats_are_late",
        )],
    },
    Mutant {
        name: "a keeper asks about the same sessions at each beat",
        lost: "The dead behind the first eight sessions are never found by keepers that are not elected.",
        file: FILE,
        search: "self.suspects.from = next;",
        replace: "let _ = next;",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_that_is_not_elected_looks_at_eight_and_goes_on_behind_them",
        )],
    },
    Mutant {
        name: "no keeper is elected",
        lost: "Nobody ends expired entries soon, and nobody looks at damaged groups.",
        file: FILE,
        search: "!fenced && seat.is_elected()",
        replace: "false",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::one_keeper_is_elected_until_its_session_ends",
        )],
    },
    Mutant {
        name: "open slots are not swept",
        lost: "The slot of a dead inserter is lost.",
        file: FILE,
        search: "self.open = core.sweep_open(&self.open);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_slot_that_stays_open_from_one_sweep_to_the_next_is_retired",
        )],
    },
    Mutant {
        name: "a sweep does not know what was open before",
        lost: "The slot of a dead inserter is lost.",
        file: FILE,
        search: "self.open = core.sweep_open(&self.open);",
        replace: "self.open = core.sweep_open(&[]);",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_slot_that_stays_open_from_one_sweep_to_the_next_is_retired",
        )],
    },
    Mutant {
        name: "the elected keeper ends nothing at a beat",
        lost: "An expired entry holds its room for two beats, and its watchers are told late.",
        file: FILE,
        search: "self.end_expired(seat, &core, late_ns, boot_ns);",
        replace: "if !elected {
                self.end_expired(seat, &core, late_ns, boot_ns);
            }",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_ends_what_expired_at_its_next_beat_and_notes_what_is_next",
        )],
    },
    Mutant {
        name: "the other keepers end nothing at a beat",
        lost: "Nothing that expired is ended while the elected keeper is stopped.",
        file: FILE,
        search: "self.end_expired(seat, &core, late_ns, boot_ns);",
        replace: "if elected {
                self.end_expired(seat, &core, late_ns, boot_ns);
            }",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_end_what_the_elected_keeper_should_have_ended_long_ago",
        )],
    },
    Mutant {
        name: "the other keepers end what has just expired",
        lost: "All keepers end the same entries at the same time.",
        file: FILE,
        search: "if elected { 0 } else { self.late_ns() }",
        replace: "if elected { 0 } else { 0 }",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_end_what_the_elected_keeper_should_have_ended_long_ago",
        )],
    },
    Mutant {
        name: "the elected keeper does not wake for the next deadline",
        lost: "An entry expires a beat late.",
        file: FILE,
        search: "seat.expiries.note(next_ns.saturating_add(DeadlineHint::UNIT_NS), boot_ns);",
        replace: "let _ = next_ns;",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_ends_what_expired_at_its_next_beat_and_notes_what_is_next",
        )],
    },
    Mutant {
        name: "all keepers wake for the next deadline",
        lost: "All keepers wake for each deadline of the board.",
        file: FILE,
        search: "swept.next_ns.filter(|_| late_ns == 0)",
        replace: "swept.next_ns",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_end_what_the_elected_keeper_should_have_ended_long_ago",
        )],
    },
    Mutant {
        name: "nothing is ended between two beats",
        lost: "An entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "self.end_near(seat, boot_ns);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_wakes_between_two_beats_for_its_sessions_own_deadlines",
        )],
    },
    Mutant {
        name: "a keeper sleeps past a deadline",
        lost: "An entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "due_ns.min(seat.expiries.next_ns())",
        replace: "due_ns",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_wakes_between_two_beats_for_its_sessions_own_deadlines",
        )],
    },
    Mutant {
        name: "a deadline that was looked at stays noted",
        lost: "A keeper wakes again and again for a deadline that is over.",
        file: FILE,
        search: "seat.expiries.forget();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_wakes_between_two_beats_for_its_sessions_own_deadlines",
        )],
    },
    Mutant {
        name: "a keeper wakes for what a beat finds",
        lost: "A keeper is woken for deadlines as far away as its next beat.",
        file: FILE,
        search: "deadline_ns.saturating_sub(boot_ns) < self.period_ns",
        replace: "deadline_ns.saturating_sub(boot_ns) <= self.period_ns",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_is_woken_only_for_a_deadline_before_its_next_beat_and_before_the_one_it_knows",
        )],
    },
    Mutant {
        name: "a keeper is woken for each deadline",
        lost: "Each put with a time to live wakes the keeper.",
        file: FILE,
        search: "self.next_ns.fetch_min(deadline_ns, Relaxed) > deadline_ns",
        replace: "self.next_ns.fetch_min(deadline_ns, Relaxed) >= deadline_ns",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_is_woken_only_for_a_deadline_before_its_next_beat_and_before_the_one_it_knows",
        )],
    },
    Mutant {
        name: "a keeper that seldom beats wakes for deadlines",
        lost: "A session that asked for quiet has a thread that wakes for each short-lived entry.",
        file: FILE,
        search: "if period > SELDOM { 0 } else { period.as_nanos() as u64 }",
        replace: "period.as_nanos() as u64",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_is_woken_only_for_a_deadline_before_its_next_beat_and_before_the_one_it_knows",
        )],
    },
    Mutant {
        name: "a keeper does not look at the path",
        lost: "Who has a session never learns that the board was replaced.",
        file: FILE,
        search: "self.look(seat, boot_ns);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_looks_in_each_period_whether_the_board_is_at_its_path",
        )],
    },
    Mutant {
        name: "a keeper looks at the path only in its turn",
        lost: "On a board with many sessions each learns only after several periods that the board was replaced.",
        file: FILE,
        search: "self.due_ns.min(self.look_ns)",
        replace: "self.due_ns",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_beats_in_each_period_and_the_others_in_their_turn",
        )],
    },
    Mutant {
        name: "no group is looked at whatever its words say",
        lost: "Entries whose group's words are damaged never expire.",
        file: FILE,
        search: "self.look_at_one_group(seat, &core);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_looks_at_one_group_a_beat_whatever_its_words_say",
        )],
    },
    Mutant {
        name: "the same group is looked at in each beat",
        lost: "Entries of all other groups whose words are damaged never expire.",
        file: FILE,
        search: "self.beats % core.geometry().groups().count() as u64",
        replace: "self.beats - self.beats",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_looks_at_one_group_a_beat_whatever_its_words_say",
        )],
    },
    Mutant {
        name: "all keepers beat in each period",
        lost: "A thousand idle sessions wake a thousand threads in each period.",
        file: FILE,
        search: "if elected { 1 } else { periods_until_turn(now, session, self.stride) }",
        replace: "1",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_beats_in_each_period_and_the_others_in_their_turn",
        )],
    },
    Mutant {
        name: "the elected keeper waits for its turn",
        lost: "The dead are found and entries are ended up to four periods late.",
        file: FILE,
        search: "if elected { 1 } else { periods_until_turn(now, session, self.stride) }",
        replace: "periods_until_turn(now, session, self.stride)",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_beats_in_each_period_and_the_others_in_their_turn",
        )],
    },
    Mutant {
        name: "the sessions are counted once",
        lost: "Keepers take turns by the number of sessions that there were when they attached.",
        file: FILE,
        search: "self.stride = seat.region.occupied().map_or(1, stride);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_beats_in_each_period_and_the_others_in_their_turn",
        )],
    },
    Mutant {
        name: "turns are of any length",
        lost: "On a board with a thousand sessions a keeper beats once in 64 periods.",
        file: FILE,
        search: "(sessions / AWAKE).clamp(1, STRIDE_MAX) as u64",
        replace: "(sessions / AWAKE).max(1) as u64",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::few_sessions_all_beat_in_each_period_and_many_take_turns",
        )],
    },
    Mutant {
        name: "a beat out of turn is late",
        lost: "Keepers that take turns ask about each other all the time.",
        file: FILE,
        search: "self.period_ns.saturating_mul(LATE_BEATS * self.stride)",
        replace: "self.period_ns.saturating_mul(LATE_BEATS)",
        caught_by: &[test("-p slateboard --lib board::keeper::tests::a_beat_is_late_after_two_turns")],
    },
    Mutant {
        name: "a keeper sweeps once in its turn",
        lost: "Slots that dead inserters left open are never retired while the elected keeper is stopped.",
        file: FILE,
        search: "(turn + session) % records.clamp(1, SWEEP_TURNS) < 2",
        replace: "(turn + session) % records.clamp(1, SWEEP_TURNS) < 1",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_sweep_seldom_and_twice_in_a_row",
        )],
    },
    Mutant {
        name: "every keeper sweeps every time",
        lost: "All keepers look at all slots.",
        file: FILE,
        search: "(turn + session) % records.clamp(1, SWEEP_TURNS) < 2",
        replace: "(turn + session) % records.clamp(1, SWEEP_TURNS) < SWEEP_TURNS",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_others_sweep_seldom_and_twice_in_a_row",
        )],
    },
    Mutant {
        name: "pages are not reserved ahead of use",
        lost: "Puts wait for the file system.",
        file: FILE,
        search: "let _ = seat.region.reserve_ahead();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_reserves_pages_ahead_of_use_and_no_more",
        )],
    },
    Mutant {
        name: "an idle session keeps its blocks",
        lost: "Blocks that idle sessions have at hand are lost to the others.",
        file: FILE,
        search: "seat.empty_idle_stashes(&core);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::an_idle_session_keeps_no_blocks_after_two_beats",
        )],
    },
    Mutant {
        name: "a keeper ends all that expired at once",
        lost: "A keeper that ends a million entries does not beat meanwhile.",
        file: FILE,
        search: "Sweep { from: self.from_group, late_ns, most: ENDED_AT_ONCE }",
        replace: "Sweep { from: self.from_group, late_ns, most: u64::MAX }",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_ends_4096_entries_at_once_and_goes_on_after_a_pause",
        )],
    },
    Mutant {
        name: "a keeper that ended as many as it may does not go on",
        lost: "4,096 entries are ended in a beat, however many expire.",
        file: FILE,
        search: "seat.expiries.note(boot_ns.saturating_add(ENDING_PAUSE_NS), boot_ns);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_ends_4096_entries_at_once_and_goes_on_after_a_pause",
        )],
    },
    Mutant {
        name: "a keeper goes on after its session",
        lost: "The thread of an ended session stays for ever.",
        file: FILE,
        search: "*self.seat.signal.lock() = true;",
        replace: "",
        caught_by: &[test("-p slateboard --lib board::keeper::tests::a_keeper_ends_with_its_session")],
    },
    Mutant {
        name: "the end of a session waits for its keeper for ever",
        lost: "A drop never returns while the keeper is held up.",
        file: FILE,
        search: "let _ = self.thread.ends_within(PATIENCE);",
        replace: "let _ = self.thread.ends_within(1_000_000 * PATIENCE);",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_session_ends_although_its_keeper_is_held_up",
        )],
    },
    Mutant {
        name: "a keeper does not ask whether its session was ended",
        lost: "A session that others ended works in the name of its record's next one.",
        file: FILE,
        search: "core.check_fence(&lane).is_err()",
        replace: "false",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_whose_session_was_ended_by_others_changes_nothing",
        )],
    },
    Mutant {
        name: "a keeper does not ask between two beats whether its session was ended",
        lost: "A session that others ended works in the name of its record's next one.",
        file: FILE,
        search: "core.check_fence(&seat.lane()).is_ok()",
        replace: "true",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_whose_session_was_ended_by_others_changes_nothing",
        )],
    },
    Mutant {
        name: "a signal ends the process and not its session",
        lost: "What was bound to a session stays until somebody reaps it.",
        file: FILE,
        search: "seat.leave();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test processes_killed a_signal_ends_the_session_in_good_order_and_then_the_process",
        )],
    },
    Mutant {
        name: "a keeper looks for signals when it beats",
        lost: "A process that beats seldom does not end on a signal.",
        file: FILE,
        search: "if signals { pause.min(SIGNAL_LOOK) } else { pause }",
        replace: "if signals { pause } else { pause }",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_sleeps_until_something_is_due_and_never_long_when_it_looks_for_signals",
        )],
    },
    Mutant {
        name: "a keeper that goes on begins with the first group",
        lost: "Entries of the last groups are not ended while many of the first expire.",
        file: FILE,
        search: "self.from_group = swept.goes_on_at.unwrap_or(0);",
        replace: "self.from_group = 0;",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_ends_4096_entries_at_once_and_goes_on_after_a_pause",
        )],
    },
    Mutant {
        name: "a nudge does not wake the keeper",
        lost: "Leases that are shorter than a beat lapse.",
        file: FILE,
        search: "let _sleeping_or_before_the_look = self.lock();
        self.changed.notify_all();",
        replace: "let _sleeping_or_before_the_look = self.lock();",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
    Mutant {
        name: "the keeper renews nothing",
        lost: "Each lease lapses.",
        file: FILE,
        search: "        seat.renew(boot_ns);
",
        replace: "",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
    Mutant {
        name: "the keeper does not wake for renewals",
        lost: "Leases that are shorter than a beat lapse.",
        file: FILE,
        search: "map_or(due_ns, |renewal_ns| renewal_ns.min(due_ns))",
        replace: "map_or(due_ns, |_| due_ns)",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
    Mutant {
        name: "a keeper whose session was ended sweeps",
        lost: "A session that others ended retires slots and frees blocks.",
        file: FILE,
        search: "            self.sweep(seat, &core, elected);
        }
",
        replace: "        }
        self.sweep(seat, &core, elected);
",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_whose_session_was_ended_by_others_changes_nothing",
        )],
    },
    Mutant {
        name: "a keeper forgets the next deadline when it has ended what was due",
        lost: "The next entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "            self.end_expired(seat, &core, 0, boot_ns);
",
        replace: "            self.end_expired(seat, &core, 0, boot_ns);
            seat.expiries.next_ns.store(u64::MAX, Relaxed);
",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_that_ended_what_was_due_wakes_for_the_next_deadline",
        )],
    },
    Mutant {
        name: "a keeper looks for nothing that outlived its session",
        lost: "What a killed process bound to a session that had just ended stays for ever.",
        file: FILE,
        search: "let remove = |lane: &mut Lane| core.remove_orphans(lane, group, region::now());",
        replace: "let remove = |_: &mut Lane| Ok(group as u64);",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_removes_what_is_bound_to_a_session_that_has_ended",
        )],
    },
    Mutant {
        name: "a keeper that must stop is not woken",
        lost: "The end of a session waits for two seconds, and its thread stays until the next beat.",
        file: FILE,
        search: "        *self.seat.signal.lock() = true;
        self.seat.signal.changed.notify_all();",
        replace: "        *self.seat.signal.lock() = true;",
        caught_by: &[test("-p slateboard --lib board::keeper::tests::a_keeper_ends_with_its_session")],
    },
    Mutant {
        name: "a keeper that must stop sleeps first",
        lost: "A keeper that was at work when its session ended stays until the next beat.",
        file: FILE,
        search: "    if !*stop {
        let pause",
        replace: "    if !*stop || rounds.period_ns > 0 {
        let pause",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_that_must_stop_does_not_sleep_first",
        )],
    },
    Mutant {
        name: "the sessions are counted more and more seldom",
        lost: "On a board that was full long ago the few that stay take turns of four periods.",
        file: FILE,
        search: "self.beats.is_power_of_two() || self.beats.is_multiple_of(SWEEP_BEATS)",
        replace: "self.beats.is_power_of_two()",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_beats_in_each_period_and_the_others_in_their_turn",
        )],
    },
    Mutant {
        name: "the elected keeper wakes before the deadline",
        lost: "It wakes again and again until an entry is over.",
        file: FILE,
        search: "seat.expiries.note(next_ns.saturating_add(DeadlineHint::UNIT_NS), boot_ns);",
        replace: "seat.expiries.note(next_ns, boot_ns);",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::the_elected_keeper_ends_what_expired_at_its_next_beat_and_notes_what_is_next",
        )],
    },
    Mutant {
        name: "a session that others ended is elected",
        lost: "Nobody does the elected one's work: the ended session may not, and no other is elected.",
        file: FILE,
        search: "let elected = !fenced && seat.is_elected();",
        replace: "let elected = seat.is_elected();",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_session_that_others_ended_is_not_elected",
        )],
    },
];
