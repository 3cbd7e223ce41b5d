//! The keeper: a thread of each session that beats, reaps dead sessions, ends expired entries, and reserves pages ahead of use.
//!
//! To reap, a keeper probes every session's lock; to sweep, it looks at every slot. One keeper does both for all sessions: the
//! elected one, which holds a byte of the lock file. It may be stopped while it holds that byte. So the others do a part of
//! the work: they probe the sessions whose beats are late, they sweep seldom, and each tries to be elected. On boards with
//! many sessions the keepers take turns.
//!
//! The elected keeper ends expired entries soon after their deadlines. The others end entries that it should have ended long
//! ago. Each also wakes for the short-lived entries of its own session, which the elected one may not find in time.

use super::{Options, presence::Suspects, region, seat::Seat};
#[cfg(feature = "signals")]
use crate::region::Signals;
use crate::{
    error::Result,
    layout::{DeadlineHint, Head},
    protocol::{Core, expire::Sweep, lane::Lane},
    region::{Thread, boottime_ns},
};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// The number of beats between two sweeps, which look for slots that dead sessions left half inserted.
const SWEEP_BEATS: u64 = 16;
/// A keeper that is not elected sweeps at two successive times out of this many, or out of the number of session records when
/// that is smaller. So all of them together sweep little more often than the elected one.
const SWEEP_TURNS: u64 = 64;
/// Another session's beat is late after this many beats of the keeper itself.
const LATE_BEATS: u64 = 2;
/// At least this many keepers beat in each period when they take turns.
const AWAKE: usize = 16;
/// The longest turn in periods.
const STRIDE_MAX: usize = 4;
/// The longest time that a session's end waits for its keeper. A keeper that takes longer, on a slow machine or with few
/// processors, finishes what it has begun, and ends then.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many expired entries a keeper ends at once. Then it does its other work, and continues after a pause.
const ENDED_AT_ONCE: u64 = 4096;
const ENDING_PAUSE_NS: u64 = 1_000_000;
/// A keeper that beats less often than this does not wake for deadlines.
const SELDOM: Duration = Duration::from_secs(60);
/// The address space of the thread's stack. Its pages are allocated as they are used.
const STACK_BYTES: usize = 2 << 20;
/// The longest time until the keeper finds a caught signal.
const SIGNAL_LOOK: Duration = Duration::from_millis(100);

/// A lease that the keeper renews.
pub(super) struct Renewal {
    /// Which lease of the session.
    pub(super) id: u64,
    /// Renews the lease; `false` when it need not be renewed again.
    pub(super) renew: Box<dyn FnMut() -> bool + Send>,
    /// The time between two renewals.
    pub(super) every_ns: u64,
    /// The time of the next renewal in nanoseconds of `CLOCK_BOOTTIME`.
    pub(super) due_ns: u64,
}

/// When a keeper looks for expired entries, besides at its beats.
pub(super) struct Expiries {
    /// The earliest time in nanoseconds of `CLOCK_BOOTTIME`; `u64::MAX` for none.
    next_ns: AtomicU64,
    /// Entries that live longer than this are found at a beat.
    period_ns: u64,
}

impl Expiries {
    pub(super) fn new(period: Duration) -> Self {
        let period_ns = if period > SELDOM { 0 } else { period.as_nanos() as u64 };
        Self { next_ns: AtomicU64::new(u64::MAX), period_ns }
    }

    /// Records a deadline. Returns whether it comes before the time until which the keeper sleeps.
    pub(super) fn note(&self, deadline_ns: u64, boot_ns: u64) -> bool {
        // Relaxed, here and below: the keeper's lock orders its sleep and the nudge that follows.
        deadline_ns.saturating_sub(boot_ns) < self.period_ns
            && self.next_ns.fetch_min(deadline_ns, Relaxed) > deadline_ns
    }

