//! slateboard
pub mod layout;
pub mod sync;
