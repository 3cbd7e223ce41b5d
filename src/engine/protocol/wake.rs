//! Telling sleepers. One flag for each counter that can be slept on, in the doorbell page.
//!
//! The sleeper sets the flag, fences, reads the counter again, and sleeps. The writer raises the counter, fences, and if
//! the flag is set takes it and wakes all. Both fences are `SeqCst`, so one of two cases holds. If the writer's fence
//! comes first, the sleeper reads the raised counter and does not sleep. If the sleeper's fence comes first, the writer
//! sees the flag and wakes the sleeper. A dead sleeper costs one wake that nobody needs.

use super::{Core, acquire};
use crate::layout::{LINE, geometry};
use crate::sync::{
    Ordering::{AcqRel, Relaxed, SeqCst},
    fence,
};

/// The board's own counter. The counter of a shard is `1 + shard`.
pub const BOARD: usize = 0;

impl Core<'_> {
    /// Raises the shard's counter to the generation. This comes before the board's counter shows it. So if a shard's
    /// counter is below an event, the shard has no further events up to the board's counter.
    #[inline]
    pub(super) fn raise_shard(&self, shard: usize, generation: u64) {
        let changes = self.at(self.geo.shard(shard) + geometry::SHARD_CHANGES);
        // AcqRel: a thread that reads the shard's counter sees the event, as with the board's counter (P4).
        changes.fetch_max(generation, AcqRel);
    }

    /// Wakes the threads that sleep on the shard's counter or on the board's, after both were raised.
    #[inline]
    pub(super) fn wake(&self, shard: usize) {
        // The fence between raising the counters and reading their flags (P10).
        fence(SeqCst);
        self.wake_if_asked(1 + shard);
        self.wake_if_asked(BOARD);
    }

    /// Raises every shard's counter to the newest generation and wakes all sleepers. This is needed after a reap,
    /// because nobody knows which events a killed writer did not announce, and which flags it cleared without waking.
    pub fn announce_all(&self) {
        let generation = self.generation();
        for shard in 0..self.geo.shards() {
            self.raise_shard(shard, generation);
        }
        // The flags are not read, so no fence is needed. Threads that sleep are woken. A thread that does not sleep yet
        // finds that its counter was raised, at the latest in the kernel.
        (0..=self.geo.shards()).for_each(|counter| self.machine.ring(counter));
    }

    #[inline]
    fn wake_if_asked(&self, counter: usize) {
        let Some(flag) = self.flags.get(counter * LINE) else { return };
        // Relaxed: ordered by the fence before (P10).
        if flag.load(Relaxed) != 0 && flag.swap(0, Relaxed) != 0 {
            self.machine.ring(counter);
        }
    }

    /// Requests to be woken when the counter passes `seen`, and returns its current value. The caller may sleep only if
    /// it is still `seen`.
    pub fn ask_wake(&self, counter: usize) -> u64 {
        if let Some(flag) = self.flags.get(counter * LINE) {
            flag.store(1, Relaxed);
        }
        // The fence between setting the flag and reading the counter (P10).
        fence(SeqCst);
        acquire(self.counter(counter))
    }

    /// The current value of the counter.
    pub fn counter_value(&self, counter: usize) -> u64 {
        acquire(self.counter(counter))
    }

    /// Whether sleepers can be woken at all, that is, whether there is a doorbell page.
    pub fn can_wake(&self) -> bool {
        !self.flags.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        Machine,
        publish::Expect,
        tests::{Heap, put},
    };
    use crate::sync::AtomicU64;
    use std::sync::Mutex;

    /// Notes whose sleepers were woken.
    #[derive(Default)]
    struct Rung(Mutex<Vec<usize>>);

    impl Machine for Rung {
        fn ring(&self, counter: usize) {
            self.0.lock().unwrap().push(counter);
        }
    }

    impl Rung {
        fn take(&self) -> Vec<usize> {
            std::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    #[test]
    fn who_waits_on_a_shard_and_who_waits_on_the_board_are_both_woken() {
        let heap = Heap::small();
        let mut lane = heap.lane(0);
        let silent = heap.core();
        let flags: Vec<_> = (0..(1 + heap.geo.shards()) * LINE).map(|_| AtomicU64::new(0)).collect();
        let rung = Rung::default();
        let core = Core::over(silent.words, &flags, &rung, &heap.geo);
        let shard = heap.geo.shard_of("task/1", heap.geo.hash(b"task/1"));
        let both = [1 + shard, BOARD];
        for asked in [vec![], vec![both[0]], vec![both[1]], both.to_vec(), vec![]] {
            for &counter in &asked {
                core.ask_wake(counter);
            }
            put(&core, &mut lane, "task/1", b"x", Expect::Any).unwrap();
            assert_eq!(rung.take(), asked, "who asked is woken once, and nobody else");
        }
        core.announce_all();
        assert!(rung.take().into_iter().eq(0..=heap.geo.shards()), "a reaper wakes whoever sleeps");
    }
}
