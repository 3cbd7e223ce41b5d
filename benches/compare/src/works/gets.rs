//! get and put by one process: by handle where there are handles, and by key.

use super::{Run, label};
use crate::{
    Outcome,
    local::{Form, interleave, order},
    peers::{Peer, Shape, first_word, name, value},
    row::{Row, Unit},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const KEYS: usize = 1_000;

/// Reads of values by someone who can also write them.
pub fn gets<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let peer = P::create(run.place("a"), Shape::new(KEYS, run.size))?;
    let (names, order) = (names(), order(KEYS));
    let expected = first_word(&value(0, run.size));
    let look = |value: &[u8]| {
        black_box(value);
        value.len() == run.size && first_word(value) == expected
    };
    let (mut buffer, mut forms) = (Vec::new(), Vec::new());
    if P::HANDLES {
        let handles = names.iter().map(|name| peer.reading(name)).collect::<Outcome<Vec<_>>>()?;
        let (peer, order, mut buffer) = (&peer, &order, Vec::new());
        forms.push(Form::new("by handle", P::WALL, move |number| {
            let right = peer.get(&handles[order[number % KEYS]], &mut buffer, look)?;
            if right { Ok(()) } else { Err("a wrong value".into()) }
        }));
    }
    forms.push(Form::new("by key", P::WALL, |number| {
        let right = peer.get_key(&names[order[number % KEYS]], &mut buffer, look)?;
        if right == Some(true) { Ok(()) } else { Err("a wrong value".into()) }
    }));
    measure::<P>(run, forms)
}

/// Writes over values that stand there.
pub fn puts<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let peer = P::create(run.place("a"), Shape::new(KEYS, run.size))?;
    let (names, order, value) = (names(), order(KEYS), value(1, run.size));
    warm_up(&peer, &names, &value, run.plan.warm_up)?;
    let mut rows = Vec::new();
    if P::HANDLES {
        let handles = names.iter().map(|name| peer.writing(name)).collect::<Outcome<Vec<_>>>()?;
        rows.extend(measure::<P>(run, vec![put_by_handle(&peer, &handles, &order, &value)])?);
    }
    let form = Form::new("by key", P::WALL, |number| peer.put_key(&names[order[number % KEYS]], &value));
    rows.extend(measure::<P>(run, vec![form])?);
    Ok(rows)
}

/// Puts after which every store writes where it has written before: as many as the default board's history, and more.
const WARM_UP: usize = 20_000;

/// Writes so often, or for so long.
pub fn warm_up<P: Peer>(peer: &P, names: &[String], value: &[u8], longest: Duration) -> Outcome<()> {
    let started = Instant::now();
    for name in names.iter().cycle().take(WARM_UP) {
        peer.put_key(name, value)?;
        if started.elapsed() > longest {
            break;
        }
    }
    Ok(())
}

/// Its handles end before the other form begins: some peers give a key's writing to one handle at a time.
fn put_by_handle<'a, P: Peer>(
    peer: &'a P,
    handles: &'a [P::Writing],
    order: &'a [usize],
    value: &'a [u8],
) -> Form<'a> {
    Form::new("by handle", P::WALL, move |number| peer.put(&handles[order[number % KEYS]], value))
}

fn names() -> Vec<String> {
    (0..KEYS).map(name).collect()
}

fn measure<P: Peer>(run: &Run<'_>, forms: Vec<Form<'_>>) -> Outcome<Vec<Row>> {
    let row = |(what, time)| {
        Row::new(P::NAME, run.work, format!("{}, {what}", label(run.size)), Unit::Nanoseconds, time)
    };
    Ok(interleave(run.plan, forms)?.into_iter().map(row).collect())
}
