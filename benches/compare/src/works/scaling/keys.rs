//! get, put, list, memory, beats and reaping over the number of keys, beside the maps of the standard library.

use super::{
    Points, over,
    sessions::{BEAT_MS, beat_ns_of, crowd, reaping_ns},
};
use crate::{
    Outcome,
    local::{Form, order},
    row::{Row, Unit},
    works::Run,
};
use slateboard::{Board, Options, Session};
use slateboard_micro::{Filled, PREFIX};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    hint::black_box,
    os::unix::fs::MetadataExt,
    path::Path,
};

const COUNTS: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
/// Keys that a short list finds among all the others.
const FEW: usize = 100;
const SIZE: usize = 64;
/// Puts that fill the history.
const HISTORY_FILLED: usize = 17_000;

pub fn run(run: &Run<'_>) -> Outcome<Vec<Row>> {
    over(run, &COUNTS, of_count)
}

fn of_count(run: &Run<'_>, count: usize, points: &mut Points<'_>) -> Outcome<()> {
    let capacity = (count as u64 * 512).max(64 << 20);
    let options = Board::options().capacity(capacity).keys((count + FEW) as u64);
    let filled = Filled::new(run.folder.path(), options.clone(), count, SIZE, 0)?;
    memory(run, &options, &filled, points)?;
    beat(run, &filled, points)?;
    // No first segment has a part of the table to itself.
    let options = options.dedicated([] as [&str; 0]);
    let spread = Filled::new(run.folder.path(), options, count, SIZE, 0)?;
    gets_and_puts(&filled, &spread.session, points)?;
    drop(spread);
    lists(&filled, points)
}

/// Bytes of memory that a board's file takes: its pages that were touched.
fn allocated(path: &Path) -> Outcome<u64> {
    Ok(fs::metadata(path)?.blocks() * 512)
}

/// Bytes of the board's file that are in memory, for each key. Before the history has superseded values, since those would
/// count as part of the keys.
fn memory(run: &Run<'_>, options: &Options, filled: &Filled, points: &mut Points<'_>) -> Outcome<()> {
    let path = run.folder.path().join("empty");
    let empty = options.clone().create(&path)?.attach("keys")?;
    let without_keys = allocated(&path)?;
    drop(empty);
    fs::remove_file(&path)?;
    let (count, all) = (filled.names.len(), allocated(&filled.path)?);
    let each = |bytes: u64| bytes as f64 / count as f64;
    points.add("memory per key, whole board", count, each(all), Unit::Bytes);
    let grown = all.saturating_sub(without_keys);
    points.add("memory per key, grown since empty", count, each(grown), Unit::Bytes);
    points.add_raw("key and value", count, (filled.names[0].len() + SIZE) as f64, Unit::Bytes);
    Ok(())
}

/// Processor time of a beat of a session that does nothing, its sweeps included.
fn beat(run: &Run<'_>, filled: &Filled, points: &mut Points<'_>) -> Outcome<()> {
    let count = filled.names.len();
    let mut idle = crowd(&filled.path, 1, 1, BEAT_MS)?;
    points.add("a keeper's beat", count, beat_ns_of(run.plan, &mut idle)?, Unit::Nanoseconds);
    drop(idle);
    let reaped_ns = reaping_ns(run.plan, &filled.path, 1, 2)?;
    points.add("reaping of one session", count, reaped_ns, Unit::Nanoseconds);
    Ok(())
}

fn gets_and_puts(filled: &Filled, spread: &Session, points: &mut Points<'_>) -> Outcome<()> {
    let (default, names, value) = (&filled.session, &filled.names, &filled.value);
    let count = names.len();
    for name in names.iter().cycle().take(HISTORY_FILLED) {
        default.put(name, value)?;
        spread.put(name, value)?;
    }
    let mut table: HashMap<&str, Vec<u8>> = names.iter().map(|name| (name.as_str(), value.clone())).collect();
    let order = order(count);
    let name = |number: usize| names[order[number % count]].as_str();
    let (mut ours, mut buffer, mut other) = (vec![0; SIZE], Vec::new(), Vec::new());
    points.measure(
        count,
        vec![
            Form::new("HashMap, get and copy", |number| {
                ours.copy_from_slice(table.get(name(number)).ok_or("a key is gone")?);
                black_box(&mut ours);
                Ok(())
            })
            .raw(),
            Form::new("get", |number| {
                default.get_into(name(number), &mut buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Form::new("get, no dedicated shards", |number| {
                spread.get_into(name(number), &mut other)?.ok_or("a key is gone")?;
                Ok(())
            }),
        ],
    )?;
    points.measure(
        count,
        vec![
            Form::new("HashMap, find and copy", |number| {
                table.get_mut(name(number)).ok_or("a key is gone")?.copy_from_slice(value);
                Ok(())
            })
            .raw(),
            Form::new("put", |number| {
                default.put(name(number), value)?;
                Ok(())
            }),
            Form::new("put, no dedicated shards", |number| {
                spread.put(name(number), value)?;
                Ok(())
            }),
        ],
    )
}

fn lists(filled: &Filled, points: &mut Points<'_>) -> Outcome<()> {
    let (session, count) = (&filled.session, filled.names.len());
    for number in 0..FEW {
        session.put(&format!("few/{number:03}"), &filled.value)?;
    }
    let all: BTreeMap<String, Vec<u8>> =
        filled.names.iter().map(|name| (name.clone(), filled.value.clone())).collect();
    let listed = |prefix: &str, count: usize| -> Outcome<()> {
        let listed = session.list(prefix).into_vec()?;
        if black_box(&listed).len() == count { Ok(()) } else { Err("a list is not whole".into()) }
    };
    points.measure(
        count,
        vec![
            Form::new("clone of a BTreeMap's entries", |_| {
                black_box(all.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>());
                Ok(())
            })
            .raw(),
            Form::new("list of all", |_| listed(PREFIX, count)),
            Form::new("list of 100 among them", |_| listed("few/", FEW)),
        ],
    )
}
