//! The settings to create and open a board with.

use super::{Board, Reader, Verify, region::Region};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Geometry, Shape, shape},
};
use std::{path::Path, sync::Arc, time::Duration};

/// Shortest period of a keeper.
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
            sessions: 64,
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
    /// Bytes for values, with their keys and the rest of their records: 1 MiB to 16 GiB; 64 MiB unless set. Rounded up to
    /// whole extents of 16 KiB to 2 MiB. Pages are taken as they are needed. The tables come in addition: see
    /// [`Metrics::region_bytes`].
    ///
    /// [`Metrics::region_bytes`]: super::Metrics::region_bytes
    #[must_use]
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }
    /// Keys that the table is made for: 1 to 4,194,304; 65,536 unless set. The table has more slots than that, because a
    /// removed key keeps its slot while the history has it, and because keys are not spread evenly.
    #[must_use]
    pub fn keys(mut self, keys: u64) -> Self {
        self.keys = keys;
        self
    }
    /// Events of history: 64 to 4,194,304; 16,384 unless set. When the history is full, each new event removes the oldest.
    #[must_use]
    pub fn history(mut self, events: u64) -> Self {
        self.history = events;
        self
    }
    /// Sessions that may be attached at once: 1 to 4,096; 64 unless set.
    #[must_use]
    pub fn sessions(mut self, sessions: u64) -> Self {
        self.sessions = sessions;
        self
    }
    /// First path segments with a shard of their own: at most 8 different ones, of 1 to 31 bytes without `/`; `task`,
    /// `file` and `team` unless set.
    #[must_use]
    pub fn dedicated<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.dedicated = names.into_iter().map(Into::into).collect();
        self
    }
    /// Shards that all other keys spread over: 1 to 64; 8 unless set.
    #[must_use]
    pub fn uniform_shards(mut self, shards: u64) -> Self {
        self.uniform_shards = shards;
        self
    }
    /// Whether every read verifies the checksum.
    #[must_use]
    pub fn verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }
    /// How often a session's keeper beats and looks for dead sessions: at least 1 ms; every second unless set. All sessions
    /// of a board should have the same period. One keeper does most of the looking, at its own beats; the others take
    /// over when it is three beats late. From 32 sessions on, keepers take turns of up to four periods.
    ///
    /// A keeper also publishes the end of expired entries, within milliseconds of their deadlines. A keeper that beats less
    /// often than once a minute does that at its beats only. On a board without keepers the next writer that finds no space
    /// does it.
    #[must_use]
    pub fn beat(mut self, period: Duration) -> Self {
        self.beat = period;
        self
    }

    /// Whether SIGTERM and SIGINT end the sessions of the process before they end the process: not unless set. Otherwise
    /// the process just dies, and another session reaps its sessions.
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
    /// As [`Board::create`]; `InvalidArgument` for a number that is out of its range.
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
    /// As [`Board::open`]; `InvalidArgument` for a beat that is out of its range.
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
    /// As [`Board::open_or_create`]; `InvalidArgument` for a number that is out of its range.
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
        // Twice: a board that appears between the two steps is opened, one that vanishes is created.
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

    /// A board of this process alone, without a file.
    ///
    /// # Errors
    /// `InvalidArgument` for a number that is out of its range; `Io` when there is no memory.
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

    /// Opens a board for reading alone, through a mapping that the process cannot write to.
    ///
    /// # Errors
    /// As [`Board::open`].
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
