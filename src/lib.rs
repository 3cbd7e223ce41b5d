//! slateboard
pub mod entry;
pub mod error;
pub mod layout;
pub mod sync;
