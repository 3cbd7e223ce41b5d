//! Sleeps until a word changes, by a shared futex.
//!
//! A futex compares 32 bits. The platform is little-endian, so the first four bytes of a word are its low half. The
//! futexes are not private ones, because waiters and wakers are different processes with different mappings of one file.
//! A waiter can use a read-only mapping.
//!
//! # Safety
//!
//! The kernel needs the address of the low half. `low_half` makes a reference to it, which is only passed to the system
//! call. This program never loads from it or stores to it, so it never accesses a word with two different sizes.

// The only atomic type that does not come from `sync`, because the futex call takes the address of 32 bits.
use core::sync::atomic::AtomicU32;

use crate::sync::AtomicU64;
use rustix::{
    io::Errno,
    thread::futex::{self, Flags},
    time::Timespec,
};
use std::{ptr::from_ref, time::Duration};

/// How long `wait` sleeps instead if the kernel cannot sleep on the word.
const NAP: Duration = Duration::from_millis(1);

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitOutcome {
    /// The waiter was woken. The word may or may not have changed.
    Woken,
    /// The low half was not as expected, so the call did not sleep.
    Changed,
    /// The timeout passed.
    TimedOut,
    /// A signal interrupted the wait, or the kernel cannot sleep on this word and a short sleep ended.
    Interrupted,
}

/// Sleeps until the word is woken, at most for `timeout`. Returns at once if its low half is not `expected_low`.
pub fn wait(word: &AtomicU64, expected_low: u32, timeout: Duration) -> WaitOutcome {
    let timespec = Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    };
    match futex::wait(low_half(word), Flags::empty(), expected_low, Some(&timespec)) {
        Ok(()) => WaitOutcome::Woken,
        Err(Errno::AGAIN) => WaitOutcome::Changed,
        Err(Errno::TIMEDOUT) => WaitOutcome::TimedOut,
        Err(Errno::INTR) => WaitOutcome::Interrupted,
        Err(_) => {
            std::thread::sleep(timeout.min(NAP));
            WaitOutcome::Interrupted
        }
    }
}

/// Wakes all threads that sleep on the word, in all processes. Returns their number.
pub fn wake_all(word: &AtomicU64) -> usize {
    futex::wake(low_half(word), Flags::empty(), i32::MAX as u32).unwrap_or(0)
}

/// Wakes one of the threads that sleep on the word.
pub fn wake_one(word: &AtomicU64) {
    // A failure only delays the sleeper until its sleep times out.
    let _ = futex::wake(low_half(word), Flags::empty(), 1);
}

fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: the first four of a word's eight bytes are aligned and valid for as long as the word. The reference is
    // passed only to the kernel, which reads the bytes atomically.
    unsafe { &*from_ref(word).cast() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "sleeps in the kernel")]
    fn a_changed_word_is_not_waited_for() {
        let word = AtomicU64::new(1 << 32 | 5);
        assert_eq!(wait(&word, 4, Duration::from_secs(60)), WaitOutcome::Changed);
    }

    #[test]
    #[cfg_attr(miri, ignore = "sleeps in the kernel")]
    fn the_high_half_does_not_count() {
        let word = AtomicU64::new(1 << 32 | 5);
        assert_eq!(wait(&word, 5, Duration::from_nanos(1)), WaitOutcome::TimedOut);
        assert_eq!(wake_all(&word), 0);
    }

    /// Whether both sleep is not seen from here: if not, another round follows.
    #[test]
    #[cfg_attr(miri, ignore = "sleeps in the kernel")]
    fn all_who_sleep_are_woken_at_once() {
        let word = AtomicU64::new(5);
        let most = (0..50).map(|_| {
            std::thread::scope(|scope| {
                let sleeper = || scope.spawn(|| wait(&word, 5, Duration::from_secs(60)));
                let sleepers = [sleeper(), sleeper()];
                std::thread::sleep(Duration::from_millis(2));
                let woken = wake_all(&word);
                while !sleepers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                    wake_all(&word);
                    std::thread::yield_now();
                }
                woken
            })
        });
        assert!(most.into_iter().any(|woken| woken == 2), "one at a time");
    }

    #[test]
    #[cfg_attr(miri, ignore = "sleeps in the kernel")]
    fn a_time_past_all_clocks_is_accepted() {
        assert_eq!(wait(&AtomicU64::new(1), 0, Duration::MAX), WaitOutcome::Changed);
    }
}
