//! get and put by one process: by handle where there are handles, and by key.

use super::{Run, label};
use crate::{
    Outcome,
    local::{Form, order},
    peers::{Peer, Shape, first_word, name, value},
    row::Row,
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
    let what = |form: &str| format!("{}, {form}", label(run.size));
    let (mut buffer, mut forms) = (Vec::new(), Vec::new());
    if P::HANDLES {
        let handles = names.iter().map(|name| peer.reading(name)).collect::<Outcome<Vec<_>>>()?;
        let (peer, order, mut buffer) = (&peer, &order, Vec::new());
        let form = Form::new(what("by handle"), move |number| {
            let right = peer.get(&handles[order[number % KEYS]], &mut buffer, look)?;
            if right { Ok(()) } else { Err("a wrong value".into()) }
        });
        forms.push(form.on_the_wall(P::WALL));
    }
    let form = Form::new(what("by key"), |number| {
        let right = peer.get_key(&names[order[number % KEYS]], &mut buffer, look)?;
        if right == Some(true) { Ok(()) } else { Err("a wrong value".into()) }
    });
    forms.push(form.on_the_wall(P::WALL));
    run.measure(P::NAME, forms)
}

/// Writes over values that stand there.
pub fn puts<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let peer = P::create(run.place("a"), Shape::new(KEYS, run.size))?;
    let (names, order, value) = (names(), order(KEYS), value(1, run.size));
    warm_up(&peer, &names, &value, run.plan.warm_up)?;
    let what = |form: &str| format!("{}, {form}", label(run.size));
    let mut rows = Vec::new();
    if P::HANDLES {
        let handles = names.iter().map(|name| peer.writing(name)).collect::<Outcome<Vec<_>>>()?;
        // These handles end before the other form begins: some peers give one handle at a time the right to write a key.
        let form = Form::new(what("by handle"), |number| peer.put(&handles[order[number % KEYS]], &value));
        rows.extend(run.measure(P::NAME, vec![form.on_the_wall(P::WALL)])?);
    }
    let form = Form::new(what("by key"), |number| peer.put_key(&names[order[number % KEYS]], &value));
    rows.extend(run.measure(P::NAME, vec![form.on_the_wall(P::WALL)])?);
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

fn names() -> Vec<String> {
    (0..KEYS).map(name).collect()
}
