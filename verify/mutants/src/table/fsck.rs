//! Mutants of `verify/fsck/src/history.rs`, the judge of the history.

use super::{Mutant, test};

const FILE: &str = "verify/fsck/src/history.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "no look at what a touch carries",
    lost: "A touch that changes a value passes for sound on every board at rest.",
    file: FILE,
    search: "            check_touch(record, previous.as_deref(), out);",
    replace: "            let _ = check_touch;",
    caught_by: &[test("-p slateboard-fsck --test rules every_rule_finds_what_breaks_it")],
}];
