//! What the programs that break the code on purpose share.

#[path = "runner/tree.rs"]
pub mod tree;
