//! The commands. Each one gets the [`Context`] and its own arguments.

mod claim;
mod completions;
mod diff;
mod evict;
mod get;
mod get_many;
mod init;
mod input;
mod list;
mod lock;
mod log;
mod man;
mod many;
mod put;
mod put_many;
mod remove;
mod run;
mod sessions;
mod status;
mod touch;
mod update;
mod wait;
mod watch;
mod watch_run;
mod r#where;

use crate::{
    args::{Cli, Command, Globals},
    demo,
    failure::{Failure, Status, say},
    locate::{self, Located, Surroundings},
    print::Output,
    wrap,
};
use slateboard::{Board, Reader, Session, SessionId};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Default session name. It is the same for all processes, because the board has a limited table of names.
const DEFAULT_SESSION: &str = "slate";

/// The global options and the output of a command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) out: Output,
}

/// Runs the command, reports a failure, and returns the exit status.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let context = Context { out: Output::new(cli.globals.json, cli.globals.quiet), globals: cli.globals };
    dispatch(&context, cli.command).unwrap_or_else(|failure| context.report(&failure).into())
}

fn dispatch(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    if context.globals.session.is_some() && !command.takes_session() {
        return Err(Failure::usage(
            "--session does not apply to this command; leave it out. It is for put, update, touch, rm, lock, claim, \
             release, watch and log",
        ));
    }
    let ended = match command {
        // These end with the status of the command that they run.
        Command::Lock(args) => return lock::run(context, &args),
        Command::Run(args) => return run::run(context, &args),
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
        Command::Diff(args) => diff::run(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::Sessions(_) => sessions::run(context),
        Command::Claim(args) => claim::run(context, &args),
        Command::Release(args) => claim::release(context, &args),
        Command::Evict(args) => evict::run(context, &args),
        Command::Demo(args) => demo::run(context, &args),
        Command::Completions(args) => completions::run(context, &args),
        Command::Man(args) => man::run(context, &args),
        Command::DemoAgent(args) => demo::agent(&args),
        Command::DemoSweep(args) => demo::sweep(&args),
        Command::Exec(args) => Err(wrap::become_command(&args)),
    };
    ended.map(ExitCode::from)
}

impl Context {
    /// The board to use, and how it was found.
    pub(crate) fn locate(&self) -> Result<Located, Failure> {
        locate::find(&self.surroundings()?)
    }

    pub(crate) fn surroundings(&self) -> Result<Surroundings, Failure> {
        Surroundings::of_this_process(self.globals.board.clone())
    }

    /// For commands that only read: a read-only mapping of the board.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Board::options().open_read_only(self.locate()?.region)?)
    }

    /// For commands that write, before they attach a session.
    pub(crate) fn board(&self) -> Result<Board, Failure> {
        Ok(Board::open(self.locate()?.region)?)
    }

    /// For commands that write: a session that ends with the command. Inside `slate run` it acts for the session of that
    /// command, unless another name is given.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        self.attach(&self.board()?)
    }

    pub(crate) fn attach(&self, board: &Board) -> Result<Session, Failure> {
        match (self.globals.session.as_deref(), self.host()?) {
            (Some(name), _) => Ok(board.attach(name)?),
            (None, Some(host)) => run::attach_for(board, host),
            (None, None) => Ok(board.attach(DEFAULT_SESSION)?),
        }
    }

    /// The session of `slate run` that this command acts for.
    pub(crate) fn host(&self) -> Result<Option<SessionId>, Failure> {
        if self.globals.session.is_some() { Ok(None) } else { run::host() }
    }

    /// Reports a failure on standard error and, with `--json`, as a document on standard output, even within a stream.
    pub(crate) fn report(&self, failure: &Failure) -> Status {
        if !failure.text.is_empty() {
            // If standard output is closed as well, the exit status still reports the failure.
            let _ = self.out.failure(failure);
            say(format_args!("slate: {}", failure.text));
        }
        failure.status
    }
}

/// An optional time limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// The longest time of one blocking call if there is no limit.
    const SLICE: Duration = Duration::from_secs(60);

    pub(crate) fn after(limit: Option<Duration>) -> Self {
        // A limit that overflows the clock is the same as no limit.
        Self(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// The timeout of the next blocking call; `None` if the time limit has passed.
    pub(crate) fn next_wait(&self) -> Option<Duration> {
        let Some(end) = self.0 else { return Some(Self::SLICE) };
        let left = end.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left.min(Self::SLICE))
    }
}
