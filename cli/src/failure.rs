//! How a command ends: exit statuses, and failures with the words that go with them.

use slateboard::{Entry, Error, ErrorKind};
use std::{
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
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::InvalidKey | ErrorKind::InvalidArgument => Self::Usage,
            _ => Self::Failed,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// What happened, to what, what to do next. Empty: nothing to say.
    pub(crate) text: String,
    /// On a conflict, the entry that stands there (`None`: the key is absent).
    pub(crate) conflict: Option<Option<Box<Entry>>>,
}

impl Failure {
    pub(crate) fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), conflict: None }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::new(Status::Failed, text)
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Status::Usage, text)
    }

    pub(crate) fn no_key(key: &str) -> Self {
        Self::new(Status::NoKey, format!("no such key: {key:?}; `slate ls` shows what is there"))
    }

    /// An operating system's error, with what was being done to what.
    pub(crate) fn io(doing: impl Display, error: &io::Error) -> Self {
        let Some(number) = error.raw_os_error() else { return Self::failed(format!("{doing}: {error}")) };
        // The library's error names the limit of the process that was met, where that is the reason.
        let named = Self::from(Error::io(doing.to_string(), io::Error::from_raw_os_error(number)));
        Self { status: Status::Failed, ..named }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            // A refused file's reason is the error's own text.
            let reason = source.to_string();
            if !text.contains(&reason) {
                text = format!("{text}: {reason}");
            }
            cause = source.source();
        }
        let conflict = (error.kind() == ErrorKind::Conflict).then(|| error.current().cloned().map(Box::new));
        Self { status: Status::of(error.kind()), text, conflict }
    }
}

/// Only writing to standard output comes here; everything else says what it was doing.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // Whoever read our output has seen enough.
            return Self::new(Status::Done, "");
        }
        Self::io("writing to standard output", &error)
    }
}

/// Words on standard error. When even that is closed there is nobody left to tell.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints help, a version or a usage error, and gives the status that belongs to it.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Status::Usage } else { Status::Done })
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
            (ErrorKind::Timeout, 124),
            (ErrorKind::InvalidKey, 2),
            (ErrorKind::Io, 1),
        ] {
            assert_eq!(Status::of(kind) as u8, status, "{kind:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.status, failure.text.as_str()), (Status::Done, ""));
    }
}
