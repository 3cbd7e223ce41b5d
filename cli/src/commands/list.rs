//! `slate ls`.

use super::Context;
use crate::{
    args::Ls,
    failure::{Failure, Status},
    print::{EntryDoc, LONG, long_row, printable},
};
use serde::Serialize;
use slateboard::{Entry, Reader};

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
    let (generation, entries) = at_one_generation(&context.reader()?, args)?;
    if context.globals.json {
        let entries = entries.iter().map(EntryDoc::new).collect();
        context.out.document(&ListDoc { generation, entries })?;
    } else if args.long {
        let rows: Vec<_> = entries.iter().map(long_row).collect();
        context.out.table(&LONG, &rows)?;
    } else {
        for entry in &entries {
            context.out.line(printable(&entry.key))?;
        }
    }
    Ok(Status::Done)
}

fn at_one_generation(reader: &Reader, args: &Ls) -> Result<(u64, Vec<Entry>), Failure> {
    let mut attempt = 1;
    loop {
        let view = match args.at {
            Some(generation) => reader.view_at(generation)?,
            None => reader.view()?,
        };
        match view.list(&args.prefix) {
            Ok(entries) => return Ok((view.generation(), entries)),
            // What was asked for by number does not come back; the present can be asked for again.
            Err(error) if error.is_lagged() && args.at.is_none() && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
