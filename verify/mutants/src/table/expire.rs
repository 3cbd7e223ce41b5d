//! Mutants of `src/engine/protocol/expire.rs`.

use super::{Mutant, long, models, states, test, torture};

const FILE: &str = "src/engine/protocol/expire.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the deadline is announced without release",
        lost: "A sweep takes a deadline over and does not find the entry that has it.",
        file: FILE,
        search: "fetch_max(!deadline_ns, Release);",
        replace: "fetch_max(!deadline_ns, Relaxed);",
        caught_by: &[models("expire::two_sweeps_lose_no_deadline")],
    },
    Mutant {
        name: "a sweep forgets fresh deadlines before it takes them over",
        lost: "A sweep killed between the two loses a deadline.",
        file: FILE,
        search: "let lowered = hint.with(!fresh);",
        replace: "let lowered = hint.with(!fresh);
        let _ = fresh_word.compare_exchange(fresh, 0, Acquire, Relaxed);",
        caught_by: &[models("expire::a_killed_sweep_loses_no_deadline"), states("deadline-kill")],
    },
    Mutant {
        name: "a sweep ends whatever stands there",
        lost: "An entry that was renewed meanwhile is ended.",
        file: FILE,
        search: "Expect::Generation(generation)",
        replace: "if generation > 0 { Expect::Any } else { Expect::Absent }",
        caught_by: &[models("expire::a_renewed_entry_is_not_ended"), states("renewal")],
    },
    Mutant {
        name: "a put without room does not count what is entered",
        lost: "A put is refused although entries have expired, because a dead writer's event holds the floor.",
        file: FILE,
        search: "self.finish_pending(lane)?;",
        replace: "",
        caught_by: &[models("expire::a_put_is_not_refused_for_what_expired"), states("full-expired")],
    },
    Mutant {
        name: "a put without room goes by the groups' words alone",
        lost: "A put is refused although an entry has expired that no group's word tells.",
        file: FILE,
        search: "if ended > 0 { Ok(ended) } else { self.walk(lane, now, may_take) }",
        replace: "Ok(ended)",
        caught_by: &[models("expire::a_put_looks_at_every_slot_before_it_is_refused")],
    },
    Mutant {
        name: "a put takes open slots from others again and again",
        lost: "Two puts that want the last slot take it from each other for ever.",
        file: FILE,
        search: "        *may_take = retired == 0;
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_put_takes_open_slots_from_others_once",
        )],
    },
    Mutant {
        name: "swept word replaced by a store",
        lost: "The deadline that another sweep took over meanwhile is lost.",
        file: FILE,
        search: "            let _ = word.compare_exchange(hint.0, hint.replaced(swept.next_ns).0, Release, Relaxed);",
        replace: "            word.store(hint.replaced(swept.next_ns).0, Release);",
        caught_by: &[states("sweeps")],
    },
    Mutant {
        name: "a put ends all that expired at once",
        lost: "A put takes as long as a million entries take to end.",
        file: FILE,
        search: "Sweep { from: 0, late_ns: 0, most: ENDED_AT_ONCE }",
        replace: "Sweep { from: 0, late_ns: 0, most: u64::MAX }",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_put_without_room_ends_256_entries_at_once",
        )],
    },
    Mutant {
        name: "a sweep ends what is nearly over",
        lost: "A value is absent before its time to live is over.",
        file: FILE,
        search: "deadline_ns != 0 && deadline_ns <= boot_ns;",
        replace: "deadline_ns != 0 && deadline_ns <= boot_ns + 2_000_000;",
        caught_by: &[
            test(
                "-p slateboard --lib \
                 engine::protocol::tests::bounds::an_entry_is_ended_at_its_deadline_and_not_a_nanosecond_before",
            ),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a damaged entry keeps others from ending",
        lost: "Entries outlive their time because of another key's damage.",
        file: FILE,
        search: "Ok(Left::Nothing) | Err(Fault::Corrupt(_)) => {}",
        replace: "Ok(Left::Nothing) => {}",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_damaged_entry_keeps_no_other_from_ending",
        )],
    },
    Mutant {
        name: "entries that ended with their time are not counted",
        lost: "A figure that is shown is wrong.",
        file: FILE,
        search: "self.count(lane, Counter::Expired, 1);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::metrics::tests::what_sessions_did_is_counted_by_its_kind",
        )],
    },
];
