//! Reads of a value while the other process writes it nonstop. Whoever promises whole values has each one looked at.

use super::{Run, label};
use crate::{
    Outcome,
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, fill, is_whole, name},
    row::{Row, Unit},
    wires::Wire,
};
use serde_json::{Value, json};
use std::time::Instant;

/// Reads between two looks at the clock.
const STRIDE: u64 = 16;
const VALUE: usize = 0;

/// The first process reads. With one writer, that is the second process, which makes the store.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let shape = Shape::new(P::KEYS, run.size);
    let own = if P::ONE_WRITER { None } else { Some(P::create(run.place("a"), shape)?) };
    let partner = Partner::start(
        run.plan,
        Role { peer: P::NAME, role: "beside", shape, folder: run.folder, number: 0 },
    )?;
    let peer = own.map_or_else(|| P::open(run.place("a"), shape), Ok)?;
    let at = peer.reading(&name(VALUE))?;
    let mut buffer = Vec::new();
    partner.go();
    let (started, mut reads, mut torn) = (Instant::now(), 0_u64, 0_u64);
    while started.elapsed() < run.plan.pair {
        for _ in 0..STRIDE {
            torn += u64::from(!peer.get(&at, &mut buffer, is_whole)?);
            reads += 1;
        }
    }
    let time = started.elapsed();
    let done = partner.finish()?;
    if P::WHOLE && torn > 0 {
        return Err(format!("{torn} of {reads} values are torn").into());
    }
    let row = |what: &str, count: u64| {
        let rate = count as f64 / time.as_secs_f64();
        done.mark(Row::new(P::NAME, run.work, format!("{}, {what}", label(run.size)), Unit::PerSecond, rate))
    };
    let written = done.said["written"].as_u64().ok_or("the other process does not say what it wrote")?;
    Ok(vec![row("reads", reads), row("writes", written)])
}

/// The second process writes.
pub fn write<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let place = second.place("a");
    let peer = if P::ONE_WRITER { P::create(place, second.shape)? } else { P::open(place, second.shape)? };
    let at = peer.writing(&name(VALUE))?;
    let mut value = vec![0; second.shape.size];
    second.ready()?;
    let mut written = 0_u64;
    while second.wires.load(Wire::Stop) == 0 {
        written += 1;
        fill(&mut value, written);
        peer.put(&at, &value)?;
    }
    Ok(json!({ "written": written }))
}
