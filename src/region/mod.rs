//! Access to the operating system: files, mappings, locks, the futex, the clock. All of the crate's `unsafe` is here.
//!
//! A region is a file that is mapped whole and shared. [`Mapping`] turns it into `&[AtomicU64]`; everything above is
//! safe code. This module knows what the identity words of the header mean ([`header`]), and no other words. The
//! layers above connect it with the protocol.
//!
//! ```text
//! board             the region: header, tables, data          create · open · RegionFile
//! board.lock        one byte per session, held by OFD locks,  LockFile · Certificate
//!                   and one that all open handles share
//! board.bell        one wake flag per counter                 Doorbell
//! ```
//!
//! # Safety
//!
//! Every `unsafe` block is in one of nine files. Each of these files has its own *Safety* section: [`mapping`] (a
//! mapping becomes a slice of words), [`copy`] (large copies in assembly), [`fork`] (advice on a page that this crate
//! owns), [`futex`] (the half of a word that the kernel compares), [`lock`] (a value behind a lock word), [`registry`]
//! (a fork handler that closes descriptors), `signals` and `truncation` (signal handlers) and [`thread`] (a thread that a
//! forked child can start).

pub mod clock;
pub mod copy;
pub mod create;
pub mod doorbell;
pub mod file;
pub mod fork;
pub mod futex;
pub mod header;
#[cfg(feature = "durable")]
pub mod hold;
pub mod identity;
pub mod lock;
pub mod locks;
pub mod mapping;
mod memory;
pub mod process;
pub mod refusal;
pub mod registry;
#[cfg(feature = "signals")]
pub mod signals;
pub mod thread;
#[cfg(feature = "signals")]
pub mod truncation;
pub mod validate;

pub use clock::{boottime_ns, realtime_coarse_ns, realtime_ns, settle};
#[cfg(any(test, feature = "internals"))]
pub use create::create;
pub use create::create_with;
pub use doorbell::Doorbell;
pub use file::{Access, RegionFile, Whereabouts, open};
pub use fork::{ForkPage, Moved};
pub use identity::{ProcessIdentity, random_words};
pub use lock::{Guard, Lock};
pub use locks::{Certificate, LockFile};
pub use mapping::Mapping;
pub use process::OtherProcess;
#[cfg(feature = "signals")]
pub use signals::Signals;
pub use thread::Thread;

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!(
    "slateboard supports only 64-bit little-endian Linux on x86-64 and aarch64: it depends on OFD locks, shared \
     futexes, O_TMPFILE and single-copy atomic 64-bit loads from read-only memory"
);
