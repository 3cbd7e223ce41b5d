//! What the shared words mean. Nothing here reads or writes shared memory.
//!
//! ```text
//!  word 0                                                                            region end
//!  ┌────────┬──────────┬───────┬────────┬─────────┬──────────────┬──────────────┬────────────────┐
//!  │ header │ sessions │ names │ shards │ history │ extent table │ block table  │ data           │
//!  │        │ records  │       │ +groups│ ring    │ class, hint  │ state, gen   │ extents of     │
//!  │        │          │       │ +slots │         │ per extent   │ per granule  │ granules       │
//!  └────────┴──────────┴───────┴────────┴─────────┴──────────────┴──────────────┴────────────────┘
//! ```
//!
//! Every part starts at an offset that [`Geometry`] computes once, with checked arithmetic, from the
//! handful of numbers in the header. Packed words are types with named states ([`words`]); the words of a
//! block and of a session record have names ([`record`], [`session`]). `docs/format.md` has the byte
//! tables; a test keeps them equal to this code.

pub mod class;
mod divisor;
pub mod geometry;
pub mod groups;
pub mod header;
pub mod record;
pub mod session;
pub mod shape;
pub mod words;

pub use class::Classes;
pub use geometry::{Block, Geometry};
pub use groups::Groups;
pub use shape::Shape;
pub use words::{
    ClassWord, DeadlineHint, GenWord, Guard, GuardOp, Head, HeadKind, Overflow, RingWord, SlotHash, State,
    StateKind, Writer,
};

/// The words of one cache line. It is 1 in the models, where false sharing has no cost but every word has.
pub const LINE: usize = if cfg!(any(loom, slate_search)) { 1 } else { 8 };

/// The words of one granule, which is the smallest block: 64 bytes.
pub const GRANULE_WORDS_MIN: usize = 8;
