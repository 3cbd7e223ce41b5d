//! Mutants of `cli/src/commands/lock.rs`.

use super::{Mutant, test};

const FILE: &str = "cli/src/commands/lock.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a lost lease does not end the command",
    lost: "A command goes on under a lease that another has.",
    file: FILE,
    search: "Some(&|| lease.is_held())",
    replace: "None",
    caught_by: &[test("-p slateboard-cli --test claims a_lease_that_is_lost_ends_the_command")],
}];
