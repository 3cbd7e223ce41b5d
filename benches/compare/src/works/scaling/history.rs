//! put over the length of the history, beside a copy into a ring of as many values.

use super::{Points, over};
use crate::{
    Outcome,
    local::{Form, order},
    row::Row,
    works::Run,
};
use slateboard::Board;
use slateboard_micro::Filled;
use std::hint::black_box;

/// Events that the history holds.
const LENGTHS: [usize; 6] = [64, 256, 1_024, 4_096, 16_384, 65_536];
const KEYS: usize = 1_000;

pub fn run(run: &Run<'_>) -> Outcome<Vec<Row>> {
    over(run, &LENGTHS, of_length)
}

fn of_length(run: &Run<'_>, length: usize, points: &mut Points<'_>) -> Outcome<()> {
    for (size, label) in [(64, "64 B"), (1 << 10, "1 KiB")] {
        // A quarter of the capacity holds the longest history of the larger values.
        let options = Board::options().capacity(512 << 20).history(length as u64);
        let filled = Filled::new(run.folder.path(), options, KEYS, size, length + 2 * KEYS)?;
        let order = order(KEYS);
        let mut ring = filled.value.repeat(length);
        points.measure(
            length,
            vec![
                Form::new(format!("plain copy, ring of {label}"), |number| {
                    let slot = number % length * size;
                    ring[slot..slot + size].copy_from_slice(&filled.value);
                    black_box(&mut ring);
                    Ok(())
                })
                .raw(),
                Form::new(format!("put {label}"), |number| {
                    filled.keys[order[number % KEYS]].put(&filled.value)?;
                    Ok(())
                }),
            ],
        )?;
        // A put makes room for the next event: one event less than the length.
        if filled.session.generation() - filled.session.floor() + 1 < length as u64 {
            return Err(format!("the history holds fewer than its {length} events").into());
        }
    }
    Ok(())
}
