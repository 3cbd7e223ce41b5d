//! Mutants of `src/region/identity.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/identity.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a process tells when another started",
        lost: "A process that has the number of an ended one is taken for it.",
        file: FILE,
        search: "start_time_at(Path::new(\"/proc/self/stat\")).unwrap_or(0);",
        replace: "start_time_at(Path::new(\"/proc/1/stat\")).unwrap_or(0);",
        caught_by: &[test("-p slateboard --lib region::identity::tests::a_process_tells_its_own_start")],
    },
    Mutant {
        name: "a process does not tell its namespace",
        lost: "A number of another container is taken for one of here.",
        file: FILE,
        search: "map_or(0, |file| file.ino());",
        replace: "map_or(0, |file| file.ino() * 0);",
        caught_by: &[test("-p slateboard --lib region::identity::tests::a_process_tells_its_own_start")],
    },
];
