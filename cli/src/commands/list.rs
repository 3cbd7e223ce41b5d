//! `slate ls`.

use super::Context;
use crate::{
    args::Ls,
    failure::{Failure, Status},
    print::{EntryDoc, LONG, long_row, printable},
};
use serde::Serialize;
use slateboard::{Entry, Reader, View};

/// Views that left the history while they were read, before giving up: a board written to that fast needs a
/// longer history.
const ATTEMPTS: u32 = 16;

/// `ls --json`: the keys as they stood at one generation.
#[derive(Serialize)]
struct ListDoc<'a> {
    generation: u64,
    entries: Vec<EntryDoc<'a>>,
}

pub(crate) fn run(context: &Context, args: &Ls) -> Result<Status, Failure> {
    let reader = context.reader()?;
    if context.globals.json || args.long {
        let (generation, entries) = at_one_generation(&reader, args, View::list)?;
        with_values(context, generation, &entries)?;
    } else {
        let (_, keys) = at_one_generation(&reader, args, View::keys)?;
        let end = if args.null { '\0' } else { '\n' };
        let shown = |key: String| if args.null { key } else { printable(&key) };
        let text: String = keys.into_iter().flat_map(|key| [shown(key), end.into()]).collect();
        context.out.bytes(text.as_bytes())?;
    }
    Ok(Status::Done)
}

fn with_values(context: &Context, generation: u64, entries: &[Entry]) -> Result<(), Failure> {
    if context.globals.json {
        let entries = entries.iter().map(EntryDoc::new).collect();
        return context.out.document(&ListDoc { generation, entries });
    }
    let rows: Vec<_> = entries.iter().map(long_row).collect();
    context.out.table(&LONG, &rows)
}

fn at_one_generation<T>(
    reader: &Reader,
    args: &Ls,
    read: impl Fn(&View, &str) -> slateboard::Result<T>,
) -> Result<(u64, T), Failure> {
    let mut attempt = 1;
    loop {
        let view = match args.at {
            Some(generation) => reader.view_at(generation)?,
            None => reader.view()?,
        };
        match read(&view, &args.prefix) {
            Ok(entries) => return Ok((view.generation(), entries)),
            // What was asked for by number does not come back; the present can be asked for again.
            Err(error) if error.is_lagged() && args.at.is_none() && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
