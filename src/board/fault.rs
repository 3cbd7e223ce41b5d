//! The protocol's faults, in words.

use crate::{
    error::{Error, ErrorKind},
    protocol::{Core, Fault, Full},
};

/// As [`error`], of a call on this board: says what holds the room of one that is full.
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
        "{full}: of {} KiB, values hold {}, the history {}, sessions at hand {}, the reserve for removals {}, and {} \
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

pub(super) fn error(fault: Fault) -> Error {
    match fault {
        Fault::Corrupt(what) => Error::new(ErrorKind::Corrupt, format!("{what} cannot be as it is"))
            .hint("the board is damaged there, or another program writes to it"),
        Fault::Contended => {
            Error::new(ErrorKind::Contended, "others changed the same words at every attempt")
                .hint("try again")
        }
        Fault::Full(Full::Blocks) => {
            Error::new(ErrorKind::Full, "no block of this size is free, and the history holds none")
                .hint("remove keys, or make the board with a larger capacity")
        }
        Fault::Full(Full::Pinned) => {
            Error::new(ErrorKind::Full, "no block of this size is free, and stopped sessions hold some")
                .hint("continue or end the stopped sessions, or remove keys")
        }
        Fault::Full(Full::Slots) => Error::new(ErrorKind::Full, "there is no slot for another key")
            .hint("remove keys, or make the board for more keys"),
        Fault::Full(Full::Names) => Error::new(
            ErrorKind::Full,
            "the board has room for no further name: living sessions, values or the history refer to all it has",
        )
        .hint("attach under a name that is in use, remove keys of sessions that ended, or make a larger board"),
        Fault::Unreserved => Error::new(ErrorKind::Full, "no more pages are reserved").hint("try again"),
        Fault::Moved => {
            Error::new(ErrorKind::Moved, "the board lives in another region now").hint("open it again")
        }
        Fault::Lagged => Error::new(ErrorKind::Lagged, "the generation has left the history")
            .hint("read the present, and go on from its generation"),
        Fault::Future => Error::new(ErrorKind::Future, "the generation has not happened yet"),
        Fault::Fenced => {
            Error::new(ErrorKind::Fenced, "this session was ended by others").hint("attach again")
        }
    }
}
