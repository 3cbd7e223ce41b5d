//! Mutants of `src/board/reader.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/reader.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a view of the present has no instant",
        lost: "A view has entries whose time to live was over.",
        file: FILE,
        search: "View::new(self.clone(), point, Some(boottime_ns()))",
        replace: "View::new(self.clone(), point, None)",
        caught_by: &[test("-p slateboard --test expiry a_view_is_of_one_instant_or_of_none")],
    },
    Mutant {
        name: "a view that is gone tells a wrong number",
        lost: "Who asks for the past is told wrongly how far it is out of reach.",
        file: FILE,
        search: "floor.saturating_sub(generation), floor)",
        replace: "floor.saturating_sub(generation) + 1, floor)",
        caught_by: &[test(
            "-p slateboard --test history a_view_is_of_any_generation_from_the_floor_to_the_newest",
        )],
    },
];
