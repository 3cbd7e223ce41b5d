//! slateboard
pub mod entry;
pub mod error;
pub mod layout;
pub mod protocol;
#[cfg(slate_search)]
pub mod search;
pub mod sync;
#[cfg(not(any(loom, slate_search)))]
#[allow(unsafe_code, reason = "mapped memory becomes words here, and nowhere else")]
pub mod region;
