//! The public [`Error`]: one opaque type with a kind, predicates and context.

use crate::entry::Entry;
use rustix::io::Errno;
use std::{
    error, fmt, io,
    path::{Path, PathBuf},
};

/// The kind of an error, for programs. [`Error`] has the text for people.
///
/// There is no kind for a timeout: a call that waits returns `Ok(None)` when its timeout passes.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, ErrorKind, Expect};
///
/// let session = Board::local()?.attach("planner")?;
/// session.put("plan", "draft")?;
/// match session.put_if("plan", "mine", Expect::Absent) {
///     Err(error) if error.kind() == ErrorKind::Conflict => {}
///     other => panic!("{other:?}"),
/// }
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The key does not have what was expected. [`Error::current`] is the entry that it has.
    Conflict,
    /// Another session holds the lease. [`Error::current`] names it.
    Held,
    /// There is no space: no block, slot, session record, or space in the file system, as the text says.
    Full,
    /// The generation has left the history.
    Lagged,
    /// The generation has not happened yet.
    Future,
    /// Another process ended this session. Attach again.
    Fenced,
    /// The board is corrupt: it is damaged, or another program writes to it.
    Corrupt,
    /// The board's file was removed or replaced, or the board lives in another region now. This handle is unusable. Open
    /// the board again.
    Moved,
    /// This handle was created before a fork. Open the board and attach again in the child.
    Forked,
    /// The key is empty, too long, or not allowed.
    InvalidKey,
    /// The value is larger than the board allows.
    ValueTooLarge,
    /// An argument is invalid: a name, a size, an option.
    InvalidArgument,
    /// Other writers changed the key during every attempt of an update. Try again.
    RetriesExhausted,
    /// Other threads changed the same words so often that a bounded loop ended. Try again.
    Contended,
    /// There is no board at this path. A key without a value is not an error: calls return `None` for it.
    NotFound,
    /// A file already exists at this path.
    Exists,
    /// The file may not be used as a board, for the reason that the text gives.
    Refused,
    /// The board was written by a build with another layout.
    Incompatible,
    /// The value cannot be encoded or decoded by the codec.
    Codec,
    /// It cannot be proved that a process is the one of a session: [`Board::evict`](crate::Board::evict).
    Unverified,
    /// A call of the operating system failed. [`std::error::Error::source`] is its error.
    Io,
}

impl ErrorKind {
    /// The kind's name, for programs in any language: lower-case words with `_` between them. It never changes.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::ErrorKind::InvalidKey.name(), "invalid_key");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Held => "held",
            Self::Full => "full",
            Self::Lagged => "lagged",
            Self::Future => "future",
            Self::Fenced => "fenced",
            Self::Corrupt => "corrupt",
            Self::Moved => "moved",
            Self::Forked => "forked",
            Self::InvalidKey => "invalid_key",
            Self::ValueTooLarge => "value_too_large",
            Self::InvalidArgument => "invalid_argument",
            Self::RetriesExhausted => "retries_exhausted",
            Self::Contended => "contended",
            Self::NotFound => "not_found",
            Self::Exists => "exists",
            Self::Refused => "refused",
            Self::Incompatible => "incompatible",
            Self::Codec => "codec",
            Self::Unverified => "unverified",
            Self::Io => "io",
        }
    }
}

/// How far a reader fell behind the history: [`Error::missed`].
///
/// # Examples
/// See [`Error::missed`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub struct Lagged {
    /// Events that left the history unread.
    pub missed: u64,
    /// The generation after which reading can resume.
    pub resume_at: u64,
}

/// How many characters of a key the text of an error shows.
const KEY_SHOWN: usize = 128;