    /// The earliest deadline that was noted; `u64::MAX` for none.
    pub(super) fn next_ns(&self) -> u64 {
        self.next_ns.load(Relaxed)
    }

    fn forget(&self) {
        self.next_ns.store(u64::MAX, Relaxed);
    }
}

/// The running thread. A drop ends the thread, and waits a bounded time for that.
pub(super) struct Keeper {
    seat: Arc<Seat>,
    thread: Thread,
}

/// What the keeper sleeps on.
#[derive(Default)]
pub(super) struct Signal {
    stop: Mutex<bool>,
    changed: Condvar,
    /// 1 while the keeper sleeps. Changed under the lock.
    #[cfg(test)]
    asleep: AtomicU64,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the keeper, to look again for what is due.
    pub(super) fn nudge(&self) {
        // The lock is held, so that a keeper that has checked and does not sleep yet does not miss this.
        let _sleeping_or_before_the_look = self.lock();
        self.changed.notify_all();
    }
}

impl Keeper {
    pub(super) fn start(seat: Arc<Seat>, options: &Options) -> Result<Self> {
        let period = options.beat;
        let signals = catch_signals(options)?;
        let theirs = Arc::clone(&seat);
        let thread =
            Thread::start(c"slate-keeper", STACK_BYTES, move || run(&theirs, period, signals.as_ref()))?;
        Ok(Self { seat, thread })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *self.seat.signal.lock() = true;
        self.seat.signal.changed.notify_all();
        // The keeper's own work may drop the last handle.
        if !self.thread.is_current() {
            let _ = self.thread.ends_within(PATIENCE);
        }
    }
}

#[cfg(feature = "signals")]
fn catch_signals(options: &Options) -> Result<Option<Signals>> {
    options.end_on_signals.then(Signals::catch).transpose()
}

/// Without the feature `signals`, nothing catches signals.
#[cfg(not(feature = "signals"))]
enum Signals {}

#[cfg(not(feature = "signals"))]
#[allow(clippy::unnecessary_wraps, reason = "as with the feature")]
fn catch_signals(_: &Options) -> Result<Option<Signals>> {
    Ok(None)
}

#[cfg(not(feature = "signals"))]
impl Signals {
    fn caught(&self) -> Option<std::convert::Infallible> {
        match *self {}
    }

    fn die_of(&self, _: std::convert::Infallible, _: Duration) {
        match *self {}
    }
}

fn run(seat: &Seat, period: Duration, signals: Option<&Signals>) {
    let period_ns = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
    let mut rounds = Rounds::new(seat, period_ns, boottime_ns());
    while sleep(seat, &rounds, signals.is_some()) {
        if let Some((signals, signal)) =
            signals.and_then(|signals| signals.caught().map(|one| (signals, one)))
        {
            seat.leave();
            signals.die_of(signal, PATIENCE);
            return;
        }
        rounds.act(seat, boottime_ns());
    }
}

/// Sleeps until the next beat, renewal, deadline or check for a signal. Returns `false` when the keeper must stop.
fn sleep(seat: &Seat, rounds: &Rounds, signals: bool) -> bool {
    let mut stop = seat.signal.lock();
    if !*stop {
        let pause = pause(rounds.wakes_ns(seat), boottime_ns(), signals);
        #[cfg(test)]
        seat.signal.asleep.store(1, Relaxed);
        let woken = seat.signal.changed.wait_timeout(stop, pause);
        stop = woken.unwrap_or_else(PoisonError::into_inner).0;
        #[cfg(test)]
        seat.signal.asleep.store(0, Relaxed);
    }
    !*stop
}

/// How long a keeper sleeps that has something to do at this time, and looks for signals or does not.
fn pause(wakes_ns: u64, boot_ns: u64, signals: bool) -> Duration {
    let pause = Duration::from_nanos(wakes_ns.saturating_sub(boot_ns));
    if signals { pause.min(SIGNAL_LOOK) } else { pause }
}

