//! Alerts waiters that have no thread of their own: tasks ([`WatchStream`](super::WatchStream)) and descriptors
//! ([`PollableWatch`](super::PollableWatch)).
//!
//! One thread serves all waiters of an open board. The first waiter starts it. The thread sleeps on the board's counter,
//! like a blocking watch, and alerts each waiter for which an event came. While nobody waits, it sleeps on its own
//! condition and does not hold the board open.
//!
//! No wake is lost. A waiter registers first, and then reads the counters again. The thread reads the board's counter
//! first, and then looks at the waiters. If the thread looks before the waiter registers, one of two cases holds. If the
//! counter that the thread read includes the change, the waiter, which reads it later, sees the change too. Otherwise the
//! counter is raised after the thread read it, and the thread does not sleep, or is woken ([`wake`]).

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

/// The thread and its waiters. Dropping it ends the thread, and waits a bounded time for that.
#[derive(Debug)]
pub(super) struct Notifier {
    shared: Arc<Shared>,
    thread: Thread,
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
    /// Whether the thread holds the board open.
    holds: bool,
}

#[derive(Debug)]
struct Waiter {
    counter: usize,
    wanted: u64,
    alert: Alert,
}

/// How a waiter is alerted.
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
            // A task's own code may panic. The others are alerted nevertheless.
            #[cfg(feature = "stream")]
            Self::Task(waker) => {
                if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake())) {
                    // Dropping what the panic carries could panic again, and end the thread.
                    std::mem::forget(panic);
                }
            }
            // A counter that is full is readable already.
            Self::Descriptor(descriptor) => drop(rustix::io::write(&*descriptor, &1_u64.to_ne_bytes())),
        }
    }
}

/// A waiter's registration. Dropping it removes the waiter.
pub(super) struct Place {
    region: Arc<Region>,
    id: u64,
}

impl Place {
    /// Takes a place. The first one starts the board's thread.
    pub(super) fn take(region: &Arc<Region>) -> Result<Self> {
        // Fails in a forked child, which does not have the thread.
        region.words()?;
        let notifier = match region.notifier.get() {
            Some(notifier) => notifier,
            // A failure is not kept: a later call may succeed. If two threads begin at once, one of the notifiers ends.
            None => {
                let begun = Notifier::begin(Arc::downgrade(region))?;
                region.notifier.get_or_init(|| begun)
            }
        };
        let mut state = notifier.shared.lock();
        state.next += 1;
        Ok(Self { region: Arc::clone(region), id: state.next })
    }

    /// Registers for one alert, when the counter and the newest generation are at least `wanted`. It may come earlier.
    /// Returns `false` if both already are.
    pub(super) fn register(&self, counter: usize, wanted: u64, alert: Alert) -> Result<bool> {
        let core = self.region.core()?;
        if let Some(notifier) = self.region.notifier.get() {
            let mut state = notifier.shared.lock();
            let idle = state.waiters.is_empty();
            let before = state.waiters.insert(self.id, Waiter { counter, wanted, alert });
            // The lock is released first, because dropping a task's waker may run code that calls this module again.
            drop(state);
            drop(before);
            if idle {
                notifier.shared.changed.notify_one();
            }
        }
        Ok(!has_come(&core, counter, core.counter_value(counter), wanted))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Not in a forked child, where a thread that does not exist there may hold the lock.
        let Ok(core) = self.region.core() else { return };
        if let Some(notifier) = self.region.notifier.get() {
            let mut state = notifier.shared.lock();
            let removed = state.waiters.remove(&self.id);
            let was_last = removed.is_some() && state.waiters.is_empty();
            // The lock is released first, as in `register`.
            drop(state);
            drop(removed);
            if was_last {
                notifier.shared.let_go_of(&core);
            }
        }
    }
}

const STACK_BYTES: usize = 256 << 10;
/// How long a drop waits for the thread. A thread that alerts waiters ends soon. One that gets no processor ends later.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the last waiter that leaves wakes the thread, and how long it pauses in between: 20 ms at most.
const WAKES: u32 = 200;
const WAKE_PAUSE: Duration = Duration::from_micros(100);

