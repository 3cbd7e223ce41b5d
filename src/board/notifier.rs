//! Tells those who wait without a thread of their own: tasks ([`WatchStream`](super::WatchStream)) and descriptors
//! ([`PollableWatch`](super::PollableWatch)).
//!
//! One thread serves all of them on an open board. The first of them starts it. The thread sleeps on the board's counter,
//! as a blocking watch does, and alerts each waiter for whom something came. While nobody waits, it sleeps on its own
//! condition and does not hold the board open.
//!
//! No wake is lost. A waiter is registered first and then looks at the counters once more; the thread reads the board's
//! counter first and then looks at the waiters. If the thread looks before the waiter is registered, then either the
//! counter that the thread read tells of the change, and the waiter, who looks later, sees it too; or the counter is
//! raised after the thread read it, and the thread does not sleep, or is woken ([`wake`]).

use super::{
    region::Region,
    watch::{NAP_MAX, NAP_MIN, has_come, pause},
};
use crate::{
    error::Result,
    protocol::{Core, wake},
    region::{Thread, futex},
};
use std::{
    collections::BTreeMap,
    os::fd::OwnedFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

/// The thread, and who waits. Dropping it ends the thread, and waits for that a little.
#[derive(Debug)]
pub(super) struct Notifier {
    shared: Arc<Shared>,
    thread: Thread,
    process: u32,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiters: BTreeMap<u64, Waiter>,
    next: u64,
    over: bool,
}

#[derive(Debug)]
struct Waiter {
    counter: usize,
    wanted: u64,
    alert: Alert,
}

/// How a waiter is told.
#[derive(Clone, Debug)]
pub(super) enum Alert {
    #[cfg(feature = "stream")]
    Task(std::task::Waker),
    /// An eventfd.
    Descriptor(Arc<OwnedFd>),
}

impl Alert {
    pub(super) fn fire(self) {
        match self {
            // A task's own code may panic: the others are told all the same.
            #[cfg(feature = "stream")]
            Self::Task(waker) => {
                drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake())))
            }
            // A counter that is full is readable already.
            Self::Descriptor(descriptor) => drop(rustix::io::write(&*descriptor, &1_u64.to_ne_bytes())),
        }
    }
}

/// A place among those who wait. Dropping it gives the place up.
pub(super) struct Place {
    region: Arc<Region>,
    id: u64,
}

impl Place {
    /// Takes a place, and starts the board's thread where this is the first.
    pub(super) fn take(region: &Arc<Region>) -> Result<Self> {
        // Not in a forked child, which has not the thread.
        region.words()?;
        let begin = || Notifier::begin(Arc::downgrade(region));
        let notifier = region.notifier.get_or_init(begin).as_ref().map_err(|error| error.again())?;
        let mut state = notifier.shared.lock();
        state.next += 1;
        Ok(Self { region: Arc::clone(region), id: state.next })
    }

    /// Registers for one alert, when the counter and the newest generation are at least `wanted`. It may come earlier.
    /// `false` where both are that already.
    pub(super) fn register(&self, counter: usize, wanted: u64, alert: Alert) -> Result<bool> {
        let core = self.region.core()?;
        if let Some(Ok(notifier)) = self.region.notifier.get() {
            let mut state = notifier.shared.lock();
            let idle = state.waiters.is_empty();
            state.waiters.insert(self.id, Waiter { counter, wanted, alert });
            drop(state);
            if idle {
                notifier.shared.changed.notify_one();
            }
        }
        Ok(!has_come(&core, counter, core.counter_value(counter), wanted))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Not in a forked child, where a thread that is not there may hold the lock.
        let Ok(core) = self.region.core() else { return };
        if let Some(Ok(notifier)) = self.region.notifier.get() {
            let mut state = notifier.shared.lock();
            let was_last = state.waiters.remove(&self.id).is_some() && state.waiters.is_empty();
            drop(state);
            if was_last {
                // The thread has the board open while it waits for others. Whoever else sleeps there goes to sleep again.
                futex::wake_all(core.counter(wake::BOARD));
            }
        }
    }
}

const STACK_BYTES: usize = 256 << 10;
/// A thread that is alerting waiters ends soon; one that is not given a processor ends by itself.
const PATIENCE: Duration = Duration::from_secs(1);

impl Notifier {
    fn begin(region: Weak<Region>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = Thread::start(c"slate-notifier", STACK_BYTES, move || run(&region, &theirs))?;
        Ok(Self { shared, thread, process: std::process::id() })
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        // The thread is the parent's in a forked child.
        if std::process::id() == self.process {
            self.shared.lock().over = true;
            self.shared.changed.notify_one();
            // It may itself be the last that had the board open.
            if !self.thread.is_current() {
                self.thread.ends_within(PATIENCE);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until somebody waits. `false`: the thread is to end.
    fn is_needed(&self) -> bool {
        let state = self.lock();
        let idle = |state: &mut State| state.waiters.is_empty() && !state.over;
        let state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        !state.over
    }

    /// Alerts those of whom this is true. Whether there were any.
    fn alert(&self, is_due: impl Fn(&Waiter) -> bool) -> bool {
        let due: Vec<Waiter> = self
            .lock()
            .waiters
            .extract_if(.., |_, waiter| is_due(waiter))
            .map(|(_, waiter)| waiter)
            .collect();
        let any = !due.is_empty();
        // Without the lock: a task's own code may come back here.
        due.into_iter().for_each(|waiter| waiter.alert.fire());
        any
    }
}

fn run(region: &Weak<Region>, shared: &Shared) {
    let mut rest = Rest::new(0);
    while shared.is_needed() {
        let Some(region) = region.upgrade() else { return };
        let Ok(core) = region.core() else {
            // Each finds for itself that the board is lost.
            shared.alert(|_| true);
            continue;
        };
        // Before the waiters are looked at: what comes afterwards raises the counter beyond it.
        let seen = core.ask_wake(wake::BOARD);
        if shared.alert(|waiter| waiter.is_due(&core)) {
            rest = Rest::new(0);
        } else if rest.is_over() {
            // A counter that is damaged, or whose raiser was stopped, says nothing: each looks for itself.
            rest = Rest::new(rest.looks.saturating_add(1));
            region.look();
            shared.alert(|_| true);
        } else {
            rest.sleep(&core, seen);
        }
    }
}

impl Waiter {
    fn is_due(&self, core: &Core<'_>) -> bool {
        has_come(core, self.counter, core.counter_value(self.counter), self.wanted)
    }
}

/// The thread's sleep until everybody is to look for themselves.
struct Rest {
    /// How often that was since something came.
    looks: u32,
    until: Instant,
    nap: Duration,
}

impl Rest {
    fn new(looks: u32) -> Self {
        Self { looks, until: Instant::now() + pause(looks), nap: NAP_MIN }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    fn sleep(&mut self, core: &Core<'_>, seen: u64) {
        let left = self.until.saturating_duration_since(Instant::now());
        if core.can_wake() {
            futex::wait(core.counter(wake::BOARD), seen as u32, left);
        } else {
            std::thread::sleep(left.min(self.nap));
            self.nap = (self.nap * 2).min(NAP_MAX);
        }
    }
}
