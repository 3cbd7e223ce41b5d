//! Mutants of `src/board/lookout.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/lookout.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a lookout does not look",
        lost: "Who only reads never learns that the board was replaced.",
        file: FILE,
        search: "region.look();",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::lookout::tests::a_lookout_notices_that_the_board_is_not_at_its_path",
        )],
    },
    Mutant {
        name: "a lookout that is dropped is not woken",
        lost: "The drop of a reader waits a second, and the thread stays for its whole period.",
        file: FILE,
        search: "futex::wake_all(&self.over);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::lookout::tests::a_lookout_that_is_dropped_ends_its_thread",
        )],
    },
    Mutant {
        name: "a forked child looks for the parent's board",
        lost: "A call that a child is refused starts a thread in it.",
        file: FILE,
        search: "if region.path().is_some() && !region.in_child() {",
        replace: "if region.path().is_some() {",
        caught_by: &[test(
            "-p slateboard --test processes_forked a_forked_child_is_refused_everything_and_attaches_anew",
        )],
    },
];
