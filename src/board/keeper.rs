//! The keeper: a thread of each session that beats, reaps the dead, and keeps pages reserved ahead.

use super::{region, session::Seat};
use crate::{
    error::{Error, Result},
    layout::Head,
    protocol::publish::Now,
    region::boottime_ns,
};
use parking_lot::{Condvar, Mutex};
use std::{sync::Arc, thread::JoinHandle, time::Duration};

/// Beats between two looks for slots that dead inserters left open.
const SWEEP_BEATS: u64 = 16;

/// A lease that the keeper renews.
pub(super) struct Renewal {
    /// Which lease of the session.
    pub(super) id: u64,
    /// Renews it; `false` ends the renewing.
    pub(super) renew: Box<dyn FnMut() -> bool + Send>,
    /// How often.
    pub(super) every_ns: u64,
    /// When next, nanoseconds of `CLOCK_BOOTTIME`.
    pub(super) due_ns: u64,
}

/// The running thread. Dropping it ends and joins the thread.
pub(super) struct Keeper {
    seat: Arc<Seat>,
    thread: Option<JoinHandle<()>>,
}

/// What the keeper sleeps on.
#[derive(Default)]
pub(super) struct Signal {
    stop: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Makes the keeper look again for what is due.
    pub(super) fn nudge(&self) {
        // The lock: a keeper that has looked and does not sleep yet must not miss this.
        let _sleeping_or_before_the_look = self.stop.lock();
        self.changed.notify_all();
    }
}

impl Keeper {
    pub(super) fn start(seat: Arc<Seat>, period: Duration) -> Result<Self> {
        let theirs = Arc::clone(&seat);
        let thread = std::thread::Builder::new()
            .name("slate-keeper".into())
            .spawn(move || run(&theirs, period))
            .map_err(|error| Error::io("the keeper's thread could not be started", error))?;
        Ok(Self { seat, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *self.seat.signal.stop.lock() = true;
        self.seat.signal.changed.notify_all();
        let Some(thread) = self.thread.take() else { return };
        // The last handle may be dropped by the keeper's own work.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

fn run(seat: &Seat, period: Duration) {
    let signal = &seat.signal;
    let mut beats = 0u64;
    let mut open = Vec::new();
    loop {
        {
            let mut stop = signal.stop.lock();
            if !*stop {
                signal.changed.wait_for(&mut stop, pause(seat, period));
            }
            if *stop {
                return;
            }
        }
        beats += 1;
        beat(seat, region::now());
        if beats.is_multiple_of(SWEEP_BEATS) {
            sweep(seat, &mut open);
        }
    }
}

/// Until the next beat, or the next lease that is due.
fn pause(seat: &Seat, period: Duration) -> Duration {
    let until = |due_ns: u64| Duration::from_nanos(due_ns.saturating_sub(boottime_ns()));
    seat.next_renewal_ns().map_or(period, |due_ns| until(due_ns).min(period))
}

/// One beat. What fails is tried again at the next: nothing here is waited for by anybody.
fn beat(seat: &Seat, now: Now) {
    let Ok(core) = seat.region.core() else { return };
    let fenced = {
        let mut lane = seat.lane();
        let fenced = core.check_fence(&lane).is_err();
        if !fenced {
            core.beat(usize::from(seat.writer.session), now.boot_ns);
            let _ = core.finish_pending(&mut lane);
        }
        fenced
    };
    if !fenced {
        let _ = seat.region.reap_dead();
        let _ = seat.region.reserve_ahead();
    }
    seat.renew(now.boot_ns);
}

/// Retires the slots that stayed open since the last sweep.
fn sweep(seat: &Seat, open: &mut Vec<(usize, Head)>) {
    if let Ok(core) = seat.region.core() {
        *open = core.sweep_open(open);
    }
}
