//! A session: one attached participant, which writes.

use super::{
    Expect, KeyHandle, Lease, Options, Reader, fault,
    keeper::{Keeper, Renewal},
    lookout, reader,
    region::Region,
    seat::{self, Seat},
    update::{Next, Retry},
};
use crate::{
    entry::Entry,
    error::{Error, ErrorKind, Result},
    layout::{record::RecordKind, session::NAME_MAX},
    protocol::{
        publish::{Change, Outcome},
        read::Meta as Found,
        slots::{self, Slot},
    },
    region::{Lock, boottime_ns},
};
use std::{
    ops::Deref,
    sync::{Arc, Weak},
    time::Duration,
};

/// An attached participant. `Send`, `Sync`, cheap to clone; the last clone's drop detaches.
///
/// Everything that reads comes from [`Reader`].
#[derive(Clone)]
pub struct Session {
    inner: Arc<Attached>,
}

struct Attached {
    reader: Reader,
    seat: Arc<Seat>,
    /// Behind a lock so that dropping it can stop it before the seat is given up.
    keeper: Lock<Option<Keeper>>,
}

/// A session that does not keep itself attached: for what the keeper holds.
pub(super) struct WeakSession(Weak<Attached>);

impl WeakSession {
    pub(super) fn upgrade(&self) -> Option<Session> {
        self.0.upgrade().map(|inner| Session { inner })
    }
}

/// What a change became.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// The key's new version.
    pub version: u64,
    /// The generation of the event.
    pub generation: u64,
    /// Attempts that lost to other writers.
    pub retries: u32,
}

/// How a put is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PutOptions {
    /// What must stand for the put to happen.
    pub expect: Expect,
    /// Time to live: when it has passed the entry is absent, for reads and for expectations. Not zero; one that is longer than
    /// the clock can count never ends.
    pub ttl: Option<Duration>,
    /// Whether the entry ends with this session, by detaching or by death.
    pub ephemeral: bool,
    /// How the value is encoded; see [`crate::codec`].
    pub codec: u8,
}

