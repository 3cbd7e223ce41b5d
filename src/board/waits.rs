//! How the sleeps of those who wait for changes ended.
//!
//! A waiter sleeps until a writer wakes it, and wakes by itself from time to time in case that no writer does. So a wake
//! that is lost costs time, and nobody would notice: these counts tell one from the other.

use crate::{
    region::futex::{self, WaitOutcome},
    sync::{AtomicU64, Ordering::Relaxed},
};
use std::time::Duration;

/// The counts of one open board.
#[derive(Debug)]
pub(super) struct Waits {
    begun: AtomicU64,
    woken: AtomicU64,
    late: AtomicU64,
}

impl Waits {
    pub(super) fn new() -> Self {
        let [begun, woken, late] = [(); 3].map(|()| AtomicU64::new(0));
        Self { begun, woken, late }
    }

    /// Sleeps until the counter's sleepers are woken, unless its value is not `seen` any more. Returns whether the time was
    /// over first.
    pub(super) fn sleep(&self, counter: &AtomicU64, seen: u64, left: Duration) -> bool {
        // Relaxed, here and below: the counts carry nothing but themselves.
        self.begun.fetch_add(1, Relaxed);
        let outcome = futex::wait(counter, seen as u32, left);
        self.woken.fetch_add(u64::from(outcome == WaitOutcome::Woken), Relaxed);
        outcome == WaitOutcome::TimedOut
    }

    /// Notes that a sleeper whose time was over found that what it waited for had come.
    pub(super) fn was_late(&self) {
        self.late.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Reader, Wait};
    use rustix::event::{PollFd, PollFlags, poll};
    use std::{path::Path, thread};

    const LONG: Duration = Duration::from_secs(60);

    impl Waits {
        /// How many sleeps began.
        pub(in crate::board) fn begun(&self) -> u64 {
            self.begun.load(Relaxed)
        }

        /// How many of them a wake ended.
        pub(in crate::board) fn woken(&self) -> u64 {
            self.woken.load(Relaxed)
        }
    }

    /// Waits for the next change of a board.
    type Way = fn(&Reader);

    fn watch(reader: &Reader, prefix: &str) {
        let mut watch = reader.watch(prefix).wait(Wait::Sleep);
        watch.next_timeout(LONG).unwrap().expect("the change");
    }

    fn poll_for(reader: &Reader, prefix: &str) {
        let mut watch = reader.watch(prefix).pollable().unwrap();
        while watch.try_next().unwrap().is_none() {
            poll(&mut [PollFd::new(&watch, PollFlags::IN)], None).unwrap();
        }
    }

    fn wait_for_key(reader: &Reader) {
        let version = reader.get("task/1").unwrap().map_or(0, |entry| entry.version);
        reader.wait_newer("task/1", version, LONG).unwrap().expect("the change");
    }

    const WAYS: [(&str, &[Way]); 6] = [
        ("a watch of the board", &[|reader| watch(reader, "")]),
        ("a watch of a shard", &[|reader| watch(reader, "task/")]),
        ("a wait for a key", &[wait_for_key]),
        ("a descriptor", &[|reader| poll_for(reader, "")]),
        ("a descriptor of a shard", &[|reader| poll_for(reader, "task/")]),
        ("a wait for a key beside a watch of the board", &[wait_for_key, |reader| watch(reader, "")]),
    ];

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn who_sleeps_is_woken_by_the_writer_and_not_by_its_own_clock() {
        thread::scope(|scope| {
            for (name, ways) in WAYS {
                scope.spawn(move || {
                    let folder = tempfile::tempdir().unwrap();
                    are_woken(name, ways, &folder.path().join("board"));
                });
            }
        });
    }

    /// Puts while somebody sleeps, until sleepers were woken three times.
    fn are_woken(name: &str, ways: &[Way], path: &Path) {
        let board = Board::options().capacity(1 << 20).keys(64).create(path).unwrap();
        let session = board.attach("writer").unwrap();
        // With a mapping of its own, as another process has it.
        let reader = Board::open(path).unwrap().reader();
        let waits = &reader.region.waits;
        let (mut woken, mut rounds) = (0, 0);
        while woken < 3 * ways.len() as u64 {
            rounds += 1;
            let asleep = waits.begun() + ways.len() as u64;
            let generation = session.generation();
            thread::scope(|scope| {
                ways.iter().for_each(|way| drop(scope.spawn(|| way(&reader))));
                // A put that comes before the kernel has the sleeper only makes one more round.
                while waits.begun() < asleep {
                    thread::sleep(Duration::from_millis(1));
                }
                thread::sleep(Duration::from_millis(1));
                session.put("task/1", "x").unwrap();
            });
            assert_eq!(session.generation(), generation + 1);
            woken = waits.woken.load(Relaxed);
            let late = waits.late.load(Relaxed);
            // Once it may be that a sleeper's time was over in the very moment of the put.
            assert!(late <= 1, "{name}: in {rounds} rounds {late} sleepers were late, {woken} were woken");
        }
    }

    /// Sleepers who went to sleep when the move was already noted: each look wakes, and not the first one alone.
    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_look_at_a_board_that_moved_wakes_who_sleeps_on_any_counter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let board = Board::options().capacity(1 << 20).keys(64).create(&path).unwrap();
        let region = &*board.region;
        let core = region.core().unwrap();
        std::fs::remove_file(&path).unwrap();
        region.look();
        thread::scope(|scope| {
            let sleep = |counter| {
                let word = core.counter(counter);
                scope.spawn(|| region.waits.sleep(word, 0, Duration::from_secs(10)))
            };
            let sleepers: Vec<_> = (0..=region.geometry().shards()).map(sleep).collect();
            while !sleepers.iter().all(thread::ScopedJoinHandle::is_finished) {
                region.look();
                thread::sleep(Duration::from_millis(1));
            }
            for (counter, sleeper) in sleepers.into_iter().enumerate() {
                assert!(!sleeper.join().unwrap(), "nobody woke who sleeps on counter {counter}");
            }
        });
    }
}
