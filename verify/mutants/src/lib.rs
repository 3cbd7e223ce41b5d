//! The ways to break slateboard on purpose, and what the programs that do it share.

pub mod table;
pub mod tree;
