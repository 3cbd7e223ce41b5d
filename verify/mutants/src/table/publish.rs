//! Mutants of `src/engine/protocol/publish.rs`.

use super::{Mutant, long, models, schedules, states, stepper, test, torture};

const FILE: &str = "src/engine/protocol/publish.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "helping without a second look at the head",
        lost: "A helper logs a block that is not published.",
        file: FILE,
        search: "if self.head_is(found.slot.head_at, found.head) {
                    self.log(",
        replace: "{
                    self.log(",
        caught_by: &[
            models("history::a_helper_logs_no_private_block"),
            states("stale-helper"),
            long(schedules("one-key")),
        ],
    },
    Mutant {
        name: "the owner does not pin its block",
        lost: "A put cannot learn its own generation.",
        file: FILE,
        search: "let logged = loop {",
        replace: "self.settle(lane, claimed);
        let logged = loop {",
        caught_by: &[models("stall::a_put_learns_its_own_generation")],
    },
    Mutant {
        name: "no release fence after the claim",
        lost: "A reader that sees the first words of a block's next life takes it for the life before.",
        file: FILE,
        search: "fence(Release);",
        replace: "",
        caught_by: &[models("read::a_value_is_whole_while_its_block_is_reused")],
    },
    Mutant {
        name: "published without release",
        lost: "Whoever finds the new head finds a record that is not filled yet.",
        file: FILE,
        search: ".compare_exchange(found.head.0, new.0, Release, Relaxed)",
        replace: ".compare_exchange(found.head.0, new.0, Relaxed, Relaxed)",
        caught_by: &[models("publish::two_puts_of_one_key_make_a_chain")],
    },
    Mutant {
        name: "a handle's writer does not ask whose slot it is",
        lost: "A put by handle writes over another key.",
        file: FILE,
        search: "(hash == slot.hash && head.is(HeadKind::Live)).then_some(SlotHead { slot, head })",
        replace: "(hash.number() > 0 && head.is(HeadKind::Live)).then_some(SlotHead { slot, head })",
        caught_by: &[models("slots::a_known_slot_takes_no_other_key_s_place")],
    },
    Mutant {
        name: "the deadline is announced before the entry is published",
        lost: "A sweep forgets the deadline of an entry that it cannot see yet.",
        file: FILE,
        search: "self.ask_lines(lane, key, hint);
        self.trim(lane)?;",
        replace: "self.ask_lines(lane, key, hint);
        if BOUND && change.deadline != 0 {
            self.announce_deadline(key.bucket, change.deadline);
            return self.change_as::<false>(lane, key, change, now, hint);
        }
        self.trim(lane)?;",
        caught_by: &[models("expire::two_sweeps_lose_no_deadline"), states("sweeps")],
    },
    Mutant {
        name: "settled before it was added",
        lost: "A writer killed between the two leaves a superseded block that the history's weight never counts.",
        file: FILE,
        search: "        self.weigh(lane, Sum::Superseded, generation, superseded);
        self.settle(lane, claimed);",
        replace: "        self.settle(lane, claimed);
        self.weigh(lane, Sum::Superseded, generation, superseded);",
        caught_by: &[states("reaper-killed")],
    },
    Mutant {
        name: "the superseder does not help",
        lost: "A put that was published and not logged is superseded, and never becomes an event.",
        file: FILE,
        search: "            GenWord::Unlogged(tag) => {
                // The block is published",
        replace: "            GenWord::Unlogged(_) if block.index() > 0 => self.generation(),
            GenWord::Unlogged(tag) => {
                // The block is published",
        caught_by: &[
            models("publish::two_puts_of_one_key_make_a_chain"),
            states("put-put"),
            schedules("one-key"),
            stepper("put over what is not logged"),
        ],
    },
    Mutant {
        name: "published before the payload's fence",
        lost: "Whoever finds the new head may find a record that is not filled yet.",
        file: FILE,
        search: "                        .compare_exchange(found.head.0, new.0, Release, Relaxed)
                        .is_ok()
                    {",
        replace: "                        .compare_exchange(found.head.0, new.0, Relaxed, Relaxed)
                        .is_ok()
                    {
                        fence(Release);",
        caught_by: &[
            models("publish::two_puts_of_one_key_make_a_chain"),
            models("read::a_value_is_whole_while_its_block_is_reused"),
        ],
    },
    Mutant {
        name: "the end of an entry does not use the reserve",
        lost: "Nothing that expired is ended on a full board.",
        file: FILE,
        search: "let removal = change.kind.is_tombstone();",
        replace: "let removal = change.kind == RecordKind::Removed;",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::expired_entries_are_ended_on_a_full_board",
        )],
    },
    Mutant {
        name: "a put under a condition takes a slot for a key that is not there",
        lost: "Refused puts use up the board's slots.",
        file: FILE,
        search: "!change.kind.is_tombstone() && matches!(change.expect, Expect::Any | Expect::Absent);
        let mut hint",
        replace: "!change.kind.is_tombstone();
        let mut hint",
        caught_by: &[test(
            "-p slateboard --test conditions what_was_not_changed_takes_no_slot_and_no_generation",
        )],
    },
    Mutant {
        name: "an expired entry meets conditions",
        lost: "A put under a condition is refused, or accepted, because of what has expired.",
        file: FILE,
        search: "            && old.deadline() <= (now.boot_ns)()
",
        replace: "            && old.deadline() < (now.boot_ns)().min(1)
",
        caught_by: &[
            test("-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a put that expects nothing overwrites a value",
        lost: "Two sessions both create a key.",
        file: FILE,
        search: "Expect::Absent => !present,",
        replace: "Expect::Absent => true,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a put that expects a value creates one",
        lost: "A put under a condition brings a removed key back.",
        file: FILE,
        search: "Expect::Present => present,",
        replace: "Expect::Present => true,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a put that expects a version takes any",
        lost: "An update is lost.",
        file: FILE,
        search: "Expect::Version(version) => present && old.version() == version,",
        replace: "Expect::Version(version) => present && old.version() >= version,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a removal's version can be expected",
        lost: "A put under a condition brings a removed key back.",
        file: FILE,
        search: "Expect::Version(version) => present && old.version() == version,",
        replace: "Expect::Version(version) => old.version() == version,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a put that expects a generation takes any",
        lost: "An update is lost.",
        file: FILE,
        search: "Expect::Generation(wrote) => present && generation == wrote,",
        replace: "Expect::Generation(wrote) => present && generation >= wrote,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a removal's generation can be expected",
        lost: "A put under a condition brings a removed key back.",
        file: FILE,
        search: "Expect::Generation(wrote) => present && generation == wrote,",
        replace: "Expect::Generation(wrote) => generation == wrote,",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "a key that comes back is as old as before",
        lost: "An entry does not know since when its key has a value.",
        file: FILE,
        search: "(false, _) => 0,",
        replace: "(false, created) => created,",
        caught_by: &[test("-p slateboard --test conditions an_entry_knows_since_when_its_key_has_a_value")],
    },
    Mutant {
        name: "each change makes an entry anew",
        lost: "An entry does not know since when its key has a value.",
        file: FILE,
        search: "(true, created) => created,",
        replace: "(true, _) => generation,",
        caught_by: &[test("-p slateboard --test conditions an_entry_knows_since_when_its_key_has_a_value")],
    },
];
