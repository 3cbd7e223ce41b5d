//! Leases: a key that one session holds at a time, for as long as it lives and renews.

use super::{Expect, PutOptions, Session, keeper::Renewal, session::check_ttl};
use crate::{
    codec::CodecId,
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
        check_ttl(key, ttl)?;
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
        let every_ns = u64::try_from(self.ttl.as_nanos() / 3).unwrap_or(u64::MAX).max(1);
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
fn held(error: Error, key: &str) -> Error {
    if error.kind() != ErrorKind::Conflict {
        return error;
    }
    let holder =
        error.current().map_or_else(|| "another session".to_owned(), |entry| entry.writer.to_string());
    let current = error.current().cloned();
    Error::new(ErrorKind::Held, format!("{holder} holds the lease"))
        .on_key(key)
        .with_current(current)
        .hint("wait for the key to change, and try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Board;

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_lease_whose_time_is_over_is_not_held_until_it_is_renewed() {
        let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("holder").unwrap();
        let lease = session.lease("lease", Duration::from_secs(600)).unwrap();
        assert!(lease.is_held());
        lease.held.lock().until_ns = boottime_ns();
        assert!(!lease.is_held());
        lease.renew().unwrap();
        assert!(lease.is_held());
        session.put("lease", b"by force").unwrap();
        assert!(!lease.is_held(), "another entry stands there, though no renewal has met it");
    }
}
