//! Mutants of `src/engine/protocol/fill.rs`.

use super::{Mutant, models};

const FILE: &str = "src/engine/protocol/fill.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a piece is a piece before it is listed",
    lost: "A writer killed between the two leaves a piece that no list names and nobody frees.",
    file: FILE,
    search: "self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);
            let parent = GenWord::parent(head.block.index(), head.tag);
            // Release, in this order: a thread that sees PART also sees which head the piece belongs to.
            self.gen_of(piece.block).store(parent.pack(), Release);
            let part = State::new(StateKind::Part, 0, piece.tag);
            self.state_of(piece.block).store(part.0, Release);",
    replace: "let parent = GenWord::parent(head.block.index(), head.tag);
            self.gen_of(piece.block).store(parent.pack(), Release);
            let part = State::new(StateKind::Part, 0, piece.tag);
            self.state_of(piece.block).store(part.0, Release);
            self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);",
    caught_by: &[models("chain::a_killed_long_put_leaks_no_piece")],
}];
