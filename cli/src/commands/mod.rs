//! The commands: each gets the [`Context`] and its own arguments.

mod get;
mod init;
mod input;
mod list;
mod log;
mod put;
mod remove;
mod sessions;
mod status;
mod touch;
mod update;
mod wait;
mod watch;
mod r#where;

use crate::{
    args::{Cli, Command, Globals},
    demo,
    failure::{Failure, Status, say},
    locate::{self, Located, Surroundings},
    print::Output,
};
use slateboard::{Board, Reader, Session};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Name of a session that was given none. One for all, because names are remembered by the board.
const DEFAULT_SESSION: &str = "slate";

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) out: Output,
}

/// Runs the command and turns its end into words and an exit status.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let context = Context { out: Output::new(cli.globals.json, cli.globals.quiet), globals: cli.globals };
    let ended = dispatch(&context, cli.command).unwrap_or_else(|failure| context.report(&failure));
    ExitCode::from(ended)
}

fn dispatch(context: &Context, command: Command) -> Result<Status, Failure> {
    if context.globals.session.is_some() && !command.takes_session() {
        return Err(Failure::usage(
            "--session: this command writes nothing and shows everybody's entries; leave the name out",
        ));
    }
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Where(_) => r#where::run(context),
        Command::Put(args) => put::run(context, &args),
        Command::Get(args) => get::run(context, &args),
        Command::Update(args) => update::run(context, &args),
        Command::Touch(args) => touch::run(context, &args),
        Command::Rm(args) => remove::run(context, &args),
        Command::Ls(args) => list::run(context, &args),
        Command::Watch(args) => watch::run(context, &args),
        Command::Wait(args) => wait::run(context, &args),
        Command::Log(args) => log::run(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::Sessions(_) => sessions::run(context),
        Command::Demo(args) => demo::run(context, &args),
        Command::DemoAgent(args) => demo::agent(&args),
        Command::DemoSweep(args) => demo::sweep(&args),
    }
}

impl Context {
    /// The board that is meant, and how it was found.
    pub(crate) fn locate(&self) -> Result<Located, Failure> {
        locate::find(&self.surroundings()?)
    }

    pub(crate) fn surroundings(&self) -> Result<Surroundings, Failure> {
        Surroundings::of_this_process(self.globals.board.clone())
    }

    /// For what only reads: a read-only mapping.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Board::options().open_read_only(self.locate()?.region)?)
    }

    /// For what writes, before it has anything to write.
    pub(crate) fn board(&self) -> Result<Board, Failure> {
        Ok(Board::open(self.locate()?.region)?)
    }

    /// For what writes: a session for the time of this command.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        self.attach(&self.board()?)
    }

    pub(crate) fn attach(&self, board: &Board) -> Result<Session, Failure> {
        let name = self.globals.session.as_deref().unwrap_or(DEFAULT_SESSION);
        Ok(board.attach(name)?)
    }

    /// Words on standard error and, for programs, a document on standard output: also in the midst of a stream.
    pub(crate) fn report(&self, failure: &Failure) -> Status {
        if !failure.text.is_empty() {
            // When the output is closed as well, the status still tells.
            let _ = self.out.failure(failure);
            say(format_args!("slate: {}", failure.text));
        }
        failure.status
    }
}

/// A time limit that may be absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// How long one blocking call may take when there is no limit.
    const SLICE: Duration = Duration::from_secs(60);

    pub(crate) fn after(limit: Option<Duration>) -> Self {
        // A limit beyond what the clock can count is none.
        Self(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// For the next blocking call; none when the time is over.
    pub(crate) fn next_wait(&self) -> Option<Duration> {
        let Some(end) = self.0 else { return Some(Self::SLICE) };
        let left = end.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left.min(Self::SLICE))
    }
}
