//! Mutants of `src/region/lock.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/lock.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a lock that is given back wakes nobody",
        lost: "A thread that waits for a lock sleeps for a second each time.",
        file: FILE,
        search: "if self.lock.word.swap(FREE, Ordering::Release) == AWAITED {",
        replace: "if self.lock.word.swap(FREE, Ordering::Release) > AWAITED {",
        caught_by: &[test("-p slateboard --lib region::lock::tests::who_sleeps_is_woken")],
    },
    Mutant {
        name: "a waiter does not say that it sleeps",
        lost: "A thread that waits for a lock looks without a pause.",
        file: FILE,
        search: "while self.word.swap(AWAITED, Ordering::Acquire) != FREE {",
        replace: "while self.word.swap(HELD, Ordering::Acquire) != FREE {",
        caught_by: &[test("-p slateboard --lib region::lock::tests::who_sleeps_is_woken")],
    },
];
