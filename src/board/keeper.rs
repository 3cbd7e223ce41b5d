//! The keeper: a thread of each session that beats, reaps the dead, and keeps pages reserved ahead.

use super::{Options, session::Seat};
use crate::{
    error::{Error, Result},
    layout::Head,
    region::{Signals, boottime_ns},
};
use parking_lot::{Condvar, Mutex};
use std::{sync::Arc, thread::JoinHandle, time::Duration};

/// Beats between two looks for slots that dead inserters left open.
const SWEEP_BEATS: u64 = 16;
/// Longest time until a caught signal is found.
const SIGNAL_LOOK: Duration = Duration::from_millis(100);

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
    pub(super) fn start(seat: Arc<Seat>, options: &Options) -> Result<Self> {
        let period = options.beat;
        let signals = options.end_on_signals.then(Signals::catch).transpose()?;
        let theirs = Arc::clone(&seat);
        let thread = std::thread::Builder::new()
            .name("slate-keeper".into())
            .spawn(move || run(&theirs, period, signals.as_ref()))
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

fn run(seat: &Seat, period: Duration, signals: Option<&Signals>) {
    let period_ns = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
    let mut due_ns = boottime_ns().saturating_add(period_ns);
    let mut beats = 0u64;
    let mut open = Vec::new();
    while sleep(seat, due_ns, signals.is_some()) {
        if let Some(signal) = signals.and_then(Signals::caught) {
            seat.leave();
            Signals::die_of(signal);
            return;
        }
        let boot_ns = boottime_ns();
        seat.renew(boot_ns);
        if boot_ns < due_ns {
            continue;
        }
        due_ns = boot_ns.saturating_add(period_ns);
        beats += 1;
        beat(seat, boot_ns);
        if beats.is_multiple_of(SWEEP_BEATS) {
            sweep(seat, &mut open);
        }
    }
}

/// Sleeps until the next beat, the next lease that is due, or the next look for a signal. `false`: stop.
fn sleep(seat: &Seat, due_ns: u64, signals: bool) -> bool {
    let mut stop = seat.signal.stop.lock();
    if !*stop {
        let due_ns = seat.next_renewal_ns().map_or(due_ns, |renewal_ns| renewal_ns.min(due_ns));
        let pause = Duration::from_nanos(due_ns.saturating_sub(boottime_ns()));
        seat.signal.changed.wait_for(&mut stop, if signals { pause.min(SIGNAL_LOOK) } else { pause });
    }
    !*stop
}

/// One beat. What fails is tried again at the next: nothing here is waited for by anybody.
fn beat(seat: &Seat, boot_ns: u64) {
    let Ok(core) = seat.region.core() else { return };
    let fenced = {
        let mut lane = seat.lane();
        let fenced = core.check_fence(&lane).is_err();
        if !fenced {
            core.beat(usize::from(seat.writer.session), boot_ns);
            let _ = core.finish_pending(&mut lane);
        }
        fenced
    };
    if !fenced {
        let _ = seat.region.reap_dead();
        let _ = seat.region.reserve_ahead();
    }
}

/// Retires the slots that stayed open since the last sweep.
fn sweep(seat: &Seat, open: &mut Vec<(usize, Head)>) {
    if let Ok(core) = seat.region.core() {
        *open = core.sweep_open(open);
    }
}
