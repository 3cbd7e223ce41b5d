//! What the programs that break the code on purpose share.

pub mod tree;
