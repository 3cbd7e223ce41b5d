//! What a scenario is: a small board, parties, and who may be killed.

use crate::party::Party;
use slateboard::{
    layout::{Geometry, Shape, geometry::fingerprint_of},
    protocol::publish::Expect,
};
use std::collections::HashMap;

/// States after which a scenario that names no budget is cut.
const BUDGET: usize = 400_000;

/// One party's part.
#[derive(Clone, Copy)]
pub struct Role {
    /// What it does.
    pub name: &'static str,
    /// Its calls.
    pub run: fn(&Party<'_>),
    /// Whether it may be killed.
    pub mortal: bool,
}

/// A role that lives on.
pub const fn role(name: &'static str, run: fn(&Party<'_>)) -> Role {
    Role { name, run, mortal: false }
}

/// A role that may be killed at every access.
pub const fn mortal(name: &'static str, run: fn(&Party<'_>)) -> Role {
    Role { name, run, mortal: true }
}

/// How far a party goes alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// It waits for its turn, like everybody.
    Nowhere,
    /// Until it has read a slot's head.
    Looked,
    /// Until it has published a record, which is not in the history then.
    Published,
}

/// A board, parties, and how often death comes.
#[derive(Clone)]
pub struct Scenario {
    /// Short name, for `--only` and for mutants.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The board.
    pub shape: Shape,
    /// The keys, which calls name by their position.
    pub keys: fn(&Geometry) -> Vec<String>,
    /// What happens before, by one party alone.
    pub setup: fn(&Party<'_>),
    /// The parties.
    pub roles: Vec<Role>,
    /// How far the first party goes alone before the search begins.
    pub lead: Lead,
    /// Kills, at most. Each is followed by a reaper.
    pub kills: usize,
    /// Whether reapers may be killed.
    pub mortal_reapers: bool,
    /// Whether blocks or slots may run out.
    pub may_fill: bool,
    /// Whether readers may be told that they fell behind.
    pub may_lag: bool,
    /// States it must at least see within its preemptions, also when it is cut.
    pub states: usize,
    /// Different outcomes it must at least see, also when it is cut.
    pub outcomes: usize,
    /// Preemptions within which it is searched, except by `--long`.
    pub preemptions: u8,
    /// States after which it is cut, except by `--long`.
    pub budget: usize,
}

impl Scenario {
    /// A scenario of one key that has a value, on a board of seven blocks with a history of two events,
    /// where nobody does anything.
    pub fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            shape: board(1, 8, 2),
            keys: one_key,
            setup: |party| {
                party.put(0, 1, Expect::Any);
            },
            roles: Vec::new(),
            lead: Lead::Nowhere,
            kills: 0,
            mortal_reapers: false,
            may_fill: false,
            may_lag: false,
            states: 1,
            outcomes: 1,
            preemptions: 2,
            budget: BUDGET,
        }
    }

    /// With the states and the outcomes that it must at least see.
    pub fn sees(self, states: usize, outcomes: usize) -> Self {
        Self { states, outcomes, ..self }
    }

    /// Sessions: one a role, one a reaper, one for what happens before and after.
    pub fn sessions(&self) -> usize {
        self.roles.len() + self.kills + 1
    }
}

/// A board of one shard and one bucket: `extents` extents of `granules` granules, a history of `history`.
pub fn board(extents: u64, granules: u64, history: u64) -> Shape {
    Shape {
        capacity: extents * granules * 64,
        granule_words: 8,
        extent_granules: granules,
        history,
        history_min: 0,
        sessions: 1,
        names: 2,
        dedicated_buckets: 0,
        uniform_buckets: 1,
        uniform_shards: 1,
        overflow_max: 0,
        reserve_extents: 0,
        value_max: extents * granules * 64,
        commit_max: 64,
        keys: 2,
        dedicated: Vec::new(),
    }
}

/// One key.
pub fn one_key(_geo: &Geometry) -> Vec<String> {
    vec!["a".into()]
}

/// Three keys of different fingerprints.
pub fn three_keys(_geo: &Geometry) -> Vec<String> {
    vec!["a".into(), "b".into(), "c".into()]
}

/// Five keys of different fingerprints.
pub fn five_keys(_geo: &Geometry) -> Vec<String> {
    ["a", "b", "c", "d", "e"].map(String::from).to_vec()
}

/// Seven keys of different fingerprints.
pub fn seven_keys(_geo: &Geometry) -> Vec<String> {
    ["a", "b", "c", "d", "e", "f", "g"].map(String::from).to_vec()
}

/// Two keys of one fingerprint, and a third.
pub fn twin_keys(geo: &Geometry) -> Vec<String> {
    let mut known = HashMap::new();
    for number in 0..100_000 {
        let key = format!("k{number}");
        let fingerprint = fingerprint_of(geo.hash(key.as_bytes()));
        if let Some(twin) = known.insert(fingerprint, key.clone()) {
            return vec![twin, key, "z".into()];
        }
    }
    Vec::new()
}
