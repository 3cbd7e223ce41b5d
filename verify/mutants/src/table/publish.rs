//! Mutants of `src/engine/protocol/publish.rs`.

use super::{Mutant, long, models, schedules, states, stepper, test};

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
];
