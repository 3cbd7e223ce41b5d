//! The lookout: a thread that looks whether the board is still at its path, for handles that only read.
//!
//! There is one for each open board that is read without a session. It takes no lock that other code takes: it sleeps on a
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

/// The thread. A drop ends it, and waits a bounded time for that.
pub(super) struct Lookout {
    over: Arc<AtomicU64>,
    thread: Thread,
    process: u32,
}

/// Starts the lookout of an open board, unless it has one. When no thread can be started, the board's readers are not told that
/// the board moved.
pub(super) fn start(region: &Arc<Region>, period: Duration) {
    // A local board has no path, and a forked child has no board.
    if region.path().is_some() && !region.in_child() {
        region.lookout.get_or_init(|| Lookout::begin(Arc::downgrade(region), period));
    }
}

/// Starts the lookout when a session ended, and its keeper with it, while other handles have the board open.
pub(super) fn take_over(region: &Arc<Region>) {
    // Two handles are the session's own.
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
/// How long a drop waits. A thread that looks just then ends soon; one that gets no processor ends by itself later.
const PATIENCE: Duration = Duration::from_secs(1);

fn run(region: &Weak<Region>, over: &AtomicU64, period: Duration) {
    loop {
        // Relaxed: the word carries nothing but itself. An interrupted sleep only makes the look early.
        futex::wait(over, 0, period);
        let Some(region) = region.upgrade().filter(|_| over.load(Ordering::Relaxed) == 0) else { return };
        region.look();
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        // In a forked child the thread is the parent's. The thread itself may drop the last handle of the board.
        if std::process::id() == self.process && !self.thread.is_current() {
            self.over.store(1, Ordering::Relaxed);
            futex::wake_all(&self.over);
            self.thread.ends_within(PATIENCE);
        }
    }
}

// They map memory.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::board::{Board, seat::tests};
    use std::time::Instant;

    fn has_lookout(region: &Region) -> bool {
        region.lookout.get().is_some_and(Option::is_some)
    }

    #[test]
    fn a_lookout_notices_that_the_board_is_not_at_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        drop(Board::options().capacity(1 << 20).create(&path).unwrap());
        let region = Arc::new(Region::open_read_only(&path).unwrap());
        start(&region, Duration::from_millis(1));
        assert!(has_lookout(&region) && region.core().is_ok());
        std::fs::remove_file(&path).unwrap();
        let begun = Instant::now();
        while region.core().is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10), "nobody noticed");
            std::thread::yield_now();
        }
        assert!(region.core().err().unwrap().is_moved());
    }

    #[test]
    fn the_handles_that_stay_after_a_session_get_a_lookout() {
        let folder = tempfile::tempdir().unwrap();
        let board = Board::options().capacity(1 << 20).create(folder.path().join("board")).unwrap();
        let session = board.attach("writer").unwrap();
        let region = Arc::clone(&session.seat().region);
        let reader = session.reader().clone();
        assert!(!has_lookout(&region), "a keeper looks as long as there is a session");
        drop((board, session));
        assert!(has_lookout(&region));
        drop(reader);
    }

    #[test]
    fn a_lookout_that_is_dropped_ends_its_thread() {
        for _ in 0..3 {
            let lookout =
                Lookout::begin(Arc::downgrade(&tests::board(1)), Duration::from_secs(3600)).unwrap();
            let over = Arc::clone(&lookout.over);
            // In most rounds it sleeps by then.
            std::thread::sleep(Duration::from_millis(5));
            drop(lookout);
            // The thread has its own reference for as long as it runs.
            let begun = Instant::now();
            while Arc::strong_count(&over) > 1 {
                assert!(begun.elapsed() < Duration::from_secs(10), "the thread goes on");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_board_without_a_path_needs_no_lookout() {
        let region = tests::board(1);
        start(&region, PERIOD);
        assert!(!has_lookout(&region));
    }
}
