//! Mutants of `src/engine/protocol/pieces.rs`.

use super::{Mutant, models};

const FILE: &str = "src/engine/protocol/pieces.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "no look at a piece's parent",
    lost: "The reaper of a long put frees a piece that belongs to another value by now.",
    file: FILE,
    search: "state.is(StateKind::Part) && self.load_gen(piece) == GenWord::parent(head.index(), tag)",
    replace: "state.is(StateKind::Part) && tag != u64::MAX",
    caught_by: &[models("chain::a_killed_long_put_frees_no_piece_of_another")],
}];
