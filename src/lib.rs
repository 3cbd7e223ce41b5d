//! slateboard
pub mod entry;
pub mod error;
pub mod layout;
pub mod protocol;
pub mod sync;
