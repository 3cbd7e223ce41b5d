//! The scenarios, by the part of the protocol that they are after.

mod blocks;
mod expire;
mod history;
mod publish;
mod reap;
mod slots;

use crate::{party::Party, scenario::Scenario};
use slateboard::protocol::publish::Expect;

/// All of them.
pub fn all() -> Vec<Scenario> {
    [
        publish::scenarios(),
        history::scenarios(),
        reap::scenarios(),
        slots::scenarios(),
        blocks::scenarios(),
        expire::scenarios(),
    ]
    .concat()
}

fn put2(party: &Party<'_>) {
    party.put(0, 2, Expect::Any);
}

fn put3(party: &Party<'_>) {
    party.put(0, 3, Expect::Any);
}

fn put4(party: &Party<'_>) {
    party.put(0, 4, Expect::Any);
}

fn get(party: &Party<'_>) {
    party.get(0);
}

fn remove(party: &Party<'_>) {
    party.remove(0);
}

/// Lets the history go up to the newest event.
fn forget_history(party: &Party<'_>) {
    for _ in 0..party.core().generation() - party.core().floor() {
        party.floor(false);
    }
}
