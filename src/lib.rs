//! Shared context for many processes on one machine: versioned keys, compare-and-swap, one totally ordered
//! history, watches that resume where they stood, leases. No daemon, and no lock that a dead process could
//! keep.
//!
//! A *board* is one file that many processes map. Open it with [`Board`], attach a [`Session`] to write,
//! open it with [`Board::read_only`] to read through a mapping that cannot be written to.
//!
//! ```
//! use slateboard::{Board, Expect};
//!
//! # fn main() -> slateboard::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("board");
//! let board = Board::open_or_create(&path)?;
//! let session = board.attach("planner")?;
//!
//! // Everybody sees a put, and can tell whether somebody was there before them.
//! let open = session.put("task/42", "open")?;
//! let mine = session.put_if("task/42", "mine", Expect::Version(open.version))?;
//! let late = session.put_if("task/42", "also mine", Expect::Version(open.version)).unwrap_err();
//! assert!(late.is_conflict());
//! assert_eq!(late.current().map(|entry| entry.version), Some(mine.version));
//!
//! // Read, compute, compare-and-swap, again where another was faster: no update is lost.
//! session.update("team/done", |old| {
//!     let count: u64 = old.and_then(|entry| entry.text()?.parse().ok()).unwrap_or(0);
//!     (count + 1).to_string()
//! })?;
//!
//! // The history has every change, with what it replaced.
//! let events: Vec<_> = board.reader().events(0).collect::<Result<_, _>>()?;
//! assert_eq!(events.len() as u64, board.generation());
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - **One order.** Every change has one generation, 1, 2, 3 …; a key's versions and generations rise together. When
//!   a call returns its generation, everybody who reads that generation or a newer one sees the change. What a read
//!   told is in the same reader's generation, views, lists and events (G1).
//! - **No lost update.** Compare-and-swap and [`Session::update`] succeed only on the version they read (G2).
//! - **Whole values.** A read returns bytes that one write wrote, with their version, generation and writer (G3).
//! - **Lock-free.** No stopped or killed process, at any instruction, keeps another from finishing (G4).
//! - **Reads never write.** They work on a read-only mapping, and need at most two passes unless the whole
//!   history laps during one copy (G5, G6).
//! - **Dense history.** Every event between [`Board::floor`] and [`Board::generation`] can be read; who fell
//!   behind is told exactly how many events were missed, and where to go on (G7). Any generation that the
//!   history holds can be read as a [`View`] of the whole board (G8).
//! - **Death loses nothing acknowledged.** What a killed process was doing happened with its event, or not at
//!   all (G9). Only the kernel says who is dead, never a missed heartbeat.
//! - **Damage is contained.** It is never returned as data, and hurts the damaged key only. Lists name it, and
//!   [`List::whole`] tells the others. Repair is not there yet (G10).
//! - **Bounded.** The region never grows, whatever came and went (G12).
//! - **Any content.** Whatever bytes another process puts into the region, no call panics, hangs or reads out
//!   of bounds (G13).
//!
//! Not there yet: a board that survives power loss or reboot (G11). A board lives in memory, on tmpfs or in a
//! file that the kernel may write back in any order; it survives the death of every process that used it.
//! Never promised: truth from a malicious writer, and progress of a process that is itself stopped.
//!
//! # Processes that fork
//!
//! A handle that was made before a `fork(2)` answers [`ErrorKind::Forked`] in the child, and its drop there does nothing:
//! the child opens the board and attaches anew. It may do so at any moment, whatever the threads of its parent were doing
//! at the fork: starting, ending, or holding any lock of this crate or of the standard library. No call here waits for a
//! lock that a thread of the parent can have held, and the end of a session waits at most two seconds for its own thread.
//!
//! What the child does besides is for the program to know. The standard library's own `thread::spawn`, for one, takes locks
//! of the whole process at a thread's start and end: a child of a process that starts threads at the moment of a fork may
//! wait in it for ever. An allocator must be usable in a child, as glibc's is. A child that is made without `fork(2)`'s handlers
//! (`vfork`, a bare `clone`) must not use this crate before it runs another program.
//!
//! # When not
//!
//! Several machines, more data than memory, other systems than Linux on x86-64 and aarch64, participants that
//! do not trust each other.
//!
//! # Limits
//!
//! | what | limit | unless set |
//! | --- | --- | --- |
//! | key | 1 to 1,024 bytes of UTF-8 | |
//! | value | the smaller of 16 MiB and an eighth of the capacity | |
//! | capacity | 1 MiB to 16 GiB | 64 MiB |
//! | keys | 1 to 4,194,304 | 65,536 |
//! | events of history | 64 to 4,194,304, and a quarter of the capacity | 16,384 |
//! | sessions at once | 1 to 4,096 | 64 |
//!
//! # Features
//!
//! - `bincode`: the codec of that name, for data that exists already. The crate behind it is no longer maintained.
//! - `stream`: [`Watch`] as a `futures_core::Stream`, for any executor. It brings in `futures-core` alone.
//! - `internals`: the layout, the protocol and the region as public modules, for models, fuzzing and tools
//!   that check boards. **Unstable**: anything in them may change in any release.
//!
//! [`guide`] has the chapters on the bytes of a board, on who may import whom, and on memory orderings.