/// The state that a keeper keeps from beat to beat.
struct Rounds {
    beats: u64,
    period_ns: u64,
    /// When the next beat is due.
    due_ns: u64,
    /// When to check next whether the board is still at its path.
    look_ns: u64,
    /// The number of periods in a turn.
    stride: u64,
    suspects: Suspects,
    /// The slots that were open at the last sweep.
    open: Vec<(usize, Head)>,
    /// The group of buckets where the next search for expired entries begins.
    from_group: usize,
}

impl Rounds {
    fn new(seat: &Seat, period_ns: u64, boot_ns: u64) -> Self {
        let suspects = Suspects { from: usize::from(seat.writer.session), boot_ns: 0, late_ns: 0 };
        let stride = seat.region.occupied().map_or(1, stride);
        let look_ns = boot_ns.saturating_add(period_ns);
        let rounds = Self {
            beats: 0,
            period_ns,
            due_ns: 0,
            look_ns,
            stride,
            suspects,
            open: Vec::new(),
            from_group: 0,
        };
        Self { due_ns: rounds.next_ns(seat, false, boot_ns), ..rounds }
    }

    /// When the keeper has something to do: a beat, a look at the path, a renewal or a deadline.
    fn wakes_ns(&self, seat: &Seat) -> u64 {
        let due_ns = self.due_ns.min(self.look_ns);
        let due_ns = due_ns.min(seat.expiries.next_ns());
        seat.next_renewal_ns().map_or(due_ns, |renewal_ns| renewal_ns.min(due_ns))
    }

    /// Does what is due at this time.
    fn act(&mut self, seat: &Seat, boot_ns: u64) {
        seat.renew(boot_ns);
        self.look(seat, boot_ns);
        if boot_ns >= self.due_ns {
            self.due_ns = self.beat(seat, boot_ns);
        } else if boot_ns >= seat.expiries.next_ns() {
            self.end_near(seat, boot_ns);
        }
    }

    /// Checks in each period whether the board is still at its path. This is cheap, and each process must do it itself.
    fn look(&mut self, seat: &Seat, boot_ns: u64) {
        if boot_ns >= self.look_ns {
            self.look_ns = boot_ns.saturating_add(self.period_ns);
            seat.region.look();
        }
    }

    /// Does the work of one beat. Work that fails is repeated at the next beat, because nobody waits for it. Returns when
    /// the next beat is due.
    fn beat(&mut self, seat: &Seat, boot_ns: u64) -> u64 {
        let Ok(core) = seat.region.core() else { return u64::MAX };
        self.beats += 1;
        // Often at first, when other sessions attach as well.
        if self.beats.is_power_of_two() || self.beats.is_multiple_of(SWEEP_BEATS) {
            self.stride = seat.region.occupied().map_or(1, stride);
        }
        let fenced = {
            let mut lane = seat.lane();
            let fenced = core.check_fence(&lane).is_err();
            if !fenced {
                core.beat(usize::from(seat.writer.session), boot_ns);
                let _ = core.finish_pending(&mut lane);
            }
            fenced
        };
        seat.empty_idle_stashes(&core);
        let elected = !fenced && seat.is_elected();
        if !fenced {
            self.reap(seat, elected, boot_ns);
            let _ = seat.region.reserve_ahead();
            let late_ns = if elected { 0 } else { self.late_ns() };
            self.end_expired(seat, &core, late_ns, boot_ns);
            if elected {
                self.look_at_one_group(seat, &core);
            }
            self.sweep(seat, &core, elected);
        }
        self.next_ns(seat, elected, boot_ns)
    }

    /// When the next beat is due.
    fn next_ns(&self, seat: &Seat, elected: bool, boot_ns: u64) -> u64 {
        let now = boot_ns / self.period_ns.max(1);
        let session = u64::from(seat.writer.session);
        let periods = if elected { 1 } else { periods_until_turn(now, session, self.stride) };
        boot_ns.saturating_add(self.period_ns.saturating_mul(periods))
    }

