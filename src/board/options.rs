//! The settings to create and open a board with.

use super::{Board, Reader, Verify, region::Region};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Geometry, Shape, shape},
};
use std::{path::Path, sync::Arc, time::Duration};

/// The shortest period of a keeper.
const BEAT_MIN: Duration = Duration::from_millis(1);

/// The settings to create and open a [`Board`] with.
///
/// The sizes apply when a board is created; an existing board keeps its own. A number that is out of its range is an
/// error of the call that creates or opens the board, and is never replaced by another.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, Verify};
/// use std::time::Duration;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("board");
/// let board = Board::options()
///     .capacity(16 << 20)
///     .keys(10_000)
///     .history(1024)
///     .sessions(32)
///     .dedicated(["build", "test"])
///     .uniform_shards(4)
///     .verify(Verify::Always)
///     .beat(Duration::from_millis(500))
///     .open_or_create(&path)?;
/// assert_eq!(board.metrics()?.sessions_max, 32);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    capacity: u64,
    keys: u64,
    history: u64,
    sessions: u64,
    uniform_shards: u64,
    dedicated: Vec<String>,
    pub(super) verify: Verify,
    pub(super) beat: Duration,
    #[cfg(feature = "signals")]
    pub(super) end_on_signals: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: 64 << 20,
            keys: 64 << 10,
            history: 16_384,
            sessions: 256,
            uniform_shards: 8,
            dedicated: ["task", "file", "team"].map(String::from).to_vec(),
            verify: Verify::default(),
            beat: Duration::from_secs(1),
            #[cfg(feature = "signals")]
            end_on_signals: false,
        }
    }
}

