//! Puts, removals and reads of one key.

use super::{get, put2, put3, put4, remove};
use crate::scenario::{Scenario, board, mortal, role};
use slateboard::protocol::publish::Expect;

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    [changes(), readers()].concat()
}

fn changes() -> Vec<Scenario> {
    vec![
        Scenario {
            roles: vec![role("put 2", put2), role("put 3", put3)],
            preemptions: 3,
            ..Scenario::new("put-put", "two puts of one key").sees(29282, 2)
        },
        Scenario {
            kills: 1,
            roles: vec![mortal("put 2", put2), role("put 3", put3)],
            ..Scenario::new("put-put-kill", "two puts of one key, one killed").sees(51734, 5)
        },
        Scenario {
            kills: 1,
            roles: vec![mortal("put", put2), role("remove", remove)],
            ..Scenario::new("put-remove", "a put killed beside a removal").sees(52158, 5)
        },
        Scenario {
            kills: 1,
            roles: vec![role("put", put2), mortal("remove", remove)],
            ..Scenario::new("remove-put", "a removal killed beside a put").sees(51945, 5)
        },
        Scenario {
            roles: vec![
                role("cas 2", |party| {
                    party.put(0, 2, Expect::Version(1));
                }),
                role("cas 3", |party| {
                    party.put(0, 3, Expect::Version(1));
                }),
            ],
            preemptions: 3,
            ..Scenario::new("cas-cas", "two compare-and-swaps of one version").sees(16449, 2)
        },
        Scenario {
            setup: |_| {},
            kills: 1,
            roles: vec![
                mortal("create 2", |party| {
                    party.put(0, 2, Expect::Absent);
                }),
                role("create 3", |party| {
                    party.put(0, 3, Expect::Absent);
                }),
            ],
            ..Scenario::new("create-create", "two puts that create one key, one killed").sees(90611, 4)
        },
        Scenario {
            kills: 1,
            roles: vec![
                mortal("expire", |party| {
                    party.expire(0, 1);
                }),
                role("put 2", put2),
            ],
            ..Scenario::new("expire-put", "an expiry killed beside a put").sees(31957, 4)
        },
    ]
}

fn readers() -> Vec<Scenario> {
    vec![
        Scenario {
            shape: board(1, 4, 1),
            may_fill: true,
            roles: vec![
                role("put 2 3 4", |party| {
                    put2(party);
                    put3(party);
                    put4(party);
                }),
                role("get get", |party| {
                    get(party);
                    get(party);
                }),
            ],
            ..Scenario::new("get-reuse", "gets while the blocks under them are reused").sees(2035, 7)
        },
        Scenario {
            shape: board(1, 8, 1),
            kills: 1,
            roles: vec![
                mortal("put 2", put2),
                role("put 3 4", |party| {
                    put3(party);
                    put4(party);
                }),
                role("get", get),
            ],
            preemptions: 1,
            budget: 600_000,
            ..Scenario::new("get-kill", "a get beside a killed put and one that goes on").sees(300_000, 25)
        },
        Scenario {
            shape: board(1, 8, 1),
            may_lag: true,
            roles: vec![
                role("put 2 3", |party| {
                    put2(party);
                    put3(party);
                }),
                role("remove", remove),
                role("view", |party| {
                    party.get_now(0);
                }),
            ],
            budget: 1_000_000,
            ..Scenario::new("view", "a view while the history laps").sees(500_000, 15)
        },
        Scenario {
            shape: board(1, 8, 1),
            kills: 1,
            may_lag: true,
            roles: vec![
                mortal("put 2", put2),
                role("put 3", put3),
                role("get and list", |party| party.get_and_list(0)),
            ],
            preemptions: 1,
            ..Scenario::new("told", "a get, then a list, beside a killed put and one that goes on")
                .sees(200_000, 50)
        },
        Scenario {
            shape: board(1, 8, 1),
            may_lag: true,
            roles: vec![
                role("put 2 3", |party| {
                    put2(party);
                    put3(party);
                }),
                role("events", |party| {
                    party.event(1);
                    let newest = party.core().generation();
                    party.event(newest);
                }),
            ],
            preemptions: 3,
            ..Scenario::new("events", "events read while the history laps").sees(1050, 7)
        },
    ]
}
