//! The keeper: a thread of each session that beats, reaps the dead, and keeps pages reserved ahead.
//!
//! Reaping means asking the kernel about every session's lock, and sweeping looks at every slot. One keeper is
//! enough for both: the elected one, which holds a byte of the lock file. It may be stopped while it holds that, so
//! the others do a part all the same: they ask for the sessions whose beats are late, and sweep seldom. Each also
//! tries to be elected. Where there are many, not all of them are needed for that at each period: they take turns.

use super::{Options, region::Suspects, session::Seat};
use crate::{
    error::{Error, Result},
    layout::Head,
    region::{Signals, boottime_ns},
};
use parking_lot::{Condvar, Mutex};
use std::{sync::Arc, thread::JoinHandle, time::Duration};

/// Beats between two looks for slots that dead inserters left open.
const SWEEP_BEATS: u64 = 16;
/// Those who are not elected sweep twice, one time after the other, in so many times; on boards with fewer session
/// records in so many times as those. So all of them together sweep little more often than the elected one does.
const SWEEP_TURNS: u64 = 64;
/// Beats of its own after which a keeper holds another's beat for late.
const LATE_BEATS: u64 = 2;
/// At least so many of the others beat in each period, before they take turns.
const AWAKE: usize = 16;
/// Longest turn, periods.
const STRIDE_MAX: usize = 4;
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
    let mut rounds = Rounds::new(seat, period_ns);
    let mut due_ns = rounds.next_ns(seat, false, boottime_ns());
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
        due_ns = rounds.beat(seat, boot_ns);
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

/// What a keeper keeps from beat to beat.
struct Rounds {
    beats: u64,
    period_ns: u64,
    /// Periods of a turn.
    stride: u64,
    suspects: Suspects,
    /// Slots that were open at the last sweep.
    open: Vec<(usize, Head)>,
}

impl Rounds {
    fn new(seat: &Seat, period_ns: u64) -> Self {
        let suspects = Suspects { from: usize::from(seat.writer.session), boot_ns: 0, late_ns: 0 };
        let stride = seat.region.occupied().map_or(1, stride);
        Self { beats: 0, period_ns, stride, suspects, open: Vec::new() }
    }

    /// One beat. What fails is tried again at the next: nothing here is waited for by anybody. Returns when the
    /// next one is due.
    fn beat(&mut self, seat: &Seat, boot_ns: u64) -> u64 {
        let Ok(core) = seat.region.core() else { return u64::MAX };
        self.beats += 1;
        // Often at first, when others come as well.
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
        }
        let (session, records) = (u64::from(seat.writer.session), seat.region.geometry().sessions() as u64);
        if sweeps(self.beats, elected, session, records) {
            self.open = core.sweep_open(&self.open);
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

    fn reap(&mut self, seat: &Seat, elected: bool, boot_ns: u64) {
        if elected {
            let _ = seat.region.reap_dead();
        } else {
            self.suspects.boot_ns = boot_ns;
            self.suspects.late_ns = self.period_ns.saturating_mul(LATE_BEATS * self.stride);
            if let Ok(next) = seat.region.reap_suspects(&self.suspects) {
                self.suspects.from = next;
            }
        }
    }
}

/// Periods of a turn among so many sessions.
fn stride(sessions: usize) -> u64 {
    (sessions / AWAKE).clamp(1, STRIDE_MAX) as u64
}

/// In how many periods this session's turn is: in each, another part of the sessions has it.
fn periods_until_turn(now: u64, session: u64, stride: u64) -> u64 {
    stride - now.wrapping_add(session) % stride
}

/// Whether the keeper of this session sweeps at this beat: retires the slots that stayed open since the last time.
fn sweeps(beats: u64, elected: bool, session: u64, records: u64) -> bool {
    let turn = beats / SWEEP_BEATS;
    beats.is_multiple_of(SWEEP_BEATS) && (elected || (turn + session) % records.clamp(1, SWEEP_TURNS) < 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_sessions_all_beat_in_each_period_and_many_take_turns() {
        for sessions in [1, 2, 16, 31, 32, 64, 1024] {
            let stride = stride(sessions);
            for now in 0..8 {
                let awake = (0..sessions as u64).filter(|&s| periods_until_turn(now, s, stride) == 1).count();
                assert!(awake == sessions || awake >= AWAKE, "{awake} of {sessions}");
            }
            assert!((0..sessions as u64).all(|s| (1..=4).contains(&periods_until_turn(7, s, stride))));
        }
        assert_eq!((stride(31), stride(32), stride(64), stride(4096)), (1, 2, 4, 4));
    }

    #[test]
    fn the_elected_one_sweeps_every_time() {
        let at: Vec<u64> = (1..=64).filter(|&beats| sweeps(beats, true, 5, 64)).collect();
        assert_eq!(at, [16, 32, 48, 64]);
    }

    #[test]
    fn the_others_sweep_seldom_and_twice_in_a_row() {
        for records in [1, 2, 8, 64, 4096] {
            let turns = records.min(SWEEP_TURNS);
            let mut sum = 0;
            for session in 0..turns {
                let at: Vec<u64> =
                    (1..=turns + 1).filter(|&turn| sweeps(turn * 16, false, session, records)).collect();
                // A slot that is open at one time and still at the next is retired.
                assert!(at.windows(2).any(|pair| pair[0] + 1 == pair[1]), "{records} {session}: {at:?}");
                sum += (1..=turns).filter(|&turn| sweeps(turn * 16, false, session, records)).count();
            }
            assert!(sum as u64 <= 2 * turns, "all together more than two each time");
        }
    }
}
