//! Mutants of `src/board/seat.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/seat.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a full board is not reaped",
        lost: "A put is refused although dead sessions hold the room.",
        file: FILE,
        search: "self.region.reap_dead().map_or(true, |reaped| reaped > 0)",
        replace: "false",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_put_on_a_full_board_reaps_the_dead_who_hold_its_room",
        )],
    },
    Mutant {
        name: "a value may be one byte longer",
        lost: "A value exceeds what the board says.",
        file: FILE,
        search: "change.value.len() as u64 > value_max",
        replace: "change.value.len() as u64 > value_max + 1",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_value_has_at_most_the_bytes_that_the_board_says",
        )],
    },
    Mutant {
        name: "a session that leaves empties one lane",
        lost: "Blocks that the other lanes had at hand are lost.",
        file: FILE,
        search: "lanes[1..].iter_mut().for_each(|lane| core.empty_stash(lane));",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_that_leaves_gives_back_what_each_lane_has_at_hand",
        )],
    },
    Mutant {
        name: "a session that leaves does not ask whether it was ended",
        lost: "A session that others ended frees blocks that are in use.",
        file: FILE,
        search: "core.check_fence(&lanes[0]).is_ok()",
        replace: "true",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_that_was_ended_by_others_writes_nothing_and_ends_nothing",
        )],
    },
    Mutant {
        name: "a second leave gives the lock byte back again",
        lost: "The next session in the record passes for dead.",
        file: FILE,
        search: "self.hold.lock().take()",
        replace: "Some(self.hold.lock().take().flatten())",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_second_leave_takes_nothing_from_the_next_session_in_the_record",
        )],
    },
    Mutant {
        name: "a session that leaves keeps its lock byte",
        lost: "The record is never free again.",
        file: FILE,
        search: "self.region.roll.let_go(index, certificate);",
        replace: "std::mem::forget(certificate);",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_that_leaves_holds_no_lock_and_a_reserve_ends_with_the_board",
        )],
    },
    Mutant {
        name: "a session without a name keeps its record",
        lost: "A record is lost for each attempt to attach while the table of names is full.",
        file: FILE,
        search: "let _ = core.leave(&mut [Lane::new(&core, 0, writer)], region::now());",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_whose_name_finds_no_room_leaves_its_record_free",
        )],
    },
    Mutant {
        name: "a put does not ask whether the session was ended",
        lost: "A session that others ended writes in the name of its record's next one.",
        file: FILE,
        search: "core.check_fence(&lane).map_err(fault::error)?;",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_that_was_ended_by_others_writes_nothing_and_ends_nothing",
        )],
    },
    Mutant {
        name: "an idle session that was ended empties its lanes",
        lost: "A session that others ended frees blocks that are in use.",
        file: FILE,
        search: "core.check_fence(&lane).is_ok()",
        replace: "true",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_whose_session_was_ended_by_others_changes_nothing",
        )],
    },
    Mutant {
        name: "a thread takes only its usual lane",
        lost: "Threads of one session wait for each other although lanes are free.",
        file: FILE,
        search: "(1..LANES)",
        replace: "(LANES..LANES)",
        caught_by: &[test("-p slateboard --lib board::seat::tests::four_threads_write_at_once")],
    },
    Mutant {
        name: "a keeper is not woken for a near deadline",
        lost: "An entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "self.signal.nudge();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_sleeping_keeper_is_woken_for_a_deadline_before_its_next_beat",
        )],
    },
    Mutant {
        name: "every lease is renewed whenever the keeper wakes",
        lost: "The history is full of renewals.",
        file: FILE,
        search: "renewal.due_ns <= boot_ns)",
        replace: "renewal.due_ns <= boot_ns.max(renewal.due_ns))",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "a renewal is due again at once",
        lost: "The keeper renews without a pause, and the history is full of it.",
        file: FILE,
        search: "renewal.due_ns = boot_ns.saturating_add(renewal.every_ns);",
        replace: "renewal.due_ns = boot_ns.min(renewal.every_ns);",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "a lease is renewed once",
        lost: "Leases lapse after their first renewal.",
        file: FILE,
        search: "                self.renewals.lock().push(renewal);",
        replace: "                drop(renewal);",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "the keeper wakes for the last lease that is due",
        lost: "The shorter of two leases lapses.",
        file: FILE,
        search: "iter().map(|renewal| renewal.due_ns).min()",
        replace: "iter().map(|renewal| renewal.due_ns).max()",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::each_lease_of_a_session_is_renewed_until_it_is_released",
        )],
    },
    Mutant {
        name: "a guest binds to itself",
        lost: "What a process binds for another one ends with that process.",
        file: FILE,
        search: "self.host.unwrap_or(self.writer)",
        replace: "self.host.filter(|host| host.incarnation == 0).unwrap_or(self.writer)",
        caught_by: &[test(
            "-p slateboard --test guests what_a_guest_binds_ends_with_its_host_whichever_way_that_ends",
        )],
    },
    Mutant {
        name: "a release waits for a renewal",
        lost: "A release, and the drop of a lease, wait while another lease is renewed on a full or slow board.",
        file: FILE,
        search: "        for mut renewal in due {
            if (renewal.renew)() {
                renewal.due_ns = boot_ns.saturating_add(renewal.every_ns);
                self.renewals.lock().push(renewal);
            }
        }",
        replace: "        let mut all = self.renewals.lock();
        for mut renewal in due {
            if (renewal.renew)() {
                renewal.due_ns = boot_ns.saturating_add(renewal.every_ns);
                all.push(renewal);
            }
        }",
        caught_by: &[test("-p slateboard --lib board::lease::tests::a_release_does_not_wait_for_a_renewal")],
    },
    Mutant {
        name: "who cannot be reaped hides that others were",
        lost: "A put is refused although a reap has just made room for it.",
        file: FILE,
        search: "self.region.reap_dead().map_or(true, |reaped| reaped > 0)",
        replace: "self.region.reap_dead().is_ok_and(|reaped| reaped > 0)",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_put_finds_the_room_of_the_dead_although_another_cannot_be_reaped",
        )],
    },
    Mutant {
        name: "a put that was held up does not ask again whether its session was ended",
        lost: "A session that others ended meanwhile writes, perhaps into blocks that are another's by now.",
        file: FILE,
        search: "                    None => core
                        .check_fence(lane)
                        .and_then(|()| core.change(lane, key, change, region::now(), hint)),",
        replace: "                    None => core.change(lane, key, change, region::now(), hint),",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_put_that_was_held_up_asks_again_whether_its_session_was_ended",
        )],
    },
    Mutant {
        name: "a put that expects nothing in particular gives up",
        lost: "A put fails because others write the same key.",
        file: FILE,
        search: "Err(Fault::Contended) if change.expect == Expect::Any => {}",
        replace: "Err(Fault::Contended) if change.expect == Expect::Any && change.deadline == 1 => {}",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_put_that_expects_nothing_in_particular_never_gives_up_and_others_do",
        )],
    },
    Mutant {
        name: "a put under a condition never gives up",
        lost: "A call that may say that others are in its way goes on for ever.",
        file: FILE,
        search: "Err(Fault::Contended) if change.expect == Expect::Any => {}",
        replace: "Err(Fault::Contended) => {}",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_put_that_expects_nothing_in_particular_never_gives_up_and_others_do",
        )],
    },
    Mutant {
        name: "a session says that it attached when the machine had just booted",
        lost: "The list of sessions shows a wrong time.",
        file: FILE,
        search: "attached_ns: crate::region::realtime_ns(),",
        replace: "attached_ns: boottime_ns(),",
        caught_by: &[test("-p slateboard --lib board::seat::tests::a_session_s_record_says_whose_it_is")],
    },
    Mutant {
        name: "a session does not say when its process started",
        lost: "A process that has the number of an ended one is taken for it.",
        file: FILE,
        search: "start_time: process.start_time,",
        replace: "start_time: 0,",
        caught_by: &[test("-p slateboard --lib board::seat::tests::a_session_s_record_says_whose_it_is")],
    },
    Mutant {
        name: "a session does not say in whose numbering its process has its number",
        lost: "A number of another container is taken for one of here.",
        file: FILE,
        search: "pid_namespace: process.pid_namespace,",
        replace: "pid_namespace: 0,",
        caught_by: &[test("-p slateboard --lib board::seat::tests::a_session_s_record_says_whose_it_is")],
    },
];
