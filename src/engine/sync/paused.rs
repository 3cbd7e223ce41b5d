//! Pauses for tests: what else happens while a thread stands between two of its steps.

use std::cell::RefCell;

/// Where a thread may be paused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// A reader has copied a record, or looked at a generation, and not looked at the clock.
    Clock,
    /// A watch has looked at both counters, and not gone on to the later one.
    Counters,
    /// An index has looked at the counter, and not at the floor.
    Floor,
    /// A reaper has looked at an entry, and not removed it.
    Reap,
}

type Happens = Box<dyn FnOnce()>;

thread_local! {
    static MEANWHILE: RefCell<Option<(At, Happens)>> = const { RefCell::new(None) };
}

/// Lets this happen when this thread next comes to the point.
pub(crate) fn meanwhile(at: At, happens: impl FnOnce() + 'static) {
    MEANWHILE.set(Some((at, Box::new(happens))));
}

/// Pauses this thread if a test asked for it.
pub(crate) fn pause(at: At) {
    // Taken out first, because what happens may come to the same point.
    if let Some((_, happens)) = MEANWHILE.with_borrow_mut(|set| set.take_if(|(set, _)| *set == at)) {
        happens();
    }
}

/// Whether this thread did not come to the point. Forgets what should have happened there.
pub(crate) fn was_missed() -> bool {
    MEANWHILE.take().is_some()
}
