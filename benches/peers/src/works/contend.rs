//! Increments of one counter by two processes. The sum must be exact; the benchmark fails otherwise.

use super::Run;
use crate::{
    Outcome,
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, name},
    row::{Row, Unit},
    wires::Wire,
};
use serde_json::{Value, json};
use std::time::Instant;

/// Increments between two looks at the clock.
const STRIDE: u64 = 16;
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
    let (started, mut mine) = (Instant::now(), 0_u64);
    while started.elapsed() < run.plan.pair {
        for _ in 0..STRIDE {
            peer.add_one(&at)?;
            mine += 1;
        }
    }
    let time = started.elapsed();
    let done = partner.finish()?;
    let theirs = done.said["added"].as_u64().ok_or("the other process does not say what it added")?;
    let total = peer.total(&name(COUNTER))?;
    if total != mine + theirs {
        return Err(format!("{mine} and {theirs} additions became {total}").into());
    }
    let rate = (mine + theirs) as f64 / time.as_secs_f64();
    Ok(vec![done.mark(Row::new(P::NAME, run.work, "two processes, one key", Unit::PerSecond, rate))])
}

/// The second process.
pub fn add<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let peer = P::open(second.place("a"), second.shape)?;
    let at = peer.writing(&name(COUNTER))?;
    second.ready()?;
    let mut added = 0_u64;
    while second.wires.load(Wire::Stop) == 0 {
        peer.add_one(&at)?;
        added += 1;
    }
    Ok(json!({ "added": added }))
}