impl Notifier {
    fn begin(region: Weak<Region>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = Thread::start(c"slate-notifier", STACK_BYTES, move || run(&region, &theirs))?;
        Ok(Self { shared, thread })
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        // In a forked child the board forgets its notifier: the thread is the parent's.
        self.shared.lock().over = true;
        self.shared.changed.notify_one();
        // The thread itself may have had the last handle.
        if !self.thread.is_current() {
            self.thread.ends_within(PATIENCE);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until there is a waiter. Returns whether it slept; `None` if the thread must end.
    fn is_needed(&self) -> Option<bool> {
        let mut state = self.lock();
        let slept = state.waiters.is_empty();
        state.holds = !slept;
        let idle = |state: &mut State| state.waiters.is_empty() && !state.over;
        let mut state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.holds = true;
        (!state.over).then_some(slept)
    }

    /// Wakes the thread until it no longer holds the board open, or somebody waits again. Other sleepers on the counter go to
    /// sleep again. One wake is not enough: the thread may be about to sleep, and the counter does not change.
    fn let_go_of(&self, core: &Core<'_>) {
        for _ in 0..WAKES {
            futex::wake_all(core.counter(wake::BOARD));
            let state = self.lock();
            if !state.holds || !state.waiters.is_empty() {
                return;
            }
            drop(state);
            std::thread::sleep(WAKE_PAUSE);
        }
    }

    /// Alerts the waiters for which `is_due` is true. Returns whether there were any.
    fn alert(&self, is_due: impl Fn(&Waiter) -> bool) -> bool {
        let due: Vec<Waiter> = self
            .lock()
            .waiters
            .extract_if(.., |_, waiter| is_due(waiter))
            .map(|(_, waiter)| waiter)
            .collect();
        let any = !due.is_empty();
        // The lock is released first, because a task's own code may call this module again.
        due.into_iter().for_each(|waiter| waiter.alert.fire());
        any
    }
}

fn run(region: &Weak<Region>, shared: &Shared) {
    let mut turns = Turns::new();
    while let Some(slept) = shared.is_needed() {
        turns.begin(slept);
        let Some(region) = region.upgrade() else { return };
        turns.take(&region, shared);
    }
}

/// What the thread keeps from one look at the waiters to the next.
struct Turns {
    rest: Rest,
    overslept: bool,
}

impl Turns {
    fn new() -> Self {
        Self { rest: Rest::new(0), overslept: false }
    }

    /// Begins a turn. Time that passed while nobody waited counts for nobody.
    fn begin(&mut self, slept: bool) {
        if slept {
            *self = Self::new();
        }
    }

    /// Alerts the waiters for which an event came, or sleeps.
    fn take(&mut self, region: &Region, shared: &Shared) {
        let Ok(core) = region.core() else {
            // Each waiter finds out itself that the board is lost.
            shared.alert(|_| true);
            return;
        };
        // The counter is read before the waiters are looked at: a later event raises it further.
        let seen = core.ask_wake(wake::BOARD);
        if shared.alert(|waiter| waiter.is_due(&core)) {
            self.rest = Rest::new(0);
            if self.overslept {
                region.waits.was_late();
            }
            self.overslept = false;
        } else if self.rest.is_over() {
            // The counter may be damaged, or the writer that should raise it was stopped. So each waiter looks itself.
            self.rest = Rest::new(self.rest.looks.saturating_add(1));
            region.look();
            shared.alert(|_| true);
        } else {
            self.overslept = self.rest.sleep(region, &core, seen);
        }
    }
}

impl Waiter {
    fn is_due(&self, core: &Core<'_>) -> bool {
        has_come(core, self.counter, core.counter_value(self.counter), self.wanted)
    }
}

/// The thread's sleep until all waiters are alerted to look themselves.
struct Rest {
    /// How often that happened since the last event.
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

    /// Returns whether the time was over before anybody woke the thread.
    fn sleep(&mut self, region: &Region, core: &Core<'_>, seen: u64) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if core.can_wake() {
            return region.waits.sleep(core.counter(wake::BOARD), seen, left);
        }
        std::thread::sleep(left.min(self.nap));
        self.nap = (self.nap * 2).min(NAP_MAX);
        false
    }
}

#[cfg(test)]
impl Notifier {
    /// How many wait to be alerted.
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().waiters.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Session};
    use rustix::event::{EventfdFlags, eventfd};

    /// A time that nothing here takes, however busy the machine is.
    const SOON: Duration = Duration::from_secs(20);

    fn waiter() -> Session {
        Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("waiter").unwrap()
    }

    fn descriptor() -> Arc<OwnedFd> {
        Arc::new(eventfd(0, EventfdFlags::NONBLOCK).unwrap())
    }

    /// Somebody who waits for a generation.
    fn wait_for(shared: &Shared, wanted: u64) -> Arc<OwnedFd> {
        let (descriptor, mut state) = (descriptor(), shared.lock());
        state.next += 1;
        let (id, alert) = (state.next, Alert::Descriptor(Arc::clone(&descriptor)));
        state.waiters.insert(id, Waiter { counter: wake::BOARD, wanted, alert });
        descriptor
    }

    /// Whether there was an alert, which is taken.
    fn is_alerted(descriptor: &OwnedFd) -> bool {
        rustix::io::read(descriptor, &mut [0; 8]).is_ok()
    }

