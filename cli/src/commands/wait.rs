//! `slate wait`.

use super::{Context, Deadline};
use crate::{
    args::Wait,
    failure::{Failure, Status},
};
use slateboard::{Entry, Event, MutationKind, Reader};

/// What a look at the key gave.
enum Seen {
    Newer(Entry),
    Removed,
    Nothing,
}

pub(crate) fn run(context: &Context, args: &Wait) -> Result<Status, Failure> {
    let reader = context.reader()?;
    // From before the first look on, so that no change falls between looking and watching.
    let mut watch = reader.watch(&args.key);
    let standing = reader.get(&args.key)?;
    if standing.is_none() && args.newer_than.is_some_and(|version| version > 0) {
        return Err(removed(&args.key));
    }
    let threshold = args.newer_than.unwrap_or_else(|| standing.as_ref().map_or(0, |entry| entry.version));
    if let Some(entry) = standing.filter(|entry| entry.version > threshold) {
        context.out.value(&entry)?;
        return Ok(Status::Done);
    }
    let deadline = Deadline::after(args.timeout);
    while let Some(limit) = deadline.next_wait() {
        let seen = match watch.next(limit) {
            Ok(None) => Seen::Nothing,
            Ok(Some(event)) => look(&reader, &event, &args.key, threshold)?,
            Err(error) if error.missed().is_some() => present(&reader, &args.key, threshold)?,
            Err(error) => return Err(error.into()),
        };
        match seen {
            Seen::Nothing => {}
            Seen::Newer(entry) => {
                context.out.value(&entry)?;
                return Ok(Status::Done);
            }
            Seen::Removed => return Err(removed(&args.key)),
        }
    }
    let text = format!("the time is over; key {:?} did not become newer than version {threshold}", args.key);
    Err(Failure::new(Status::Timeout, text).on_key(&args.key))
}

fn removed(key: &str) -> Failure {
    let text = format!("key {key:?} is not there any more; use `--newer-than 0` to wait for it");
    Failure::new(Status::NoKey, text).on_key(key)
}

fn look(reader: &Reader, event: &Event, key: &str, threshold: u64) -> Result<Seen, Failure> {
    let newest = event.mutations.iter().rfind(|mutation| mutation.key == key);
    match newest {
        None => Ok(Seen::Nothing),
        Some(mutation) if mutation.kind == MutationKind::Put => present(reader, key, threshold),
        // Whoever waits for the first version waits through removals.
        Some(mutation) if threshold > 0 && mutation.version > threshold => Ok(Seen::Removed),
        Some(_) => Ok(Seen::Nothing),
    }
}

fn present(reader: &Reader, key: &str, threshold: u64) -> Result<Seen, Failure> {
    let entry = reader.get(key)?;
    Ok(entry.filter(|entry| entry.version > threshold).map_or(Seen::Nothing, Seen::Newer))
}
