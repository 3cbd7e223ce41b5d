//! slateboard
#[cfg(not(any(loom, slate_search)))]
mod board;
pub mod codec;
pub mod entry;
pub mod error;

// The engine is public to the models, and to whoever asks for it by a feature that promises nothing.
#[cfg(any(loom, slate_search, feature = "internals"))]
pub mod layout;
#[cfg(not(any(loom, slate_search, feature = "internals")))]
mod layout;
#[cfg(any(loom, slate_search, feature = "internals"))]
pub mod protocol;
#[cfg(not(any(loom, slate_search, feature = "internals")))]
mod protocol;
#[cfg(slate_search)]
pub mod search;
#[cfg(any(loom, slate_search, feature = "internals"))]
pub mod sync;
#[cfg(not(any(loom, slate_search, feature = "internals")))]
mod sync;

#[cfg(all(feature = "internals", not(any(loom, slate_search))))]
#[allow(unsafe_code, reason = "mapped memory becomes words here, and nowhere else")]
pub mod region;
#[cfg(not(any(loom, slate_search, feature = "internals")))]
#[allow(unsafe_code, reason = "mapped memory becomes words here, and nowhere else")]
mod region;

#[cfg(not(any(loom, slate_search)))]
pub use board::{
    Board, Counters, Event, Events, Expect, Key, Lease, Liveness, Meta, Metrics, Mutation, MutationKind,
    Options, Previous, PutOptions, Reader, Receipt, Retry, Session, SessionInfo, Verify, View, Wait, Watch,
};
pub use entry::{Entry, WriterInfo};
pub use error::{Error, ErrorKind, Lagged, Result};