    /// Looks again and again until it happens.
    fn happens(it: impl Fn() -> bool, otherwise: &str) {
        let begun = Instant::now();
        while !it() {
            assert!(begun.elapsed() < SOON, "{otherwise}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn who_registers_after_the_change_is_told_so() {
        let session = waiter();
        let place = Place::take(&session.reader().region).unwrap();
        let alert = Alert::Descriptor(descriptor());
        session.put("task/1", "x").unwrap();
        for (wanted, waits) in [(1, false), (2, true)] {
            assert_eq!(
                place.register(wake::BOARD, wanted, alert.clone()).unwrap(),
                waits,
                "from {wanted} on"
            );
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn the_last_waiter_that_leaves_wakes_the_thread_and_nobody_is_kept() {
        let session = waiter();
        let region = &session.reader().region;
        let mut woken = false;
        // Once it may be that the thread's own time is over just then.
        for _ in 0..2 {
            let place = Place::take(region).unwrap();
            let shared = &region.notifier.get().unwrap().shared;
            let begun = region.waits.begun();
            assert!(place.register(wake::BOARD, 1, Alert::Descriptor(descriptor())).unwrap());
            happens(|| region.waits.begun() > begun, "the first waiter does not wake the thread");
            let before = region.waits.woken();
            drop(place);
            assert!(shared.lock().waiters.is_empty(), "a waiter that left is kept");
            happens(|| !shared.lock().holds, "the thread holds the board open although nobody waits");
            woken |= region.waits.woken() > before;
        }
        assert!(woken, "the thread held the board open until its own time was over");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn those_are_alerted_for_whom_an_event_came() {
        let session = waiter();
        let (shared, mut turns) = (Shared::default(), Turns::new());
        let [now, later] = [1, 2].map(|wanted| wait_for(&shared, wanted));
        session.put("task/1", "x").unwrap();
        turns.take(&session.reader().region, &shared);
        assert!(is_alerted(&now) && !is_alerted(&later));
        assert_eq!(shared.lock().waiters.len(), 1, "who was alerted does not wait any more");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn the_thread_looks_from_time_to_time_and_lets_the_waiters_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        // No keeper looks.
        let options = Board::options().capacity(1 << 20).keys(64).beat(Duration::from_secs(3600));
        let session = options.create(&path).unwrap().attach("waiter").unwrap();
        let (region, shared) = (&session.reader().region, Shared::default());
        std::fs::remove_file(&path).unwrap();
        let descriptor = wait_for(&shared, 1);
        let mut turns = Turns::new();
        turns.rest.until = Instant::now();
        turns.take(region, &shared);
        assert!(is_alerted(&descriptor), "no waiter looks");
        assert!(region.core().is_err_and(|error| error.is_moved()), "the thread does not look");
        assert!(turns.rest.looks == 1 && !turns.rest.is_over());
        // From now on each waiter is told that the board is lost.
        let descriptor = wait_for(&shared, 1);
        turns.take(region, &shared);
        assert!(is_alerted(&descriptor), "nobody is told that the board is lost");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn an_event_begins_the_looks_anew_and_is_late_once() {
        let session = waiter();
        let (region, shared, mut turns) = (&session.reader().region, Shared::default(), Turns::new());
        session.put("task/1", "x").unwrap();
        (turns.rest.looks, turns.overslept) = (3, true);
        for _ in 0..2 {
            let descriptor = wait_for(&shared, 1);
            turns.take(region, &shared);
            assert!(is_alerted(&descriptor) && turns.rest.looks == 0 && !turns.overslept);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn who_cannot_be_woken_naps_longer_and_longer() {
        let session = waiter();
        let region = &session.reader().region;
        // Without a doorbell.
        let core = region.core_to_read(region.words().unwrap());
        let mut rest = Rest::new(0);
        rest.until = Instant::now();
        let mut naps = Vec::new();
        for _ in 0..8 {
            naps.push(rest.nap.as_millis());
            assert!(!rest.sleep(region, &core, 0), "nobody is late who was not to be woken");
        }
        assert_eq!(naps, [1, 2, 4, 8, 16, 32, 50, 50]);
        assert_eq!(region.waits.begun(), 0);
    }

    #[test]
    fn time_that_passed_while_nobody_waited_counts_for_nobody() {
        let mut turns = Turns::new();
        (turns.rest.looks, turns.rest.until, turns.overslept) = (2, Instant::now(), true);
        turns.begin(false);
        assert!(turns.rest.is_over() && turns.overslept, "the time goes on while somebody waits");
        turns.begin(true);
        assert!(!turns.rest.is_over() && turns.rest.looks == 0 && !turns.overslept);
    }

    #[test]
    fn a_notifier_that_is_dropped_ends_its_thread() {
        let notifier = Notifier::begin(Weak::new()).unwrap();
        let shared = Arc::clone(&notifier.shared);
        drop(notifier);
        // The thread has its own reference for as long as it runs.
        happens(|| Arc::strong_count(&shared) == 1, "the thread goes on");
    }

    #[test]
    #[cfg(feature = "stream")]
    fn a_waker_that_panics_takes_nothing_from_others() {
        struct Panics;
        impl std::task::Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("on purpose");
            }
        }
        let shared = Shared::default();
        let alert = Alert::Task(Arc::new(Panics).into());
        shared.lock().waiters.insert(0, Waiter { counter: wake::BOARD, wanted: 1, alert });
        let other = wait_for(&shared, 1);
        assert!(shared.alert(|_| true) && is_alerted(&other));
    }
}
