//! `slate watch`.

use super::{Context, Deadline, watch_run};
use crate::{
    args,
    failure::{Failure, Status},
    print::concerned,
};
use slateboard::{Error, Event, Watch};
use std::time::Duration;

/// The longest time until a closed output is noticed, so that `slate watch | head -1` ends.
pub(super) const READER_LOOK: Duration = Duration::from_secs(1);

pub(crate) fn run(context: &Context, args: &args::Watch) -> Result<Status, Failure> {
    if !args.command.is_empty() {
        return watch_run::run(context, args);
    }
    let reader = context.reader()?;
    let mut watch = reader.watch(&args.prefix);
    if let Some(since) = args.since {
        watch = watch.since(since);
    }
    let deadline = Deadline::after(args.timeout);
    let mut left = args.count;
    while left != Some(0) {
        let Some(limit) = deadline.next_wait() else {
            return Err(Failure::new(Status::Timeout, over(args.count, left)));
        };
        match next_event(context, &mut watch, limit)? {
            None => {}
            Some(event) if !is_asked_for(context, &args.prefix, &event) => {}
            Some(event) => {
                context.out.event(&event, &args.prefix)?;
                left = left.map(|left| left - 1);
            }
        }
    }
    Ok(Status::Done)
}

/// Whether the event changes a key with the prefix, and is from the session if one was given.
pub(super) fn is_asked_for(context: &Context, prefix: &str, event: &Event) -> bool {
    let session = context.globals.session.as_deref();
    session.is_none_or(|name| event.session.name == name) && concerned(event, prefix).next().is_some()
}

/// The next event, if one comes in time. Missed and damaged events are reported and skipped.
pub(super) fn next_event(
    context: &Context,
    watch: &mut Watch,
    limit: Duration,
) -> Result<Option<Event>, Failure> {
    context.out.check_reader()?;
    let before = watch.generation();
    let error = match watch.next_timeout(limit.min(READER_LOOK)) {
        Ok(event) => return Ok(event),
        Err(error) => error,
    };
    passed_over(context, error, watch.generation() > before)?;
    Ok(None)
}

/// Reports missed or damaged events, if reading can continue after them; otherwise fails.
pub(super) fn passed_over(context: &Context, error: Error, goes_on: bool) -> Result<(), Failure> {
    match error.missed() {
        Some(lagged) => context.out.missed(lagged.missed, lagged.resume_at),
        None if error.is_corrupt() && goes_on => {
            let failure = Failure::from(error);
            context.report(&Failure { text: format!("one event was left out: {}", failure.text), ..failure });
            Ok(())
        }
        None => Err(error.into()),
    }
}

/// The message of a timeout.
pub(super) fn over(count: Option<u64>, left: Option<u64>) -> String {
    match (count, left) {
        (Some(count), Some(left)) => format!("timeout: {} of {count} events arrived", count - left),
        _ => "timeout: the watch has reached its time limit".into(),
    }
}
