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
    /// Whether all entries are of that generation. Otherwise each entry is whole, and none is older than that generation.
    exact: bool,
    entries: Vec<EntryDoc<'a>>,
    /// The damaged records, which are left out of `entries`.
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

/// A key and its terminator.
fn shown(key: &str, null: bool) -> [Cow<'_, str>; 2] {
    if null { [key.into(), "\0".into()] } else { [printable(key).into(), "\n".into()] }
}

fn list(reader: &Reader, args: &Ls) -> Result<List> {
    Ok(match args.at {
        Some(generation) => reader.view_at(generation)?.list(&args.prefix),
        None => reader.list(&args.prefix),
    })
}

/// Reports an inexact or damaged list in messages and in the exit status.
fn told<T>(context: &Context, listing: &Listing<T>) -> Status {
    if !listing.exact {
        context.out.remark(format_args!(
            "slate: the list is not of one generation, because the board changes faster than its history lasts. Each \
             entry is whole, and none is older than generation {}; with a longer history, lists are exact \
             (`slate init --replace --history EVENTS` creates a new, empty board)",
            listing.generation
        ));
    }
    for damage in &listing.damaged {
        say(format_args!("slate: a damaged record was left out: {damage}"));
    }
    if listing.damaged.is_empty() { Status::Done } else { Status::Corrupt }
}
