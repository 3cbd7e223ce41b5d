//! One way between two processes: half of a round trip in which both put 64 bytes and both read the other's value.

use super::{Run, label};
use crate::{
    Outcome,
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, fill, name, value, word},
    row::{Row, Unit, at, curve},
    wires::Wire,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Round trips before the first that is timed.
const WARM_UP: u64 = 200;
/// For how long at most, of peers that are slow.
const LONGEST: Duration = Duration::from_secs(3);

/// The keys by which the processes talk, where they share a store. With one writer, each has a store of its own.
const PING: usize = 0;

fn pong_key<P: Peer>() -> usize {
    usize::from(!P::ONE_WRITER)
}

fn shape<P: Peer>(size: usize) -> Shape {
    Shape::new(P::KEYS, size)
}

/// The first process: times the round trips, each way of noticing in a run of its own.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let mine = P::create(run.place("a"), shape::<P>(run.size))?;
    (0..P::WAYS.len()).map(|way| one_way(run, &mine, way)).collect()
}

fn one_way<P: Peer>(run: &Run<'_>, mine: &P, way: usize) -> Outcome<Row> {
    // Both begin from the same values, whatever was said before.
    mine.put_key(&name(PING), &value(0, run.size))?;
    if !P::ONE_WRITER {
        mine.put_key(&name(pong_key::<P>()), &value(0, run.size))?;
    }
    let shape = shape::<P>(run.size);
    let partner = Partner::start(
        run.plan,
        Role { peer: P::NAME, role: "sync", shape, folder: run.folder, number: way },
    )?;
    let theirs = if P::ONE_WRITER { Some(P::open(run.place("b"), shape)?) } else { None };
    let theirs = theirs.as_ref().unwrap_or(mine);
    let writing = mine.writing(&name(PING))?;
    let reading = theirs.reading(&name(pong_key::<P>()))?;
    partner.go();
    let mut times = trips(run, &partner, |number, value, buffer| {
        fill(value, number);
        mine.put(&writing, value)?;
        let mut polls = 0_u32;
        loop {
            match theirs.newer(way, &reading, word(number - 1), buffer)? {
                Some(answer) if answer == word(number) => return Ok(()),
                Some(_) if P::WHOLE => return Err("an answer to another question".into()),
                _ => polls = polls.wrapping_add(1),
            }
            if polls.is_multiple_of(1 << 16) && partner.is_lost() {
                return Err("the other process ended early".into());
            }
        }
    })?;
    let done = partner.finish()?;
    let curve = curve(&mut times);
    let what = format!("{}, {}", label(run.size), P::WAYS[way]);
    let mut row = Row::new(P::NAME, run.work, what, Unit::Nanoseconds, at(&curve, 0.5));
    row.curve = curve;
    Ok(done.mark(row))
}

/// The times one way, nanoseconds. A round trip contains one reading of the clock.
fn trips(
    run: &Run<'_>,
    _partner: &Partner,
    mut trip: impl FnMut(u64, &mut [u8], &mut Vec<u8>) -> Outcome<()>,
) -> Outcome<Vec<f64>> {
    let (mut value, mut buffer) = (vec![0; run.size], Vec::new());
    let mut times = Vec::with_capacity(run.plan.trips);
    let started = Instant::now();
    let mut before = started;
    for number in 1..=WARM_UP + run.plan.trips as u64 {
        trip(number, &mut value, &mut buffer)?;
        let now = Instant::now();
        // A slow peer warms up less.
        if number > WARM_UP || now - started > LONGEST / 3 {
            times.push((now - before).as_nanos() as f64 / 2.0);
        }
        before = now;
        if now - started > LONGEST {
            break;
        }
    }
    Ok(times)
}

/// The second process: answers every number with the same number.
pub fn echo<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let shape = second.shape;
    let theirs = P::open(second.place("a"), shape)?;
    let mine = if P::ONE_WRITER { Some(P::create(second.place("b"), shape)?) } else { None };
    let mine = mine.as_ref().unwrap_or(&theirs);
    let reading = theirs.reading(&name(PING))?;
    let writing = mine.writing(&name(pong_key::<P>()))?;
    let (mut value, mut buffer) = (vec![0; shape.size], Vec::new());
    let mut number = 0;
    second.wires.store(Wire::Ready, 1);
    while second.wires.poll(|| theirs.newer(second.number, &reading, word(number), &mut buffer))?.is_some() {
        number += 1;
        fill(&mut value, number);
        mine.put(&writing, &value)?;
    }
    Ok(Value::Null)
}