/// The result of this crate's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happened, to what, and what to do next.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, ErrorKind};
///
/// let session = Board::local()?.attach("planner")?;
/// let error = session.put("", "a value without a key").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidKey);
/// assert_eq!(error.to_string(), r#"key "": a key must have at least one byte"#);
/// # Ok::<_, slateboard::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
    next: Option<&'static str>,
    key: Option<String>,
    path: Option<PathBuf>,
    current: Option<Entry>,
    missed: Option<Lagged>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            what: what.into(),
            next: None,
            key: None,
            path: None,
            current: None,
            missed: None,
            source: None,
        }))
    }

    /// An error of the operating system, with a text that says what failed.
    pub(crate) fn io(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        let errno = Errno::from_io_error(&source);
        let kind = match errno {
            Some(Errno::NOSPC | Errno::DQUOT) => ErrorKind::Full,
            _ => ErrorKind::Io,
        };
        let mut error = Self::new(kind, what).caused_by(source);
        error.0.next = errno.and_then(limit);
        error
    }

    /// An error of kind `Codec`, for a program's own [codecs](crate::codec).
    ///
    /// # Examples
    ///
    /// ```
    /// let error = slateboard::Error::codec("the value has no length byte");
    /// assert_eq!(error.kind(), slateboard::ErrorKind::Codec);
    /// assert_eq!(error.to_string(), "the value has no length byte");
    /// ```
    pub fn codec(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        let error = Self::new(ErrorKind::Codec, source.to_string());
        match source.source() {
            Some(_) => error.caused_by(source),
            None => error,
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, next: &'static str) -> Self {
        self.0.next.get_or_insert(next);
        self
    }
    /// Adds the key.
    #[must_use]
    pub(crate) fn on_key(mut self, key: &str) -> Self {
        self.0.key.get_or_insert_with(|| key.into());
        self
    }
    /// Adds the path.
    #[must_use]
    pub(crate) fn at_path(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }
    /// Adds the entry that the key has now.
    #[must_use]
    pub(crate) fn with_current(mut self, current: Option<Entry>) -> Self {
        self.0.current = current;
        self
    }
    /// Adds how many events were missed and where to resume.
    #[must_use]
    pub(crate) fn with_missed(mut self, missed: u64, resume_at: u64) -> Self {
        self.0.missed = Some(Lagged { missed, resume_at });
        self
    }
    /// Adds the cause.
    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// A copy, with the kind, the text and the path. The text of the cause, which cannot be copied, is added.
    pub(crate) fn again(&self) -> Self {
        let inner = &*self.0;
        let what = match &inner.source {
            // The text of a refusal begins with its own reason.
            Some(source) if !source.to_string().starts_with(&inner.what) => {
                format!("{}: {source}", inner.what)
            }
            _ => inner.what.clone(),
        };
        let mut error = Self::new(inner.kind, what);
        error.0.next = inner.next;
        error.0.path.clone_from(&inner.path);
        error
    }

    /// The kind of the error.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let error = session.get("").unwrap_err();
    /// assert_eq!(error.kind(), slateboard::ErrorKind::InvalidKey);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
    /// The key that the error is about, if it is about one.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let error = session.put("plan", vec![0; 1 << 30]).unwrap_err();
    /// assert_eq!(error.key(), Some("plan"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }
    /// The path that the error is about, if it is about one.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let error = slateboard::Board::open(&path).unwrap_err();
    /// assert_eq!(error.path(), Some(path.as_path()));
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
    /// The key's current entry, for a conflict and for a lease that another session holds. `None` if the key is absent.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Expect};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put("task/42", "open")?;
    /// let error = session.put_if("task/42", "mine", Expect::Absent).unwrap_err();
    /// assert!(error.is_conflict());
    /// assert_eq!(error.key(), Some("task/42"));
    /// assert_eq!(error.current().and_then(|entry| entry.text()), Some("open"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn current(&self) -> Option<&Entry> {
        self.0.current.as_ref()
    }
    /// How many events were missed and where reading can resume, for a lag.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::options().history(64).local()?.attach("planner")?;
    /// for n in 0..100 {
    ///     session.put("plan", n.to_string())?;
    /// }
    /// let mut events = session.events(0);
    /// let lagged = events.next().unwrap().unwrap_err().missed().unwrap();
    /// assert_eq!(lagged.missed, lagged.resume_at);
    /// assert_eq!(events.next().unwrap()?.generation, lagged.resume_at + 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn missed(&self) -> Option<Lagged> {
        self.0.missed
    }
    /// Whether the key's entry was not as expected.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Expect};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert!(session.put_if("plan", "mine", Expect::Version(7)).unwrap_err().is_conflict());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_conflict(&self) -> bool {
        self.0.kind == ErrorKind::Conflict
    }
    /// Whether another session holds the lease.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let board = slateboard::Board::local()?;
    /// let (first, second) = (board.attach("first")?, board.attach("second")?);
    /// let lease = first.lease("leader", Duration::from_secs(60))?;
    /// assert!(second.lease("leader", Duration::from_secs(60)).unwrap_err().is_held());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_held(&self) -> bool {
        self.0.kind == ErrorKind::Held
    }
    /// Whether the board or the file system has no space. The text says which.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::options().sessions(1).local()?;
    /// let first = board.attach("planner")?;
    /// assert!(board.attach("builder").unwrap_err().is_full());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_full(&self) -> bool {
        self.0.kind == ErrorKind::Full
    }
    /// Whether the generation has left the history.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::options().history(64).local()?.attach("planner")?;
    /// let first = session.put("plan", "0")?.generation;
    /// for n in 1..100 {
    ///     session.put("plan", n.to_string())?;
    /// }
    /// assert!(session.event(first).unwrap_err().is_lagged());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_lagged(&self) -> bool {
        self.0.kind == ErrorKind::Lagged
    }
    /// Whether another process ended the session, because it took it for dead. The session must attach again.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let mut session = board.attach("planner")?;
    /// if session.put("plan", "draft").is_err_and(|error| error.is_fenced()) {
    ///     session = board.attach("planner")?;
    ///     session.put("plan", "draft")?;
    /// }
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_fenced(&self) -> bool {
        self.0.kind == ErrorKind::Fenced
    }
    /// Whether the board is damaged.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// drop(slateboard::Board::create(&path)?);
    /// std::fs::OpenOptions::new().write(true).open(&path)?.set_len(100)?;
    /// assert!(slateboard::Board::open(&path).unwrap_err().is_corrupt());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_corrupt(&self) -> bool {
        self.0.kind == ErrorKind::Corrupt
    }
    /// Whether the board's file was removed or replaced, or the board lives in another region now.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    /// use std::time::Duration;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let beat = Duration::from_millis(10);
    /// let session = Board::options().beat(beat).create(&path)?.attach("planner")?;
    /// std::fs::remove_file(&path)?;
    /// // The session's keeper notices the removal at its next beat.
    /// let error = loop {
    ///     match session.get("plan") {
    ///         Ok(_) => std::thread::sleep(beat),
    ///         Err(error) => break error,
    ///     }
    /// };
    /// assert!(error.is_moved());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_moved(&self) -> bool {
        self.0.kind == ErrorKind::Moved
    }
    /// Whether the handle was created before a fork and is used in the child.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let mut reader = slateboard::Board::create(&path)?.attach("planner")?.reader().clone();
    /// if reader.get("plan").is_err_and(|error| error.is_forked()) {
    ///     reader = slateboard::Board::open_read_only(&path)?;
    /// }
    /// assert_eq!(reader.get("plan")?, None);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_forked(&self) -> bool {
        self.0.kind == ErrorKind::Forked
    }
    /// Whether there is no board at the path.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// assert!(slateboard::Board::open(&path).unwrap_err().is_not_found());
    /// ```
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }
    /// Whether the same call may succeed when it is repeated, because the call is valid and the board is not damaged.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let mut listing = session.list("").whole();
    /// while listing.as_ref().is_err_and(|error| error.is_retryable()) {
    ///     listing = session.list("").whole();
    /// }
    /// assert!(listing?.entries.is_empty());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::RetriesExhausted | ErrorKind::Contended)
    }
}

