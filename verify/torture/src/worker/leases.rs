//! Leases. A worker has one of a key at a time, and keeps it beside its other calls.

use super::{Worker, one::refused};
use slateboard_kit::calls::{self, Answer, Call};
use std::time::Duration;

impl Worker<'_> {
    /// Takes a lease of the key; where it has one, asks for it, renews it, or ends it.
    pub fn lease(&mut self, key: u64) {
        let Some(token) = self.leases.get(&key).map(slateboard::Lease::token) else { return self.take(key) };
        match self.random.u64(..8) {
            0 => self.release(key),
            1..4 => {
                let id = self.called(key, Call::Renew(token));
                let answer = match self.leases[&key].renew() {
                    Ok(()) => Answer::Yes,
                    Err(error) if error.is_conflict() => Answer::No,
                    Err(error) => refused(&error),
                };
                self.answered(id, key, answer);
            }
            _ => {
                let id = self.called(key, Call::Held(token));
                let answer = if self.leases[&key].is_held() { Answer::Yes } else { Answer::No };
                self.answered(id, key, answer);
            }
        }
    }

    fn take(&mut self, key: u64) {
        let id = self.called(key, Call::Take);
        let answer = match self.session.lease(&calls::key(key), Duration::from_millis(calls::lease_ttl(key)))
        {
            Ok(lease) => {
                let token = lease.token();
                self.leases.insert(key, lease);
                Answer::Generation(token)
            }
            Err(error) => refused(&error),
        };
        self.answered(id, key, answer);
    }

    fn release(&mut self, key: u64) {
        let Some(lease) = self.leases.remove(&key) else { return };
        let id = self.called(key, Call::Release(lease.token()));
        let answer = match lease.release() {
            Ok(()) => Answer::Yes,
            Err(error) => refused(&error),
        };
        self.answered(id, key, answer);
    }

    /// Releases everything, before the session ends.
    pub fn release_all(&mut self) {
        let keys: Vec<u64> = self.leases.keys().copied().collect();
        keys.into_iter().for_each(|key| self.release(key));
    }
}
