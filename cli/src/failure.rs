//! How a command ends: exit statuses, and failures with their messages.

use crate::print::Output;
use slateboard::{Entry, Error, ErrorKind, Lagged};
use std::{
    env,
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

/// Exit statuses, as documented in `slate --help`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Status {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NoKey = 3,
    Conflict = 4,
    Held = 5,
    Full = 6,
    Corrupt = 7,
    NoBoard = 9,
    Attention = 10,
    Timeout = 124,
    /// The command that `lock` or `run` was given cannot be run.
    CannotRun = 126,
    /// There is no such command.
    NoCommand = 127,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

impl Status {
    fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Held => Self::Held,
            ErrorKind::Full => Self::Full,
            ErrorKind::Corrupt | ErrorKind::Incompatible | ErrorKind::Refused => Self::Corrupt,
            ErrorKind::NotFound | ErrorKind::Moved => Self::NoBoard,
            ErrorKind::InvalidKey | ErrorKind::InvalidArgument | ErrorKind::ValueTooLarge => Self::Usage,
            _ => Self::Failed,
        }
    }

    /// The default kind of a failure with this status.
    fn kind(self) -> &'static str {
        match self {
            Self::Done | Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NoKey => "no_key",
            Self::Conflict => ErrorKind::Conflict.name(),
            Self::Held => ErrorKind::Held.name(),
            Self::Full => ErrorKind::Full.name(),
            Self::Corrupt => ErrorKind::Corrupt.name(),
            Self::NoBoard => ErrorKind::NotFound.name(),
            Self::Attention => "attention",
            Self::Timeout => "timeout",
            Self::CannotRun => "cannot_run",
            Self::NoCommand => "no_command",
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// What happened, to what, and what to do next. Empty if nothing is to be printed.
    pub(crate) text: String,
    /// A stable name for programs: the name of an [`ErrorKind`], or a name of this program's own.
    pub(crate) kind: &'static str,
    pub(crate) about: Box<About>,
}

/// What a failure concerns, as far as it is known.
#[derive(Default, Debug)]
pub(crate) struct About {
    /// The key concerned.
    pub(crate) key: Option<String>,
    /// The file concerned.
    pub(crate) path: Option<String>,
    /// How far the reader fell behind.
    pub(crate) lagged: Option<Lagged>,
    /// On a conflict, the current entry of the key (`None` inside: the key is absent).
    pub(crate) current: Option<Option<Entry>>,
}

impl Failure {
    pub(crate) fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), kind: status.kind(), about: Box::default() }
    }

    /// Adds the key concerned.
    pub(crate) fn on_key(mut self, key: &str) -> Self {
        self.about.key = Some(key.into());
        self
    }

    /// A failure with a kind of the library that concerns a key.
    pub(crate) fn of_key(kind: ErrorKind, key: &str, text: impl Into<String>) -> Self {
        Self { kind: kind.name(), ..Self::new(Status::of(kind), text).on_key(key) }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::new(Status::Failed, text)
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Status::Usage, text)
    }

    pub(crate) fn no_key(key: &str) -> Self {
        let text = format!("no such key: {key:?}; `slate ls` lists the keys");
        Self::new(Status::NoKey, text).on_key(key)
    }

    /// An error of the operating system. `what` says which action failed on what, as in "cannot read FILE".
    pub(crate) fn io(what: impl Display, error: &io::Error) -> Self {
        let Some(number) = error.raw_os_error() else {
            return Self { kind: ErrorKind::Io.name(), ..Self::failed(format!("{what}: {error}")) };
        };
        // If a limit of the process is the cause, the library's error names it.
        let named = Self::from(Error::from(io::Error::from_raw_os_error(number)));
        Self { status: Status::Failed, text: format!("{what}: {}", named.text), ..named }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            // The text of a refused file's error already contains the reason.
            let reason = source.to_string();
            if !text.contains(&reason) {
                text = format!("{text}: {reason}");
            }
            cause = source.source();
        }
        let kind = error.kind();
        let met_another = matches!(kind, ErrorKind::Conflict | ErrorKind::Held | ErrorKind::RetriesExhausted);
        let about = About {
            key: error.key().map(str::to_owned),
            path: error.path().map(|path| path.display().to_string()),
            lagged: error.missed(),
            current: met_another.then(|| error.current().cloned()),
        };
        Self { kind: kind.name(), about: Box::new(about), ..Self::new(Status::of(kind), text) }
    }
}

/// For writes to standard output only; every other caller uses [`Failure::io`] and says what failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // The reader of the output has closed it, as `head` does: that is not a failure.
            return Self::new(Status::Done, "");
        }
        Self::io("cannot write to standard output", &error)
    }
}

/// Prints a message on standard error. If that is closed too, the message is dropped.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints help, the version or a usage error, and returns the exit status for it.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if !error.use_stderr() {
        return Status::Done.into();
    }
    // The arguments could not be parsed, so `--json` is searched for in the raw arguments.
    let json =
        env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if json {
        let failure = Failure::usage(words_of(&error.render().to_string()));
        // If standard output is closed as well, the exit status still reports the failure.
        let _ = Output::new(true, false).failure(&failure);
    }
    Status::Usage.into()
}

/// The message of a rendered usage error, without the usage summary that follows it.
fn words_of(rendered: &str) -> String {
    let said = rendered.split("\n\nUsage:").next().unwrap_or(rendered);
    let lines = said.strip_prefix("error: ").unwrap_or(said).lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_documented_statuses() {
        for (kind, status) in [
            (ErrorKind::Conflict, 4),
            (ErrorKind::Held, 5),
            (ErrorKind::Full, 6),
            (ErrorKind::Corrupt, 7),
            (ErrorKind::Refused, 7),
            (ErrorKind::NotFound, 9),
            (ErrorKind::Moved, 9),
            (ErrorKind::InvalidKey, 2),
            (ErrorKind::ValueTooLarge, 2),
            (ErrorKind::Io, 1),
        ] {
            assert_eq!(Status::of(kind) as u8, status, "{kind:?}");
        }
    }

    #[test]
    fn a_usage_error_is_told_without_the_summary() {
        let rendered =
            "error: the following arguments were not provided:\n  <KEY>\n\nUsage: slate get <KEY>\n";
        assert_eq!(words_of(rendered), "the following arguments were not provided: <KEY>");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.status, failure.text.as_str()), (Status::Done, ""));
    }
}