impl Session {
    pub(super) fn attach(region: Arc<Region>, options: &Options, name: &str) -> Result<Self> {
        let cannot =
            |what: &str| Err(Error::new(ErrorKind::InvalidArgument, format!("a session's name {what}")));
        if name.is_empty() || name.len() > NAME_MAX {
            return cannot(&format!("must have 1 to {NAME_MAX} bytes; this one has {}", name.len()));
        }
        if name.chars().any(char::is_control) {
            return cannot("must not have control characters");
        }
        // Before the record: where no descriptor is left the certificate fails, rather than the answers about this process.
        let identity = seat::identity();
        let (index, certificate) = region.take_record()?;
        let seat = match Seat::take(&region, index, certificate, name, (&identity, options.beat)) {
            Ok(seat) => Arc::new(seat),
            Err((error, certificate)) => {
                region.let_go(index, certificate);
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
        // What cannot be finished is found by whoever needs it. A failure detaches by dropping the session.
        let _ = region.core()?.finish_pending(&mut seat.lane());
        // Nor does another's remains that cannot be reaped keep anybody out: the keepers try again.
        let _ = region.reap_dead();
        *session.inner.keeper.lock() = Some(Keeper::start(seat, options)?);
        Ok(session)
    }

    /// The session's name.
    pub fn name(&self) -> &str {
        &self.inner.seat.name
    }

    /// Index of its record.
    pub fn index(&self) -> u16 {
        self.inner.seat.writer.session
    }

    /// Which life of that record this is.
    pub fn incarnation(&self) -> u32 {
        self.inner.seat.writer.incarnation
    }

    /// Ends the session when this is its last clone, as dropping it does.
    pub fn detach(self) {}

    /// Gives the key this value, whatever it has.
    ///
    /// # Errors
    /// `InvalidKey`; `ValueTooLarge`; `Full`; `Fenced`; `Moved`; `Forked`; `Corrupt` where the key's
    /// present record is damaged.
    pub fn put(&self, key: &str, value: impl AsRef<[u8]>) -> Result<Receipt> {
        self.put_with(key, value, PutOptions::default())
    }

    /// Gives the key this value if what stands there is as expected. Version 0 and generation 0 are those of a key
    /// without a value: to expect them is to expect [`Expect::Absent`].
    ///
    /// # Errors
    /// `Conflict`, with the entry that stands there in [`Error::current`]; as [`Session::put`].
    pub fn put_if(&self, key: &str, value: impl AsRef<[u8]>, expect: Expect) -> Result<Receipt> {
        self.put_with(key, value, PutOptions { expect, ..PutOptions::default() })
    }

    /// Gives the key this value, with a time to live, an end, a codec.
    ///
    /// # Errors
    /// `InvalidArgument` for a zero `ttl`; as [`Session::put_if`].
    pub fn put_with(&self, key: &str, value: impl AsRef<[u8]>, options: PutOptions) -> Result<Receipt> {
        let change = self.change(value.as_ref(), options);
        if change.deadline == 0 {
            self.write_key(key, &change)
        } else {
            self.put_brief(key, &change, options.ttl)
        }
    }

    /// Carries a change with a deadline out, and wakes the keeper in time.
    #[cold]
    fn put_brief(&self, key: &str, change: &Change<'_>, ttl: Option<Duration>) -> Result<Receipt> {
        ttl.map_or(Ok(()), |ttl| check_ttl(key, ttl))?;
        let receipt = self.write_key(key, change)?;
        self.inner.seat.expects_expiry(change.deadline);
        Ok(receipt)
    }

    /// Removes the key; `None` where it had no value.
    ///
    /// # Errors
    /// As [`Session::put`]. A full board still takes removals.
    pub fn remove(&self, key: &str) -> Result<Option<Receipt>> {
        self.remove_if(key, Expect::Any)
    }

    /// Removes the key if what stands there is as expected; `None` where nothing stands and nothing was
    /// expected.
    ///
    /// # Errors
    /// As [`Session::put_if`].
    pub fn remove_if(&self, key: &str, expect: Expect) -> Result<Option<Receipt>> {
        let change = Change::tombstone(RecordKind::Removed, plain(expect));
        match self.write_key(key, &change) {
            Ok(receipt) => Ok(Some(receipt)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Renews the key's time to live: puts its present value again, with this time to live from now on. `None` where
    /// it had no value. The version rises; the codec and a session that the entry ends with stay as they are. The event's
    /// kind is [`MutationKind::Touch`](super::MutationKind::Touch).
    ///
    /// # Errors
    /// `InvalidArgument` for a zero `ttl`; as [`Session::update`].
    pub fn touch(&self, key: &str, ttl: Duration) -> Result<Option<Receipt>> {
        check_ttl(key, ttl)?;
        reader::check(key)?;
        let slot_key = slots::Key::new(self.region.geometry(), key);
        self.update_at(key, &slot_key, &mut None, Retry::default(), |found, old| {
            Ok(found.map(|_| Next { ttl: Some(ttl), ..Next::value(old.to_vec()) }))
        })
    }

    /// Gives the key the value that `f` makes of its present one, as often as it takes to win against
    /// other writers, up to 16 attempts. What else is known of the entry stays as it is: its codec, its deadline, and
    /// the session that it ends with, whichever session updates it. An entry whose deadline has passed is absent:
    /// what is put in its place has none.
    ///
    /// # Errors
    /// `RetriesExhausted`; as [`Session::put`].
    pub fn update<V: AsRef<[u8]>>(&self, key: &str, f: impl FnMut(Option<&Entry>) -> V) -> Result<Receipt> {
        self.update_with(key, Retry::default(), f)
    }

    /// As [`Session::update`], with other attempts and pauses.
    ///
    /// # Errors
    /// `InvalidArgument` for no attempts at all; as [`Session::update`].
    pub fn update_with<V: AsRef<[u8]>>(
        &self,
        key: &str,
        retry: Retry,
        mut f: impl FnMut(Option<&Entry>) -> V,
    ) -> Result<Receipt> {
        let value = |old: Option<&Entry>| Ok::<_, Error>(Some(f(old).as_ref().to_vec()));
        match self.try_update(key, retry, value)? {
            Some(receipt) => Ok(receipt),
            None => Err(Error::new(ErrorKind::InvalidArgument, "nothing to put").key(key)),
        }
    }

    /// As [`Session::update`], for an `f` that may fail, or leave the key as it is by answering `None`.
    ///
    /// # Errors
    /// What `f` answers; as [`Session::update`].
    pub fn try_update<E: From<Error>>(
        &self,
        key: &str,
        retry: Retry,
        mut f: impl FnMut(Option<&Entry>) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Option<Receipt>, E> {
        self.update_entry(key, retry, |old| Ok(f(old)?.map(Next::value)))
    }

    /// As [`Session::try_update`], for an `f` that says too how its value is encoded; see [`crate::codec`].
    ///
    /// # Errors
    /// As [`Session::try_update`].
    pub fn try_update_encoded<E: From<Error>>(
        &self,
        key: &str,
        retry: Retry,
        mut f: impl FnMut(Option<&Entry>) -> Result<Option<(Vec<u8>, u8)>, E>,
    ) -> Result<Option<Receipt>, E> {
        let next = |(value, codec)| Next { codec: Some(codec), ..Next::value(value) };
        self.update_entry(key, retry, |old| Ok(f(old)?.map(next)))
    }

    fn update_entry<E: From<Error>>(
        &self,
        key: &str,
        retry: Retry,
        mut f: impl FnMut(Option<&Entry>) -> Result<Option<Next<Vec<u8>>>, E>,
    ) -> Result<Option<Receipt>, E> {
        reader::check(key)?;
        let slot_key = slots::Key::new(self.region.geometry(), key);
        let freed = self.core()?.names_freed();
        self.update_at(key, &slot_key, &mut None, retry, |found, value| {
            let core = self.core()?;
            let entry = found.map(|found| {
                let (key, value) = (key.to_owned(), value.to_vec());
                let entry = self.entry(&core, key, value, &found.header(), found.generation);
                if core.names_stand(freed) { entry } else { entry.without_names() }
            });
            f(entry.as_ref())
        })
    }

    /// Reads, asks `next` for another value, and puts that if nobody was first, as often as it takes. What `next` does
    /// not name stays: the codec, the deadline, the session that the entry ends with. `slot`: where the key lived last,
    /// and after this lives.
    pub(super) fn update_at<E: From<Error>, V: AsRef<[u8]>>(
        &self,
        key: &str,
        slot_key: &slots::Key<'_>,
        slot: &mut Option<Slot>,
        retry: Retry,
        mut next: impl FnMut(Option<&Found>, &[u8]) -> Result<Option<Next<V>>, E>,
    ) -> Result<Option<Receipt>, E> {
        let (mut found, mut old) = (Found::EMPTY, Vec::new());
        let mut pause = retry.base.min(retry.max);
        for attempt in 0..retry.attempts {
            let core = self.region.core_to_read(self.region.words()?);
            let read = self.read(&core, slot_key, *slot, &mut found, &mut old);
            let present = read.map_err(|error| error.key(key))?.then_some(&found);
            let Some(Next { value, codec, ttl }) = next(present, &old)? else { return Ok(None) };
            let mut change = Change::put(value.as_ref(), Expect::Absent);
            if let Some(found) = present {
                *slot = Some(found.slot);
                change.expect = Expect::Version(found.words.version());
                let standing = &found.words;
                (change.codec, change.deadline) = (standing.codec(), standing.deadline());
                change.ephemeral = standing.ephemeral();
            }
            change.codec = codec.unwrap_or(change.codec);
            if let Some(ttl) = ttl {
                (change.kind, change.deadline) = (RecordKind::Touched, deadline_after(ttl));
            }
            match self.inner.seat.write(slot_key, &change, *slot) {
                Ok(Outcome::Done { version, generation, retries, slot: at }) => {
                    *slot = Some(at);
                    return Ok(Some(Receipt { version, generation, retries: retries + attempt }));
                }
                // Another was first: what stands there now is read anyway.
                Ok(Outcome::Conflict { .. } | Outcome::Nothing) => retry.wait(&mut pause),
                Err(error) if error.is_retryable() => retry.wait(&mut pause),
                Err(error) => return Err(error.key(key).into()),
            }
        }
        Err(self.exhausted(key, retry).into())
    }

    #[cold]
    fn exhausted(&self, key: &str, retry: Retry) -> Error {
        if retry.attempts == 0 {
            return Error::new(ErrorKind::InvalidArgument, "an update needs 1 attempt or more").key(key);
        }
        let text = format!("other writers were first at each of {} attempts", retry.attempts);
        Error::new(ErrorKind::RetriesExhausted, text)
            .key(key)
            .with_current(self.get(key).ok().flatten())
            .next("try again")
    }

    /// A handle to a key, for reading and writing it often.
    ///
    /// # Errors
    /// `InvalidKey`; `Forked`.
    pub fn key(&self, key: &str) -> Result<KeyHandle> {
        KeyHandle::new(self.clone(), key)
    }

    /// Takes a lease on a key: puts the session's name there for `ttl`, if nobody else has it. The keeper
    /// renews it until it is dropped; it ends with the session in any case. Its token is a generation, so
    /// later holders have larger ones.
    ///
    /// # Errors
    /// `Held`, with the holder's entry in [`Error::current`]; `InvalidArgument` for a zero `ttl`; as
    /// [`Session::put`].
    pub fn lease(&self, key: &str, ttl: Duration) -> Result<Lease> {
        Lease::take(self.clone(), key, ttl)
    }

    /// Whether the session is what it was when it attached: its process has the board, and its record is its own.
    pub(super) fn check(&self) -> Result<()> {
        let core = self.core()?;
        core.check_fence(&self.inner.seat.lane()).map_err(fault::error)
    }

    pub(super) fn weak(&self) -> WeakSession {
        WeakSession(Arc::downgrade(&self.inner))
    }

    pub(super) fn add_renewal(&self, renewal: Renewal) {
        self.inner.seat.renewals.lock().push(renewal);
        self.inner.seat.signal.nudge();
    }

    pub(super) fn forget_renewal(&self, id: u64) {
        self.inner.seat.renewals.lock().retain(|renewal| renewal.id != id);
    }

    #[inline]
    pub(super) fn change<'v>(&self, value: &'v [u8], options: PutOptions) -> Change<'v> {
        let writer = self.inner.seat.writer;
        Change {
            codec: options.codec,
            deadline: options.ttl.map_or(0, deadline_after),
            ephemeral: if options.ephemeral { writer.pack() } else { 0 },
            ..Change::put(value, plain(options.expect))
        }
    }

    /// Carries a change out; `NotFound` where there was nothing to remove.
    #[inline]
    fn write_key(&self, key: &str, change: &Change<'_>) -> Result<Receipt> {
        reader::check(key)?;
        let slot_key = slots::Key::new(self.region.geometry(), key);
        self.write(key, &slot_key, change, None).map(|(receipt, _)| receipt)
    }

    /// As `write_key`, of a key that was looked up. `hint`: where it lived last.
    #[inline]
    pub(super) fn write(
        &self,
        key: &str,
        slot_key: &slots::Key<'_>,
        change: &Change<'_>,
        hint: Option<Slot>,
    ) -> Result<(Receipt, Slot)> {
        match self.inner.seat.write(slot_key, change, hint) {
            Ok(Outcome::Done { version, generation, retries, slot }) => {
                Ok((Receipt { version, generation, retries }, slot))
            }
            Ok(Outcome::Conflict { version }) => Err(self.conflict(key, change, version)),
            Ok(Outcome::Nothing) => Err(Error::new(ErrorKind::NotFound, "there is no such key").key(key)),
            Err(error) => Err(error.key(key)),
        }
    }

    /// A conflict, with what stands there now: it may be newer than what the change met.
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
            .key(key)
            .with_current(current)
            .next("read it again and decide anew")
    }
}

impl Deref for Session {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.inner.reader
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let writer = self.inner.seat.writer;
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
            // The keeper is the parent's, and the seat as it was in the midst of other threads' work.
            std::mem::forget(self.keeper.get_mut().take());
            std::mem::forget(Arc::clone(&self.seat));
            return;
        }
        drop(self.keeper.get_mut().take());
        self.seat.leave();
        lookout::take_over(&self.seat.region);
    }
}

/// Nothing lives for no time at all.
pub(super) fn check_ttl(key: &str, ttl: Duration) -> Result<()> {
    if ttl.is_zero() {
        return Err(
            Error::new(ErrorKind::InvalidArgument, "a time to live must be longer than zero").key(key)
        );
    }
    Ok(())
}

/// The deadline of what begins to live now, nanoseconds of `CLOCK_BOOTTIME`.
fn deadline_after(ttl: Duration) -> u64 {
    boottime_ns().saturating_add(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX)).max(1)
}

/// The expectation under its plainest name: no value has version 0 or generation 0.
#[inline]
fn plain(expect: Expect) -> Expect {
    match expect {
        Expect::Version(0) | Expect::Generation(0) => Expect::Absent,
        other => other,
    }
}
