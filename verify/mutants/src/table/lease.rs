//! Mutants of `src/board/lease.rs`.

use super::{Mutant, long, test, torture};

const FILE: &str = "src/board/lease.rs";

const BEFORE_THE_LOCK: &str = "-p slateboard --lib board::lease::tests::a_lease_s_calls_look_at_the_board_before_they_wait_for_the_lock";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a renewal does not ask for the lease's version",
        lost: "A holder takes a lease back that another has taken by force.",
        file: FILE,
        search: "match put(session, key, ttl, Expect::Version(current)) {",
        replace: "match put(session, key, ttl, if current > 0 { Expect::Any } else { Expect::Absent }) {",
        caught_by: &[
            test(
                "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
            ),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a release does not ask for the lease's version",
        lost: "A holder removes a lease that another has taken by force.",
        file: FILE,
        search: "match self.session.remove_if(&self.key, Expect::Version(version)) {",
        replace: "match self.session.remove_if(&self.key, if version > 0 { Expect::Any } else { Expect::Absent }) {",
        caught_by: &[
            test(
                "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
            ),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a lease says that it is held for longer than its entry lives",
        lost: "Two sessions both hold a lease for a moment.",
        file: FILE,
        search: "        let until_ns = end_of(ttl);
        let receipt = put(&session, key, ttl, Expect::Absent).map_err(|error| held(error, key))?;",
        replace:
            "        let receipt = put(&session, key, ttl, Expect::Absent).map_err(|error| held(error, key))?;
        let until_ns = end_of(ttl);",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_does_not_count_as_held_for_longer_than_its_entry_lives",
        )],
    },
    Mutant {
        name: "a lease is taken whoever has it",
        lost: "Two sessions hold one lease.",
        file: FILE,
        search: "put(&session, key, ttl, Expect::Absent)",
        replace: "put(&session, key, ttl, if ttl.is_zero() { Expect::Absent } else { Expect::Any })",
        caught_by: &[
            test("-p slateboard --test api a_lease_has_one_holder_and_rising_tokens"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a lease's token is its version",
        lost: "A later holder's token may be the smaller one, and what is fenced by tokens refuses the wrong one.",
        file: FILE,
        search: "token: receipt.generation,",
        replace: "token: receipt.version,",
        caught_by: &[test("-p slateboard --test leases a_lease_ends_with_its_session_long_before_its_time")],
    },
    Mutant {
        name: "a lease is held although its session has ended",
        lost: "A session that others ended goes on under its lease.",
        file: FILE,
        search: "if self.session.check().is_err() {",
        replace: "if self.session.check().is_err() && self.ttl.is_zero() {",
        caught_by: &[test(
            "-p slateboard --test leases a_lease_is_not_held_once_its_session_was_ended_by_others",
        )],
    },
    Mutant {
        name: "a lease is held although its time is over",
        lost: "A process that was stopped goes on under a lease that another may have.",
        file: FILE,
        search: "filter(|_| boottime_ns() < held.until_ns)",
        replace: "filter(|_| boottime_ns() < held.until_ns || !self.ttl.is_zero())",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_whose_time_is_over_is_not_held_until_it_is_renewed",
        )],
    },
    Mutant {
        name: "a lease is held whatever entry stands there",
        lost: "A holder goes on although another has taken the lease by force.",
        file: FILE,
        search: "meta.is_some_and(|meta| meta.version == version)",
        replace: "meta.is_some_and(|meta| meta.version >= version)",
        caught_by: &[
            test(
                "-p slateboard --lib board::lease::tests::a_lease_whose_time_is_over_is_not_held_until_it_is_renewed",
            ),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a released lease stays among the renewals",
        lost: "The renewals of released leases pile up until they are due.",
        file: FILE,
        search: "self.session.forget_renewal(self.id);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::each_lease_of_a_session_is_renewed_until_it_is_released",
        )],
    },
    Mutant {
        name: "a lease that was lost already is an error to release",
        lost: "Whoever releases a lost lease is told of an error.",
        file: FILE,
        search: "Err(error) if error.is_conflict() => Ok(()),",
        replace: "Err(error) if error.is_conflict() && version == 0 => Ok(()),",
        caught_by: &[test(
            "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
        )],
    },
    Mutant {
        name: "a lease is renewed when its time is over",
        lost: "Each lease lapses, or nearly so.",
        file: FILE,
        search: "self.ttl.as_nanos() / 3",
        replace: "self.ttl.as_nanos()",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "a lease is not renewed again after a failure",
        lost: "A full board costs its sessions their leases.",
        file: FILE,
        search: "renew(&session, &key, ttl, &held).is_ok() || held.lock().version.is_some()",
        replace: "renew(&session, &key, ttl, &held).is_ok()",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_renewal_that_failed_is_tried_again_and_that_of_a_lost_lease_is_not",
        )],
    },
    Mutant {
        name: "a lost lease is renewed for ever",
        lost: "The keeper goes on with leases that are lost, as many as there were.",
        file: FILE,
        search: "renew(&session, &key, ttl, &held).is_ok() || held.lock().version.is_some()",
        replace: "renew(&session, &key, ttl, &held).is_ok() || held.lock().until_ns > 0",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_renewal_that_failed_is_tried_again_and_that_of_a_lost_lease_is_not",
        )],
    },
    Mutant {
        name: "a drop does not release a lease",
        lost: "A lease that its holder has dropped keeps others out.",
        file: FILE,
        search: "let _ = self.end();",
        replace: "let _ = self.session.check();",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::each_lease_of_a_session_is_renewed_until_it_is_released",
        )],
    },
    Mutant {
        name: "a lease has no time to live",
        lost: "The lease of a stopped process keeps others out for ever.",
        file: FILE,
        search: "PutOptions::new().expect(expect).ttl(ttl).ephemeral(true)",
        replace: "PutOptions { ttl: Some(ttl).filter(|ttl| ttl.is_zero()), ..PutOptions::new().expect(expect).ephemeral(true) }",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_does_not_count_as_held_for_longer_than_its_entry_lives",
        )],
    },
    Mutant {
        name: "a lease does not end with its session",
        lost: "The lease of a dead session keeps others out until its time is over.",
        file: FILE,
        search: "ttl(ttl).ephemeral(true)",
        replace: "ttl(ttl).ephemeral(ttl.is_zero())",
        caught_by: &[test("-p slateboard --test leases a_lease_ends_with_its_session_long_before_its_time")],
    },
    Mutant {
        name: "who lost a lease is not told to whom",
        lost: "A holder that lost its lease does not learn who has it.",
        file: FILE,
        search: ".with_current(session.get(key).ok().flatten())",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
        )],
    },
    Mutant {
        name: "a renewal takes whatever value stands there",
        lost: "A holder takes a lease back that another has taken by force.",
        file: FILE,
        search: "match put(session, key, ttl, Expect::Version(current)) {",
        replace: "match put(session, key, ttl, if current > 0 { Expect::Present } else { Expect::Absent }) {",
        caught_by: &[test(
            "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
        )],
    },
    Mutant {
        name: "a renewed lease says that it is held for longer than its entry lives",
        lost: "Two sessions both hold a lease for a moment.",
        file: FILE,
        search: "*held = Held { version: Some(receipt.version), until_ns };",
        replace: "*held = Held { version: Some(receipt.version), until_ns: end_of(ttl).max(until_ns) };",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_does_not_count_as_held_for_longer_than_its_entry_lives",
        )],
    },
    Mutant {
        name: "a renewal does not note until when the lease is held",
        lost: "A holder believes that it lost the lease that it holds.",
        file: FILE,
        search: "*held = Held { version: Some(receipt.version), until_ns };",
        replace: "*held = Held { version: Some(receipt.version), until_ns: held.until_ns.min(until_ns) };",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_whose_time_is_over_is_not_held_until_it_is_renewed",
        )],
    },
    Mutant {
        name: "a renewal does not note the version that it put",
        lost: "A lease is renewed once, and lost then.",
        file: FILE,
        search: "*held = Held { version: Some(receipt.version), until_ns };",
        replace: "*held = Held { version: Some(receipt.version.min(current)), until_ns };",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_is_renewed_after_each_third_of_its_time",
        )],
    },
    Mutant {
        name: "a renewal that meets another's entry forgets nothing",
        lost: "The keeper goes on with leases that are lost, as many as there were.",
        file: FILE,
        search: "if error.is_conflict() || error.is_fenced() || error.is_moved() {",
        replace: "if error.is_fenced() || error.is_moved() {",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_renewal_that_failed_is_tried_again_and_that_of_a_lost_lease_is_not",
        )],
    },
    Mutant {
        name: "a renewal of a session that has ended forgets nothing",
        lost: "A session that others ended goes on renewing.",
        file: FILE,
        search: "if error.is_conflict() || error.is_fenced() || error.is_moved() {",
        replace: "if error.is_conflict() || error.is_moved() {",
        caught_by: &[test(
            "-p slateboard --test leases a_lease_is_not_held_once_its_session_was_ended_by_others",
        )],
    },
    Mutant {
        name: "who holds a lease is not told",
        lost: "Whoever asks for a lease that another holds learns of a conflict, and not of the holder.",
        file: FILE,
        search: "if error.kind() != ErrorKind::Conflict {",
        replace: "if !key.is_empty() {",
        caught_by: &[test("-p slateboard --test api a_lease_has_one_holder_and_rising_tokens")],
    },
    Mutant {
        name: "a renewal on a board that has moved forgets nothing",
        lost: "A keeper goes on renewing on a board that newcomers cannot open.",
        file: FILE,
        search: "if error.is_conflict() || error.is_fenced() || error.is_moved() {",
        replace: "if error.is_conflict() || error.is_fenced() {",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_of_a_board_that_has_moved_is_not_renewed_again",
        )],
    },
    Mutant {
        name: "a renewal waits for the lock before it looks at the board",
        lost: "A forked child waits for a thread that it does not have.",
        file: FILE,
        search: "        self.session.reader().core()?;
        renew(",
        replace: "        renew(",
        caught_by: &[test(BEFORE_THE_LOCK)],
    },
    Mutant {
        name: "a release waits for the lock before it looks at the board",
        lost: "A forked child waits for a thread that it does not have.",
        file: FILE,
        search: "        self.session.reader().core()?;
        self.session.forget_renewal",
        replace: "        self.session.forget_renewal",
        caught_by: &[test(BEFORE_THE_LOCK)],
    },
    Mutant {
        name: "whoever asks for a lease waits for the lock before it looks at the board",
        lost: "A forked child waits for a thread that it does not have.",
        file: FILE,
        search: "if self.session.check().is_err() {",
        replace: "if self.key.is_empty() {",
        caught_by: &[test(BEFORE_THE_LOCK)],
    },
    Mutant {
        name: "a lease's entry has no name",
        lost: "Whoever reads the key of a lease does not learn who has it.",
        file: FILE,
        search: "session.put_with(key, session.name(), options)",
        replace: "session.put_with(key, &session.name()[..0], options)",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_s_entry_has_the_holder_s_name_as_text",
        )],
    },
    Mutant {
        name: "a lease's entry is not told as text",
        lost: "A tool shows the holder's name as bytes.",
        file: FILE,
        search: ".ephemeral(true).codec(CodecId::UTF8);",
        replace: ".ephemeral(true).codec(CodecId::RAW);",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_lease_s_entry_has_the_holder_s_name_as_text",
        )],
    },
    Mutant {
        name: "a released lease is not lost for a renewal under way",
        lost: "A renewal puts the lease's entry again while it is released, and it stays for its time to live.",
        file: FILE,
        search: "let Some(version) = self.held.lock().version.take() else { return Ok(()) };",
        replace: "let Some(version) = self.held.lock().version else { return Ok(()) };",
        caught_by: &[test(
            "-p slateboard --lib board::lease::tests::a_released_lease_is_lost_for_a_renewal_under_way",
        )],
    },
];
