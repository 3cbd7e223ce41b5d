//! A session: an attached participant, which reads and writes.

use super::{
    Expect, KeyHandle, Lease, Options, Reader, fault,
    keeper::{Keeper, Renewal},
    lookout,
    put::{PutOptions, Receipt},
    reader,
    region::Region,
    seat::{self, Seat},
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Writer, record::RecordKind, session::NAME_MAX},
    protocol::{
        publish::{Change, Outcome},
        slots::{self, Slot},
    },
    region::{Lock, boottime_ns},
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

/// An attached participant, which reads and writes.
///
/// Cheap to clone, and shared between threads. The session detaches when its last clone is dropped.
///
/// A session has every method of [`Reader`]: [`Session::get`], [`Session::list`], [`Session::watch`] and the others.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Attached>,
}

struct Attached {
    reader: Reader,
    seat: Arc<Seat>,
    /// In a lock, so that a drop can stop the keeper before it gives up the seat.
    keeper: Lock<Option<Keeper>>,
}

/// A session that this does not keep attached: for what the keeper holds.
pub(super) struct WeakSession(Weak<Attached>);

impl WeakSession {
    pub(super) fn upgrade(&self) -> Option<Session> {
        self.0.upgrade().map(|inner| Session { inner })
    }
}

impl Session {
    /// `host`: the session that the new one acts for.
    pub(super) fn attach(
        region: Arc<Region>,
        options: &Options,
        name: &str,
        host: Option<Writer>,
    ) -> Result<Self> {
        let cannot =
            |what: &str| Err(Error::new(ErrorKind::InvalidArgument, format!("a session's name {what}")));
        if name.is_empty() || name.len() > NAME_MAX {
            return cannot(&format!("must have 1 to {NAME_MAX} bytes; this one has {}", name.len()));
        }
        if name.chars().any(char::is_control) {
            return cannot("must not have control characters");
        }
        // Before the record: when the process has no descriptor left, the certificate fails, and not what is read here.
        let identity = seat::identity(&region);
        let (index, certificate) = region.take_record()?;
        let seat = match Seat::take(&region, index, certificate, name, (&identity, options.beat)) {
            Ok(mut seat) => {
                seat.host = host;
                Arc::new(seat)
            }
            Err((error, certificate)) => {
                region.roll.let_go(index, certificate);
                return Err(error);
            }
        };
        let session = Self {
            inner: Arc::new(Attached {
                reader: Reader::new(Arc::clone(&region), options.verify),
                keeper: Lock::new(None),
                seat: Arc::clone(&seat),
            }),
        };
        // Work that cannot be finished here is found by the session that needs it. A failure below drops, and so detaches,
        // the session.
        let _ = region.core()?.finish_pending(&mut seat.lane());
        // A dead session that cannot be reaped keeps nobody out: the keepers try again.
        let _ = region.reap_dead();
        *session.inner.keeper.lock() = Some(Keeper::start(seat, options)?);
        Ok(session)
    }

    /// The reader of this session, for code that must not write. A clone of it keeps the board open, and does not keep the
    /// session attached.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Reader, Result};
    ///
    /// fn titles(reader: &Reader) -> Result<Vec<String>> {
    ///     reader.list("task/").keys().into_vec()
    /// }
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put("task/42", "paint")?;
    /// assert_eq!(titles(session.reader())?, ["task/42"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[inline]
    pub fn reader(&self) -> &Reader {
        &self.inner.reader
    }

    pub(super) fn seat(&self) -> &Seat {
        &self.inner.seat
    }

