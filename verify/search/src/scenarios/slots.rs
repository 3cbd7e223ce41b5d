//! Who gets which slot: claims, retirement, reuse, overflow.

use super::forget_history;
use crate::{
    party::Party,
    scenario::{Lead, Scenario, board, five_keys, mortal, role, seven_keys, three_keys, twin_keys},
};
use slateboard::{layout::Shape, protocol::publish::Expect};

fn put_a(party: &Party<'_>) {
    party.put(0, 2, Expect::Any);
}

fn put_b(party: &Party<'_>) {
    party.put(1, 3, Expect::Any);
}

fn put_c(party: &Party<'_>) {
    party.put(2, 4, Expect::Any);
}

fn put_d(party: &Party<'_>) {
    party.put(3, 5, Expect::Any);
}

/// Key a was removed, and its removal has left the history; b has a value. There are two slots.
fn one_gone(party: &Party<'_>) {
    party.put(1, 1, Expect::Any);
    party.put(0, 1, Expect::Any);
    party.remove(0);
    forget_history(party);
}

fn overflow() -> Shape {
    Shape { overflow_max: 1, ..board(1, 16, 4) }
}

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    [claims(), retirements(), given_back(), overflows()].concat()
}

fn claims() -> Vec<Scenario> {
    vec![
        Scenario {
            keys: twin_keys,
            setup: |_| {},
            roles: vec![role("put a", put_a), role("put b", put_b)],
            preemptions: 3,
            ..Scenario::new("twins", "two keys of one fingerprint inserted").sees(80788, 2)
        },
        Scenario {
            keys: twin_keys,
            setup: |_| {},
            kills: 1,
            roles: vec![mortal("put a", put_a), role("put b", put_b)],
            ..Scenario::new("twins-kill", "two keys of one fingerprint inserted, one inserter killed")
                .sees(81560, 5)
        },
        Scenario {
            keys: twin_keys,
            setup: |_| {},
            roles: vec![role("put a", put_a), role("put a", put_a), role("put b", put_b)],
            preemptions: 1,
            ..Scenario::new("inserts", "one key inserted by two, its twin by a third").sees(25_000, 6)
        },
        Scenario {
            setup: |_| {},
            roles: vec![
                role("put a", put_a),
                role("sweep", |party| {
                    party.sweep_open();
                }),
            ],
            preemptions: 3,
            ..Scenario::new("sweep", "an inserter so slow that its slot is swept away").sees(32, 1)
        },
        Scenario {
            setup: |_| {},
            kills: 1,
            roles: vec![
                mortal("put a", put_a),
                role("sweep", |party| {
                    party.sweep_open();
                }),
                role("put a", put_a),
            ],
            preemptions: 1,
            ..Scenario::new("sweep-kill", "a sweep beside two inserters of one key, one killed")
                .sees(15815, 5)
        },
    ]
}

fn retirements() -> Vec<Scenario> {
    vec![
        Scenario {
            keys: three_keys,
            shape: board(1, 8, 4),
            setup: one_gone,
            may_fill: true,
            roles: vec![role("put c", put_c), role("put a", put_a)],
            ..Scenario::new("retire", "a slot retired for one key while its old key returns").sees(100_000, 2)
        },
        Scenario {
            keys: three_keys,
            shape: board(1, 8, 4),
            setup: one_gone,
            may_fill: true,
            kills: 1,
            roles: vec![mortal("put c", put_c), role("put a", put_a)],
            preemptions: 1,
            ..Scenario::new("retire-kill", "as before, the new key's inserter killed").sees(35_000, 4)
        },
        Scenario {
            keys: five_keys,
            shape: board(1, 8, 4),
            setup: one_gone,
            may_fill: true,
            roles: vec![role("put d", put_d), role("put c", put_c), role("put a", put_a)],
            lead: Lead::Looked,
            preemptions: 1,
            ..Scenario::new("reopen", "three inserters at one retired slot").sees(70_000, 3)
        },
        Scenario {
            keys: three_keys,
            shape: board(1, 8, 2),
            setup: |party| {
                party.put(1, 1, Expect::Any);
                party.put(0, 1, Expect::Any);
                party.put(0, 1, Expect::Any);
                party.remove(0);
                forget_history(party);
            },
            may_fill: true,
            roles: vec![
                role("put c, remove c", |party| {
                    put_c(party);
                    party.remove(2);
                    party.floor(false);
                    party.floor(false);
                }),
                role("put a", put_a),
            ],
            budget: 600_000,
            ..Scenario::new("twice", "a slot that changes keys twice").sees(280_000, 6)
        },
        Scenario {
            keys: three_keys,
            shape: board(1, 8, 4),
            setup: one_gone,
            may_fill: true,
            roles: vec![
                role("put c", put_c),
                role("get a, get b", |party| {
                    party.get(0);
                    party.get(1);
                }),
                role("get c", |party| {
                    party.get(2);
                }),
            ],
            ..Scenario::new("retire-read", "reads while a slot changes keys").sees(739, 2)
        },
    ]
}

