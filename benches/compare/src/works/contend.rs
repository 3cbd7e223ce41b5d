//! Increments of one counter by two processes. The benchmark fails unless the sum is exact.

use super::{Run, slices};
use crate::{
    Outcome,
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, name},
    row::{Row, Unit},
};
use serde_json::{Value, json};

const COUNTER: usize = 0;

/// The first process.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let shape = Shape::new(P::KEYS, run.size);
    let peer = P::create(run.place("a"), shape)?;
    peer.zero(&name(COUNTER))?;
    let at = peer.writing(&name(COUNTER))?;
    let partner = Partner::start(
        run.plan,
        Role { peer: P::NAME, role: "contend", shape, folder: run.folder, number: 0 },
    )?;
    partner.go();
    let rates = slices::first(&partner, run.plan.pair, || peer.add_one(&at).map(|()| true))?;
    let done = partner.finish()?;
    let theirs = done.said["added"].as_u64().ok_or("the other process does not say what it added")?;
    let total = peer.total(&name(COUNTER))?;
    if total != rates.mine + theirs {
        return Err(format!("{} and {theirs} additions became {total}", rates.mine).into());
    }
    let rate = rates.mine_per_second + rates.theirs_per_second;
    Ok(vec![done.mark(Row::new(P::NAME, run.work.name, "two processes, one key", Unit::PerSecond, rate))])
}

/// The second process.
pub fn add<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let peer = P::open(second.place("a"), second.shape)?;
    let at = peer.writing(&name(COUNTER))?;
    second.ready()?;
    let added = slices::second(second.wires, |_| peer.add_one(&at).map(|()| true))?;
    Ok(json!({ "added": added }))
}
