//! What a user does: open a board, attach, put, get, watch, list.

mod bulk;
mod event;
mod fault;
mod index;
mod keeper;
mod key;
mod lease;
mod list;
mod listing;
mod lookout;
mod metrics;
mod notifier;
mod options;
mod pollable;
mod put;
mod reader;
mod reads;
mod region;
mod seat;
mod session;
mod typed;
mod update;
mod view;
mod watch;

pub use crate::protocol::{publish::Expect, read::Verify};
pub use bulk::Sum;
pub use event::{Event, Events, Mutation, MutationKind, Previous};
pub use key::KeyHandle;
pub use lease::Lease;
pub use list::List;
pub use listing::{Damage, Listing, Soundness};
pub use metrics::{Counters, Liveness, Metrics, SessionInfo};
pub use options::Options;
pub use pollable::PollableWatch;
#[cfg(feature = "stream")]
pub use pollable::WatchStream;
pub use put::{PutOptions, Receipt};
pub use reader::{Meta, Newer, Reader};
pub use session::Session;
pub use update::{Replacement, Retry};
pub use view::View;
pub use watch::{Wait, Watch};

use crate::{error::Result, region::LockFile, uuid::Uuid};
use region::Region;
use std::{path::Path, sync::Arc};

/// A board: a region that any number of processes attach to.
///
/// Cheap to clone. A board alone only reads; [`Board::attach`] gives a [`Session`] that writes.
#[derive(Clone)]
pub struct Board {
    region: Arc<Region>,
    options: Options,
}

impl Board {
    /// The settings a board is made and opened with.
    pub fn options() -> Options {
        Options::default()
    }

    /// Opens the board at this path, and makes it with the default settings where there is none.
    ///
    /// # Errors
    /// As [`Board::open`] and [`Board::create`], but neither `NotFound` nor `Exists`.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open_or_create(path)
    }

    /// Opens the board at this path.
    ///
    /// # Errors
    /// `NotFound`; `Refused`, `Incompatible` or `Corrupt` for a file this build may not use; `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// Makes a board with the default settings at this path.
    ///
    /// # Errors
    /// `Exists`; `Full` where the file system has no room; `Refused` for a file system without coherent
    /// shared mappings; `Io`.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().create(path)
    }

    /// A board of this process alone, without a file.
    ///
    /// # Errors
    /// `Io` where there is no memory.
    pub fn local() -> Result<Self> {
        Self::options().local()
    }

    fn over(region: Region, options: Options) -> Self {
        Self { region: Arc::new(region), options }
    }

    /// Attaches a session of this name (1 to 56 bytes). Dead sessions that are met on the way are reaped.
    ///
    /// # Errors
    /// `Full` where every session record is in use; `InvalidArgument` for the name; `Forked`; `Io`.
    pub fn attach(&self, name: &str) -> Result<Session> {
        Session::attach(Arc::clone(&self.region), &self.options, name)
    }

    /// Reads through a mapping of its own that cannot store.
    ///
    /// # Errors
    /// As [`Board::open`].
    pub fn read_only(&self) -> Result<Reader> {
        match self.path() {
            Some(path) => self.options.clone().open_read_only(path),
            None => Ok(self.reader()),
        }
    }

    /// Reads through this board's mapping.
    pub fn reader(&self) -> Reader {
        Reader::looking(Arc::clone(&self.region), &self.options)
    }

    /// Whether anybody has the board at this path open: a session, or somebody who only reads. Asks the kernel alone,
    /// so it tells of a damaged board as well.
    ///
    /// # Errors
    /// `Refused` or `Io` where that cannot be told from here: then it is not known.
    pub fn is_in_use(path: impl AsRef<Path>) -> Result<bool> {
        LockFile::is_in_use(path.as_ref())
    }

    /// The newest generation; 0 before the first write, in a forked child, and when the board has moved.
    pub fn generation(&self) -> u64 {
        self.reader().generation()
    }

    /// Generations up to this one have left the history.
    pub fn floor(&self) -> u64 {
        self.reader().floor()
    }

    /// The sessions that are attached, or died and are not reaped yet.
    ///
    /// # Errors
    /// `Forked`; `Moved`.
    pub fn sessions(&self) -> Result<Vec<SessionInfo>> {
        self.reader().sessions()
    }

    /// What the board holds, how full it is, and what its sessions have done.
    ///
    /// # Errors
    /// `Forked`.
    pub fn metrics(&self) -> Result<Metrics> {
        self.reader().metrics()
    }

    /// The region's path, absolute; `None` for a local board.
    pub fn path(&self) -> Option<&Path> {
        self.region.path()
    }

    /// The board's identifier; `None` for a local board.
    pub fn uuid(&self) -> Option<Uuid> {
        self.region.uuid()
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").field("path", &self.path()).field("generation", &self.generation()).finish()
    }
}