fn given_back() -> Vec<Scenario> {
    let let_go = |party: &Party<'_>| party.let_go();
    vec![
        Scenario {
            keys: three_keys,
            shape: board(1, 4, 4),
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.remove(0);
                party.floor(false);
            },
            may_fill: true,
            kills: 1,
            roles: vec![
                mortal("let go", let_go),
                role("let go, sweep", |party| {
                    party.let_go();
                    party.sweep_open();
                }),
                role("put b b", |party| {
                    put_b(party);
                    put_b(party);
                }),
            ],
            preemptions: 1,
            ..Scenario::new("give-back", "a tombstone given back by two, one killed, beside puts")
                .sees(160_000, 4)
        },
        Scenario {
            keys: three_keys,
            shape: board(1, 4, 4),
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.remove(0);
                party.floor(false);
            },
            may_fill: true,
            roles: vec![
                role("let go, put b b", |party| {
                    party.let_go();
                    put_b(party);
                    put_b(party);
                }),
                role("get a", |party| {
                    party.get(0);
                }),
                role("view a", |party| {
                    party.get_now(0);
                }),
            ],
            may_lag: true,
            preemptions: 3,
            ..Scenario::new("give-back-read", "a read and a view beside a tombstone's reuse")
        },
        Scenario {
            keys: three_keys,
            shape: board(1, 8, 1),
            may_fill: true,
            kills: 1,
            roles: vec![
                mortal("remove a", |party| {
                    party.remove(0);
                }),
                role("put b b", |party| {
                    put_b(party);
                    put_b(party);
                }),
            ],
            preemptions: 1,
            ..Scenario::new("remove-lapped", "a removal killed while others retire its key").sees(75_000, 7)
        },
    ]
}

fn overflows() -> Vec<Scenario> {
    let full = |party: &Party<'_>| {
        party.put(0, 1, Expect::Any);
        party.put(1, 1, Expect::Any);
    };
    vec![
        Scenario {
            keys: five_keys,
            shape: overflow(),
            setup: full,
            may_fill: true,
            roles: vec![role("put c", put_c), role("put d", put_d)],
            ..Scenario::new("link", "two inserters into a full bucket").sees(100_000, 2)
        },
        Scenario {
            keys: five_keys,
            shape: overflow(),
            setup: full,
            may_fill: true,
            kills: 1,
            roles: vec![mortal("put c", put_c), role("put d", put_d)],
            preemptions: 1,
            ..Scenario::new("link-kill", "two inserters into a full bucket, one killed").sees(70_000, 5)
        },
        Scenario {
            keys: seven_keys,
            shape: Shape { overflow_max: 2, ..board(1, 16, 8) },
            setup: full,
            may_fill: true,
            kills: 2,
            mortal_reapers: true,
            roles: vec![
                mortal("put c", put_c),
                role("put d e f", |party| {
                    put_d(party);
                    party.put(4, 6, Expect::Any);
                    party.put(5, 7, Expect::Any);
                }),
            ],
            preemptions: 0,
            ..Scenario::new("link-count", "a linker killed, then its reaper, beside one who links another")
                .sees(12_000, 8)
        },
    ]
}
