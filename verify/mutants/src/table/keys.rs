//! Mutants of `src/engine/protocol/keys.rs`.

use super::{Mutant, torture};

const FILE: &str = "src/engine/protocol/keys.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "the index begins without the first slots of the buckets",
    lost: "Lists miss keys that were there before the index was made.",
    file: FILE,
    search: "for hash_at in chain.by_ref().flat_map(slots_of) {",
    replace: "for hash_at in chain.by_ref().flat_map(|base| slots_of(base).skip(1)) {",
    caught_by: &[torture("--kills 60 --seed 1")],
}];
