//! Mutants of `src/engine/protocol/copy.rs`.

use super::{Mutant, long, models, schedules, states, test};

const FILE: &str = "src/engine/protocol/copy.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no acquire fence after a copy",
        lost: "A reader takes a torn copy for a whole event.",
        file: FILE,
        search: "fence(Acquire);
        // Relaxed, all: they follow the fence.",
        replace: "",
        caught_by: &[models("view::an_event_is_whole_or_gone")],
    },
    Mutant {
        name: "head test dropped",
        lost: "A reader takes a torn copy for a whole value.",
        file: FILE,
        search: "Proof::Head(at, head) => self.head_is(at, head),",
        replace: "Proof::Head(..) => true,",
        caught_by: &[states("get-reuse"), long(schedules("one-key"))],
    },
    Mutant {
        name: "floor test dropped",
        lost: "A view takes a torn copy for a value of its generation.",
        file: FILE,
        search: "Proof::Floor(since) => floor_at_most(since),",
        replace: "Proof::Floor(since) => floor_at_most(since) || since < u64::MAX,",
        caught_by: &[states("view"), long(schedules("one-key"))],
    },
    Mutant {
        name: "a value is copied over the buffer's beginning",
        lost: "A value ends with bytes of the one before it in the buffer.",
        file: FILE,
        search: "if out.len() != len {",
        replace: "if out.len() < len {",
        caught_by: &[test("-p slateboard --test handles a_handle_returns_a_value_again_whatever_its_length")],
    },
];
