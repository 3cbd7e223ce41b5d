//! Session records. A lock outside the region decides who may take or reap a record. The kernel releases that lock when
//! its holder is gone. This module handles the words behind it.

use super::{Core, Fault, acquire, lane::Lane};
use crate::layout::{
    Writer,
    session::{self, COUNTERS, Counter, LANES},
};
use crate::sync::Ordering::{Relaxed, Release};

/// The identity that a process stores in its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// The process id in its own pid namespace.
    pub pid: u64,
    /// The inode of that namespace.
    pub pid_namespace: u64,
    /// The start time of the process in clock ticks since boot.
    pub start_time: u64,
    /// The inode of the lock file in which the session holds its byte; 0 on a local board.
    pub lock_file: u64,
    /// Nanoseconds of `CLOCK_REALTIME`.
    pub attached_ns: u64,
    /// Nanoseconds of `CLOCK_BOOTTIME`.
    pub heartbeat_ns: u64,
}

/// A session record, read without order, for display.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordView {
    /// Whether a session is attached, or was attached when it died.
    pub active: bool,
    /// The incarnation: which life of the record this is.
    pub incarnation: u32,
    /// The entry of the name table.
    pub name: u16,
    /// The identity that the process stored, with its last heartbeat.
    pub identity: Identity,
    /// The counters since it attached, in the order of [`Counter`].
    pub counters: [u64; COUNTERS],
}

impl<'r> Core<'r> {
    fn session_word(&self, session: usize, word: usize) -> &'r crate::sync::AtomicU64 {
        self.at(self.geo.session(session) + word)
    }

    /// Begins a new life of a free record. The caller holds its lock byte.
    pub fn occupy(&self, session: usize, name: u16, identity: &Identity) -> Writer {
        let word = self.session_word(session, session::INCARNATION);
        let incarnation = session::incarnation(word.load(Relaxed)).wrapping_add(1);
        let put = |at, value| self.session_word(session, at).store(value, Relaxed);
        put(session::PID, identity.pid);
        put(session::PID_NAMESPACE, identity.pid_namespace);
        put(session::START_TIME, identity.start_time);
        put(session::LOCK_FILE, identity.lock_file);
        put(session::HEARTBEAT_NS, identity.heartbeat_ns);
        put(session::ATTACHED_NS, identity.attached_ns);
        if session::COUNTERS_KEPT {
            for counter in (0..COUNTERS).filter(|&word| session::is_counter(word)) {
                put(session::baseline(counter), self.counter_sum(session, counter));
            }
        }
        // Release: a name sweep that sees this life sees that the last one is over (P9).
        self.session_word(session, session::NAME).store(u64::from(name), Release);
        // Release: a thread that sees the life sees its identity (P9).
        word.store(session::incarnation_word(incarnation, true), Release);
        Writer { name, session: session as u16, incarnation }
    }

    /// Whether the record is in a life: its session is attached, or dead and not reaped yet.
    pub fn is_occupied(&self, session: usize) -> bool {
        session::is_active(acquire(self.session_word(session, session::INCARNATION)))
    }

    /// Whether this life of a record goes on. The session must be below the geometry's number of sessions.
    pub fn is_in_life(&self, life: Writer) -> bool {
        let view = self.session_view(usize::from(life.session));
        view.active && view.incarnation == life.incarnation
    }

    /// Lets the end of the lane's session look for entries that are bound to it, also if others put them: whoever ends a
    /// session looks only if this counter says that there may be any.
    pub fn expect_guests(&self, lane: &Lane) {
        self.count(lane, Counter::Ephemerals, 1);
    }

    /// Returns `Fenced` if the lane's record began another life, or ended.
    #[inline]
    pub fn check_fence(&self, lane: &Lane) -> Result<(), Fault> {
        // Relaxed: another process ends the record only after this process lost its lock byte.
        let word = self.session_word(lane.session, session::INCARNATION).load(Relaxed);
        let ours = session::incarnation_word(lane.writer.incarnation, true);
        if word == ours { Ok(()) } else { Err(Fault::Fenced) }
    }

    /// Ends a life that has no blocks, intents and ephemeral entries left. The caller holds the lock byte.
    pub(super) fn vacate(&self, session: usize) {
        let word = self.session_word(session, session::INCARNATION);
        for lane in 0..LANES {
            self.forget_intent(session, lane);
        }
        // Release: the owner of the next life sees that this one is over (P9).
        word.store(session::incarnation_word(session::incarnation(word.load(Relaxed)), false), Release);
    }

    /// Records that the session is alive.
    pub fn beat(&self, session: usize, boot_ns: u64) {
        self.session_word(session, session::HEARTBEAT_NS).store(boot_ns, Relaxed);
    }

    /// The last heartbeat in nanoseconds of `CLOCK_BOOTTIME`. It tells whose lock is worth a probe. It does not prove
    /// that a session is dead.
    pub fn heartbeat_ns(&self, session: usize) -> u64 {
        // Relaxed: the value is only an estimate.
        self.session_word(session, session::HEARTBEAT_NS).load(Relaxed)
    }

    /// The inode of the lock file in which the session of an occupied record holds its byte. Nothing is known of the
    /// session through another file.
    pub fn lock_file(&self, session: usize) -> u64 {
        // Relaxed: the caller has seen the life with acquire, and its lock file was stored before it began.
        self.session_word(session, session::LOCK_FILE).load(Relaxed)
    }

    /// The record, for display. The index must be below the geometry's number of sessions.
    pub fn session_view(&self, session: usize) -> RecordView {
        let word = acquire(self.session_word(session, session::INCARNATION));
        let get = |at| self.session_word(session, at).load(Relaxed);
        let mut counters = [0; COUNTERS];
        if session::COUNTERS_KEPT {
            for (counter, value) in
                counters.iter_mut().enumerate().filter(|(word, _)| session::is_counter(*word))
            {
                *value = self.counter_sum(session, counter).wrapping_sub(get(session::baseline(counter)));
            }
        }
        RecordView {
            active: session::is_active(word),
            incarnation: session::incarnation(word),
            name: get(session::NAME) as u16,
            identity: Identity {
                pid: get(session::PID),
                pid_namespace: get(session::PID_NAMESPACE),
                start_time: get(session::START_TIME),
                lock_file: get(session::LOCK_FILE),
                attached_ns: get(session::ATTACHED_NS),
                heartbeat_ns: get(session::HEARTBEAT_NS),
            },
            counters,
        }
    }

    fn counter_sum(&self, session: usize, counter: usize) -> u64 {
        (0..LANES)
            .map(|lane| self.session_word(session, session::counter(lane, counter)).load(Relaxed))
            .fold(0, u64::wrapping_add)
    }

    /// A counter's total over all lives of all records.
    pub fn total(&self, counter: Counter) -> u64 {
        if !session::COUNTERS_KEPT {
            return 0;
        }
        let sum = |session| self.counter_sum(session, counter as usize);
        (0..self.geo.sessions()).map(sum).fold(0, u64::wrapping_add)
    }
}