    /// The time after which the elected keeper should have come.
    fn late_ns(&self) -> u64 {
        self.period_ns.saturating_mul(LATE_BEATS * self.stride)
    }

    /// Ends expired entries between two beats.
    fn end_near(&mut self, seat: &Seat, boot_ns: u64) {
        seat.expiries.forget();
        if let Ok(core) = seat.region.core()
            && core.check_fence(&seat.lane()).is_ok()
        {
            self.end_expired(seat, &core, 0, boot_ns);
        }
    }

    /// Ends entries that expired this long ago. With `late_ns` 0 it also notes the next deadline.
    fn end_expired(&mut self, seat: &Seat, core: &Core<'_>, late_ns: u64, boot_ns: u64) {
        let sweep = Sweep { from: self.from_group, late_ns, most: ENDED_AT_ONCE };
        let swept =
            seat.region.with_space(&mut seat.lane(), 1, |lane| core.sweep_due(lane, sweep, region::now()));
        let Ok(swept) = swept else { return };
        self.from_group = swept.goes_on_at.unwrap_or(0);
        if swept.goes_on_at.is_some() {
            seat.expiries.note(boot_ns.saturating_add(ENDING_PAUSE_NS), boot_ns);
        } else if let Some(next_ns) = swept.next_ns.filter(|_| late_ns == 0) {
            seat.expiries.note(next_ns.saturating_add(DeadlineHint::UNIT_NS), boot_ns);
        }
    }

    /// Looks at one group at each beat, whatever its words say, so that damaged groups are found, and entries that are bound to
    /// a session that ended before they were put.
    fn look_at_one_group(&self, seat: &Seat, core: &Core<'_>) {
        let group = (self.beats % core.geometry().groups().count() as u64) as usize;
        let sweep = |lane: &mut Lane| core.sweep(lane, group, ENDED_AT_ONCE, region::now());
        let _ = seat.region.with_space(&mut seat.lane(), 1, sweep);
        let remove = |lane: &mut Lane| core.remove_orphans(lane, group, region::now());
        let _ = seat.region.with_space(&mut seat.lane(), 1, remove);
    }

    /// Looks from time to time for slots that dead sessions left half inserted, and for tombstones that they left.
    fn sweep(&mut self, seat: &Seat, core: &Core<'_>, elected: bool) {
        let (session, records) = (u64::from(seat.writer.session), seat.region.geometry().sessions() as u64);
        if sweeps(self.beats, elected, session, records) {
            self.open = core.sweep_open(&self.open);
        }
    }

    fn reap(&mut self, seat: &Seat, elected: bool, boot_ns: u64) {
        if elected {
            let _ = seat.region.reap_dead();
        } else {
            self.suspects.boot_ns = boot_ns;
            self.suspects.late_ns = self.late_ns();
            if let Ok(next) = seat.region.reap_suspects(&self.suspects) {
                self.suspects.from = next;
            }
        }
    }
}

/// The periods of a turn on a board with this many sessions.
fn stride(sessions: usize) -> u64 {
    (sessions / AWAKE).clamp(1, STRIDE_MAX) as u64
}

/// The periods until this session's turn. In each period another part of the sessions has its turn.
fn periods_until_turn(now: u64, session: u64, stride: u64) -> u64 {
    stride - now.wrapping_add(session) % stride
}

/// Whether the keeper of this session sweeps at this beat. A sweep retires the slots that stayed open since the last one.
fn sweeps(beats: u64, elected: bool, session: u64, records: u64) -> bool {
    let turn = beats / SWEEP_BEATS;
    beats.is_multiple_of(SWEEP_BEATS) && (elected || (turn + session) % records.clamp(1, SWEEP_TURNS) < 2)
}

// They map memory.
#[cfg(all(test, not(miri)))]
mod tests;
