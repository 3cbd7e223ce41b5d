//! A session's place on the board: its record, its lock byte, and the lanes that its threads write in.

use super::{
    fault,
    keeper::{Expiries, Renewal, Signal},
    region::{self, Region},
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Writer, session::LANES},
    protocol::{
        Core, Fault,
        lane::Lane,
        publish::{Change, Expect, Outcome},
        sessions::Identity,
        slots::{self, Slot},
    },
    region::{Certificate, Guard, Lock, ProcessIdentity, boottime_ns},
};
use std::{sync::Arc, time::Duration};

/// The session's place on the board: its record, and the lanes its threads write in.
pub(super) struct Seat {
    pub(super) region: Arc<Region>,
    pub(super) name: String,
    pub(super) writer: Writer,
    /// The session that this one acts for.
    pub(super) host: Option<Writer>,
    lanes: [Lock<Lane>; LANES],
    /// What holds the record's lock byte; a local board has no certificate. `None` once the session has left.
    #[allow(clippy::option_option, reason = "whether it is held, and by what certificate")]
    hold: Lock<Option<Option<Certificate>>>,
    pub(super) renewals: Lock<Vec<Renewal>>,
    pub(super) signal: Signal,
    pub(super) expiries: Expiries,
}

impl Seat {
    /// Begins a life of the record whose lock byte is held. Gives the certificate back when that fails.
    pub(super) fn take(
        region: &Arc<Region>,
        index: usize,
        certificate: Option<Certificate>,
        name: &str,
        (identity, beat): (&Identity, Duration),
    ) -> std::result::Result<Self, (Error, Option<Certificate>)> {
        let core = match region.core() {
            Ok(core) => core,
            Err(error) => return Err((error, certificate)),
        };
        // The life begins first: an unfinished name belongs to it, and its reaper frees the name.
        let writer = core.occupy(index, 0, identity);
        let writer = match core.intern(name, index) {
            Ok(name) => Writer { name, ..writer },
            Err(fault) => {
                // Nothing was written yet, so the life can end in an orderly way.
                let _ = core.leave(&mut [Lane::new(&core, 0, writer)], region::now());
                return Err((fault::error(fault), certificate));
            }
        };
        Ok(Self {
            name: name.to_owned(),
            writer,
            host: None,
            lanes: std::array::from_fn(|lane| Lock::new(Lane::new(&core, lane, writer))),
            hold: Lock::new(Some(certificate)),
            renewals: Lock::default(),
            signal: Signal::default(),
            expiries: Expiries::new(beat),
            region: Arc::clone(region),
        })
    }

    /// The session that ephemeral entries are bound to.
    pub(super) fn binding(&self) -> Writer {
        self.host.unwrap_or(self.writer)
    }

    #[inline]
    pub(super) fn write(
        &self,
        key: &slots::Key<'_>,
        change: &Change<'_>,
        hint: Option<Slot>,
    ) -> Result<Outcome> {
        let core = self.region.core_over(self.region.words()?);
        let value_max = core.geometry().shape().value_max;
        if change.value.len() as u64 > value_max {
            return Err(too_large(change.value.len(), value_max));
        }
        let outcome = match self.try_write(&core, key, change, hint) {
            // Dead sessions may hold blocks and slots: reap them, and try again.
            // One that cannot be reaped does not hide that others were.
            Err(error) if error.is_full() && self.region.reap_dead().map_or(true, |reaped| reaped > 0) => {
                self.try_write(&core, key, change, hint)
            }
            other => other,
        };
        self.region.stands()?;
        outcome
    }

    #[inline]
    fn try_write(
        &self,
        core: &Core<'_>,
        key: &slots::Key<'_>,
        change: &Change<'_>,
        hint: Option<Slot>,
    ) -> Result<Outcome> {
        let mut lane = self.lane();
        core.check_fence(&lane).map_err(fault::error)?;
        match core.try_change_inline(&mut lane, key, change, region::now(), hint) {
            Ok(outcome) => Ok(outcome),
            Err(fault) => self.write_again(core, &mut lane, key, change, hint, fault),
        }
    }

    /// The rest of `try_write`, after a first attempt that failed.
    #[cold]
    fn write_again(
        &self,
        core: &Core<'_>,
        lane: &mut Lane,
        key: &slots::Key<'_>,
        change: &Change<'_>,
        hint: Option<Slot>,
        first: Fault,
    ) -> Result<Outcome> {
        let extents = change.value.len() / (64 << 10) + 2;
        let mut first = Some(first);
        self.region.with_space(lane, extents as u32, |lane| {
            loop {
                let outcome = match first.take() {
                    Some(Fault::Full(_)) => {
                        core.change_ending_expired(lane, key, change, region::now(), hint)
                    }
                    Some(fault) => Err(fault),
                    None => core
                        .check_fence(lane)
                        .and_then(|()| core.change(lane, key, change, region::now(), hint)),
                };
                match outcome {
                    // A put without an expectation never gives up.
                    Err(Fault::Contended) if change.expect == Expect::Any => {}
                    other => return other,
                }
            }
        })
    }

