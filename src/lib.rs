//! Shared context for many processes on one machine: versioned keys, compare-and-swap, one totally ordered history, watches
//! that resume where they stopped, and leases. There is no daemon, and no lock that a dead process could keep.
//!
//! A *board* is a file that many processes map. Open it with [`Board::open_or_create`], or open the board of the project that
//! a folder is in, with [`Board::for_project`]. Attach a [`Session`] with
//! [`Board::attach`] to read and write. Open it with [`Board::open_read_only`] to read through a mapping that the process
//! cannot write to.
//!
//! # Examples
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
//! // Every process sees a put, and its writer knows whether another was first.
//! let open = session.put("task/42", "open")?;
//! let mine = session.put_if("task/42", "mine", Expect::Version(open.version))?;
//! let late = session.put_if("task/42", "also mine", Expect::Version(open.version)).unwrap_err();
//! assert!(late.is_conflict());
//! assert_eq!(late.current().map(|entry| entry.version), Some(mine.version));
//!
//! // An update reads, computes and compares-and-swaps, and retries on conflict: no update is lost.
//! session.update("team/done", |old| {
//!     let count: u64 = old.and_then(|entry| entry.text()?.parse().ok()).unwrap_or(0);
//!     (count + 1).to_string()
//! })?;
//!
//! // The history has every change, with the value that it replaced.
//! let events: Vec<_> = board.reader().events(0).collect::<Result<_, _>>()?;
//! assert_eq!(events.len() as u64, board.generation());
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - **One order.** Every change has one generation: 1, 2, 3 and so on. The versions of a key rise with its generations.
//!   When a call returns its generation, every reader that reads this generation or a newer one sees the change. What a
//!   reader has returned is in its generation, views, lists and events from then on (G1).
//! - **No lost update.** Compare-and-swap and [`Session::update`] succeed only on the version that they read (G2).
//! - **Whole values.** A read returns the bytes of one write, with the version, generation and writer of that write (G3).
//! - **Lock-free.** A process that is stopped or killed, at any instruction, keeps no other from finishing (G4).
//! - **Reads never write.** They work on a read-only mapping, and need at most two passes, unless the whole history laps
//!   during one copy (G5, G6).
//! - **Dense history.** Every event between [`Board::floor`] and [`Board::generation`] can be read. A reader that falls
//!   behind learns exactly how many events it missed, and where to continue (G7). Every generation of the history can be read
//!   as a [`View`] of the whole board (G8).
//! - **Death loses nothing acknowledged.** A change that a killed process had begun happened with its event, or not at all
//!   (G9). Only the kernel tells who is dead, never a missed heartbeat.
//! - **Damage is contained.** It is never returned as data, and affects only the damaged key. Lists name it, and
//!   [`List::whole`] returns the other entries. There is no repair yet (G10).
//! - **Bounded.** The region never grows, however many keys and sessions come and go (G12).
//! - **Any content.** Whatever bytes another process writes into the region, no call panics, hangs or reads out of bounds
//!   (G13).
//!
//! A board does not yet survive power loss or reboot (G11). It lives in memory, on tmpfs, or in a file that the kernel may
//! write back in any order. It survives the death of every process that used it. Not promised at all: truth from a malicious
//! writer, and progress of a process that is itself stopped.
//!
//! # Timeouts
//!
//! A call that waits takes a timeout, and returns `Ok(None)` when it passes. An [`Error`] always means that something went
//! wrong.
//!
//! # Processes that fork
//!
//! A handle that was made before a `fork(2)` returns [`ErrorKind::Forked`] in the child, and its drop does nothing there. The
//! child opens the board and attaches again. It may do so at any moment, whatever the threads of its parent were doing at the
//! fork: starting, ending, or holding a lock of this crate or of the standard library. No call of this crate waits for a lock
//! that a thread of the parent can have held. The end of a session waits at most two seconds for its own thread.
//!
//! The program is responsible for what else the child does. The standard library's `thread::spawn`, for example, takes locks
//! of the whole process when a thread starts and ends: a child of a process that starts threads during the fork may wait in it
//! for ever. The allocator must be usable in a child, as glibc's is. A child that is made without `fork(2)`'s handlers
//! (`vfork`, a bare `clone`) must not use this crate before it runs another program.
//!
//! Such a child also shares the locks that tell that the sessions of its parent live, until it runs another program or ends:
//! the descriptors close on `exec`. If the parent is killed in between, its sessions seem to live, and are reaped when the
//! child is gone. `posix_spawn` and [`std::process::Command`] run the other program at once; a bare `clone` that goes on
//! without one keeps the sessions for as long as it lives. Make children with `fork(2)` instead.
//!
//! # When not
//!
//! Do not use a board for several machines, for more data than memory, on systems other than Linux on x86-64 and aarch64, or
//! between participants that do not trust each other.
//!
//! # Limits
//!
//! | what | limit | default |
//! | --- | --- | --- |
//! | key | 1 to 1,024 bytes of UTF-8 | |
//! | value | the smaller of 16 MiB and an eighth of the capacity | |
//! | capacity | 1 MiB to 16 GiB | 64 MiB |
//! | keys | 1 to 4,194,304 | 65,536 |
//! | events of history | 64 to 4,194,304, and a quarter of the capacity | 16,384 |
//! | sessions at once | 1 to 4,096 | 256 |
//!
//! # Features
//!
//! - `json` (default): the [codec](codec::Json) for JSON, [`Session::put_json`] and [`Reader::get_json`].
//! - `project` (default): [`project`], which finds and creates the board of a folder: [`Board::for_project`].
//! - `signals`: `Options::end_on_signals`, which ends the sessions of a process that gets SIGTERM or SIGINT, and
//!   `Board::catch_truncation`, which makes a board's file that is cut short an error instead of SIGBUS.
//! - `bincode`: the codec of that name, for data that exists already. The crate behind it is no longer maintained.
//! - `stream`: [`Watch`] as a `futures_core::Stream`, for any executor. It brings in only `futures-core`.
//! - `durable`: the files of snapshots and of the journal, among the `internals`. Boards do not use them yet.
//! - `internals`: the layout, the protocol and the region as public modules, for models, fuzzing and tools that check boards.
//!   **Unstable**: anything in them may change in any release.
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
#[cfg(all(feature = "durable", feature = "internals", not(any(loom, slate_search))))]
pub mod durable;
#[cfg(not(any(loom, slate_search)))]
mod entry;
#[cfg(not(any(loom, slate_search)))]
mod error;
#[cfg(not(any(loom, slate_search)))]
pub mod guide;
#[cfg(all(feature = "project", not(any(loom, slate_search))))]
pub mod project;
#[cfg(not(any(loom, slate_search)))]
mod uuid;

