//! Mutants of `src/engine/protocol/pieces.rs`.

use super::{Mutant, models, test};

const FILE: &str = "src/engine/protocol/pieces.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no look at a piece's parent",
        lost: "The reaper of a long put frees a piece that belongs to another value by now.",
        file: FILE,
        search: "state.is(StateKind::Part) && self.load_gen(piece) == GenWord::parent(head.index(), tag)",
        replace: "state.is(StateKind::Part) && tag != u64::MAX",
        caught_by: &[models("chain::a_killed_long_put_frees_no_piece_of_another")],
    },
    Mutant {
        name: "a long value is read from its first piece",
        lost: "A long value is damaged for whoever reads it.",
        file: FILE,
        search: "self.piece(block, words, number, bytes.len())?",
        replace: "self.piece(block, words, number.min(0), bytes.len())?",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_value_in_pieces_is_read_piece_by_piece",
        )],
    },
    Mutant {
        name: "a long value is read without its last piece",
        lost: "A long value is damaged for whoever reads it.",
        file: FILE,
        search: ".enumerate().take(pieces)",
        replace: ".enumerate().take(pieces - 1)",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::keys::a_value_in_pieces_is_read_piece_by_piece",
        )],
    },
];
