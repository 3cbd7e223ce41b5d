//! What a user does: open a board, attach a session, put, get, watch and list keys.

mod bulk;
mod claim;
mod event;
mod evict;
mod fault;
mod guest;
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
mod presence;
mod put;
mod reader;
mod reads;
mod region;
mod seat;
mod session;
mod typed;
mod update;
mod view;
mod waits;
mod watch;

pub use crate::protocol::{publish::Expect, read::Verify};
pub use bulk::Sum;
pub use claim::Claim;
pub use event::{Event, Events, Mutation, MutationKind, Previous};
pub use evict::Eviction;
pub use guest::SessionId;
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

use crate::{error::Result, uuid::Uuid};
use region::Region;
use std::{path::Path, sync::Arc};

/// A board: a region of shared memory that any number of processes open.
///
/// Cheap to clone. [`Board::attach`] gives a [`Session`], which reads and writes; [`Board::reader`] and
/// [`Board::read_only`] give a [`Reader`], which only reads.
#[derive(Clone)]
pub struct Board {
    region: Arc<Region>,
    options: Options,
}

impl Board {
    /// The settings to create and open a board with.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    ///
    /// let board = Board::options().capacity(1 << 20).keys(1000).history(64).local()?;
    /// assert_eq!(board.metrics()?.capacity, 1 << 20);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn options() -> Options {
        Options::default()
    }

    /// Opens the board at this path, and creates it with the default settings when there is none.
    ///
    /// # Errors
    /// As [`Board::open`] and [`Board::create`], but neither `NotFound` nor `Exists`.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let board = Board::open_or_create(&path)?;
    /// assert_eq!(board.generation(), 0);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open_or_create(path)
    }

    /// Opens the board at this path.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Refused`, `Incompatible` or `Corrupt` for a file that this build may not use; `Io`.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// assert!(Board::open(&path).unwrap_err().is_not_found());
    /// Board::create(&path)?;
    /// Board::open(&path)?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// Opens the board at this path for reading alone, through a mapping that the process cannot write to.
    ///
    /// # Errors
    /// As [`Board::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// Board::create(&path)?.attach("planner")?.put("plan", "paint")?;
    /// let reader = Board::open_read_only(&path)?;
    /// assert_eq!(reader.get("plan")?.unwrap().value, b"paint");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Reader> {
        Self::options().open_read_only(path)
    }

    /// Creates a board with the default settings at this path.
    ///
    /// # Errors
    /// `Exists`; `Full` when the file system has no space; `Refused` for a file system without coherent shared mappings;
    /// `Io`.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, ErrorKind};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let board = Board::create(&path)?;
    /// assert_eq!(Board::create(&path).unwrap_err().kind(), ErrorKind::Exists);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().create(path)
    }

    /// Creates a board that is local to this process and has no file.
    ///
    /// # Errors
    /// `Full` if there is not enough memory.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// assert!(board.path().is_none() && board.uuid().is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn local() -> Result<Self> {
        Self::options().local()
    }

    fn over(region: Region, options: Options) -> Self {
        Self { region: Arc::new(region), options }
    }

    /// Attaches a session of this name, which has 1 to 56 bytes and no control characters. Dead sessions that are met on
    /// the way are reaped.
    ///
    /// # Errors
    /// `Full` when every session record is in use; `InvalidArgument` for the name; `Forked`; `Io`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// assert_eq!(session.name(), "planner");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn attach(&self, name: &str) -> Result<Session> {
        self.region.kept(Session::attach(Arc::clone(&self.region), &self.options, name, None))
    }

    /// A reader through a mapping of its own, which the process cannot write to. Of a local board, a reader through the
    /// board's mapping.
    ///
    /// # Errors
    /// As [`Board::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let board = slateboard::Board::create(&path)?;
    /// let reader = board.read_only()?;
    /// assert!(reader.get("plan")?.is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn read_only(&self) -> Result<Reader> {
        match self.path() {
            Some(path) => self.options.clone().open_read_only(path),
            None => Ok(self.reader()),
        }
    }

    /// A reader through this board's mapping.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// assert!(board.reader().get("plan")?.is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn reader(&self) -> Reader {
        Reader::looking(Arc::clone(&self.region), &self.options)
    }

    /// Whether any process has the board at this path open, with a session or for reading alone. Asks the kernel about the
    /// lock file, so it answers for a damaged board as well.
    ///
    /// # Errors
    /// `Refused`, `Io` or `Full` when that cannot be told from here: the lock file is missing, may not be opened, or was
    /// replaced while sessions were attached, or this process has no descriptor left. Such a board may have users.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let board = Board::create(&path)?;
    /// assert!(Board::is_in_use(&path)?);
    /// drop(board);
    /// assert!(!Board::is_in_use(&path)?);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_in_use(path: impl AsRef<Path>) -> Result<bool> {
        presence::is_in_use(path.as_ref())
    }

    /// Makes a truncated file an error for this process: when another process cuts a board's file short, calls of the boards that
    /// are opened from now on return `Moved`. Without this, the kernel ends a process that accesses a page which the file no
    /// longer has, by SIGBUS.
    ///
    /// Installs a handler of SIGBUS for the whole process, once. Every SIGBUS that does not concern a board goes to the handler
    /// that was there before. A handler that the program sets later replaces this one, unless it calls it.
    ///
    /// What a call stored in a page that the file lost is never acknowledged. Changes that were acknowledged before are lost
    /// with the pages that held them. With [`Verify::Scrub`], a read does not notice that a page of its value was lost during the
    /// read, as it does not notice other damage.
    ///
    /// # Errors
    /// `Io` if the handler cannot be set.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// Board::catch_truncation()?;
    /// let session = Board::open_or_create(&path)?.attach("planner")?;
    /// session.put("plan", "paint")?;
    /// std::fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    /// assert!(session.put("plan", "rest").unwrap_err().is_moved());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[cfg(feature = "signals")]
    pub fn catch_truncation() -> Result<()> {
        crate::region::truncation::catch()
    }

    /// The newest generation. 0 before the first write, in a forked child, and when the board has moved.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// assert_eq!(board.generation(), 0);
    /// board.attach("planner")?.put("plan", "paint")?;
    /// assert_eq!(board.generation(), 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.reader().generation()
    }

    /// The newest generation that has left the history. Events after it can be read. 0 before the first has left.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().history(64).local()?;
    /// let session = board.attach("planner")?;
    /// for number in 0..100 {
    ///     session.put("count", number.to_string())?;
    /// }
    /// assert!(board.floor() > 0);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn floor(&self) -> u64 {
        self.reader().floor()
    }

    /// The sessions that are attached, and those that died and are not reaped yet.
    ///
    /// # Errors
    /// `Forked`; `Moved`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("planner")?;
    /// assert_eq!(board.sessions()?[0].name, "planner");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn sessions(&self) -> Result<Vec<SessionInfo>> {
        self.reader().sessions()
    }

    /// What the board holds, how full it is, and what its sessions have done.
    ///
    /// # Errors
    /// `Forked`; `Moved`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// board.attach("planner")?.put("plan", "paint")?;
    /// let metrics = board.metrics()?;
    /// assert_eq!((metrics.keys, metrics.totals.puts), (1, 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn metrics(&self) -> Result<Metrics> {
        self.reader().metrics()
    }

    /// The absolute path of the region; `None` for a local board.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let board = slateboard::Board::create(&path)?;
    /// assert_eq!(board.path(), Some(path.as_path()));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.region.path()
    }

    /// The board's identifier; `None` for a local board.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// use slateboard::Board;
    ///
    /// let uuid = Board::create(&path)?.uuid().unwrap();
    /// assert_eq!(Board::open(&path)?.uuid(), Some(uuid));
    /// assert_eq!(uuid.to_string().len(), 36);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn uuid(&self) -> Option<Uuid> {
        self.region.uuid()
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").field("path", &self.path()).field("generation", &self.generation()).finish()
    }
}
