//! `slate wait`.

use super::{Context, Deadline};
use crate::{
    args::Wait,
    failure::{Failure, Status},
};
use slateboard::Newer;

pub(crate) fn run(context: &Context, args: &Wait) -> Result<Status, Failure> {
    let reader = context.reader()?;
    let threshold = match args.newer_than {
        Some(version) => version,
        None => reader.get(&args.key)?.map_or(0, |entry| entry.version),
    };
    let deadline = Deadline::after(args.timeout);
    while let Some(limit) = deadline.next_wait() {
        match reader.wait_newer(&args.key, threshold, limit)? {
            Some(Newer::Value(entry)) => {
                context.out.value(&entry)?;
                return Ok(Status::Done);
            }
            // Removed or expired.
            Some(Newer::Removed) => return Err(removed(&args.key)),
            None => {}
        }
    }
    let text = format!("timeout: no value of key {:?} newer than version {threshold}", args.key);
    Err(Failure::new(Status::Timeout, text).on_key(&args.key))
}

fn removed(key: &str) -> Failure {
    let text = format!("key {key:?} does not exist; use `--newer-than 0` to wait until it exists");
    Failure::new(Status::NoKey, text).on_key(key)
}
