//! `slate run`: holds a session while a command runs. The `slate` commands inside act for that session.

use super::{Context, DEFAULT_SESSION};
use crate::{
    args::Run,
    failure::Failure,
    wrap::{self, Signals},
};
use slateboard::{Board, ErrorKind, Session, SessionId};
use std::{env, ffi::OsString, process::ExitCode};

/// The session that commands act for.
const SESSION: &str = "SLATE_SESSION";

pub(crate) fn run(context: &Context, args: &Run) -> Result<ExitCode, Failure> {
    // First, so that no signal ends this process without its session.
    let signals = Signals::hold()?;
    let board = context.board()?;
    let session = board.attach(args.name.as_deref().unwrap_or(DEFAULT_SESSION))?;
    let mut variables = vec![(SESSION, session.invite()?.to_string())];
    // The commands inside use the board of their session, wherever they run.
    variables
        .extend(board.path().and_then(|path| path.to_str()).map(|path| ("SLATE_BOARD", path.to_owned())));
    let ended = wrap::run(context, &args.command, &variables, &signals, None)?;
    drop(session);
    Ok(ended.status.into())
}

/// The session that this command acts for, if it runs inside `slate run`.
pub(super) fn host() -> Result<Option<SessionId>, Failure> {
    env::var_os(SESSION).filter(|value| !value.is_empty()).map(|value| parse(&value)).transpose()
}

fn parse(value: &OsString) -> Result<SessionId, Failure> {
    let id = value.to_str().and_then(|text| text.parse().ok());
    // Without its board, the numbers would name a session of whatever board is used.
    id.filter(|id: &SessionId| id.board().is_some()).ok_or_else(|| {
        Failure::usage(format!(
            "{SESSION}={} does not name a session; `slate run` sets it. Unset it to write under a session of your own",
            value.display()
        ))
    })
}

/// A session that acts for the one that `slate run` holds.
pub(super) fn attach_for(board: &Board, host: SessionId) -> Result<Session, Failure> {
    board.attach_for(host).map_err(|error| {
        let is_over = error.kind() == ErrorKind::Fenced;
        let failure = Failure::from(error);
        match is_over {
            true => Failure {
                text: format!(
                    "{SESSION}: {}; or unset {SESSION} to write under a session of your own",
                    failure.text
                ),
                ..failure
            },
            false => failure,
        }
    })
}
