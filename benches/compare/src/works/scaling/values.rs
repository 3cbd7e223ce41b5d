//! get and put over the size of the value, beside a plain copy.

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

/// 8 B to 16 MiB.
const SIZES: [usize; 8] = [8, 64, 512, 4 << 10, 32 << 10, 256 << 10, 2 << 20, 16 << 20];
/// Bytes of the values of all keys together, so that sizes are compared and not caches.
const TOGETHER: usize = 32 << 20;

pub fn run(run: &Run<'_>) -> Outcome<Vec<Row>> {
    over(run, &SIZES, of_size)
}

fn of_size(run: &Run<'_>, size: usize, points: &mut Points<'_>) -> Outcome<()> {
    let count = (TOGETHER / size).clamp(2, 1_000);
    let capacity = if size > 32 << 10 { 512 << 20 } else { 128 << 20 };
    // Twice through what the history can hold, so that puts are in their steady state.
    let puts = count.max(4_200).min((300 << 20) / size).max(2 * count);
    let options = Board::options().capacity(capacity).history(4_096);
    let filled = Filled::new(run.folder.path(), options, count, size, puts)?;
    let (_scrub, scrub_keys) = filled.scrubbing()?;
    let order = order(count);
    let at = |number: usize| order[number % count];
    let (table, mut ours) = (filled.value.repeat(count), vec![0; size]);
    let (mut buffer, mut scrub_buffer) = (Vec::new(), Vec::new());
    points.measure(
        size,
        vec![
            Form::new("plain copy", |number| {
                ours.copy_from_slice(&table[at(number) * size..][..size]);
                black_box(&mut ours);
                Ok(())
            })
            .raw(),
            Form::new("get", |number| {
                filled.keys[at(number)].get_into(&mut buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Form::new("get, Verify::Scrub", |number| {
                scrub_keys[at(number)].get_into(&mut scrub_buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Form::new("put", |number| {
                filled.keys[at(number)].put(&filled.value)?;
                Ok(())
            }),
        ],
    )
}
