//! put over the length of the history, beside a copy into a ring of as many values.

use crate::{
    Outcome, boards,
    measure::{Plan, Work, interleave, shuffled},
    point::Points,
};
use slateboard::Board;
use std::hint::black_box;

/// Events that the history holds.
const LENGTHS: [usize; 6] = [64, 256, 1_024, 4_096, 16_384, 65_536];
const KEYS: usize = 1_000;

pub fn measure(plan: &Plan, points: &mut Points) -> Outcome<()> {
    LENGTHS.into_iter().try_for_each(|length| of_length(plan, length, points))
}

fn of_length(plan: &Plan, length: usize, points: &mut Points) -> Outcome<()> {
    let mut figures = Vec::new();
    for size in [64, 1 << 10] {
        let folder = boards::folder()?;
        // A quarter holds the longest history of the larger values.
        let options = Board::options().capacity(512 << 20).history(length as u64);
        let session = options.create(folder.path().join("board"))?.attach("history")?;
        let value = vec![b'v'; size];
        let names: Vec<String> = (0..KEYS).map(|number| format!("history/{number:04}")).collect();
        for number in 0..length + 2 * KEYS {
            session.put(&names[number % KEYS], &value)?;
        }
        let keys = names.iter().map(|name| session.key(name)).collect::<slateboard::Result<Vec<_>>>()?;
        let order = shuffled(KEYS);
        let mut ring = value.repeat(length);
        figures.extend(interleave(
            plan,
            [
                Work::new(|number| {
                    let slot = number % length * size;
                    ring[slot..slot + size].copy_from_slice(&value);
                    black_box(&mut ring);
                    Ok(())
                }),
                Work::new(|number| {
                    keys[order[number % KEYS] as usize].put(&value)?;
                    Ok(())
                }),
            ],
        )?);
        // One leaves ahead of the next that comes.
        if session.generation() - session.floor() + 1 < length as u64 {
            return Err(format!("the history holds fewer than its {length} events").into());
        }
    }
    points.add_raw("plain copy, ring of 64 B", length, figures[0], "ns");
    points.add("put 64 B", length, figures[1], "ns");
    points.add_raw("plain copy, ring of 1 KiB", length, figures[2], "ns");
    points.add("put 1 KiB", length, figures[3], "ns");
    Ok(())
}
