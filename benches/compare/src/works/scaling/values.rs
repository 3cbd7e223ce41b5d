//! get and put over the size of the value, beside a plain copy.

use crate::{
    Outcome, boards,
    measure::{Plan, Work, interleave, shuffled},
    point::Points,
};
use slateboard::{Board, Verify};
use std::hint::black_box;

/// 8 B to 16 MiB.
const SIZES: [usize; 8] = [8, 64, 512, 4 << 10, 32 << 10, 256 << 10, 2 << 20, 16 << 20];
/// Values of all keys together, so that sizes are compared and not caches.
const TOGETHER: usize = 32 << 20;

pub fn measure(plan: &Plan, points: &mut Points) -> Outcome<()> {
    SIZES.into_iter().try_for_each(|size| of_size(plan, size, points))
}

/// Keys with values of this size.
fn keys_for(size: usize) -> usize {
    (TOGETHER / size).clamp(2, 1_000)
}

fn of_size(plan: &Plan, size: usize, points: &mut Points) -> Outcome<()> {
    let folder = boards::folder()?;
    let path = folder.path().join("board");
    let capacity = if size > 32 << 10 { 512 << 20 } else { 128 << 20 };
    let options = Board::options().capacity(capacity).history(4_096);
    let session = options.clone().create(&path)?.attach("values")?;
    let scrub = options.verify(Verify::Scrub).open(&path)?.attach("scrub")?;
    let count = keys_for(size);
    let value = vec![b'v'; size];
    let names: Vec<String> = (0..count).map(|number| format!("value/{number:04}")).collect();
    // Twice through what the history can hold, so that puts are in their steady state.
    for number in 0..count.max(4_200).min((300 << 20) / size).max(2 * count) {
        session.put(&names[number % count], &value)?;
    }
    let keys = names.iter().map(|name| session.key(name)).collect::<slateboard::Result<Vec<_>>>()?;
    let scrub_keys = names.iter().map(|name| scrub.key(name)).collect::<slateboard::Result<Vec<_>>>()?;
    let order = shuffled(count);
    let at = |number: usize| order[number % count] as usize;
    let (table, mut ours) = (value.repeat(count), vec![0; size]);
    let (mut buffer, mut scrub_buffer) = (Vec::new(), Vec::new());
    let figures = interleave(
        plan,
        [
            Work::new(|number| {
                ours.copy_from_slice(&table[at(number) * size..][..size]);
                black_box(&mut ours);
                Ok(())
            }),
            Work::new(|number| {
                keys[at(number)].get_into(&mut buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Work::new(|number| {
                scrub_keys[at(number)].get_into(&mut scrub_buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Work::new(|number| {
                keys[at(number)].put(&value)?;
                Ok(())
            }),
        ],
    )?;
    points.add_raw("plain copy", size, figures[0], "ns");
    for (name, figure) in ["get", "get, Verify::Scrub", "put"].into_iter().zip(&figures[1..]) {
        points.add(name, size, *figure, "ns");
    }
    Ok(())
}
