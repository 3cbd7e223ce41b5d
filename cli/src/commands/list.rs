//! `slate ls`.

use super::Context;
use crate::{
    args::Ls,
    failure::{Failure, Status, say},
    print::{DamageDoc, EntryDoc, LONG, long_row, printable},
};
use serde::Serialize;
use slateboard::{List, Listing, Reader, Result};
use std::borrow::Cow;

/// `ls --json`.
#[derive(Serialize)]
struct ListDoc<'a> {
    generation: u64,
    /// Whether all entries are of that generation. Otherwise each is whole, and none is older.
    exact: bool,
    entries: Vec<EntryDoc<'a>>,
    /// What is damaged, and left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<DamageDoc<'a>>,
}

pub(crate) fn run(context: &Context, args: &Ls) -> Result<Status, Failure> {
    let reader = context.reader()?;
    if context.globals.json || args.long {
        let listing = list(&reader, args)?.whole()?;
        if context.globals.json {
            let Listing { ref entries, generation, exact, ref damaged, .. } = listing;
            let entries = entries.iter().map(EntryDoc::new).collect();
            context.out.document(&ListDoc { generation, exact, entries, error: DamageDoc::of(damaged) })?;
        } else {
            let rows: Vec<_> = listing.entries.iter().map(long_row).collect();
            context.out.table(&LONG, &rows)?;
        }
        return Ok(told(context, &listing));
    }
    let listing = list(&reader, args)?.keys().whole()?;
    let text: String = listing.entries.iter().flat_map(|key| shown(key, args.null)).collect();
    context.out.bytes(text.as_bytes())?;
    Ok(told(context, &listing))
}

/// A key, and what ends it.
fn shown(key: &str, null: bool) -> [Cow<'_, str>; 2] {
    if null { [key.into(), "\0".into()] } else { [printable(key).into(), "\n".into()] }
}

fn list(reader: &Reader, args: &Ls) -> Result<List> {
    Ok(match args.at {
        Some(generation) => reader.view_at(generation)?.list(&args.prefix),
        None => reader.list(&args.prefix),
    })
}

/// Says in words what a list is not, and as a status.
fn told<T>(context: &Context, listing: &Listing<T>) -> Status {
    if !listing.exact {
        context.out.remark(format_args!(
            "slate: these keys are not of one generation: the board changes faster than its history lasts. Each is \
             whole, and none is older than generation {}; a longer history (`slate init --history`) makes lists exact",
            listing.generation
        ));
    }
    for damage in &listing.damaged {
        say(format_args!("slate: left out: {damage}"));
    }
    if listing.damaged.is_empty() { Status::Done } else { Status::Corrupt }
}