#![cfg_attr(
    not(any(loom, slate_search, feature = "internals")),
    warn(missing_debug_implementations, unnameable_types)
)]

#[cfg(not(any(loom, slate_search)))]
mod board;
#[cfg(not(any(loom, slate_search)))]
pub mod codec;
#[cfg(not(any(loom, slate_search)))]
mod entry;
#[cfg(not(any(loom, slate_search)))]
mod error;
#[cfg(not(any(loom, slate_search)))]
pub mod guide;
#[cfg(not(any(loom, slate_search)))]
mod uuid;

mod engine;
// The engine is public to the models, and to whoever asks for it by a feature that promises nothing.
#[cfg(any(loom, slate_search, feature = "internals"))]
pub use engine::{layout, protocol, sync};
#[cfg(not(any(loom, slate_search, feature = "internals")))]
use engine::{layout, protocol, sync};

#[cfg(all(feature = "internals", not(any(loom, slate_search))))]
#[allow(unsafe_code, reason = "mapped memory becomes words here, and nowhere else")]
pub mod region;
#[cfg(not(any(loom, slate_search, feature = "internals")))]
#[allow(unsafe_code, reason = "mapped memory becomes words here, and nowhere else")]
mod region;

#[cfg(feature = "stream")]
#[cfg(not(any(loom, slate_search)))]
pub use board::WatchStream;
#[cfg(not(any(loom, slate_search)))]
pub use board::{
    Board, Counters, Damage, Event, Events, Expect, KeyHandle, Lease, List, Listing, Liveness, Meta, Metrics,
    Mutation, MutationKind, Newer, Options, PollableWatch, Previous, PutOptions, Reader, Receipt,
    Replacement, Retry, Session, SessionInfo, Soundness, Sum, Verify, View, Wait, Watch,
};
#[cfg(not(any(loom, slate_search)))]
pub use {
    codec::CodecId,
    entry::{Deadline, Entry, WriterInfo},
    error::{Error, ErrorKind, Lagged, Result},
    uuid::Uuid,
};

/// The example of the front page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// Which of the public types other threads may have, and share. A type that loses this here breaks its users.
#[cfg(not(any(loom, slate_search)))]
const _: () = {
    const fn can_be_sent<T: Send>() {}
    const fn can_be_shared<T: Send + Sync>() {}
    // A handle has what it read last in cells: one thread at a time has it.
    can_be_sent::<KeyHandle>();
    can_be_shared::<(Board, Options, Session, Reader, View, Lease, PutOptions, Receipt)>();
    can_be_shared::<(Entry, WriterInfo, Deadline, CodecId, Meta, Newer, Listing, Damage, Soundness)>();
    can_be_shared::<(Watch, Wait, Events, Event, Mutation, MutationKind, Previous)>();
    can_be_shared::<(Error, ErrorKind, Lagged, Uuid, Expect, Verify, Retry, Replacement<Vec<u8>>)>();
    can_be_shared::<(Metrics, Counters, SessionInfo, Liveness)>();
};
