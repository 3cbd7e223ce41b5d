//! Leases: a key that one session holds at a time, for as long as it lives and renews.

use super::{Expect, PutOptions, Session, keeper::Renewal};
use crate::{
    codec::CodecId,
    entry::Entry,
    error::{Error, ErrorKind, Result},
    region::{Lock, boottime_ns},
};
use std::{fmt, sync::Arc, time::Duration};

/// A lease on a key: [`Session::lease`]. The session's keeper renews it, and dropping it releases it.
///
/// A lease ends in any case when its session does, and when it could not be renewed in time, as when the process was stopped.
/// So a `Lease` proves that the lease was taken, and [`Lease::is_held`] tells whether it is still held. Pass [`Lease::token`] on
/// to whatever you change under the lease, and let that refuse tokens that are smaller than one it has seen.
pub struct Lease {
    session: Session,
    key: String,
    ttl: Duration,
    token: u64,
    held: Arc<Lock<Held>>,
    id: u64,
}

/// What is known of a lease.
struct Held {
    /// Version of the lease's newest entry; `None` when the lease was lost.
    version: Option<u64>,
    /// A time not after the entry's deadline: nanoseconds of `CLOCK_BOOTTIME`.
    until_ns: u64,
}

impl Lease {
    pub(super) fn take(session: Session, key: &str, ttl: Duration) -> Result<Self> {
        let until_ns = end_of(ttl);
        let receipt = put(&session, key, ttl, Expect::Absent).map_err(|error| held(error, key))?;
        let held = Arc::new(Lock::new(Held { version: Some(receipt.version), until_ns }));
        let id = receipt.generation;
        let lease = Self { session, key: key.to_owned(), ttl, token: receipt.generation, held, id };
        lease.keep_renewed();
        Ok(lease)
    }

