//! What expired is ended, nothing else is, and no deadline is lost: each write is judged by the deadline of what it ends, and
//! the check at rest looks at the groups' words.

use super::get;
use crate::{
    party::Party,
    scenario::{Scenario, board, mortal, role, three_keys},
};
use slateboard::protocol::publish::Expect;

/// Over at noon.
const OVER: u64 = 1;
/// Not over at noon.
const SOON: u64 = 8;
const LATE: u64 = 9;

fn sweep(party: &Party<'_>) {
    party.sweep();
}

fn renew(party: &Party<'_>) {
    party.put_until(0, 3, LATE);
}

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            kills: 1,
            shape: board(1, 8, 3),
            setup: |party| {
                party.put_until(0, 1, LATE);
            },
            roles: vec![
                mortal("put until 8", |party| {
                    party.put_until(0, 2, SOON);
                }),
                mortal("sweep", sweep),
            ],
            preemptions: 2,
            ..Scenario::new("deadline-kill", "a put with a deadline beside a sweep, one of them killed")
                .sees(13_000, 4)
        },
        Scenario {
            shape: board(1, 8, 3),
            // The group's swept word has the deadline that the put announces again: only its count tells the two apart.
            setup: |party| {
                party.put_until(0, 1, SOON);
                party.sweep();
                party.put_until(0, 1, LATE);
            },
            roles: vec![
                role("put until 8", |party| {
                    party.put_until(0, 2, SOON);
                }),
                role("sweep", sweep),
                role("sweep too", sweep),
            ],
            preemptions: 2,
            ..Scenario::new("sweeps", "a put with a deadline beside two sweeps").sees(16_000, 1)
        },
        Scenario {
            shape: board(1, 8, 3),
            setup: |party| {
                party.put_until(0, 1, OVER);
            },
            roles: vec![role("renew", renew), role("sweep", sweep), role("get", get)],
            preemptions: 2,
            ..Scenario::new("renewal", "the renewal of an entry beside the sweep that found it expired")
                .sees(26_000, 5)
        },
        Scenario {
            kills: 1,
            keys: three_keys,
            shape: board(1, 16, 3),
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.put_until(1, 2, OVER);
            },
            roles: vec![
                role("put a third", |party| {
                    party.put_at_noon(2, 3);
                }),
                mortal("sweep", sweep),
            ],
            preemptions: 2,
            ..Scenario::new("full-expired", "a put without a slot beside a sweep that is killed")
                .sees(200_000, 2)
        },
    ]
}
