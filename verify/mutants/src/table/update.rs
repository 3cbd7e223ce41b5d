//! Mutants of `src/board/update.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/update.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a touch does not tell the keeper its deadline",
    lost: "An entry that lives shorter than a beat is ended a beat late.",
    file: FILE,
    search: "self.seat().expects_expiry(change.deadline);",
    replace: "",
    caught_by: &[test(
        "-p slateboard --lib board::presence::tests::a_put_and_a_touch_with_a_time_to_live_tell_the_keeper_their_deadline",
    )],
}];
