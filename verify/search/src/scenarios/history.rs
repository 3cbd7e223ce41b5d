//! Entering the history, helpers, the floor.

use super::{put2, put3, put4};
use crate::{
    party::Party,
    scenario::{Lead, Scenario, board, mortal, role, three_keys},
};
use slateboard::protocol::publish::Expect;

fn put_b(party: &Party<'_>) {
    party.put(1, 5, Expect::Any);
}

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            shape: board(1, 8, 1),
            roles: vec![role("put 2", put2), role("put 3", put3), role("put 4", put4)],
            budget: 1_200_000,
            ..Scenario::new("lap-3", "three puts of one key, a history of one event").sees(700_000, 6)
        },
        Scenario {
            shape: board(1, 8, 1),
            kills: 1,
            roles: vec![mortal("put 2", put2), role("put 3", put3), role("put 4", put4)],
            preemptions: 1,
            budget: 900_000,
            ..Scenario::new("lap-3-kill", "three puts of one key, a history of one event, one killed")
                .sees(500_000, 14)
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
            ],
            preemptions: 1,
            ..Scenario::new("doomed", "a put stopped or killed while two others lap the history")
                .sees(80_000, 7)
        },
        Scenario {
            shape: board(1, 8, 1),
            roles: vec![
                role("put 2 4 5 6", |party| {
                    put2(party);
                    put4(party);
                    party.put(0, 5, Expect::Any);
                    party.put(0, 6, Expect::Any);
                }),
                role("helper", |party| party.finish_pending()),
            ],
            preemptions: 3,
            ..Scenario::new("stale-finisher", "a helper stopped while the event it completes is superseded")
                .sees(1373, 1)
        },
        Scenario {
            shape: board(1, 8, 1),
            roles: vec![
                role("put 2 4 5 6", |party| {
                    put2(party);
                    put4(party);
                    party.put(0, 5, Expect::Any);
                    party.put(0, 6, Expect::Any);
                }),
                role("put 3", put3),
            ],
            preemptions: 2,
            lead: Lead::Published,
            ..Scenario::new("stale-helper", "a helper stopped while the block it helps begins another life")
        },
        Scenario {
            shape: board(1, 8, 1),
            keys: three_keys,
            kills: 1,
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.put(1, 1, Expect::Any);
                party.put(0, 2, Expect::Any);
            },
            roles: vec![mortal("put a", put2), role("put b", put_b)],
            budget: 700_000,
            ..Scenario::new("two-keys", "puts of two keys, a history of one event, one killed")
                .sees(340_000, 5)
        },
        Scenario {
            shape: board(1, 8, 1),
            kills: 1,
            roles: vec![
                mortal("put 2", put2),
                role("put 3", put3),
                role("helper", |party| party.finish_pending()),
            ],
            budget: 1_600_000,
            ..Scenario::new("helper", "a helper racing two puts, one killed, a history of one event")
                .sees(900_000, 5)
        },
        Scenario {
            kills: 1,
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.put(0, 1, Expect::Any);
            },
            roles: vec![
                mortal("floor", |party| party.floor(false)),
                role("put 3", put3),
                role("put 4", put4),
            ],
            budget: 1_700_000,
            ..Scenario::new("floor", "the floor moved by three, one of them killed").sees(1_000_000, 6)
        },
    ]
}
