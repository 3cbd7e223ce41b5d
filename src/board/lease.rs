//! Leases: a key that one session holds at a time, for as long as it lives and renews.

use super::{Expect, PutOptions, Session, keeper::Renewal, session::check_ttl};
use crate::{
    error::{Error, ErrorKind, Result},
    region::boottime_ns,
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// A held lease. The session's keeper renews it; dropping it releases it.
///
/// It ends in any case when the session does, and when it could not be renewed in time. Whoever acts under
/// it passes [`Lease::token`] on to what it changes, and that refuses smaller tokens than it has seen.
pub struct Lease {
    session: Session,
    key: String,
    ttl: Duration,
    token: u64,
    /// Version of our newest entry; `None` when another's stands there.
    version: Arc<Mutex<Option<u64>>>,
    id: u64,
}

impl Lease {
    pub(super) fn acquire(session: Session, key: &str, ttl: Duration) -> Result<Self> {
        check_ttl(key, ttl)?;
        let receipt = put(&session, key, ttl, Expect::Absent).map_err(|error| held(error, key))?;
        let version = Arc::new(Mutex::new(Some(receipt.version)));
        let id = receipt.generation;
        let lease = Self { session, key: key.to_owned(), ttl, token: receipt.generation, version, id };
        lease.keep_renewed();
        Ok(lease)
    }

    /// The fencing token: the generation at which the lease was acquired.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether this session's entry still stood there when it was last renewed.
    pub fn is_held(&self) -> bool {
        // Before the lock, as in `renew`; a forked child holds nothing.
        self.session.core().is_ok() && self.version.lock().is_some()
    }

    /// Renews the lease now, for its whole time.
    ///
    /// # Errors
    /// `Held` or `Conflict` where it was lost; as [`Session::put`].
    pub fn renew(&self) -> Result<()> {
        // Before any lock: in a forked child the keeper that may hold it does not exist.
        self.session.core()?;
        renew(&self.session, &self.key, self.ttl, &self.version)
    }

    /// Ends the lease.
    ///
    /// # Errors
    /// As [`Session::remove_if`]; not where it was lost already.
    pub fn release(self) -> Result<()> {
        self.end()
    }

    fn end(&self) -> Result<()> {
        // As in `renew`; the parent's lease is not the child's to end.
        self.session.core()?;
        self.session.forget_renewal(self.id);
        let Some(version) = self.version.lock().take() else { return Ok(()) };
        match self.session.remove_if(&self.key, Expect::Version(version)) {
            Err(error) if error.is_conflict() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn keep_renewed(&self) {
        let every_ns = u64::try_from(self.ttl.as_nanos() / 3).unwrap_or(u64::MAX).max(1);
        let (key, ttl, version) = (self.key.clone(), self.ttl, Arc::clone(&self.version));
        let session = self.session.weak();
        let renew = Box::new(move || {
            session.upgrade().is_some_and(|session| {
                // A full board or a stopped process may pass; a lost lease does not come back.
                renew(&session, &key, ttl, &version).is_ok() || version.lock().is_some()
            })
        });
        let due_ns = boottime_ns().saturating_add(every_ns);
        self.session.add_renewal(Renewal { id: self.id, renew, every_ns, due_ns });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn put(session: &Session, key: &str, ttl: Duration, expect: Expect) -> Result<super::Receipt> {
    let options = PutOptions { expect, ttl: Some(ttl), ephemeral: true, codec: crate::codec::UTF8 };
    session.put_with(key, session.name(), options)
}

fn renew(session: &Session, key: &str, ttl: Duration, version: &Mutex<Option<u64>>) -> Result<()> {
    let mut version = version.lock();
    let Some(current) = *version else {
        return Err(Error::new(ErrorKind::Held, "the lease was lost").key(key).next("acquire it again"));
    };
    match put(session, key, ttl, Expect::Version(current)) {
        Ok(receipt) => {
            *version = Some(receipt.version);
            Ok(())
        }
        Err(error) => {
            if error.is_conflict() {
                *version = None;
            }
            Err(error)
        }
    }
}

/// A conflict, as the holder of the lease.
fn held(error: Error, key: &str) -> Error {
    if error.kind() != ErrorKind::Conflict {
        return error;
    }
    let holder =
        error.current().map_or_else(|| "another session".to_owned(), |entry| entry.writer.to_string());
    let current = error.current().cloned();
    Error::new(ErrorKind::Held, format!("{holder} holds the lease"))
        .key(key)
        .with_current(current)
        .next("wait for the key to change, and try again")
}
