//! get, put, list and memory over the number of keys, beside the maps of the standard library.

use crate::{
    Outcome, boards,
    child::Child,
    measure::{Plan, Work, interleave, shuffled},
    point::Points,
    sessions,
};
use slateboard::{Board, Session};
use std::{
    collections::{BTreeMap, HashMap},
    hint::black_box,
    path::Path,
};
use tempfile::TempDir;

const COUNTS: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
/// Keys that a short list finds among all the others.
const FEW: usize = 100;
const SIZE: usize = 64;

pub fn measure(plan: &Plan, points: &mut Points) -> Outcome<()> {
    COUNTS.into_iter().try_for_each(|count| of_count(plan, count, points))
}

/// A board with a table for so many keys, and the keys.
struct Filled {
    /// Ends before its folder goes.
    session: Session,
    folder: TempDir,
    /// Bytes of memory before the first key.
    empty: u64,
}

impl Filled {
    /// `spread`: no first segment has a part of the table to itself.
    fn new(names: &[String], value: &[u8], spread: bool) -> Outcome<Self> {
        let folder = boards::folder()?;
        let path = folder.path().join("board");
        let capacity = (names.len() as u64 * 512).max(64 << 20);
        let options = Board::options().capacity(capacity).keys((names.len() + FEW) as u64).history(16_384);
        let options = if spread { options.dedicated([] as [&str; 0]) } else { options };
        let session = options.create(&path)?.attach("keys")?;
        let empty = boards::allocated(&path)?;
        for name in names {
            session.put(name, value)?;
        }
        Ok(Self { session, folder, empty })
    }

    fn path(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("board")
    }
}

fn of_count(plan: &Plan, count: usize, points: &mut Points) -> Outcome<()> {
    // Names in an order that is not the table's.
    let names: Vec<String> = shuffled(count).iter().map(|number| format!("many/{number:07}")).collect();
    let value = vec![b'v'; SIZE];
    let default = Filled::new(&names, &value, false)?;
    memory(&default, count, points)?;
    beat(plan, &default, count, points)?;
    let spread = Filled::new(&names, &value, true)?;
    gets_and_puts(plan, &names, &value, (&default.session, &spread.session), points)?;
    drop(spread);
    lists(plan, &names, &value, &default.session, points)
}

/// Bytes of the board's file that are in memory, for each key. Before the history has superseded values: those would
/// count to the keys.
fn memory(filled: &Filled, count: usize, points: &mut Points) -> Outcome<()> {
    let all = boards::allocated(&filled.path())?;
    points.add("memory per key, whole board", count, all as f64 / count as f64, "bytes");
    let grown = (all - filled.empty) as f64;
    points.add("memory per key, grown since empty", count, grown / count as f64, "bytes");
    // The key, the value, nothing else.
    points.add_raw("key and value", count, ("many/0000000".len() + SIZE) as f64, "bytes");
    Ok(())
}

/// Processor time of a beat of a session that does nothing, its sweeps included.
fn beat(plan: &Plan, filled: &Filled, count: usize, points: &mut Points) -> Outcome<()> {
    let path = filled.path().to_string_lossy().into_owned();
    let mut idle = [Child::start("crowd", &[path, "1".into(), sessions::BEAT_MS.to_string()])?];
    points.add("a keeper's beat", count, sessions::beat_ns_of(plan, &mut idle)?, "ns");
    drop(idle);
    let reaped_ns = sessions::reaping_ns(plan, &filled.path(), 1, 2)?;
    points.add("reaping of one session", count, reaped_ns, "ns");
    Ok(())
}

fn gets_and_puts(
    plan: &Plan,
    names: &[String],
    value: &[u8],
    (default, spread): (&Session, &Session),
    points: &mut Points,
) -> Outcome<()> {
    let count = names.len();
    // The history is full before puts are measured.
    for number in 0..17_000 {
        default.put(&names[number % count], value)?;
        spread.put(&names[number % count], value)?;
    }
    let mut table: HashMap<&str, Vec<u8>> =
        names.iter().map(|name| (name.as_str(), value.to_vec())).collect();
    let order = shuffled(count);
    let name = |number: usize| names[order[number % count] as usize].as_str();
    let (mut ours, mut buffer, mut other) = (vec![0; SIZE], Vec::new(), Vec::new());
    let raw_get = Work::new(|number| {
        ours.copy_from_slice(table.get(name(number)).ok_or("a key is gone")?);
        black_box(&mut ours);
        Ok(())
    });
    let get = Work::new(|number| {
        default.get_into(name(number), &mut buffer)?.ok_or("a key is gone")?;
        Ok(())
    });
    let spread_get = Work::new(|number| {
        spread.get_into(name(number), &mut other)?.ok_or("a key is gone")?;
        Ok(())
    });
    let [raw, get, spread_get] = interleave(plan, [raw_get, get, spread_get])?;
    points.add_raw("HashMap, get and copy", count, raw, "ns");
    points.add("get", count, get, "ns");
    points.add("get, no dedicated shards", count, spread_get, "ns");
    let raw_put = Work::new(|number| {
        table.get_mut(name(number)).ok_or("a key is gone")?.copy_from_slice(value);
        Ok(())
    });
    let put = Work::new(|number| {
        default.put(name(number), value)?;
        Ok(())
    });
    let spread_put = Work::new(|number| {
        spread.put(name(number), value)?;
        Ok(())
    });
    let [raw, put, spread_put] = interleave(plan, [raw_put, put, spread_put])?;
    points.add_raw("HashMap, find and copy", count, raw, "ns");
    points.add("put", count, put, "ns");
    points.add("put, no dedicated shards", count, spread_put, "ns");
    Ok(())
}

fn lists(plan: &Plan, names: &[String], value: &[u8], session: &Session, points: &mut Points) -> Outcome<()> {
    let count = names.len();
    for number in 0..FEW {
        session.put(&format!("few/{number:03}"), value)?;
    }
    let all: BTreeMap<String, Vec<u8>> = names.iter().map(|name| (name.clone(), value.to_vec())).collect();
    let raw = Work::new(|_| {
        black_box(all.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>());
        Ok(())
    });
    let whole = Work::new(|_| {
        let listed = session.list("many/").into_vec()?;
        if black_box(&listed).len() == count { Ok(()) } else { Err("a list is not whole".into()) }
    });
    let few = Work::new(|_| {
        let listed = session.list("few/").into_vec()?;
        if black_box(&listed).len() == FEW { Ok(()) } else { Err("a list is not whole".into()) }
    });
    let [raw, whole, few] = interleave(plan, [raw, whole, few])?;
    points.add_raw("clone of a BTreeMap's entries", count, raw, "ns");
    points.add("list of all", count, whole, "ns");
    points.add("list of 100 among them", count, few, "ns");
    Ok(())
}
