//! A lock between the threads of one process, on the path of every put.
//!
//! All that it is lies within itself: one word that the kernel sleeps on. A lock that keeps its sleepers in a table of the
//! process would be copied by `fork(2)` with the table as it is just then, and whoever held the table's own lock does not
//! exist in the child: even locks that the child makes anew would hang. Beside the standard library's it saves what
//! poisoning costs; the values that it guards are sound after every statement.
//!
//! # Safety
//!
//! The value is reached through a [`Guard`] or through the only reference. There is one guard at a time: each is made by
//! whoever took the word from `FREE`, and the word becomes `FREE` again only when the guard is dropped.

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
/// Held, and others may sleep.
const AWAITED: u64 = 2;
/// Looks at the word before the first sleep: most holders are done within.
const LOOKS: usize = 100;
/// A sleeper looks again after this long, woken or not.
const SLEEP: Duration = Duration::from_secs(1);

/// A value that one thread at a time has.
#[derive(Default)]
pub struct Lock<T> {
    word: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: the value goes from thread to thread, by reference, one at a time; that takes `Send`.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The value, until this is dropped.
pub struct Guard<'l, T> {
    lock: &'l Lock<T>,
    /// Shared between threads as a `&mut T` may be, which is less often than a `&Lock<T>`.
    value: PhantomData<&'l mut T>,
}

impl<T> Lock<T> {
    /// A lock that nobody has.
    pub const fn new(value: T) -> Self {
        Self { word: AtomicU64::new(FREE), value: UnsafeCell::new(value) }
    }

    /// The value, once no other thread has it.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        self.try_lock().unwrap_or_else(|| self.wait())
    }

    /// The value, unless another thread has it.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        // Acquire pairs with the release of the guard's drop: what the thread before did to the value is seen.
        let taken = self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok();
        taken.then(|| self.guard())
    }

    /// The value, without the lock: there is no other reference.
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
        // From here on as awaited, because there may be others who sleep.
        while self.word.swap(AWAITED, Ordering::Acquire) != FREE {
            futex::wait(&self.word, AWAITED as u32, SLEEP);
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
        // SAFETY: this is the one guard, so nobody changes the value while it is borrowed from it.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the one guard, and it is borrowed for change.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release pairs with the acquire of whoever takes the word next.
        if self.lock.word.swap(FREE, Ordering::Release) == AWAITED {
            self.lock.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                        // Now and then longer than others look, so that they sleep.
                        if (n + thread) % 100 == 0 {
                            std::thread::sleep(Duration::from_micros(100));
                        }
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), 8_000);
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
