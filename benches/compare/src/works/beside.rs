//! Reads of a value while the other process writes it without a pause. Every value of a peer that promises whole values is checked.

use super::{Run, label, slices};
use crate::{
    Outcome,
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, fill, is_whole, name},
    row::{Row, Unit},
};
use serde_json::Value;

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
    let mut torn = 0_u64;
    let rates = slices::first(&partner, run.plan.pair, || {
        torn += u64::from(!peer.get(&at, &mut buffer, is_whole)?);
        Ok(true)
    })?;
    let done = partner.finish()?;
    if P::WHOLE && torn > 0 {
        return Err(format!("{torn} of {} values are torn", rates.mine).into());
    }
    let row = |what: &str, rate: f64| {
        done.mark(Row::new(
            P::NAME,
            run.work.name,
            format!("{}, {what}", label(run.size)),
            Unit::PerSecond,
            rate,
        ))
    };
    Ok(vec![row("reads", rates.mine_per_second), row("writes", rates.theirs_per_second)])
}

/// The second process writes.
pub fn write<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let place = second.place("a");
    let peer = if P::ONE_WRITER { P::create(place, second.shape)? } else { P::open(place, second.shape)? };
    let at = peer.writing(&name(VALUE))?;
    let mut value = vec![0; second.shape.size];
    second.ready()?;
    slices::second(second.wires, |number| {
        fill(&mut value, number + 1);
        peer.put(&at, &value).map(|()| true)
    })?;
    Ok(Value::Null)
}
