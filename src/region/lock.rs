//! A mutual exclusion lock between the threads of one process. Every put takes it.
//!
//! The whole state of the lock is one word, on which waiting threads sleep in the kernel. A lock that keeps its waiters
//! in a table of the process would not survive a `fork(2)`: the child gets a copy of the table in its current state, and
//! the thread that held the table's own lock does not exist there. Even locks that the child creates later would hang.
//! Unlike the lock of the standard library, this one has no poisoning. The values that it guards are consistent after
//! every statement.
//!
//! # Safety
//!
//! The value is accessed only through a [`Guard`] or through an exclusive reference to the lock. There is one guard at a
//! time: only the thread that changed the word from `FREE` makes one, and the word becomes `FREE` again only when the
//! guard is dropped.

use super::futex;
use crate::sync::{AtomicU64, Ordering};
use std::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    time::Duration,
};

const FREE: u64 = 0;
const HELD: u64 = 1;
/// Held, and other threads may sleep on the word.
const AWAITED: u64 = 2;
/// How often a waiter looks at the word before its first sleep. Most holders finish within that time.
const LOOKS: usize = 100;
/// The longest sleep. After it the waiter looks at the word again, even if nobody woke it.
const SLEEP: Duration = Duration::from_secs(1);

/// A value that one thread at a time can access.
#[derive(Default)]
pub struct Lock<T> {
    word: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time has a reference to the value, so `Send` suffices.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Gives access to the value until it is dropped.
pub struct Guard<'l, T> {
    lock: &'l Lock<T>,
    /// Makes the guard `Sync` only if `&mut T` is, which requires more than `&Lock<T>` does.
    value: PhantomData<&'l mut T>,
}

impl<T> Lock<T> {
    /// Creates a free lock.
    pub const fn new(value: T) -> Self {
        Self { word: AtomicU64::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Takes the lock; waits until no other thread holds it.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        self.try_lock().unwrap_or_else(|| self.wait())
    }

    /// Takes the lock, unless another thread holds it.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        // Acquire pairs with the release of the guard's drop: this thread sees the previous holder's changes.
        let taken = self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok();
        taken.then(|| self.guard())
    }

    /// The value, without taking the lock: the exclusive reference proves that no other thread holds it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn guard(&self) -> Guard<'_, T> {
        Guard { lock: self, value: PhantomData }
    }

    #[cold]
    fn wait(&self) -> Guard<'_, T> {
        for _ in 0..LOOKS {
            // Acquire in both: as in `try_lock`.
            if self.word.load(Ordering::Relaxed) == FREE
                && let Some(guard) = self.try_lock()
            {
                return guard;
            }
            crate::sync::pause();
        }
        // From here on the word is set to AWAITED, because other threads may sleep as well.
        while self.word.swap(AWAITED, Ordering::Acquire) != FREE {
            let _ended = futex::wait(&self.word, AWAITED as u32, SLEEP);
            #[cfg(test)]
            tests::note(_ended);
        }
        self.guard()
    }

    #[cold]
    fn wake(&self) {
        futex::wake_one(&self.word);
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the only guard, so nobody changes the value while it is borrowed through the guard.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only guard, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release pairs with the acquire of the next holder.
        if self.lock.word.swap(FREE, Ordering::Release) == AWAITED {
            self.lock.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::futex::WaitOutcome;
    use std::cell::Cell;

    #[test]
    fn one_at_a_time_has_it() {
        let lock = Lock::new(5);
        let guard = lock.lock();
        assert!(lock.try_lock().is_none());
        drop(guard);
        *lock.try_lock().unwrap() += 1;
        assert_eq!(*lock.lock(), 6);
    }

    #[test]
    #[cfg_attr(miri, ignore = "sleeps in the kernel")]
    fn what_many_threads_add_is_there() {
        let lock = Lock::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let lock = &lock;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        let mut sum = lock.lock();
                        *sum += 1;
                        // Sometimes holds the lock longer than waiters look at the word, so that they sleep.
                        if (n + thread) % 100 == 0 {
                            std::thread::sleep(Duration::from_micros(100));
                        }
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), 8_000);
    }

    thread_local! {
        /// How many of this thread's sleeps a wake ended, and how many its own clock.
        static ENDED: Cell<[u32; 2]> = const { Cell::new([0; 2]) };
    }

    pub(super) fn note(ended: WaitOutcome) {
        let [woken, timed_out] = ENDED.get();
        ENDED.set([
            woken + u32::from(ended == WaitOutcome::Woken),
            timed_out + u32::from(ended == WaitOutcome::TimedOut),
        ]);
    }

    /// A waiter that sleeps is woken by the holder that gives the lock back, and not by its own clock.
    #[test]
    #[cfg_attr(miri, ignore = "sleeps in the kernel")]
    fn who_sleeps_is_woken() {
        let (lock, mut sum) = (Lock::new(()), [0; 2]);
        for _ in 0..50 {
            let guard = lock.lock();
            let ended = std::thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    drop(lock.lock());
                    ENDED.get()
                });
                // The waiter either says that it sleeps, or has the lock once it is given back.
                for _ in 0..1000 {
                    if lock.word.load(Ordering::Relaxed) == AWAITED {
                        break;
                    }
                    std::thread::sleep(Duration::from_micros(100));
                }
                std::thread::sleep(Duration::from_micros(500));
                drop(guard);
                waiter.join().unwrap()
            });
            sum = [sum[0] + ended[0], sum[1] + ended[1]];
            // Once it may be that a waiter's time is over just then.
            assert!(sum[1] <= 1, "waiters sleep until their own time is over: {sum:?}");
        }
        assert!(sum[0] > 0, "no waiter sleeps until it is woken");
    }

    #[test]
    fn a_panic_gives_it_back() {
        let lock = Lock::new(1);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = lock.lock();
            panic!("on purpose");
        }));
        assert!(outcome.is_err() && lock.try_lock().is_some());
    }
}
