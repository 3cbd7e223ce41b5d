//! `slate lock`: runs a command while it holds a lease.

use super::Context;
use crate::{
    args::Lock,
    failure::{Failure, Status},
    wrap::{self, Signals},
};
use slateboard::{ErrorKind, Session};
use std::process::ExitCode;

/// The lease's fencing token, for the command.
const FENCE: &str = "SLATE_FENCE";

pub(crate) fn run(context: &Context, args: &Lock) -> Result<ExitCode, Failure> {
    // First, so that no signal ends this process between two of the steps below.
    let signals = Signals::hold()?;
    let session = context.session()?;
    let key = session.reader().claim_key(&args.key)?;
    let lease = session.lease(&key, args.ttl).map_err(|error| held(error, &session))?;
    let fence = [(FENCE, lease.token().to_string())];
    let ended = wrap::run(context, &args.command, &fence, &signals, Some(&|| lease.is_held()))?;
    // The command may have ended by itself before the loss was seen.
    if ended.was_stopped || !lease.is_held() {
        return Err(lost(&session, &key, ended));
    }
    if let Err(error) = lease.release() {
        context.out.remark(format_args!("slate: {}", Failure::from(error).text));
    }
    Ok(ended.status.into())
}

/// Why the lease is not to be had. If this session itself has it, the error says so.
pub(super) fn held(error: slateboard::Error, session: &Session) -> Failure {
    let own = session.host().unwrap_or_else(|| session.id());
    let bound = error.current().and_then(|entry| entry.ephemeral.as_ref());
    let is_own =
        bound.is_some_and(|bound| (bound.session, bound.incarnation) == (own.index(), own.incarnation()));
    let failure = Failure::from(error);
    match failure.status {
        Status::Held if is_own => Failure {
            text: format!("{} (it is the session of this command itself)", failure.text),
            ..failure
        },
        _ => failure,
    }
}

fn lost(session: &Session, key: &str, ended: wrap::Ended) -> Failure {
    let how = if ended.was_stopped { "was sent SIGTERM, and " } else { "" };
    let text = format!(
        "the lease on key {key:?} was lost while the command ran: it was taken by force, or not renewed in time, or its \
         session was ended. The command {how}ended with status {}; check what it did, and run it again",
        ended.status
    );
    let mut failure = Failure::of_key(ErrorKind::Held, key, text);
    failure.about.current = session.get(key).ok();
    failure
}
