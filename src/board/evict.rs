//! Evicting a session: ending its process, on request, and reaping it.

use super::{Board, SessionId, presence::Presence, region::Region};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Writer,
    region::{OtherProcess, ProcessIdentity},
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// The time between two looks whether the kernel has released the session's lock.
const PAUSE: Duration = Duration::from_millis(1);

/// What [`Board::evict`] did.
///
/// # Examples
/// See [`Board::evict`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Eviction {
    /// It killed the session's process, and the session was reaped.
    Killed {
        /// The process.
        pid: u32,
    },
    /// The session's process had ended already. The session was reaped.
    Dead,
    /// No such session is attached.
    Gone,
}

impl Board {
    /// Ends a session of another process by killing that process, and reaps it: for a process that is stopped, or that hangs.
    /// Nothing happens on its own: a session that does not beat is never ended for it.
    ///
    /// The process is killed only if it is proved to be the session's: a process with the process id, the start time and the
    /// pid namespace that the session's record has. (A board of another boot of the machine cannot be opened.) It is killed through a descriptor of that very
    /// process. All sessions of the process end.
    ///
    /// Waits at most `patience` until the kernel has released the session's lock. Returns `None` if it has not: then the session
    /// is reaped later, when it has.
    ///
    /// # Errors
    /// `Unverified`, with the reason, if it cannot be proved that the process is the session's, or if it is not known whether the
    /// session lives; `InvalidArgument` for a session of this process; `Io` if the process may not be killed; `Moved`; `Forked`.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Eviction, SessionId};
    /// use std::time::Duration;
    ///
    /// let board = Board::local()?;
    /// let gone = board.attach("worker")?.id();
    /// assert_eq!(board.evict(gone, Duration::from_secs(10))?, Some(Eviction::Gone));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn evict(&self, session: SessionId, patience: Duration) -> Result<Option<Eviction>> {
        match session.life_on(&self.region) {
            Some(life) => {
                let outcome = self.region.evict(life, patience).map_err(|error| name(error, session));
                self.region.kept(outcome)
            }
            None => Ok(Some(Eviction::Gone)),
        }
    }
}

impl Region {
    fn evict(&self, life: Writer, patience: Duration) -> Result<Option<Eviction>> {
        let index = usize::from(life.session);
        if !self.core()?.is_in_life(life) {
            return Ok(Some(Eviction::Gone));
        }
        match self.presence(&self.core()?, index) {
            Presence::Alive => {}
            Presence::Dead => {
                self.reap_life(life)?;
                return Ok(Some(Eviction::Dead));
            }
            Presence::Unknown => {
                return Err(Error::new(ErrorKind::Unverified, "whether it lives is not known"));
            }
        }
        let killed = self.kill_process(life)?;
        let started = Instant::now();
        // Another process may be faster, and reap the session.
        while !self.reap_life(life)? {
            if started.elapsed() >= patience {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
        Ok(Some(killed))
    }

    /// Kills the process of a session, once it is proved to be that.
    fn kill_process(&self, life: Writer) -> Result<Eviction> {
        let recorded = self.core()?.session_view(usize::from(life.session)).identity;
        let wanted = ProcessIdentity {
            pid: u32::try_from(recorded.pid).unwrap_or(0),
            pid_namespace: recorded.pid_namespace,
            start_time: recorded.start_time,
        };
        let Some(process) = OtherProcess::find(&wanted)? else { return Ok(Eviction::Dead) };
        // The record is looked at again: the session may have left meanwhile, and its process go on without it.
        if !self.core()?.is_in_life(life) {
            return Ok(Eviction::Gone);
        }
        process.kill()?;
        Ok(Eviction::Killed { pid: wanted.pid })
    }
}

fn name(error: Error, session: SessionId) -> Error {
    if error.kind() != ErrorKind::Unverified {
        return error;
    }
    Error::new(ErrorKind::Unverified, format!("session {session} cannot be evicted from here: {error}"))
        .hint("end its process from where it runs")
}