impl Options {
    /// Sets the space for values, with their keys and the rest of their records, in bytes: 1 MiB to 16 GiB; 64 MiB unless
    /// set. It is rounded up to whole extents of 16 KiB to 2 MiB. Pages are allocated as they are needed. The tables need
    /// additional space: see [`Metrics::region_bytes`].
    ///
    /// [`Metrics::region_bytes`]: super::Metrics::region_bytes
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().capacity(1 << 20).local()?;
    /// assert!(board.metrics()?.region_bytes > 1 << 20);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }
    /// Sets the number of keys that the table is made for: 1 to 4,194,304; 65,536 unless set. The table has more slots than
    /// that, because a removed key keeps its slot while the history has it, and because keys are not spread evenly.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::options().keys(100).local()?.attach("planner")?;
    /// assert!(session.put_many((0..100).map(|n| (format!("key/{n}"), "value"))).iter().all(|put| put.is_ok()));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn keys(mut self, keys: u64) -> Self {
        self.keys = keys;
        self
    }
    /// Sets the length of the history in events: 64 to 4,194,304; 16,384 unless set. When the history is full, each new
    /// event removes the oldest one.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::options().history(64).local()?.attach("planner")?;
    /// for n in 0..100 {
    ///     session.put("plan", n.to_string())?;
    /// }
    /// assert!(session.events(0).next().unwrap().unwrap_err().is_lagged());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn history(mut self, events: u64) -> Self {
        self.history = events;
        self
    }
    /// Sets how many sessions may be attached at once: 1 to 4,096; 256 unless set.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().sessions(1).local()?;
    /// let first = board.attach("planner")?;
    /// assert!(board.attach("builder").unwrap_err().is_full());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn sessions(mut self, sessions: u64) -> Self {
        self.sessions = sessions;
        self
    }
    /// Sets the first path segments that have a shard of their own: at most 8 different ones, of 1 to 31 bytes without `/`;
    /// `task`, `file` and `team` unless set.
    ///
    /// # Examples
    ///
    /// A watch of `build/` is not woken by changes of other keys.
    ///
    /// ```
    /// let session = slateboard::Board::options().dedicated(["build"]).local()?.attach("planner")?;
    /// let mut builds = session.watch("build/");
    /// session.put("build/1", "green")?;
    /// assert_eq!(builds.next().unwrap()?.mutations[0].key, "build/1");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn dedicated<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.dedicated = names.into_iter().map(Into::into).collect();
        self
    }
    /// Sets the number of shards that all other keys are spread over: 1 to 64; 8 unless set.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().uniform_shards(4).local()?;
    /// assert!(slateboard::Board::options().uniform_shards(65).local().is_err());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn uniform_shards(mut self, shards: u64) -> Self {
        self.uniform_shards = shards;
        self
    }
    /// Sets whether every read verifies the checksum.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Verify};
    ///
    /// let session = Board::options().verify(Verify::Scrub).local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert_eq!(session.get("plan")?.unwrap().text(), Some("draft"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }
    /// Sets how often a session's keeper beats and looks for dead sessions: at least 1 ms; every second unless set. All
    /// sessions of a board should have the same period. One keeper does most of this work, at its own beats; the others
    /// take over when it is three beats late. From 32 sessions on, keepers take turns of up to four periods.
    ///
    /// A keeper also publishes the end of expired entries, within milliseconds of their deadlines. A keeper that beats less
    /// often than once a minute does that only at its beats. On a board without keepers, the next writer that finds no space
    /// does it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let board = slateboard::Board::options().beat(Duration::from_millis(500)).local()?;
    /// let session = board.attach("planner")?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn beat(mut self, period: Duration) -> Self {
        self.beat = period;
        self
    }

    /// Sets whether SIGTERM and SIGINT end the sessions of the process before they end the process; off unless set. When
    /// it is off, the signal ends the process at once, and another session reaps its sessions.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().end_on_signals(true).local()?;
    /// let session = board.attach("planner")?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[cfg(feature = "signals")]
    #[must_use]
    pub fn end_on_signals(mut self, end: bool) -> Self {
        self.end_on_signals = end;
        self
    }

    /// Creates a board.
    ///
    /// # Errors
    /// Those of [`Board::create`]; `InvalidArgument` for a number that is out of its range.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, ErrorKind};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let error = Board::options().capacity(1).create(&path).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    /// Board::options().capacity(1 << 20).create(&path)?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn create(self, path: impl AsRef<Path>) -> Result<Board> {
        let seed = Region::seed()?;
        let region = Region::create(path.as_ref(), &self.geometry(seed)?)?;
        Ok(Board::over(region, self))
    }

    /// Opens a board.
    ///
    /// # Errors
    /// Those of [`Board::open`]; `InvalidArgument` for a beat that is out of its range.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Verify};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// # Board::create(&path)?;
    /// let board = Board::options().verify(Verify::Scrub).open(&path)?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open(self, path: impl AsRef<Path>) -> Result<Board> {
        self.check_beat()?;
        let region = Region::open(path.as_ref())?;
        Ok(Board::over(region, self))
    }

    /// Opens a board, and creates it when there is none.
    ///
    /// # Errors
    /// Those of [`Board::open_or_create`]; `InvalidArgument` for a number that is out of its range.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let board = slateboard::Board::options().capacity(1 << 20).open_or_create(&path)?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open_or_create(self, path: impl AsRef<Path>) -> Result<Board> {
        // The steps are repeated, because a board may appear or disappear between them.
        for _ in 0..2 {
            match self.clone().open(&path) {
                Err(error) if error.is_not_found() => {}
                other => return other,
            }
            match self.clone().create(&path) {
                Err(error) if error.kind() == ErrorKind::Exists => {}
                other => return other,
            }
        }
        self.open(path)
    }

    /// Creates a board that is local to this process and has no file.
    ///
    /// # Errors
    /// `InvalidArgument` for a number that is out of its range; `Full` if there is not enough memory.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().capacity(1 << 20).local()?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn local(self) -> Result<Board> {
        let region = Region::local(self.geometry(0)?)?;
        Ok(Board::over(region, self))
    }

    /// Opens a board for reading only, through a mapping that the process cannot write to.
    ///
    /// # Errors
    /// Those of [`Board::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Verify};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// # Board::create(&path)?;
    /// let reader = Board::options().verify(Verify::Scrub).open_read_only(&path)?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<Reader> {
        self.check_beat()?;
        let region = Region::open_read_only(path.as_ref())?;
        Ok(Reader::looking(Arc::new(region), &self))
    }

    fn geometry(&self, seed: u64) -> Result<Geometry> {
        use shape::{
            CAPACITY_MAX, CAPACITY_MIN, HISTORY_MAX, HISTORY_MIN, KEYS_MAX, SESSIONS_MAX, UNIFORM_MAX,
        };
        self.check_beat()?;
        for (name, value, least, most, range) in [
            ("capacity", self.capacity, CAPACITY_MIN, CAPACITY_MAX, "1 MiB to 16 GiB"),
            ("keys", self.keys, 1, KEYS_MAX, "1 to 4,194,304"),
            ("history", self.history, HISTORY_MIN, HISTORY_MAX, "64 to 4,194,304 events"),
            ("sessions", self.sessions, 1, SESSIONS_MAX, "1 to 4,096"),
            ("uniform shards", self.uniform_shards, 1, UNIFORM_MAX, "1 to 64"),
        ] {
            if !(least..=most).contains(&value) {
                return Err(out_of_range(&format!("{name} {value}"), range));
            }
        }
        let mut shape = Shape::sized(self.capacity, self.keys, self.history, self.sessions);
        shape.dedicated.clone_from(&self.dedicated);
        shape.uniform_shards = self.uniform_shards;
        shape.set_keys(self.keys);
        Geometry::new(shape, seed).map_err(|what| {
            Error::new(ErrorKind::InvalidArgument, format!("no board can have these sizes: {what}"))
        })
    }

    fn check_beat(&self) -> Result<()> {
        if self.beat < BEAT_MIN {
            return Err(out_of_range(&format!("a beat of {:?}", self.beat), "1 ms or longer"));
        }
        Ok(())
    }
}

fn out_of_range(what: &str, range: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{what} is out of range: {range}"))
}
