//! A session: one attached participant, which writes.

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
    layout::{record::RecordKind, session::NAME_MAX},
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

/// An attached participant. `Send`, `Sync`, cheap to clone; the last clone's drop detaches.
///
/// A session reads as well: it has every method of [`Reader`].
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
        // What cannot be finished is found by whoever needs it. A failure detaches by dropping the session.
        let _ = region.core()?.finish_pending(&mut seat.lane());
        // Nor does another's remains that cannot be reaped keep anybody out: the keepers try again.
        let _ = region.reap_dead();
        *session.inner.keeper.lock() = Some(Keeper::start(seat, options)?);
        Ok(session)
    }

    /// The reader of this session, for code that must not write. A clone of it keeps the board open, and does not keep
    /// the session attached.
    #[inline]
    pub fn reader(&self) -> &Reader {
        &self.inner.reader
    }

    pub(super) fn seat(&self) -> &Seat {
        &self.inner.seat
    }

    /// The session's name.
    pub fn name(&self) -> &str {
        &self.seat().name
    }

    /// Index of its record.
    pub fn index(&self) -> u16 {
        self.seat().writer.session
    }

    /// Which life of that record this is.
    pub fn incarnation(&self) -> u32 {
        self.seat().writer.incarnation
    }

    /// Ends the session when this is its last clone, as dropping it does.
    pub fn detach(self) {}

    /// Gives the key this value, whatever it has.
    ///
    /// # Errors
    /// `InvalidKey`; `ValueTooLarge`; `Full`; `Fenced`; `Moved`; `Forked`; `Corrupt` where the key's
    /// present record is damaged.
    pub fn put(&self, key: &str, value: impl AsRef<[u8]>) -> Result<Receipt> {
        self.put_with(key, value, PutOptions::new())
    }

    /// Gives the key this value if what stands there is as expected. Version 0 and generation 0 are those of a key
    /// without a value: to expect them is to expect [`Expect::Absent`].
    ///
    /// # Errors
    /// `Conflict`, with the entry that stands there in [`Error::current`]; as [`Session::put`].
    pub fn put_if(&self, key: &str, value: impl AsRef<[u8]>, expect: Expect) -> Result<Receipt> {
        self.put_with(key, value, PutOptions::new().expect(expect))
    }

    /// Gives the key this value, with a time to live, an end, a codec.
    ///
    /// # Errors
    /// `InvalidArgument` for a zero `ttl`; as [`Session::put_if`].
    pub fn put_with(&self, key: &str, value: impl AsRef<[u8]>, options: PutOptions) -> Result<Receipt> {
        let change = self.change(value.as_ref(), options);
        if change.deadline == 0 {
            self.put_key(key, &change)
        } else {
            self.put_brief(key, &change, options.ttl)
        }
    }

    /// Carries a change with a deadline out, and wakes the keeper in time.
    #[cold]
    fn put_brief(&self, key: &str, change: &Change<'_>, ttl: Option<Duration>) -> Result<Receipt> {
        ttl.map_or(Ok(()), |ttl| check_ttl(key, ttl))?;
        let receipt = self.put_key(key, change)?;
        self.seat().expects_expiry(change.deadline);
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
        let core = self.reader().core()?;
        core.check_fence(&self.seat().lane()).map_err(fault::error)
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
        let writer = self.seat().writer;
        Change {
            codec: options.codec.get(),
            deadline: options.ttl.map_or(0, deadline_after),
            ephemeral: if options.ephemeral { writer.pack() } else { 0 },
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

    /// As `put_key`, of a key that was looked up. `hint`: where it lived last.
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
            .on_key(key)
            .with_current(current)
            .hint("read the key again, and decide anew")
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
            Error::new(ErrorKind::InvalidArgument, "a time to live must be longer than zero").on_key(key)
        );
    }
    Ok(())
}

/// The deadline of what begins to live now, nanoseconds of `CLOCK_BOOTTIME`.
pub(super) fn deadline_after(ttl: Duration) -> u64 {
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
