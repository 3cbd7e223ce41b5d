//! The protocol's faults, as errors.

use crate::{
    error::{Error, ErrorKind},
    protocol::{Core, Fault, Full},
};

/// As [`error`], of a call on this board: a board that is full says what holds its room.
pub(super) fn error_on(core: &Core<'_>, fault: Fault) -> Error {
    let (full, next) = match fault {
        Fault::Full(Full::Blocks) => {
            ("no block of this size is free", "remove keys, or make the board with a larger capacity")
        }
        Fault::Full(Full::Pinned) => (
            "no block of this size is free, and stopped sessions hold some",
            "continue or end the stopped sessions, or remove keys",
        ),
        other => return error(other),
    };
    let usage = core.usage();
    let kib = |granules: u64| (granules * core.geometry().granule_words() as u64).div_ceil(128);
    let text = format!(
        "{full}: of {} KiB, values hold {}, the history {}, blocks at hand of sessions {}, the reserve for removals {}, and {} \
         are free in smaller pieces",
        core.geometry().shape().capacity >> 10,
        kib(usage.live),
        kib(usage.history),
        kib(usage.private),
        kib(usage.reserve),
        kib(usage.free),
    );
    Error::new(ErrorKind::Full, text).hint(next)
}

/// What happened, and what to do next.
pub(super) fn error(fault: Fault) -> Error {
    let (kind, text, next) = match fault {
        Fault::Corrupt(what) => {
            let text = format!("the board is corrupt: {what} is invalid");
            let next = "put the key again if the damage is in its record; otherwise make a new board";
            return Error::new(ErrorKind::Corrupt, text).hint(next);
        }
        Fault::Contended => {
            (ErrorKind::Contended, "other writers changed the same words at every attempt", "try again")
        }
        Fault::Full(Full::Blocks) => (
            ErrorKind::Full,
            "no block of this size is free, and the history holds none",
            "remove keys, or make the board with a larger capacity",
        ),
        Fault::Full(Full::Pinned) => (
            ErrorKind::Full,
            "no block of this size is free, and stopped sessions hold some",
            "continue or end the stopped sessions, or remove keys",
        ),
        Fault::Full(Full::Slots) => (
            ErrorKind::Full,
            "there is no slot for another key",
            "remove keys, or make the board for more keys",
        ),
        Fault::Full(Full::Names) => (
            ErrorKind::Full,
            "the table of session names is full: each name is in use by a session, a value or the history",
            "attach under a name that is in use, remove keys of sessions that ended, or make a larger board",
        ),
        Fault::Unreserved => (ErrorKind::Full, "no more pages are reserved", "try again"),
        Fault::Moved => (ErrorKind::Moved, "the board lives in another region now", "open the board again"),
        Fault::Lagged => (
            ErrorKind::Lagged,
            "the generation has left the history",
            "read the present, and go on from its generation",
        ),
        Fault::Future => (
            ErrorKind::Future,
            "the generation has not happened yet",
            "ask for a generation that the board has reached",
        ),
        Fault::Fenced => (ErrorKind::Fenced, "another process ended this session", "attach again"),
    };
    Error::new(kind, text).hint(next)
}