/// What to do if a limit of the process or of the machine was reached.
fn limit(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::MFILE => {
            Some("raise the process's limit on open files (RLIMIT_NOFILE, `ulimit -n`), or close some")
        }
        Errno::NFILE => Some("raise the machine's limit on open files (fs.file-max), or end some processes"),
        Errno::FBIG => Some("raise the process's limit on the size of files (RLIMIT_FSIZE, `ulimit -f`)"),
        Errno::NOMEM => {
            Some("raise the process's limit on address space (RLIMIT_AS, `ulimit -v`), or free memory")
        }
        Errno::NOSPC => Some("free space on the file system"),
        Errno::DQUOT => Some("free space, or raise the user's quota on the file system"),
        _ => None,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(path) = &inner.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(key) = &inner.key {
            match key.char_indices().nth(KEY_SHOWN) {
                None => write!(f, "key {key:?}: ")?,
                Some((end, _)) => write!(f, "key {:?}… ({} bytes): ", &key[..end], key.len())?,
            }
        }
        write!(f, "{}", inner.what)?;
        if let Some(next) = inner.next {
            write!(f, "; {next}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("text", &self.to_string())
            .field("source", &inner.source)
            .finish()
    }
}

/// An operating system's error. Its kind is `Io`, or `Full` when there is no space.
impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::io(source.to_string(), source)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn the_text_says_what_to_what_and_what_next() {
        let error = Error::new(ErrorKind::Full, "no free block of 64 KiB")
            .hint("remove keys")
            .on_key("task/1")
            .at_path(Path::new("board"));
        assert_eq!(error.to_string(), r#"board: key "task/1": no free block of 64 KiB; remove keys"#);
        assert!(error.is_full() && error.source().is_none());
    }

    #[test]
    fn a_long_key_is_shown_in_part_and_known_in_full() {
        let key = "ä".repeat(200);
        let error = Error::new(ErrorKind::InvalidKey, "a key may have at most 9 bytes").on_key(&key);
        let text = format!(r#"key "{}"… (400 bytes): a key may have at most 9 bytes"#, "ä".repeat(128));
        assert_eq!((error.to_string(), error.key()), (text, Some(key.as_str())));
        assert_eq!((error.kind().name(), error.path()), ("invalid_key", None));
    }

    #[test]
    fn a_full_file_system_is_full() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            let error = Error::io("reserving pages", errno);
            assert!(error.is_full() && error.source().is_some());
        }
    }

    #[test]
    fn a_limit_that_was_met_is_named() {
        let cases = [
            (Errno::MFILE, "RLIMIT_NOFILE"),
            (Errno::NFILE, "fs.file-max"),
            (Errno::FBIG, "RLIMIT_FSIZE"),
            (Errno::NOMEM, "RLIMIT_AS"),
        ];
        for (errno, name) in cases {
            assert!(Error::io("x", errno).to_string().contains(name), "{name}");
        }
    }
}
