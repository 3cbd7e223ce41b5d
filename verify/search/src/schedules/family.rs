//! Families of schedules: a small board, its keys, and what actors do there, how often.

use crate::scenario::{board, five_keys, one_key, three_keys};
use slateboard::layout::{Geometry, Shape};

/// What an actor may do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// A put of a random length.
    Put,
    /// A put where the key has no value.
    PutAbsent,
    /// A put where it has one.
    PutPresent,
    /// A put that ends with its session.
    PutEphemeral,
    /// A read, and a compare-and-swap of what was read.
    Update,
    /// A removal.
    Remove,
    /// The end of what a recent generation wrote.
    Expire,
    /// The newest value.
    Get,
    /// A value at a recent generation.
    GetPast,
    /// All values at the present generation.
    List,
    /// The events that the history holds.
    Events,
    /// The end of a dead session, if there is one that nobody is ending.
    Reap,
    /// The oldest event let go, and the newest finished.
    Tend,
    /// Slots that were begun and left retired.
    Sweep,
    /// A name interned.
    Intern,
}

/// A family.
pub struct Family {
    /// Short name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The board.
    pub shape: fn() -> Shape,
    /// The keys.
    pub keys: fn(&Geometry) -> Vec<String>,
    /// What actors do, with weights.
    pub acts: &'static [(u64, Act)],
    /// Words of a value, at least and at most.
    pub words: (u64, u64),
    /// Calls of one life, at most.
    pub calls: u64,
}

/// All of them.
pub const ALL: [Family; 6] = [
    Family {
        name: "one-key",
        about: "one key, a history of two events",
        shape: || board(4, 16, 2),
        keys: one_key,
        acts: &[
            (6, Act::Put),
            (3, Act::Update),
            (2, Act::Remove),
            (2, Act::PutAbsent),
            (2, Act::PutPresent),
            (1, Act::Expire),
            (3, Act::Get),
            (2, Act::GetPast),
            (1, Act::List),
            (2, Act::Events),
            (4, Act::Reap),
            (2, Act::Tend),
        ],
        words: (2, 2),
        calls: 4,
    },
    Family {
        name: "slots",
        about: "nine keys in seven slots and one overflow bucket, coming and going",
        shape: || Shape { overflow_max: 1, ..board(6, 16, 4) },
        keys: nine_keys,
        acts: &[
            (6, Act::Put),
            (4, Act::PutAbsent),
            (6, Act::Remove),
            (1, Act::PutPresent),
            (1, Act::Update),
            (3, Act::Get),
            (2, Act::List),
            (1, Act::Events),
            (4, Act::Reap),
            (3, Act::Tend),
            (1, Act::Sweep),
        ],
        words: (1, 2),
        calls: 6,
    },
    Family {
        name: "scarce",
        about: "three keys on a board that is soon full, values of several sizes",
        shape: || board(2, 16, 3),
        keys: three_keys,
        acts: &[
            (8, Act::Put),
            (4, Act::Remove),
            (2, Act::Update),
            (3, Act::Get),
            (2, Act::GetPast),
            (1, Act::Events),
            (4, Act::Reap),
            (2, Act::Tend),
        ],
        words: (1, 24),
        calls: 4,
    },
    Family {
        name: "chains",
        about: "values longer than an extent, in pieces",
        shape: || board(20, 4, 3),
        keys: three_keys,
        acts: &[
            (8, Act::Put),
            (3, Act::Remove),
            (1, Act::Update),
            (4, Act::Get),
            (1, Act::GetPast),
            (1, Act::List),
            (4, Act::Reap),
            (2, Act::Tend),
        ],
        words: (1, 80),
        calls: 3,
    },
    Family {
        name: "mortals",
        about: "entries that end with their sessions, names, and many deaths",
        shape: || board(6, 16, 4),
        keys: five_keys,
        acts: &[
            (4, Act::PutEphemeral),
            (3, Act::Put),
            (3, Act::Update),
            (1, Act::Remove),
            (2, Act::Get),
            (1, Act::List),
            (1, Act::Intern),
            (8, Act::Reap),
            (1, Act::Tend),
        ],
        words: (1, 2),
        calls: 5,
    },
    Family {
        name: "bound",
        about: "one entry that ends with its session, updated by others",
        shape: || board(6, 16, 4),
        keys: one_key,
        acts: &[(3, Act::PutEphemeral), (5, Act::Update), (1, Act::Get), (8, Act::Reap)],
        words: (1, 2),
        calls: 4,
    },
];

/// The family of this name.
pub fn named(name: &str) -> Option<&'static Family> {
    ALL.iter().find(|family| family.name == name)
}

/// Two more than a bucket has slots.
fn nine_keys(_geo: &Geometry) -> Vec<String> {
    ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(String::from).to_vec()
}
