//! Looking, for those who have no keeper, whether the board is still at its path.
//!
//! A thread for each open board that is read without a session. It takes no lock that anybody else takes, and nothing
//! waits for it: it sleeps on a word of its own, and ends by itself when the board is closed.

use super::region::Region;
use crate::{
    region::{Thread, futex},
    sync::{AtomicU64, Ordering},
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

/// Tells the thread to end when it is dropped.
pub(super) struct Lookout(Arc<AtomicU64>);

/// Begins to look in each period, unless this was begun before for the same open board. Where no thread can be had,
/// the board's readers are not told that it moved.
pub(super) fn start(region: &Arc<Region>, period: Duration) {
    // A local board has no path, and a child's parent looks for its own.
    if region.path().is_some() && !region.in_child() {
        region.lookout.get_or_init(|| Lookout::begin(Arc::downgrade(region), period));
    }
}

/// Looks for those who still have the board open when a session of theirs ended, and its keeper with it.
pub(super) fn take_over(region: &Arc<Region>) {
    // Two are the session's own.
    if Arc::strong_count(region) > 2 {
        start(region, PERIOD);
    }
}

const PERIOD: Duration = Duration::from_secs(1);

impl Lookout {
    fn begin(region: Weak<Region>, period: Duration) -> Option<Self> {
        let over = Arc::new(AtomicU64::new(0));
        let theirs = Arc::clone(&over);
        Thread::start(c"slate-lookout", STACK_BYTES, move || run(&region, &theirs, period)).ok()?;
        Some(Self(over))
    }
}

const STACK_BYTES: usize = 128 << 10;

fn run(region: &Weak<Region>, over: &AtomicU64, period: Duration) {
    loop {
        // Relaxed: the word carries nothing but itself. An interrupted sleep makes a look early, no harm.
        futex::wait(over, 0, period);
        let Some(region) = region.upgrade().filter(|_| over.load(Ordering::Relaxed) == 0) else { return };
        region.look();
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        // In a forked child this wakes nobody: the thread is the parent's, and the word a copy.
        self.0.store(1, Ordering::Relaxed);
        futex::wake_all(&self.0);
    }
}