    /// The fencing token: the generation at which the lease was taken. It stays the same for the life of the lease, and later
    /// leases on the key have larger ones.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let lease = session.lease("deploy", Duration::from_secs(60))?;
    /// let first = lease.token();
    /// drop(lease);
    /// assert!(session.lease("deploy", Duration::from_secs(60))?.token() > first);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn token(&self) -> u64 {
        self.token
    }

    /// The key.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let lease = session.lease("deploy", Duration::from_secs(60))?;
    /// assert_eq!(lease.key(), "deploy");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the lease is held now: the session is attached, the time of the last renewal is not over, and the session's entry
    /// is on the board. `false` also when the board cannot be read, and in a forked child. The answer may be out of date when the
    /// caller acts on it: use [`Lease::token`] for that.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let lease = session.lease("deploy", Duration::from_secs(60))?;
    /// assert!(lease.is_held());
    /// session.put("deploy", "by force")?;
    /// assert!(!lease.is_held());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn is_held(&self) -> bool {
        // Before the lock, as in `renew`: a forked child holds no lease.
        if self.session.check().is_err() {
            return false;
        }
        let held = self.held.lock();
        let Some(version) = held.version.filter(|_| boottime_ns() < held.until_ns) else { return false };
        let stands = self.session.get_into(&self.key, &mut Vec::new());
        stands.is_ok_and(|meta| meta.is_some_and(|meta| meta.version == version))
    }

    /// Renews the lease now, for its whole time to live.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost: it expired, or another value was put. As [`Session::put`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let lease = session.lease("deploy", Duration::from_secs(60))?;
    /// lease.renew()?;
    /// assert!(lease.is_held());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn renew(&self) -> Result<()> {
        // Before the lock: in a forked child, the keeper that may hold it does not exist.
        self.session.reader().core()?;
        renew(&self.session, &self.key, self.ttl, &self.held)
    }

    /// Releases the lease, as a drop does, and returns the error if that fails.
    ///
    /// # Errors
    /// As [`Session::remove_if`]. That the lease was lost already is no error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let lease = session.lease("deploy", Duration::from_secs(60))?;
    /// lease.release()?;
    /// assert!(session.get("deploy")?.is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn release(self) -> Result<()> {
        self.end()
    }

    fn end(&self) -> Result<()> {
        // Before the lock, as in `renew`: a forked child does not end its parent's lease.
        self.session.reader().core()?;
        self.session.forget_renewal(self.id);
        let Some(version) = self.held.lock().version.take() else { return Ok(()) };
        match self.session.remove_if(&self.key, Expect::Version(version)) {
            Err(error) if error.is_conflict() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn keep_renewed(&self) {
        let every_ns = u64::try_from(self.ttl.as_nanos() / 3).unwrap_or(u64::MAX);
        let (key, ttl, held) = (self.key.clone(), self.ttl, Arc::clone(&self.held));
        let session = self.session.weak();
        let renew = Box::new(move || {
            session.upgrade().is_some_and(|session| {
                // A full board or a stopped process is tried again; a lost lease does not come back.
                renew(&session, &key, ttl, &held).is_ok() || held.lock().version.is_some()
            })
        });
        let due_ns = boottime_ns().saturating_add(every_ns);
        self.session.add_renewal(Renewal { id: self.id, renew, every_ns, due_ns });
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Lease");
        shown
            .field("key", &self.key)
            .field("ttl", &self.ttl)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn put(session: &Session, key: &str, ttl: Duration, expect: Expect) -> Result<super::Receipt> {
    let options = PutOptions::new().expect(expect).ttl(ttl).ephemeral(true).codec(CodecId::UTF8);
    session.put_with(key, session.name(), options)
}

/// When a lease that is put now ends: not after the deadline that its entry gets.
fn end_of(ttl: Duration) -> u64 {
    boottime_ns().saturating_add(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX))
}

fn renew(session: &Session, key: &str, ttl: Duration, held: &Lock<Held>) -> Result<()> {
    let mut held = held.lock();
    let Some(current) = held.version else {
        return Err(Error::new(
            ErrorKind::Conflict,
            "the lease was lost: it expired, or another value was put",
        )
        .on_key(key)
        .with_current(session.get(key).ok().flatten())
        .hint("take the lease again"));
    };
    let until_ns = end_of(ttl);
    match put(session, key, ttl, Expect::Version(current)) {
        Ok(receipt) => {
            *held = Held { version: Some(receipt.version), until_ns };
            Ok(())
        }
        Err(error) => {
            // An expired entry is absent: a lease whose time was over is not renewed.
            if error.is_conflict() || error.is_fenced() || error.is_moved() {
                held.version = None;
            }
            Err(error)
        }
    }
}

/// A conflict, as an error that names the holder of the lease.
pub(super) fn held(error: Error, key: &str) -> Error {
    if error.kind() != ErrorKind::Conflict {
        return error;
    }
    held_by(key, error.current().cloned())
}

/// An error that names the holder of a lease, whose entry this is.
pub(super) fn held_by(key: &str, current: Option<Entry>) -> Error {
    let holder =
        current.as_ref().map_or_else(|| "another session".to_owned(), |entry| entry.writer.to_string());
    Error::new(ErrorKind::Held, format!("{holder} holds the lease"))
        .on_key(key)
        .with_current(current)
        .hint("wait for the key to change, and try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Board,
        protocol::{
            read::{CopiedRecord, Verify},
            slots::Key,
        },
        sync::Ordering::Relaxed,
    };

    /// So long that the keeper renews nothing of its own accord while a test runs.
    const LONG: Duration = Duration::from_secs(600);
    const THIRD_NS: u64 = 200_000_000_000;
    const SELDOM: Duration = Duration::from_secs(3600);

    fn holder() -> Session {
        let options = Board::options().capacity(1 << 20).keys(64).beat(SELDOM);
        options.local().unwrap().attach("holder").unwrap()
    }

    fn version(session: &Session, key: &str) -> u64 {
        session.get(key).unwrap().unwrap().version
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_lease_whose_time_is_over_is_not_held_until_it_is_renewed() {
        let session = holder();
        let lease = session.lease("lease", LONG).unwrap();
        assert!(lease.is_held());
        lease.held.lock().until_ns = boottime_ns();
        assert!(!lease.is_held());
        lease.renew().unwrap();
        assert!(lease.is_held());
        session.put("lease", b"by force").unwrap();
        assert!(!lease.is_held(), "another entry stands there, though no renewal has met it");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_lease_does_not_count_as_held_for_longer_than_its_entry_lives() {
        let session = holder();
        let lease = session.lease("lease", LONG).unwrap();
        for _ in 0..3 {
            let deadline_ns =
                session.get("lease").unwrap().unwrap().deadline.expect("a time to live").boot_ns;
            let until_ns = lease.held.lock().until_ns;
            assert!(until_ns <= deadline_ns, "it is held until {until_ns}, and lives until {deadline_ns}");
            lease.renew().unwrap();
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_lease_s_entry_has_the_holder_s_name_as_text() {
        let session = holder();
        let lease = session.lease("lease", LONG).unwrap();
        for _ in 0..2 {
            let entry = session.get("lease").unwrap().unwrap();
            assert_eq!((entry.text(), entry.codec), (Some("holder"), CodecId::UTF8));
            lease.renew().unwrap();
        }
    }

    /// A renewal that waits for the lock while the lease is released puts nothing.
    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_released_lease_is_lost_for_a_renewal_under_way() {
        let session = holder();
        let lease = session.lease("lease", LONG).unwrap();
        let held = Arc::clone(&lease.held);
        lease.release().unwrap();
        assert_eq!(held.lock().version, None);
        let puts = |session: &Session| session.metrics().unwrap().totals.conflicts;
        let before = puts(&session);
        assert!(renew(&session, "lease", LONG, &held).unwrap_err().is_conflict());
        assert_eq!(puts(&session), before, "it tried a put");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_release_does_not_wait_for_a_renewal() {
        let session = holder();
        let (theirs, free) = (session.weak(), Arc::new(Lock::new(None)));
        let seen = Arc::clone(&free);
        let renew = Box::new(move || {
            let session = theirs.upgrade().expect("the session lives");
            *seen.lock() = Some(session.seat().renewals.try_lock().is_some());
            true
        });
        session.add_renewal(Renewal { id: 7, renew, every_ns: 1, due_ns: u64::MAX - 1 });
        session.seat().renew(u64::MAX - 1);
        assert_eq!(*free.lock(), Some(true), "the list of renewals is locked during a renewal");
        assert_eq!(session.seat().next_renewal_ns(), Some(u64::MAX), "it is due again");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_lease_is_renewed_after_each_third_of_its_time() {
        let session = holder();
        let lease = session.lease("lease", LONG).unwrap();
        let taken_ns = boottime_ns();
        let (seat, first) = (session.seat(), version(&session, "lease"));
        let mut due_ns = seat.next_renewal_ns().expect("a renewal");
        assert!(due_ns <= taken_ns + THIRD_NS, "the first renewal comes late");
        for renewals in 0..4 {
            assert_eq!(seat.next_renewal_ns(), Some(due_ns));
            seat.renew(due_ns - 1);
            assert_eq!(version(&session, "lease"), first + renewals, "too early");
            seat.renew(due_ns);
            seat.renew(due_ns);
            assert_eq!(version(&session, "lease"), first + renewals + 1, "once");
            assert!(lease.is_held());
            due_ns += THIRD_NS;
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_renewal_that_failed_is_tried_again_and_that_of_a_lost_lease_is_not() {
        let session = holder();
        let lease = session.lease("lease", LONG).unwrap();
        let (seat, region, first) = (session.seat(), &session.reader().region, version(&session, "lease"));
        let mut found = CopiedRecord::EMPTY;
        let key = Key::new(region.geometry(), "lease");
        assert!(
            region.core().unwrap().get_to(&key, None, Verify::Always, &mut found, &mut Vec::new()).unwrap()
        );
        let word = &region.words().unwrap()[found.slot.head_at];
        // Damage is an error that may pass, as a full board is.
        let head = word.swap(u64::MAX, Relaxed);
        let due_ns = seat.next_renewal_ns().unwrap();
        seat.renew(due_ns);
        assert!(session.get("lease").unwrap_err().is_corrupt());
        word.store(head, Relaxed);
        assert_eq!(version(&session, "lease"), first);
        assert_eq!(seat.next_renewal_ns(), Some(due_ns + THIRD_NS), "the next attempt");
        seat.renew(due_ns + THIRD_NS);
        assert_eq!(version(&session, "lease"), first + 1);
        assert!(lease.is_held());
        session.put("lease", b"by force").unwrap();
        seat.renew(due_ns + 2 * THIRD_NS);
        assert_eq!(seat.next_renewal_ns(), None, "a lost lease is renewed for ever");
    }

    /// A session with a lease, whose board has moved since.
    #[cfg(not(miri))]
    fn moved() -> (Session, Lease) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let options = Board::options().capacity(1 << 20).keys(64).beat(SELDOM);
        let session = options.create(&path).unwrap().attach("holder").unwrap();
        let lease = session.lease("lease", LONG).unwrap();
        std::fs::remove_file(&path).unwrap();
        session.reader().region.look();
        (session, lease)
    }

    #[test]
    #[cfg(not(miri))]
    fn a_lease_of_a_board_that_has_moved_is_not_renewed_again() {
        let (session, lease) = moved();
        let due_ns = session.seat().next_renewal_ns().unwrap();
        session.seat().renew(due_ns);
        assert_eq!(session.seat().next_renewal_ns(), None, "the keeper goes on with it");
        assert!(!lease.is_held() && lease.renew().unwrap_err().is_moved());
    }

    /// In a forked child the thread that holds the lock does not exist. A board that has moved is told by the same look.
    #[test]
    #[cfg(not(miri))]
    fn a_lease_s_calls_look_at_the_board_before_they_wait_for_the_lock() {
        let (_session, lease) = moved();
        let held = Arc::clone(&lease.held);
        let _another_holds_it = held.lock();
        let (say, hear) = std::sync::mpsc::channel();
        let calls = std::thread::spawn(move || {
            let _ = say.send(lease.is_held());
            let _ = say.send(lease.renew().is_ok());
            let _ = say.send(lease.release().is_ok());
        });
        for call in ["is_held", "renew", "release"] {
            assert_eq!(hear.recv_timeout(Duration::from_secs(10)), Ok(false), "{call} waits");
        }
        calls.join().unwrap();
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn each_lease_of_a_session_is_renewed_until_it_is_released() {
        let session = holder();
        let seat = session.seat();
        let due = |lease: &Lease| {
            let renewals = seat.renewals.lock();
            renewals.iter().find(|renewal| renewal.id == lease.id).map(|renewal| renewal.due_ns)
        };
        let (later, sooner) =
            (session.lease("later", 2 * LONG).unwrap(), session.lease("sooner", LONG).unwrap());
        assert_eq!(seat.next_renewal_ns(), due(&sooner), "the keeper wakes for the first that is due");
        let last = session.lease("last", 3 * LONG).unwrap();
        assert_eq!(seat.next_renewal_ns(), due(&sooner), "the keeper wakes for the first that is due");
        sooner.release().unwrap();
        assert_eq!(seat.renewals.lock().len(), 2, "what was released is not renewed");
        let due_ns = due(&later).expect("the others are renewed");
        assert_eq!(seat.next_renewal_ns(), Some(due_ns));
        let before = version(&session, "later");
        seat.renew(due_ns);
        assert_eq!(version(&session, "later"), before + 1);
        drop(later);
        assert_eq!(seat.next_renewal_ns(), due(&last));
        drop(last);
        assert!(seat.renewals.lock().is_empty());
        assert_eq!(session.list("").keys().into_vec().unwrap(), Vec::<String>::new(), "a drop releases");
    }
}
