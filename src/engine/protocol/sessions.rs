//! Session records. Who may take or reap a record is decided outside, by a lock that the
//! kernel releases when its holder is gone; these are the words behind it.

use super::{Core, Fault, acquire, lane::Lane};
use crate::layout::{
    Writer,
    session::{self, COUNTERS, Counter, LANES},
};
use crate::sync::Ordering::{Relaxed, Release};

/// What a process says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// Process id, in its own pid namespace.
    pub pid: u64,
    /// Inode of that namespace.
    pub pid_namespace: u64,
    /// Start time of the process, clock ticks since boot.
    pub start_time: u64,
    /// Low half of the boot id.
    pub boot: u64,
    /// Nanoseconds of `CLOCK_REALTIME`.
    pub attached_ns: u64,
    /// Nanoseconds of `CLOCK_BOOTTIME`.
    pub heartbeat_ns: u64,
}

/// A session record, read without order: for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordView {
    /// Whether a session is attached, or was when it died.
    pub active: bool,
    /// Which life of the record.
    pub incarnation: u32,
    /// Entry of the name table.
    pub name: u16,
    /// What the process said of itself, with its last beat.
    pub identity: Identity,
    /// Counters since it attached, in the order of [`Counter`].
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
        put(session::BOOT, identity.boot);
        put(session::HEARTBEAT_NS, identity.heartbeat_ns);
        put(session::ATTACHED_NS, identity.attached_ns);
        if session::COUNTERS_KEPT {
            for counter in (0..COUNTERS).filter(|&word| session::is_counter(word)) {
                put(session::baseline(counter), self.counter_sum(session, counter));
            }
        }
        // Release: a sweep of names that meets this life sees the last one over (P9).
        self.session_word(session, session::NAME).store(u64::from(name), Release);
        // Release: who sees the life sees its identity (P9).
        word.store(session::incarnation_word(incarnation, true), Release);
        Writer { name, session: session as u16, incarnation }
    }

    /// Whether the record is in a life: attached, or dead and not reaped yet.
    pub fn is_occupied(&self, session: usize) -> bool {
        session::is_active(acquire(self.session_word(session, session::INCARNATION)))
    }

    /// `Fenced` when the lane's record began another life, or ended.
    #[inline]
    pub fn check_fence(&self, lane: &Lane) -> Result<(), Fault> {
        // Relaxed: the record is ended by others only after this process lost its lock byte.
        let word = self.session_word(lane.session, session::INCARNATION).load(Relaxed);
        let ours = session::incarnation_word(lane.writer.incarnation, true);
        if word == ours { Ok(()) } else { Err(Fault::Fenced) }
    }

    /// Ends a life whose blocks, intents and ephemeral entries are gone. The caller holds the lock byte.
    pub(super) fn vacate(&self, session: usize) {
        let word = self.session_word(session, session::INCARNATION);
        for lane in 0..LANES {
            self.forget_intent(session, lane);
        }
        // Release: the next life's owner sees this one over (P9).
        word.store(session::incarnation_word(session::incarnation(word.load(Relaxed)), false), Release);
    }

    /// Notes that the session is alive.
    pub fn beat(&self, session: usize, boot_ns: u64) {
        self.session_word(session, session::HEARTBEAT_NS).store(boot_ns, Relaxed);
    }

    /// The last beat, nanoseconds of `CLOCK_BOOTTIME`: says who may be asked for, and nothing of who is dead.
    pub fn heartbeat_ns(&self, session: usize) -> u64 {
        // Relaxed: a guess, whatever it says.
        self.session_word(session, session::HEARTBEAT_NS).load(Relaxed)
    }

    /// The record, for people. The session must be below the geometry's number.
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
                boot: get(session::BOOT),
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
