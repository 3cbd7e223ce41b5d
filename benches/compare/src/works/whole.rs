//! What looks at many keys at once: a list, events, views.

use super::Run;
use crate::{
    Outcome,
    local::{Form, order},
    peers::OURS,
    row::Row,
};
use slateboard::Board;
use slateboard_micro::{Filled, PREFIX};
use std::hint::black_box;

const KEYS: usize = 1_000;

/// Each beside its limit: copies of as many keys and values, or of one value.
pub fn run(run: &Run<'_>) -> Outcome<Vec<Row>> {
    // Every event has a previous value.
    let filled = Filled::new(run.folder.path(), Board::options(), KEYS, run.size, 2 * KEYS)?;
    let (session, order) = (&filled.session, order(KEYS));
    let mut entries: Vec<(String, Vec<u8>)> =
        filled.names.iter().map(|name| (name.clone(), filled.value.clone())).collect();
    entries.sort_unstable();
    let since = session.generation() - KEYS as u64;
    let mut rows = run.measure(
        OURS,
        vec![
            Form::new("a clone of 1,000 sorted keys and values", |_| {
                black_box(entries.clone());
                Ok(())
            })
            .raw(),
            Form::new("list of 1,000 keys, 64 B", |_| {
                let listed = session.list(PREFIX).into_vec()?;
                if black_box(&listed).len() == KEYS { Ok(()) } else { Err("a list is not whole".into()) }
            }),
            Form::new("1,000 events, 64 B, with previous values", |_| {
                let seen = session.events(since).inspect(|event| assert!(black_box(event).is_ok())).count();
                if seen == KEYS { Ok(()) } else { Err("an event is missing".into()) }
            }),
        ],
    )?;
    let mut buffer = filled.value.clone();
    rows.extend(run.measure(
        OURS,
        vec![
            Form::new("a copy of one value", |number| {
                buffer.copy_from_slice(&entries[order[number % KEYS]].1);
                black_box(&mut buffer);
                Ok(())
            })
            .raw(),
            Form::new("view", |_| {
                black_box(session.view()?.generation());
                Ok(())
            }),
            Form::new("view and one get from it, 64 B", |number| {
                let view = session.view()?;
                black_box(view.get(&filled.names[order[number % KEYS]])?.ok_or("a key is gone")?);
                Ok(())
            }),
        ],
    )?);
    Ok(rows)
}
