//! Looking, for those who have no keeper, whether the board is still at its path.
//!
//! A thread for each open board that is read without a session. It takes no lock that anybody else takes: it sleeps on a
//! word of its own, and ends when the board is closed.

use super::region::Region;
use crate::{
    region::{Thread, futex},
    sync::{AtomicU64, Ordering},
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

/// The thread. Dropping it ends it, and waits for that a little.
pub(super) struct Lookout {
    over: Arc<AtomicU64>,
    thread: Thread,
    process: u32,
}

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
        let work = move || run(&region, &theirs, period);
        let thread = Thread::start(c"slate-lookout", STACK_BYTES, work).ok()?;
        Some(Self { over, thread, process: std::process::id() })
    }
}

const STACK_BYTES: usize = 128 << 10;
/// A thread that is in a look ends soon; one that is not given a processor ends by itself.
const PATIENCE: Duration = Duration::from_secs(1);

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
        // The thread is the parent's in a forked child, and may itself be the last that had the board open.
        if std::process::id() == self.process && !self.thread.is_current() {
            self.over.store(1, Ordering::Relaxed);
            futex::wake_all(&self.over);
            self.thread.ends_within(PATIENCE);
        }
    }
}
