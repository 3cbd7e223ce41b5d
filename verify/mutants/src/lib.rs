//! The ways to break slateboard on purpose, the checks that must find each, and what runs those checks.

pub mod access;
pub mod program;
pub mod score;
pub mod source;
pub mod table;
pub mod together;
pub mod tree;
