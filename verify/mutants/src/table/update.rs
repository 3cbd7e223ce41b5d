//! Mutants of `src/board/update.rs`.

use super::{Mutant, torture};

const FILE: &str = "src/board/update.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an update of an absent key puts whatever stands there",
        lost: "An update is lost: another session's value, put meanwhile, is overwritten.",
        file: FILE,
        search: "Change::put(value.as_ref(), Expect::Absent)",
        replace: "Change::put(value.as_ref(), Expect::Any)",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
    Mutant {
        name: "an update puts whatever stands there",
        lost: "An update is lost: another session's value, put meanwhile, is overwritten.",
        file: FILE,
        search: "change.expect = Expect::Version(found.words.version());",
        replace: "change.expect = Expect::Any;",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
    Mutant {
        name: "an update loses the codec and the deadline",
        lost: "A counter with a time to live stays for ever once it is counted.",
        file: FILE,
        search: "(change.codec, change.deadline) = (standing.codec(), standing.deadline());",
        replace: "(change.codec, change.deadline) = (standing.codec(), 0);",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
    Mutant {
        name: "an update does not set the time to live",
        lost: "A touch renews nothing.",
        file: FILE,
        search: "change.deadline = deadline_after(ttl);",
        replace: "change.deadline = change.deadline.max(1).min(deadline_after(ttl));",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
];
