//! The protocol's faults, in words.

use crate::{
    error::{Error, ErrorKind},
    protocol::{Fault, Full},
};

pub(super) fn error(fault: Fault) -> Error {
    match fault {
        Fault::Corrupt(what) => Error::new(ErrorKind::Corrupt, format!("{what} cannot be as it is"))
            .next("the board is damaged there, or another program writes to it"),
        Fault::Contended => {
            Error::new(ErrorKind::Contended, "others changed the same words at every attempt")
                .next("try again")
        }
        Fault::Full(Full::Blocks) => {
            Error::new(ErrorKind::Full, "no block of this size is free, and the history is at its least")
                .next("remove keys, or make the board with a larger capacity")
        }
        Fault::Full(Full::Pinned) => {
            Error::new(ErrorKind::Full, "no block of this size is free, and stopped sessions hold some")
                .next("continue or end the stopped sessions, or remove keys")
        }
        Fault::Full(Full::Slots) => Error::new(ErrorKind::Full, "there is no slot for another key")
            .next("remove keys, or make the board for more keys"),
        Fault::Full(Full::Names) => Error::new(
            ErrorKind::Full,
            "the board has room for no further name: living sessions, values or the history refer to all it has",
        )
        .next("attach under a name that is in use, remove keys of sessions that ended, or make a larger board"),
        Fault::Unreserved => Error::new(ErrorKind::Full, "no more pages are reserved").next("try again"),
        Fault::Moved => {
            Error::new(ErrorKind::Moved, "the board lives in another region now").next("open it again")
        }
        Fault::Lagged => Error::new(ErrorKind::Lagged, "the generation has left the history")
            .next("read the present, and go on from its generation"),
        Fault::Future => Error::new(ErrorKind::Future, "the generation has not happened yet"),
        Fault::Fenced => {
            Error::new(ErrorKind::Fenced, "this session was ended by others").next("attach again")
        }
    }
}
