//! Deaths of several, and of reapers.

use super::{get, put2, put3, put4, remove};
use crate::scenario::{Scenario, board, mortal, role, three_keys};
use slateboard::{layout::Shape, protocol::publish::Expect};

/// The scenarios.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            kills: 2,
            mortal_reapers: true,
            shape: board(1, 8, 1),
            roles: vec![mortal("put 2", put2)],
            preemptions: 3,
            ..Scenario::new("reaper-killed", "a put killed, its reaper killed, another reaps both")
                .sees(532, 5)
        },
        Scenario {
            kills: 2,
            mortal_reapers: true,
            shape: board(1, 4, 1),
            may_fill: true,
            roles: vec![mortal("put 2 3 4 2 remove", |party| {
                put2(party);
                put3(party);
                put4(party);
                put2(party);
                remove(party);
            })],
            ..Scenario::new("reuse-kill", "a writer that reuses its blocks killed, then its reaper")
                .sees(3160, 21)
        },
        Scenario {
            kills: 2,
            mortal_reapers: true,
            shape: board(1, 8, 1),
            roles: vec![mortal("put 2", put2), role("put 3", put3)],
            preemptions: 1,
            ..Scenario::new("reaper-killed-put", "as before, beside a put").sees(67472, 8)
        },
        Scenario {
            kills: 2,
            roles: vec![mortal("put 2", put2), mortal("put 3", put3)],
            preemptions: 1,
            ..Scenario::new("both-killed", "two puts of one key, both killed").sees(30725, 13)
        },
        Scenario {
            kills: 1,
            roles: vec![mortal("put 2", put2), role("put 3", put3), role("get", get)],
            preemptions: 1,
            ..Scenario::new("reap-live", "a reap beside a writer and a reader").sees(17648, 14)
        },
        Scenario {
            kills: 1,
            keys: three_keys,
            shape: board(1, 8, 1),
            setup: |party| {
                party.put(0, 1, Expect::Any);
                party.put(1, 1, Expect::Any);
            },
            roles: vec![
                mortal("remove a", remove),
                role("put a, put b", |party| {
                    put4(party);
                    party.put(1, 5, Expect::Any);
                }),
            ],
            preemptions: 1,
            ..Scenario::new("reap-remove", "a removal killed beside puts of two keys").sees(80_000, 7)
        },
        Scenario {
            kills: 2,
            mortal_reapers: true,
            setup: |_| {},
            roles: vec![
                mortal("intern n", |party| party.intern("n")),
                role("intern n m", |party| {
                    party.intern("n");
                    party.intern("m");
                }),
            ],
            preemptions: 4,
            ..Scenario::new("names", "names interned by two, one killed, then its reaper").sees(14_000, 9)
        },
        Scenario {
            kills: 1,
            shape: Shape { names: 3, ..board(1, 8, 2) },
            setup: |party| {
                party.intern("n");
                party.attach_anew();
                party.intern("m");
                party.attach_anew();
            },
            roles: vec![
                mortal("intern n", |party| party.intern("n")),
                mortal("intern o p", |party| {
                    party.intern("o");
                    party.intern("p");
                }),
            ],
            preemptions: 4,
            ..Scenario::new("names-swept", "names given up for others', and taken again, one killed")
        },
        Scenario {
            shape: Shape { names: 3, ..board(1, 8, 1) },
            setup: |party| {
                party.intern("n");
                party.attach_anew();
                party.intern("m");
                party.attach_anew();
                put2(party);
            },
            roles: vec![
                role("intern o", |party| party.intern_in_room("o")),
                role("put 3, put 4", |party| {
                    put3(party);
                    put4(party);
                }),
            ],
            ..Scenario::new("names-lapped", "a full table of names swept while the history laps").sees(426, 1)
        },
    ]
}
