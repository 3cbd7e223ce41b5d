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
/// How long one blocking call of `--follow` may take.
const SLICE: Duration = Duration::from_secs(60);

pub(crate) fn run(context: &Context, args: &Log) -> Result<Status, Failure> {
    let reader = context.reader()?;
    let printed_to = match args.since {
        Some(since) => everything_since(context, args, &reader, since)?,
        None => the_last(context, args, &reader)?,
    };
    if args.follow {
        follow(context, args, &reader, printed_to)?;
    }
    Ok(Status::Done)
}

fn everything_since(context: &Context, args: &Log, reader: &Reader, since: u64) -> Result<u64, Failure> {
    let mut seen = since;
    let mut events = reader.events(since);
    while let Some(event) = events.next() {
        match event {
            Ok(event) if is_asked_for(context, &args.prefix, &event) => {
                context.out.event(&event, &args.prefix)?
            }
            Ok(_) => {}
            Err(error) => passed_over(context, error, events.generation() > seen)?,
        }
        seen = events.generation();
    }
    Ok(seen)
}

fn the_last(context: &Context, args: &Log, reader: &Reader) -> Result<u64, Failure> {
    let wanted = args.last.unwrap_or(DEFAULT_LAST);
    let unfiltered = args.prefix.is_empty() && context.globals.session.is_none();
    let newest = reader.generation();
    let floor = reader.floor();
    let since = if unfiltered { newest.saturating_sub(wanted).max(floor) } else { floor };
    let mut seen = since;
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
            // The oldest ones left while we read; they are not among the last.
            Err(error) if error.missed().is_some() => {}
            Err(error) => passed_over(context, error, events.generation() > seen)?,
        }
        seen = events.generation();
    }
    last.iter().try_for_each(|event| context.out.event(event, &args.prefix))?;
    Ok(seen)
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
