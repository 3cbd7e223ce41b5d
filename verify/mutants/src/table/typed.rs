//! Mutants of `src/board/typed.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/typed.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an encoded put drops its options",
        lost: "A put under a condition, of an encoded value, overwrites whatever stands there.",
        file: FILE,
        search: "self.put_with(key, bytes, options.codec(C::ID))",
        replace: "self.put_with(key, bytes, PutOptions::new().codec(options.codec(C::ID).codec))",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
    Mutant {
        name: "an encoded put does not record its codec",
        lost: "What was put as one type cannot be read as it.",
        file: FILE,
        search: "options.codec(C::ID)",
        replace: "options",
        caught_by: &[test("-p slateboard --test api typed_values_carry_their_codec")],
    },
    Mutant {
        name: "a value is decoded by whatever codec asks for it",
        lost: "Bytes of one type are taken for another.",
        file: FILE,
        search: "if entry.codec != C::ID {",
        replace: "if entry.codec != C::ID && entry.value.is_empty() {",
        caught_by: &[test("-p slateboard --test api what_is_put_may_be_borrowed")],
    },
];
