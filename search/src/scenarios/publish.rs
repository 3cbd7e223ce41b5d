//! Puts, removals and reads of the same key, with a history that laps.

use crate::scenario::{Scenario, board, mortal, one_key, role};
use slateboard::protocol::publish::Expect;

fn base(name: &'static str, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        shape: board(1, 8, 2),
        keys: one_key,
        setup: |party| {
            party.put(0, 1, Expect::Any);
        },
        roles: Vec::new(),
        kills: 0,
        mortal_reapers: false,
        may_fill: false,
        may_lag: false,
        states: 0,
        outcomes: 0,
        long: false,
    }
}

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            roles: vec![
                role("put 2", |party| {
                    party.put(0, 2, Expect::Any);
                }),
                role("put 3", |party| {
                    party.put(0, 3, Expect::Any);
                }),
            ],
            ..base("put-put", "two puts of one key")
        },
        Scenario {
            kills: 1,
            roles: vec![
                mortal("put 2", |party| {
                    party.put(0, 2, Expect::Any);
                }),
                role("put 3", |party| {
                    party.put(0, 3, Expect::Any);
                }),
            ],
            ..base("put-put-kill", "two puts of one key, one of them killed")
        },
    ]
}