    /// Takes a lane that no other thread uses: the thread's usual one, or the next free one.
    #[inline]
    pub(super) fn lane(&self) -> Guard<'_, Lane> {
        let usual = lane_of_thread();
        self.lanes[usual].try_lock().unwrap_or_else(|| self.another_lane(usual))
    }

    #[cold]
    fn another_lane(&self, usual: usize) -> Guard<'_, Lane> {
        (1..LANES)
            .find_map(|step| self.lanes[(usual + step) % LANES].try_lock())
            .unwrap_or_else(|| self.lanes[usual].lock())
    }

    /// Frees the blocks in the stashes of idle lanes. A lane that a thread uses is not idle.
    pub(super) fn empty_idle_stashes(&self, core: &Core<'_>) {
        for mut lane in self.lanes.iter().filter_map(Lock::try_lock) {
            // A session that was reaped although it lives has no blocks any more.
            if core.check_fence(&lane).is_ok() {
                core.empty_idle_stash(&mut lane);
            }
        }
    }

    /// Renews the leases that are due. Meanwhile they are not in the list, so that a release does not wait for a renewal.
    pub(super) fn renew(&self, boot_ns: u64) {
        let due: Vec<Renewal> =
            self.renewals.lock().extract_if(.., |renewal| renewal.due_ns <= boot_ns).collect();
        for mut renewal in due {
            if (renewal.renew)() {
                renewal.due_ns = boot_ns.saturating_add(renewal.every_ns);
                self.renewals.lock().push(renewal);
            }
        }
    }

    /// The time until the first lease is due.
    pub(super) fn next_renewal_ns(&self) -> Option<u64> {
        self.renewals.lock().iter().map(|renewal| renewal.due_ns).min()
    }

    /// Wakes the keeper in time for a deadline that comes before its next beat.
    pub(super) fn expects_expiry(&self, deadline_ns: u64) {
        if self.expiries.note(deadline_ns, boottime_ns()) {
            self.signal.nudge();
        }
    }

    /// Whether this session is the board's elected one, or becomes it by this call.
    pub(super) fn is_elected(&self) -> bool {
        let hold = self.hold.lock();
        let session = usize::from(self.writer.session);
        hold.as_ref().is_some_and(|certificate| self.region.roll.is_elected(session, certificate.as_ref()))
    }

    /// Detaches from the board. A second call finds the record ended.
    pub(super) fn leave(&self) {
        let index = usize::from(self.writer.session);
        if let Ok(core) = self.region.core() {
            // Holds all lanes until the record is ended. A thread that gets a lane afterwards finds itself fenced.
            let mut lanes = self.lanes.each_ref().map(Lock::lock);
            let left = core.check_fence(&lanes[0]).is_ok() && {
                lanes[1..].iter_mut().for_each(|lane| core.empty_stash(lane));
                let leave = |lane: &mut Lane| core.leave(std::slice::from_mut(lane), region::now());
                self.region.with_space(&mut lanes[0], 1, leave).is_ok()
            };
            // If this failed, the next reaper ends the session: its lock is released below.
            let _ = left;
        }
        // Once: at a second call the record may have another session of this process.
        if let Some(certificate) = self.hold.lock().take() {
            self.region.roll.let_go(index, certificate);
        }
    }
}

/// The lane that a thread tries first. The addresses of thread locals spread the threads over the lanes.
fn lane_of_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| (std::ptr::from_ref(mark).addr() >> 12) % LANES)
}

#[cold]
fn too_large(len: usize, value_max: u64) -> Error {
    let text = format!("a value may have at most {value_max} bytes on this board; this one has {len}");
    Error::new(ErrorKind::ValueTooLarge, text).hint("split the value, or make a larger board")
}

/// The identity of a session of this process.
pub(super) fn identity(region: &Region) -> Identity {
    let process = ProcessIdentity::current();
    Identity {
        pid: u64::from(process.pid),
        pid_namespace: process.pid_namespace,
        start_time: process.start_time,
        lock_file: region.roll.lock_file(),
        attached_ns: crate::region::realtime_ns(),
        heartbeat_ns: boottime_ns(),
    }
}

// They map memory.
#[cfg(all(test, not(miri)))]
pub(super) mod tests;
