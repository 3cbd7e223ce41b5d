//! Mutants of `src/board/session.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/session.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "who attaches does not count what is entered",
        lost: "The event of a killed writer is not counted until a beat.",
        file: FILE,
        search: "let _ = region.core()?.finish_pending(&mut seat.lane());",
        replace: "",
        caught_by: &[test("-p slateboard --test uncounted who_attaches_counts_it_before_anything_else")],
    },
    Mutant {
        name: "who attaches reaps nobody",
        lost: "What the dead hold stays until a beat.",
        file: FILE,
        search: "let _ = region.reap_dead();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::who_attaches_reaps_the_dead_although_there_is_a_free_record",
        )],
    },
    Mutant {
        name: "a session that could not attach keeps the lock byte",
        lost: "A record is lost for each attempt to attach that fails.",
        file: FILE,
        search: "region.roll.let_go(index, certificate);",
        replace: "std::mem::forget(certificate);",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_finds_no_room_for_its_name_leaves_record_and_lock_free",
        )],
    },
    Mutant {
        name: "a name may be one byte longer",
        lost: "A session is known by a part of its name.",
        file: FILE,
        search: "name.len() > NAME_MAX",
        replace: "name.len() > NAME_MAX + 1",
        caught_by: &[test("-p slateboard --lib board::presence::tests::a_name_has_1_to_56_bytes")],
    },
    Mutant {
        name: "a dropped session does not leave",
        lost: "What was bound to a session stays after it.",
        file: FILE,
        search: "self.seat.leave();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::who_attaches_reaps_the_dead_although_there_is_a_free_record",
        )],
    },
    Mutant {
        name: "nobody looks at the path after the session",
        lost: "Who reads on after a session never learns that the board was replaced.",
        file: FILE,
        search: "lookout::take_over(&self.seat.region);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::lookout::tests::the_handles_that_stay_after_a_session_get_a_lookout",
        )],
    },
    Mutant {
        name: "a put does not tell the keeper its deadline",
        lost: "An entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "self.seat().expects_expiry(change.deadline);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_put_and_a_touch_with_a_time_to_live_tell_the_keeper_their_deadline",
        )],
    },
    Mutant {
        name: "who attaches is refused for a session that cannot be reaped",
        lost: "One damaged session keeps everybody from attaching.",
        file: FILE,
        search: "let _ = region.reap_dead();",
        replace: "region.reap_dead()?;",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_session_that_cannot_be_reaped_keeps_nobody_from_anything",
        )],
    },
    Mutant {
        name: "a removal takes any key",
        lost: "A call with a key that cannot be one is answered as if it could.",
        file: FILE,
        search: "        reader::check(key)?;
        let change = Change::tombstone",
        replace: "        let change = Change::tombstone",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
    Mutant {
        name: "a removal asks for nothing",
        lost: "A removal under a condition removes whatever stands there.",
        file: FILE,
        search: "Change::tombstone(RecordKind::Removed, plain(expect))",
        replace: "Change::tombstone(RecordKind::Removed, if key.is_empty() { plain(expect) } else { Expect::Any })",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "the keeper is not told of a new lease",
        lost: "Leases that are shorter than a beat lapse.",
        file: FILE,
        search: "self.seat().renewals.lock().push(renewal);
        self.seat().signal.nudge();",
        replace: "self.seat().renewals.lock().push(renewal);",
        caught_by: &[test("-p slateboard --test leases a_lease_shorter_than_a_beat_is_renewed_in_time")],
    },
    Mutant {
        name: "releasing one lease ends the renewals of all",
        lost: "A session's other leases lapse when it releases one.",
        file: FILE,
        search: "self.seat().renewals.lock().retain(|renewal| renewal.id != id);",
        replace: "let _ = id;
        self.seat().renewals.lock().clear();",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::each_lease_of_a_session_is_renewed_until_it_is_released",
        )],
    },
    Mutant {
        name: "a put does not record the codec",
        lost: "What was put as one type cannot be read as it.",
        file: FILE,
        search: "codec: options.codec.get(),",
        replace: "codec: 0,",
        caught_by: &[test("-p slateboard --test api typed_values_carry_their_codec")],
    },
    Mutant {
        name: "a put does not set the time to live",
        lost: "An entry never ends.",
        file: FILE,
        search: "deadline: options.ttl.map_or(0, deadline_after),",
        replace: "deadline: options.ttl.map_or(0, |_| 0),",
        caught_by: &[test(
            "-p slateboard --test api a_time_to_live_ends_an_entry_for_reads_and_expectations",
        )],
    },
    Mutant {
        name: "a put is not bound to its session",
        lost: "What a session leaves behind says that it is there.",
        file: FILE,
        search: "ephemeral: if options.ephemeral { self.seat().binding().pack() } else { 0 },",
        replace: "ephemeral: if options.ephemeral && value.is_empty() && options.ttl.is_some() { self.seat().binding().pack() } else { 0 },",
        caught_by: &[test("-p slateboard --test api ephemeral_entries_end_with_their_session")],
    },
    Mutant {
        name: "a put asks for nothing",
        lost: "A put under a condition overwrites whatever stands there.",
        file: FILE,
        search: "..Change::put(value, plain(options.expect))",
        replace: "..Change::put(value, if options.codec == crate::CodecId::new(99) { plain(options.expect) } else { Expect::Any })",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a put takes any key",
        lost: "The board holds a key that cannot be one.",
        file: FILE,
        search: "        reader::check(key)?;
        let slot_key = slots::Key::new(self.reader().region.geometry(), key);
        self.put_at",
        replace: "        let slot_key = slots::Key::new(self.reader().region.geometry(), key);
        self.put_at",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
    Mutant {
        name: "a conflict does not tell what stands there",
        lost: "Whoever meets a conflict has to read again, and may learn of another.",
        file: FILE,
        search: "        let current = self.get(key).ok().flatten();
        Error::new(ErrorKind::Conflict,",
        replace: "        let current = None;
        Error::new(ErrorKind::Conflict,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "version 0 is no name for nothing",
        lost: "Whoever expects the version that it read of an absent key is refused.",
        file: FILE,
        search: "Expect::Version(0) | Expect::Generation(0) => Expect::Absent,",
        replace: "Expect::Generation(0) => Expect::Absent,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "generation 0 is no name for nothing",
        lost: "Whoever expects the generation that it read of an absent key is refused.",
        file: FILE,
        search: "Expect::Version(0) | Expect::Generation(0) => Expect::Absent,",
        replace: "Expect::Version(0) => Expect::Absent,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a guest puts what it may not bind",
        lost: "What is bound to a session that has ended is there for a moment.",
        file: FILE,
        search: "let guards_host = if change.ephemeral == 0 { Ok(()) } else { self.check_host() };",
        replace: "let guards_host = if change.ephemeral == 0 || !key.is_empty() { Ok(()) } else { self.check_host() };",
        caught_by: &[test(
            "-p slateboard --test guests what_a_guest_binds_ends_with_its_host_whichever_way_that_ends",
        )],
    },
];
