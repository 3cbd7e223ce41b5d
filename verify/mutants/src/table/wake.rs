//! Mutants of `src/engine/protocol/wake.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/wake.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no fence before looking at the flag",
        lost: "A writer does not see that somebody sleeps, who is never woken.",
        file: FILE,
        search: "fence(SeqCst);
        self.wake_if_asked(1 + shard);",
        replace: "self.wake_if_asked(1 + shard);",
        caught_by: &[models("wake::a_sleeper_on_a_shard_is_woken")],
    },
    Mutant {
        name: "no fence behind setting the flag",
        lost: "A sleeper does not see the change, and is never woken.",
        file: FILE,
        search: "fence(SeqCst);
        acquire(self.counter(counter))",
        replace: "acquire(self.counter(counter))",
        caught_by: &[models("wake::a_sleeper_on_a_shard_is_woken")],
    },
    Mutant {
        name: "the board's sleepers are not looked for after the shard's",
        lost: "Who watches the whole board sleeps on while somebody also waits for one key's shard.",
        file: FILE,
        search: "        self.wake_if_asked(1 + shard);
        self.wake_if_asked(BOARD);",
        replace: "        let asked = self.flags.get((1 + shard) * LINE).is_some_and(|flag| flag.load(Relaxed) != 0);
        self.wake_if_asked(if asked { 1 + shard } else { BOARD });",
        caught_by: &[
            test("-p slateboard --lib engine::protocol::wake::tests::who_waits_on_a_shard_and_who_waits_on_the_board_are_both_woken"),
            models("wake::who_sleeps_on_the_board_is_woken_with_who_sleeps_on_the_shard"),
            models("stall::an_owner_wakes_for_a_helper_that_stopped"),
        ],
    },
    Mutant {
        name: "a writer wakes the board's sleepers alone",
        lost: "Who waits for one key sleeps on until it looks by itself.",
        file: FILE,
        search: "        self.wake_if_asked(1 + shard);
        self.wake_if_asked(BOARD);",
        replace: "        self.wake_if_asked(if shard < usize::MAX { BOARD } else { 1 + shard });",
        caught_by: &[
            test("-p slateboard --lib engine::protocol::wake::tests::who_waits_on_a_shard_and_who_waits_on_the_board_are_both_woken"),
            models("wake::a_sleeper_on_a_shard_is_woken"),
        ],
    },
    Mutant {
        name: "a flag outlives its wake",
        lost: "A flag stays set, and each put pays for a wake that nobody needs.",
        file: FILE,
        search: "if flag.load(Relaxed) != 0 && flag.swap(0, Relaxed) != 0 {",
        replace: "if flag.load(Relaxed) != 0 {",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::wake::tests::who_waits_on_a_shard_and_who_waits_on_the_board_are_both_woken",
        )],
    },
    Mutant {
        name: "a reaper wakes the board's sleepers alone",
        lost: "Who waits for a key that a killed writer changed sleeps on.",
        file: FILE,
        search: "(0..=self.geo.shards()).for_each(|counter| self.machine.ring(counter));",
        replace: "(0..=self.geo.shards().min(BOARD)).for_each(|counter| self.machine.ring(counter));",
        caught_by: &[
            test("-p slateboard --lib engine::protocol::wake::tests::who_waits_on_a_shard_and_who_waits_on_the_board_are_both_woken"),
            models("wake::a_killed_writer_s_sleepers_are_woken"),
        ],
    },
];
