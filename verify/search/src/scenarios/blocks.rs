//! Claiming, chains, extents that change their class.

use super::{forget_history, get, put2, put3};
use crate::{
    party::Party,
    scenario::{Scenario, board, mortal, role, three_keys},
};
use slateboard::{layout::Shape, protocol::publish::Expect};

/// Words of a value that takes two pieces on boards of two-granule extents.
const CHAINED: usize = 20;

fn put_chain(party: &Party<'_>) {
    party.put_words(0, 6, CHAINED, Expect::Any);
}

/// A board of three blocks whose history may not get shorter while there is room.
fn full() -> Shape {
    Shape { history_min: 4, ..board(1, 4, 4) }
}

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            shape: board(8, 2, 1),
            may_fill: true,
            kills: 1,
            roles: vec![mortal("put chain", put_chain), role("put 2", put2)],
            preemptions: 1,
            ..Scenario::new("chain", "a chained put killed beside a put").sees(100_000, 5)
        },
        Scenario {
            shape: board(10, 2, 1),
            may_fill: true,
            kills: 1,
            setup: |party| {
                party.put_words(0, 1, CHAINED, Expect::Any);
            },
            roles: vec![
                mortal("put 2 3", |party| {
                    put2(party);
                    put3(party);
                }),
                role("get", get),
            ],
            ..Scenario::new("chain-free", "a chain overwritten and freed by a killed writer, beside a reader")
                .sees(5378, 11)
        },
        Scenario {
            keys: three_keys,
            shape: board(2, 4, 1),
            may_fill: true,
            setup: |party| {
                for value in 0..5 {
                    party.put_words(0, value, 8, Expect::Any);
                }
                party.put(0, 1, Expect::Any);
                party.put(0, 1, Expect::Any);
            },
            roles: vec![
                role("put small", |party| {
                    party.put(1, 2, Expect::Any);
                    party.put(1, 3, Expect::Any);
                }),
                role("put large", |party| {
                    party.put_words(2, 4, 8, Expect::Any);
                }),
            ],
            ..Scenario::new("recut", "an extent cut anew while others claim in it").sees(160_000, 2)
        },
        Scenario {
            keys: three_keys,
            shape: board(2, 4, 1),
            may_fill: true,
            kills: 1,
            setup: |party| {
                for value in 0..5 {
                    party.put_words(0, value, 8, Expect::Any);
                }
                party.put(0, 1, Expect::Any);
                party.put(0, 1, Expect::Any);
            },
            roles: vec![
                mortal("put small", |party| {
                    party.put(1, 2, Expect::Any);
                }),
                role("put large", |party| {
                    party.put_words(2, 4, 8, Expect::Any);
                }),
            ],
            preemptions: 1,
            ..Scenario::new("recut-kill", "as before, one killed").sees(40_000, 4)
        },
        Scenario {
            keys: three_keys,
            shape: board(2, 4, 4),
            may_fill: true,
            // One extent is full, the other is free, and cut for small blocks.
            setup: |party| {
                party.put_words(0, 1, 24, Expect::Any);
                party.put(1, 2, Expect::Any);
                party.remove(1);
                forget_history(party);
                party.empty_stash();
            },
            roles: vec![
                role("put small", |party| {
                    party.put(1, 3, Expect::Any);
                }),
                role("put large", |party| {
                    party.put_words(2, 4, 16, Expect::Any);
                }),
            ],
            ..Scenario::new("two-sizes", "two writers of two sizes that want the one free extent")
                .sees(80_000, 2)
        },
        Scenario {
            keys: three_keys,
            shape: full(),
            may_lag: true,
            // Every block holds a value or is the history's.
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.put(1, 2, Expect::Any);
                party.put(0, 3, Expect::Any);
                party.empty_stash();
            },
            roles: vec![
                role("put a a", |party| {
                    party.put(0, 4, Expect::Any);
                    party.put(0, 5, Expect::Any);
                }),
                role("get a, get a", |party| {
                    party.get(0);
                    party.get(0);
                }),
                role("view a", |party| {
                    party.get_now(0);
                }),
            ],
            preemptions: 3,
            ..Scenario::new("full-read", "reads and a view beside puts that let the whole history go")
        },
        Scenario {
            keys: three_keys,
            shape: full(),
            kills: 1,
            may_fill: true,
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.put(1, 2, Expect::Any);
                party.put(0, 3, Expect::Any);
                party.empty_stash();
            },
            roles: vec![
                mortal("put a", |party| {
                    party.put(0, 4, Expect::Any);
                }),
                role("put b", |party| {
                    party.put(1, 5, Expect::Any);
                }),
            ],
            preemptions: 1,
            ..Scenario::new("full-kill", "two puts that let the whole history go, one killed").sees(80_000, 9)
        },
    ]
}