mod engine;
// The engine is public to the models, and with a feature that promises no stability.
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
    Board, Claim, Counters, Damage, Event, Events, Eviction, Expect, KeyHandle, Lease, List, Listing,
    Liveness, Meta, Metrics, Mutation, MutationKind, Newer, Options, PollableWatch, Previous, PutOptions,
    Reader, Receipt, Replacement, Retry, Session, SessionId, SessionInfo, Soundness, Sum, Verify, View, Wait,
    Watch,
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

/// The public types that threads may send and share. To lose one of these is a breaking change.
#[cfg(not(any(loom, slate_search)))]
const _: () = {
    const fn can_be_sent<T: Send>() {}
    const fn can_be_shared<T: Send + Sync>() {}
    // A handle keeps what it read last in cells, so one thread at a time uses it.
    can_be_sent::<KeyHandle>();
    can_be_shared::<(Board, Options, Session, Reader, View, Lease, PutOptions, Receipt)>();
    can_be_shared::<(Entry, WriterInfo, Deadline, CodecId, Meta, Newer, Listing, Damage, Soundness)>();
    can_be_shared::<(Watch, Wait, PollableWatch, Events, Event, Mutation, MutationKind, Previous)>();
    can_be_shared::<(List, List<String>, Sum)>();
    can_be_shared::<(SessionId, Claim, Eviction)>();
    #[cfg(feature = "stream")]
    can_be_shared::<WatchStream>();
    can_be_shared::<(Error, ErrorKind, Lagged, Uuid, Expect, Verify, Retry, Replacement<Vec<u8>>)>();
    can_be_shared::<(Metrics, Counters, SessionInfo, Liveness)>();
    #[cfg(feature = "project")]
    can_be_shared::<(project::Found, project::ProjectOptions, project::Created, project::ProjectBoard)>();
};