    /// The session's name.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert_eq!(session.name(), "planner");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.seat().name
    }

    /// The index of the session's record on the board. Another session may have it later, with another
    /// [incarnation](Session::incarnation).
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "paint")?;
    /// assert_eq!(session.get("plan")?.unwrap().writer.session, session.index());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn index(&self) -> u16 {
        self.seat().writer.session
    }

    /// The number of the record's life that this session is. Index and incarnation together name a session for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let first = board.attach("first")?.incarnation();
    /// let second = board.attach("second")?.incarnation();
    /// assert_ne!(first, second);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn incarnation(&self) -> u32 {
        self.seat().writer.incarnation
    }

    /// Drops this clone of the session. The session detaches when it is the last one.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// board.attach("planner")?.detach();
    /// assert!(board.sessions()?.is_empty());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn detach(self) {}

    /// Puts a value, whatever the key has.
    ///
    /// # Errors
    /// `InvalidKey`; `ValueTooLarge`; `Full`; `Fenced`; `Moved`; `Forked`; `Corrupt` when the key's slot is damaged.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let receipt = session.put("task/42", "open")?;
    /// assert_eq!((receipt.version, receipt.generation), (1, 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put(&self, key: &str, value: impl AsRef<[u8]>) -> Result<Receipt> {
        self.put_with(key, value, PutOptions::new())
    }

    /// Puts a value if the key has what is expected. A key without a value has version 0 and generation 0: to expect them is to
    /// expect [`Expect::Absent`].
    ///
    /// # Errors
    /// `Conflict`, with the entry that the key has in [`Error::current`]. As [`Session::put`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Expect};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let open = session.put("task/42", "open")?;
    /// session.put_if("task/42", "mine", Expect::Version(open.version))?;
    /// let late = session.put_if("task/42", "also mine", Expect::Version(open.version)).unwrap_err();
    /// assert!(late.is_conflict());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_if(&self, key: &str, value: impl AsRef<[u8]>, expect: Expect) -> Result<Receipt> {
        self.put_with(key, value, PutOptions::new().expect(expect))
    }

    /// Puts a value with options: an expectation, a time to live, the end of the session, a codec.
    ///
    /// # Errors
    /// `InvalidArgument` for a zero time to live. As [`Session::put_if`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    /// use std::time::Duration;
    ///
    /// let board = Board::local()?;
    /// let session = board.attach("worker")?;
    /// session.put_with("alive/worker", "", PutOptions::new().ephemeral(true))?;
    /// session.put_with("offer", "half price", PutOptions::new().ttl(Duration::from_secs(60)))?;
    /// drop(session);
    /// assert_eq!(board.reader().list("").keys().into_vec()?, ["offer"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_with(&self, key: &str, value: impl AsRef<[u8]>, options: PutOptions) -> Result<Receipt> {
        let change = self.change(value.as_ref(), options);
        if change.deadline | change.ephemeral == 0 {
            self.put_key(key, &change)
        } else {
            self.put_passing(key, &change, options.ttl)
        }
    }

    /// Puts a value that ends by itself: by its deadline, and wakes the keeper in time; or with its session.
    #[cold]
    fn put_passing(&self, key: &str, change: &Change<'_>, ttl: Option<Duration>) -> Result<Receipt> {
        ttl.map_or(Ok(()), |ttl| check_ttl(key, ttl))?;
        let guards_host = if change.ephemeral == 0 { Ok(()) } else { self.check_host() };
        guards_host.map_err(|error| error.on_key(key))?;
        let receipt = self.put_key(key, change)?;
        if change.deadline != 0 {
            self.seat().expects_expiry(change.deadline);
        }
        if change.ephemeral != 0
            && let Err(error) = self.check_host()
        {
            // The host may have ended before the put, and then nobody looks for the entry any more. A keeper finds the entry
            // of a process that is killed before this.
            let _ = self.remove_if(key, Expect::Generation(receipt.generation));
            return Err(error.on_key(key));
        }
        Ok(receipt)
    }

    /// Removes the key. Returns `None` when it had no value.
    ///
    /// # Errors
    /// As [`Session::put`]. A full board still takes removals.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/42", "open")?;
    /// assert!(session.remove("task/42")?.is_some());
    /// assert!(session.remove("task/42")?.is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn remove(&self, key: &str) -> Result<Option<Receipt>> {
        self.remove_if(key, Expect::Any)
    }

    /// Removes the key if it has what is expected. Returns `None` when the key had no value, and none was expected.
    ///
    /// # Errors
    /// As [`Session::put_if`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Expect};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let receipt = session.put("task/42", "open")?;
    /// session.put("task/42", "done")?;
    /// assert!(session.remove_if("task/42", Expect::Version(receipt.version)).unwrap_err().is_conflict());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn remove_if(&self, key: &str, expect: Expect) -> Result<Option<Receipt>> {
        reader::check(key)?;
        let change = Change::tombstone(RecordKind::Removed, plain(expect));
        let slot_key = slots::Key::new(self.reader().region.geometry(), key);
        match self.seat().write(&slot_key, &change, None) {
            Ok(Outcome::Done { version, generation, retries, .. }) => {
                Ok(Some(Receipt { version, generation, retries }))
            }
            Ok(Outcome::Nothing) => Ok(None),
            other => Err(self.refused(key, &change, other)),
        }
    }

    /// A handle to a key, which finds the key's slot once: for reading and writing the key often.
    ///
    /// # Errors
    /// `InvalidKey`; `Moved`; `Forked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// for number in 0_u64..10 {
    ///     count.put(number.to_le_bytes())?;
    /// }
    /// assert_eq!(count.version()?, 10);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn key(&self, key: &str) -> Result<KeyHandle> {
        KeyHandle::new(self.clone(), key)
    }

    /// Takes a lease on a key if no other session has it: puts the session's name there, with this time to live. The keeper
    /// renews the lease until it is dropped. It ends with the session in any case. Its token is a generation, so later holders
    /// have larger tokens.
    ///
    /// # Errors
    /// `Held`, with the holder's entry in [`Error::current`]; `InvalidArgument` for a zero time to live. As [`Session::put`]
    /// otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    /// use std::time::Duration;
    ///
    /// let board = Board::local()?;
    /// let (one, two) = (board.attach("one")?, board.attach("two")?);
    /// let lease = one.lease("deploy", Duration::from_secs(60))?;
    /// assert!(two.lease("deploy", Duration::from_secs(60)).unwrap_err().is_held());
    /// drop(lease);
    /// let later = two.lease("deploy", Duration::from_secs(60))?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn lease(&self, key: &str, ttl: Duration) -> Result<Lease> {
        Lease::take(self.clone(), key, ttl)
    }

    /// Whether the session still has its record, and its process the board.
    pub(super) fn check(&self) -> Result<()> {
        let core = self.reader().core()?;
        let outcome = core.check_fence(&self.seat().lane()).map_err(fault::error);
        self.reader().region.kept(outcome)
    }

    pub(super) fn weak(&self) -> WeakSession {
        WeakSession(Arc::downgrade(&self.inner))
    }

    pub(super) fn add_renewal(&self, renewal: Renewal) {
        self.seat().renewals.lock().push(renewal);
        self.seat().signal.nudge();
    }

    pub(super) fn forget_renewal(&self, id: u64) {
        self.seat().renewals.lock().retain(|renewal| renewal.id != id);
    }

    #[inline]
    pub(super) fn change<'v>(&self, value: &'v [u8], options: PutOptions) -> Change<'v> {
        Change {
            codec: options.codec.get(),
            deadline: options.ttl.map_or(0, deadline_after),
            ephemeral: if options.ephemeral { self.seat().binding().pack() } else { 0 },
            ..Change::put(value, plain(options.expect))
        }
    }

    /// Carries a put out.
    #[inline]
    fn put_key(&self, key: &str, change: &Change<'_>) -> Result<Receipt> {
        reader::check(key)?;
        let slot_key = slots::Key::new(self.reader().region.geometry(), key);
        self.put_at(key, &slot_key, change, None).map(|(receipt, _)| receipt)
    }

    /// As `put_key`, for a key that was looked up. `hint` is where the key lived last.
    #[inline]
    pub(super) fn put_at(
        &self,
        key: &str,
        slot_key: &slots::Key<'_>,
        change: &Change<'_>,
        hint: Option<Slot>,
    ) -> Result<(Receipt, Slot)> {
        match self.seat().write(slot_key, change, hint) {
            Ok(Outcome::Done { version, generation, retries, slot }) => {
                Ok((Receipt { version, generation, retries }, slot))
            }
            other => Err(self.refused(key, change, other)),
        }
    }

    /// Why a change was not made.
    #[cold]
    fn refused(&self, key: &str, change: &Change<'_>, outcome: Result<Outcome>) -> Error {
        match outcome {
            Ok(Outcome::Conflict { version }) => self.conflict(key, change, version),
            Ok(_) => self.conflict(key, change, 0),
            Err(error) => error.on_key(key),
        }
    }

    /// A conflict, with the key's present entry, which may be newer than what the change met.
    fn conflict(&self, key: &str, change: &Change<'_>, version: u64) -> Error {
        let found = if version == 0 { "nothing".to_owned() } else { format!("version {version}") };
        let expected = match change.expect {
            Expect::Any => "anything".to_owned(),
            Expect::Absent => "nothing".to_owned(),
            Expect::Present => "a value".to_owned(),
            Expect::Version(version) => format!("version {version}"),
            Expect::Generation(generation) => format!("what generation {generation} wrote"),
        };
        let current = self.get(key).ok().flatten();
        Error::new(ErrorKind::Conflict, format!("expected {expected}, found {found}"))
            .on_key(key)
            .with_current(current)
            .hint("read the key again, then decide whether to write")
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let writer = self.seat().writer;
        f.debug_struct("Session")
            .field("name", &self.name())
            .field("index", &writer.session)
            .field("incarnation", &writer.incarnation)
            .finish()
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if self.seat.region.in_child() {
            // The keeper is the parent's. Another thread may have been at work in the seat at the fork.
            std::mem::forget(self.keeper.get_mut().take());
            std::mem::forget(Arc::clone(&self.seat));
            return;
        }
        drop(self.keeper.get_mut().take());
        self.seat.leave();
        lookout::take_over(&self.seat.region);
    }
}

/// Refuses a time to live of zero.
pub(super) fn check_ttl(key: &str, ttl: Duration) -> Result<()> {
    if ttl.is_zero() {
        return Err(
            Error::new(ErrorKind::InvalidArgument, "a time to live must be longer than zero").on_key(key)
        );
    }
    Ok(())
}

/// The deadline of an entry that is put now, nanoseconds of the machine's boot time.
pub(super) fn deadline_after(ttl: Duration) -> u64 {
    boottime_ns().saturating_add(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX)).max(1)
}

/// The expectation without its other names for an absent key: version 0 and generation 0.
#[inline]
fn plain(expect: Expect) -> Expect {
    match expect {
        Expect::Version(0) | Expect::Generation(0) => Expect::Absent,
        other => other,
    }
}
