//! `slate watch`.

use super::{Context, Deadline};
use crate::{
    args::Watch,
    failure::{Failure, Status},
    print::concerned,
};

pub(crate) fn run(context: &Context, args: &Watch) -> Result<Status, Failure> {
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
        match watch.next(limit) {
            Ok(None) => {}
            Ok(Some(event)) if concerned(&event, &args.prefix).next().is_none() => {}
            Ok(Some(event)) => {
                context.out.event(&event, &args.prefix)?;
                left = left.map(|left| left - 1);
            }
            Err(error) => match error.missed() {
                Some(lagged) => context.out.missed(lagged.missed, lagged.resume_at)?,
                None => return Err(error.into()),
            },
        }
    }
    Ok(Status::Done)
}

fn over(count: Option<u64>, left: Option<u64>) -> String {
    match (count, left) {
        (Some(count), Some(left)) => format!("the time is over after {} of {count} events", count - left),
        _ => "the time is over".into(),
    }
}
