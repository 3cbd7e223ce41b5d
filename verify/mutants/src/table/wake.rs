//! Mutants of `src/engine/protocol/wake.rs`.

use super::{Mutant, models};

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
];
