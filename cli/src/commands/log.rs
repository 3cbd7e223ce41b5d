//! `slate log`.

use super::{
    Context,
    watch::{is_asked_for, next_event, passed_over},
};
use crate::{
    args::Log,
    failure::{Failure, Status},
};
use slateboard::Reader;
use std::{collections::VecDeque, time::Duration};

const DEFAULT_LAST: u64 = 50;
/// The longest time of one blocking call of `--follow`.
const SLICE: Duration = Duration::from_secs(60);

pub(crate) fn run(context: &Context, args: &Log) -> Result<Status, Failure> {
    let reader = context.reader()?;
    let read = match args.since {
        Some(since) => everything_since(context, args, &reader, since)?,
        None => the_last(context, args, &reader)?,
    };
    if args.follow {
        follow(context, args, &reader, read.to)?;
    }
    Ok(if read.damaged { Status::Corrupt } else { Status::Done })
}

/// How far the history has been read.
struct Read {
    to: u64,
    /// Whether an event was skipped because it is damaged.
    damaged: bool,
}

fn everything_since(context: &Context, args: &Log, reader: &Reader, since: u64) -> Result<Read, Failure> {
    let mut read = Read { to: since, damaged: false };
    let mut events = reader.events(since);
    while let Some(event) = events.next() {
        match event {
            Ok(event) if is_asked_for(context, &args.prefix, &event) => {
                context.out.event(&event, &args.prefix)?
            }
            Ok(_) => {}
            Err(error) => {
                read.damaged |= error.is_corrupt();
                passed_over(context, error, events.generation() > read.to)?;
            }
        }
        read.to = events.generation();
    }
    Ok(read)
}

fn the_last(context: &Context, args: &Log, reader: &Reader) -> Result<Read, Failure> {
    let wanted = args.last.unwrap_or(DEFAULT_LAST);
    let unfiltered = args.prefix.is_empty() && context.globals.session.is_none();
    let newest = reader.generation();
    let floor = reader.floor();
    let since = if unfiltered { newest.saturating_sub(wanted).max(floor) } else { floor };
    let mut read = Read { to: since, damaged: false };
    let mut last = VecDeque::new();
    let mut events = reader.events(since);
    while let Some(event) = events.next() {
        match event {
            Ok(event) if wanted > 0 && is_asked_for(context, &args.prefix, &event) => {
                last.push_back(event);
                if last.len() as u64 > wanted {
                    last.pop_front();
                }
            }
            Ok(_) => {}
            // The oldest events left the history during the read; they are not among the last ones.
            Err(error) if error.missed().is_some() => {}
            Err(error) => {
                read.damaged |= error.is_corrupt();
                passed_over(context, error, events.generation() > read.to)?;
            }
        }
        read.to = events.generation();
    }
    last.iter().try_for_each(|event| context.out.event(event, &args.prefix))?;
    Ok(read)
}

fn follow(context: &Context, args: &Log, reader: &Reader, since: u64) -> Result<(), Failure> {
    let mut watch = reader.watch(&args.prefix).since(since);
    loop {
        let event = next_event(context, &mut watch, SLICE)?;
        if let Some(event) = event.filter(|event| is_asked_for(context, &args.prefix, event)) {
            context.out.event(&event, &args.prefix)?;
        }
    }
}
