//! slateboard
#[cfg(not(any(loom, slate_search)))]
mod board;
pub mod codec;
pub mod entry;
pub mod error;
pub mod layout;
pub mod protocol;
#[cfg(not(any(loom, slate_search)))]
#[allow(unsafe_code, reason = "mapped memory becomes words here, and nowhere else")]
pub mod region;
pub mod sync;

#[cfg(not(any(loom, slate_search)))]
pub use board::{
    Board, Counters, Event, Events, Expect, Key, Lease, Liveness, Meta, Metrics, Mutation, MutationKind,
    Options, Previous, PutOptions, Reader, Receipt, Retry, Session, SessionInfo, Verify, View, Wait, Watch,
};
pub use entry::{Entry, WriterInfo};
pub use error::{Error, ErrorKind, Lagged, Result};
