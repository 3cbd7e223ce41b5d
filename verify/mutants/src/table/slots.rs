//! Mutants of `src/engine/protocol/slots.rs`.

use super::{Mutant, models, states};

const FILE: &str = "src/engine/protocol/slots.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no second look at the hash",
        lost: "A put writes into a slot that belongs to another key by now.",
        file: FILE,
        search: "(self.at(hash_at).load(Relaxed) == hash.0).then_some((hash, head))",
        replace: "Some((hash, head))",
        caught_by: &[models("stall::a_put_finds_its_own_slot"), states("retire")],
    },
    Mutant {
        name: "a reader takes a slot's life for going on",
        lost: "A reader takes what a tombstone's block holds in its next life.",
        file: FILE,
        search: "else { return false };
        // A MOVED head with a block was LIVE before.
        hash == slot.hash &&",
        replace: "else { return true };
        // A MOVED head with a block was LIVE before.
        hash != hash || head.0 < u64::MAX ||",
        caught_by: &[models("slots::a_reader_takes_no_reused_tombstone"), states("give-back-read")],
    },
];
