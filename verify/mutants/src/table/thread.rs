//! Mutants of `src/region/thread.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/thread.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "signal handlers run in the keeper's thread",
        lost: "A handler of the program runs in a thread with a small stack that it does not know.",
        file: FILE,
        search: "without_signals(|| create(stack_bytes, Box::new(start)))",
        replace: "create(stack_bytes, Box::new(start))",
        caught_by: &[test(
            "-p slateboard --lib region::thread::tests::signals_are_blocked_there_and_as_they_were_here",
        )],
    },
    Mutant {
        name: "a thread does not know itself",
        lost: "A keeper that drops a session's last handle waits for its own end.",
        file: FILE,
        search: "self.0.stage() == Stage::Running(gettid())",
        replace: "false",
        caught_by: &[test("-p slateboard --lib region::thread::tests::a_thread_knows_itself")],
    },
];
