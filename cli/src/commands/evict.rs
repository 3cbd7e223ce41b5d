//! `slate evict`: ends a session by killing its process.

use super::Context;
use crate::{
    args::Evict,
    failure::{Failure, Status},
};
use serde::Serialize;
use slateboard::{Board, Eviction, SessionId};

/// `evict --json`.
#[derive(Serialize)]
struct EvictDoc {
    session: String,
    /// `killed`, or `dead` if its process had ended already.
    done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
}

pub(crate) fn run(context: &Context, args: &Evict) -> Result<Status, Failure> {
    let board = context.board()?;
    let session = named(&board, &args.target)?;
    let numbers = format!("{}.{}", session.index(), session.incarnation());
    let (done, pid) = match board.evict(session, args.timeout)? {
        Some(Eviction::Killed { pid }) => ("killed", Some(pid)),
        Some(Eviction::Dead) => ("dead", None),
        Some(_) => return Err(no_session(&args.target)),
        None => {
            let text = format!(
                "timeout: the process of session {numbers} was killed, but its lock is still held, as by a process that it \
                 made without fork(2); the session is reaped when the lock is released"
            );
            return Err(Failure::new(Status::Timeout, text));
        }
    };
    match (context.globals.quiet, context.globals.json, pid) {
        (true, ..) => {}
        (_, true, _) => context.out.document(&EvictDoc { session: numbers, done, pid })?,
        (_, _, Some(pid)) => {
            context.out.line(format!("killed process {pid}; session {numbers} is reaped"))?
        }
        (_, _, None) => {
            context.out.line(format!("the process of session {numbers} had ended; the session is reaped"))?;
        }
    }
    Ok(Status::Done)
}

/// The session that the argument names: by its numbers, or by a name that no other session has.
fn named(board: &Board, text: &str) -> Result<SessionId, Failure> {
    if let Ok(session) = text.parse() {
        return Ok(session);
    }
    let sessions = board.sessions()?;
    let ids: Vec<SessionId> = sessions
        .iter()
        .filter(|info| info.name == text)
        .map(|info| SessionId::new(info.index, info.incarnation))
        .collect();
    match ids.as_slice() {
        [] => Err(no_session(text)),
        [session] => Ok(*session),
        several => {
            let numbers: Vec<String> = several.iter().map(ToString::to_string).collect();
            let text = format!(
                "several sessions are named {text:?}: {}; name one by its number",
                numbers.join(", ")
            );
            Err(Failure::usage(text))
        }
    }
}

fn no_session(text: &str) -> Failure {
    let text = format!("no such session: {text:?}; `slate sessions` lists the sessions");
    Failure { kind: "no_session", ..Failure::new(Status::NoKey, text) }
}
