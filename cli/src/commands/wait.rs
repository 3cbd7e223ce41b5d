//! `slate wait`.

use super::{Context, Deadline};
use crate::{
    args::Wait,
    failure::{Failure, Status},
};

pub(crate) fn run(context: &Context, args: &Wait) -> Result<Status, Failure> {
    let reader = context.reader()?;
    let threshold = match args.newer_than {
        Some(version) => version,
        None => reader.get(&args.key)?.map_or(0, |entry| entry.version),
    };
    let deadline = Deadline::after(args.timeout);
    while let Some(limit) = deadline.next_wait() {
        match reader.wait(&args.key, threshold, limit) {
            Ok(Some(entry)) => {
                context.out.value(&entry)?;
                return Ok(Status::Done);
            }
            // Removed, or its time to live is over.
            Ok(None) => return Err(removed(&args.key)),
            Err(error) if error.is_timeout() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = format!("the time is over; key {:?} did not become newer than version {threshold}", args.key);
    Err(Failure::new(Status::Timeout, text).on_key(&args.key))
}

fn removed(key: &str) -> Failure {
    let text = format!("key {key:?} is not there any more; use `--newer-than 0` to wait for it");
    Failure::new(Status::NoKey, text).on_key(key)
}
