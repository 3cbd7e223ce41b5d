//! Figures of one process.

use crate::{
    Outcome,
    fixture::{Filled, KEYS, folder, options},
    measure::{Plan, Work, interleave},
    report::Report,
};
use slateboard::{Board, KeyHandle, Session};
use std::hint::black_box;

const SIZES: [(usize, &str); 3] = [(64, "64 B"), (1 << 10, "1 KiB"), (64 << 10, "64 KiB")];

/// get and put, by handle and by key, each size on a board of its own.
pub fn gets_and_puts(plan: &Plan, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Outcome<()> {
    for (size, label) in SIZES {
        let filled = Filled::new(options(size), size)?;
        if wanted("get") {
            gets(plan, &filled, label, report)?;
        }
        if wanted("put") {
            puts(plan, &filled, label, report)?;
        }
    }
    Ok(())
}

fn gets(plan: &Plan, filled: &Filled, label: &str, report: &mut Report) -> Outcome<()> {
    let by_handle = |name: &str, keys: &'_ [KeyHandle]| {
        let keys = keys.to_vec();
        let mut buffer = Vec::new();
        Work::new(format!("get {label}, {name}"), move |number| {
            keys[filled.at(number)].get_into(&mut buffer)?.ok_or("a key is gone")?;
            black_box(&buffer);
            Ok(())
        })
    };
    let by_key = |name: &str, session: &Session| {
        let session = session.clone();
        let mut buffer = Vec::new();
        Work::new(format!("get {label}, {name}"), move |number| {
            session.get_into(&filled.names[filled.at(number)], &mut buffer)?.ok_or("a key is gone")?;
            black_box(&buffer);
            Ok(())
        })
    };
    let works = [
        copy_out(filled),
        by_handle("by handle", &filled.keys),
        by_handle("by handle, `Verify::Scrub`", &filled.scrub_keys),
        by_key("by key", &filled.session),
        by_key("by key, `Verify::Scrub`", &filled.scrub),
    ];
    measure(plan, "get", works, report)
}

fn puts(plan: &Plan, filled: &Filled, label: &str, report: &mut Report) -> Outcome<()> {
    let works = [
        copy_in(filled),
        Work::new(format!("put {label}, by handle"), |number| {
            filled.keys[filled.at(number)].put(&filled.value)?;
            Ok(())
        }),
        Work::new(format!("put {label}, by key"), |number| {
            filled.session.put(&filled.names[filled.at(number)], &filled.value)?;
            Ok(())
        }),
    ];
    measure(plan, "put", works, report)
}

/// The limit of a get: a copy of the value, without any protection, out of a table of as many.
fn copy_out(filled: &Filled) -> Work<'_> {
    let size = filled.value.len();
    let table = filled.value.repeat(KEYS);
    let mut buffer = filled.value.clone();
    Work::new("plain copy", move |number| {
        let start = filled.at(number) * size;
        buffer.copy_from_slice(&table[start..start + size]);
        black_box(&mut buffer);
        Ok(())
    })
}

/// The limit of a put: a copy of the value into such a table.
fn copy_in(filled: &Filled) -> Work<'_> {
    let size = filled.value.len();
    let mut table = filled.value.repeat(KEYS);
    Work::new("plain copy", move |number| {
        let start = filled.at(number) * size;
        table[start..start + size].copy_from_slice(&filled.value);
        black_box(&mut table);
        Ok(())
    })
}

/// Attaching and detaching. Each session has a keeper thread, so starting and joining one is its limit.
pub fn attaching(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let folder = folder()?;
    let board = Board::create(folder.path().join("board"))?;
    let works = [
        Work::on_the_wall("a thread started and joined", |_| {
            std::thread::Builder::new().spawn(|| {})?.join().map_err(|_| "the thread panicked")?;
            Ok(())
        }),
        Work::on_the_wall("attach and detach", |_| {
            board.attach("visitor")?.detach();
            Ok(())
        }),
    ];
    measure(plan, "session", works, report)
}

/// What looks at the whole board: list, views, events.
pub fn whole_board(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let filled = Filled::new(options(64), 64)?;
    // Every event has a previous value.
    for name in &filled.names {
        filled.session.put(name, &filled.value)?;
    }
    let entries: Vec<(String, Vec<u8>)> =
        filled.session.list("").into_vec()?.into_iter().map(|entry| (entry.key, entry.value)).collect();
    let session = &filled.session;
    let newest = session.generation();
    let works = [
        Work::new("a clone of 1,000 sorted keys and values", |_| {
            black_box(entries.clone());
            Ok(())
        }),
        Work::new("list of 1,000 keys, 64 B", |_| {
            let listed = session.list("bench/").into_vec()?;
            if black_box(&listed).len() == KEYS { Ok(()) } else { Err("a list is not whole".into()) }
        }),
        Work::new("1,000 events, 64 B, with previous values", |_| {
            let mut seen = 0;
            for event in session.events(newest - KEYS as u64) {
                black_box(event?);
                seen += 1;
            }
            if seen == KEYS { Ok(()) } else { Err("an event is missing".into()) }
        }),
    ];
    measure(plan, "whole", works, report)?;
    let mut buffer = filled.value.clone();
    let works = [
        Work::new("plain copy", |number| {
            buffer.copy_from_slice(&entries[filled.at(number)].1);
            black_box(&mut buffer);
            Ok(())
        }),
        Work::new("view", |_| {
            black_box(session.view()?.generation());
            Ok(())
        }),
        Work::new("view and one get from it, 64 B", |number| {
            let view = session.view()?;
            black_box(view.get(&filled.names[filled.at(number)])?.ok_or("a key is gone")?);
            Ok(())
        }),
    ];
    measure(plan, "whole", works, report)
}

fn measure<const N: usize>(
    plan: &Plan,
    section: &'static str,
    mut works: [Work<'_>; N],
    report: &mut Report,
) -> Outcome<()> {
    let times = interleave(plan, &mut works)?;
    let names: Vec<String> = works.iter().map(|work| work.name.clone()).collect();
    report.add_times(section, &names, &times);
    Ok(())
}
