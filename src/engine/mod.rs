//! What a board is and how parties use it, without `unsafe`, without I/O and without a clock.
//!
//! - [`sync`]: the one façade for atomics.
//! - [`layout`]: what the words mean.
//! - [`protocol`]: how parties use the words.

pub mod layout;
pub mod protocol;
pub mod sync;
