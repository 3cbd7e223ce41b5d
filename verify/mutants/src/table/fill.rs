//! Mutants of `src/engine/protocol/fill.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/fill.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a piece is a piece before it is listed",
        lost: "A writer killed between the two leaves a piece that no list names and nobody frees.",
        file: FILE,
        search:
            "self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);
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
    },
    Mutant {
        name: "a long put's header is stored after its pieces",
        lost: "The pieces of a long put that was killed are never free again.",
        file: FILE,
        search: "            self.store_header(claimed.block, words);
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::reaping::a_reaper_that_dies_is_followed_by_one_that_finishes",
        )],
    },
];
