//! How a board works inside: chapters for those who read the code, or who write another program that reads
//! boards.

#[doc = include_str!("../docs/format.md")]
pub mod format {}

#[doc = include_str!("../ARCHITECTURE.md")]
pub mod architecture {}

/// # Memory orderings
///
/// Every shared word is a 64-bit atomic, and every access is of a whole word, so nothing here is a data race.
/// Bulk bytes are copied word by word, relaxed, and believed only after a proof.
///
/// **Publishing.** A record is filled with relaxed stores and published by one compare-and-swap of the slot's head
/// with release; whoever loads the head with acquire sees the record. The ring word, the generation word and
/// the generation counter follow, each with release: who reads a counter sees every event up to it. The
/// counters are only ever changed by read-modify-write, so each change carries on what the one before it
/// released.
///
/// **Proving a copy.** A reader loads the head with acquire, copies relaxed, fences with acquire, and loads the
/// head again. A writer that reuses the block claims it first and fences with release before its first store. So
/// a copy that contains one word of the block's next life has seen that claim, and then sees that the head, or
/// the floor, has moved: the copy is thrown away. Only after that are lengths and checksum judged.
///
/// **Giving back.** A block becomes free with release and is claimed with acquire: the last life's accesses are over
/// before the next begin. A block is freed only when the floor has passed the event that superseded it, and the
/// floor is raised with acquire and release.
///
/// **Sleeping.** A sleeper sets its flag, fences, reads the counter again; a writer raises the counter, fences,
/// reads the flag. Both fences are `SeqCst`, so at least one of the two sees the other.
///
/// **Read-only memory.** Only relaxed loads are promised to be plain loads there, so a reader's acquire load is a
/// relaxed load followed by an acquire fence.
///
/// The table at the head of `src/engine/protocol/mod.rs` pairs every release with its acquire, P1 to P12, and every use of
/// an ordering names its pair or says what it carries.
pub mod orderings {}
