//! `slate diff`: the keys that differ between two generations.

use super::Context;
use crate::{
    args::Diff,
    failure::{Failure, Status, say},
    print::{EntryDoc, ErrorDoc, concerned, preview, printable},
};
use serde::Serialize;
use slateboard::{Entry, Error, Reader, View};
use std::collections::BTreeMap;

/// How often the comparison starts again because its first generation has left the history meanwhile.
const ATTEMPTS: u32 = 16;

/// `diff --json`.
#[derive(Serialize)]
struct DiffDoc<'a> {
    /// The generations that were compared. If the one that was asked for has left the history, the oldest that is left.
    from: u64,
    to: u64,
    changes: Vec<ChangeDoc<'a>>,
    /// What is missing: events that have left the history, or damaged ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDoc<'a>>,
}

#[derive(Serialize)]
struct ChangeDoc<'a> {
    kind: &'static str,
    key: &'a str,
    /// Of the key's last event: its generation and who made it.
    generation: u64,
    writer: &'a str,
    before: Option<EntryDoc<'a>>,
    after: Option<EntryDoc<'a>>,
}

/// A key whose entries differ.
struct Change {
    key: String,
    generation: u64,
    writer: String,
    before: Option<Entry>,
    after: Option<Entry>,
}

/// What was found between two generations.
struct Found {
    from: u64,
    changes: Vec<Change>,
    /// Events and records that cannot be read.
    damaged: Vec<Failure>,
}

pub(crate) fn run(context: &Context, args: &Diff) -> Result<Status, Failure> {
    let reader = context.reader()?;
    let to = args.to.unwrap_or_else(|| reader.generation().max(args.from));
    let after = reader.view_at(to)?;
    if args.from > to {
        // If it has not happened yet, that is what the message says.
        reader.view_at(args.from)?;
        let text = format!(
            "generation {} is newer than generation {to}; the older one comes first: slate diff {to} {}",
            args.from, args.from
        );
        return Err(Failure::usage(text));
    }
    let mut found = compare(&reader, args, &after);
    for _ in 1..ATTEMPTS {
        if !found.as_ref().is_err_and(Error::is_lagged) {
            break;
        }
        found = compare(&reader, args, &after);
    }
    let Found { from, changes, damaged: mut failures } = found?;
    failures.extend((from > args.from).then(|| out_of_history(&reader, args.from, from)));
    print(context, from, to, &changes, &failures)?;
    for failure in &failures {
        say(format_args!("slate: {}", failure.text));
    }
    Ok(failures.first().map_or(Status::Done, |failure| failure.status))
}

/// Finds the keys that have events, and compares their entries at both generations.
fn compare(reader: &Reader, args: &Diff, after: &View) -> Result<Found, Error> {
    let from = args.from.max(reader.floor()).min(after.generation());
    let before = reader.view_at(from)?;
    let mut last = BTreeMap::new();
    let mut damaged = Vec::new();
    let mut events = reader.events(from);
    while events.generation() < after.generation() {
        let read = events.generation();
        match events.next() {
            None => break,
            Some(Ok(event)) if event.generation > after.generation() => break,
            Some(Ok(event)) => {
                for mutation in concerned(&event, &args.prefix) {
                    last.insert(mutation.key.clone(), (event.generation, event.session.name.clone()));
                }
            }
            Some(Err(error)) if error.is_corrupt() && events.generation() > read => {
                damaged.push(left_out(error))
            }
            Some(Err(error)) => return Err(error),
        }
    }
    let mut changes = Vec::new();
    for (key, (generation, writer)) in last {
        match (before.get(&key), after.get(&key)) {
            (Ok(before), Ok(after)) => {
                let is_same = before.as_ref().map(|entry| entry.generation)
                    == after.as_ref().map(|entry| entry.generation);
                changes.extend((!is_same).then_some(Change { key, generation, writer, before, after }));
            }
            (Err(error), _) | (_, Err(error)) if error.is_corrupt() => damaged.push(left_out(error)),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        }
    }
    Ok(Found { from, changes, damaged })
}

fn left_out(error: Error) -> Failure {
    let failure = Failure::from(error);
    Failure { text: format!("one change was left out: {}", failure.text), ..failure }
}

/// The failure that says which events have left the history.
fn out_of_history(reader: &Reader, asked: u64, from: u64) -> Failure {
    let text = format!(
        "generations {} to {from} have left the history; the comparison begins at generation {from}",
        asked + 1
    );
    let lagged = reader.view_at(asked).err().map(Failure::from);
    let mut failure = lagged.unwrap_or_else(|| Failure::failed(""));
    if let Some(lagged) = &mut failure.about.lagged {
        (lagged.missed, lagged.resume_at) = (from - asked, from);
    }
    Failure { text, ..failure }
}

fn print(
    context: &Context,
    from: u64,
    to: u64,
    changes: &[Change],
    failures: &[Failure],
) -> Result<(), Failure> {
    if context.globals.json {
        let changes = changes.iter().map(ChangeDoc::new).collect();
        return context.out.document(&DiffDoc {
            from,
            to,
            changes,
            error: failures.first().map(ErrorDoc::of),
        });
    }
    if changes.is_empty() {
        context.out.remark(format_args!("no key differs between generations {from} and {to}"));
        return Ok(());
    }
    let rows: Vec<_> = changes.iter().map(row).collect();
    context.out.table(&["CHANGE", ">FROM", ">TO", "WRITER", "BEFORE", "AFTER", "KEY"], &rows)
}

fn row(change: &Change) -> Vec<String> {
    let version =
        |entry: &Option<Entry>| entry.as_ref().map_or("-".into(), |entry| format!("v{}", entry.version));
    let value = |entry: &Option<Entry>| entry.as_ref().map_or("-".into(), |entry| preview(&entry.value, 24));
    vec![
        change.kind().into(),
        version(&change.before),
        version(&change.after),
        printable(&change.writer),
        value(&change.before),
        value(&change.after),
        printable(&change.key),
    ]
}

impl Change {
    fn kind(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }
}

impl<'a> ChangeDoc<'a> {
    fn new(change: &'a Change) -> Self {
        Self {
            kind: change.kind(),
            key: &change.key,
            generation: change.generation,
            writer: &change.writer,
            before: change.before.as_ref().map(EntryDoc::new),
            after: change.after.as_ref().map(EntryDoc::new),
        }
    }
}
