//! The façade's stepping shim: atomics whose every access first asks a [`Stepper`].
//!
//! Exists only under `--cfg slate_search`. The search of interleavings and crashes (`verify/search/`) runs the
//! protocol's own code over these words: it answers each access from a state that it keeps itself, so one
//! party's code can be run up to any access, and every other party's accesses can be put in between.
//! Everything is sequentially consistent here; orderings are for the models of `loom-tests/`.

use std::{cell::RefCell, rc::Rc};

pub use core::sync::atomic::Ordering;

/// What an access does to its word. It yields the word as it was before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Reads.
    Load,
    /// Writes this.
    Store(u64),
    /// Writes this.
    Swap(u64),
    /// Writes `new` where the word is `current`.
    CompareExchange {
        /// What the word must be.
        current: u64,
        /// What it becomes.
        new: u64,
    },
    /// Writes the greater of the word and this.
    Max(u64),
    /// Adds this, wrapping.
    Add(u64),
}

impl Access {
    /// What the party is given of the word as it was: nothing (0) where its code cannot ask.
    pub fn given(self, old: u64) -> u64 {
        match self {
            Access::Store(_) | Access::Max(_) | Access::Add(_) => 0,
            Access::Load | Access::Swap(_) | Access::CompareExchange { .. } => old,
        }
    }

    /// The word after the access to a word that was `old`.
    pub fn effect(self, old: u64) -> u64 {
        match self {
            Access::Load => old,
            Access::Store(new) | Access::Swap(new) => new,
            Access::CompareExchange { current, new } => {
                if old == current {
                    new
                } else {
                    old
                }
            }
            Access::Max(other) => old.max(other),
            Access::Add(other) => old.wrapping_add(other),
        }
    }

    /// Whether it never writes.
    pub fn is_load(self) -> bool {
        self == Access::Load
    }
}

/// Who answers the accesses of the code that runs on this thread.
pub trait Stepper {
    /// Carries out the access to the word at this address, and yields the word as it was before. May
    /// unwind, which ends the code there: as a kill does, nothing of the protocol runs afterwards.
    fn step(&self, address: usize, access: Access) -> u64;
}

thread_local! {
    static STEPPER: RefCell<Option<Rc<dyn Stepper>>> = const { RefCell::new(None) };
}

/// Runs code whose accesses the stepper answers.
pub fn stepped<R>(stepper: Rc<dyn Stepper>, run: impl FnOnce() -> R) -> R {
    struct Restore(Option<Rc<dyn Stepper>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            STEPPER.set(self.0.take());
        }
    }
    let _restore = Restore(STEPPER.replace(Some(stepper)));
    run()
}

/// No step: everything is sequentially consistent already.
pub fn fence(_ordering: Ordering) {}

/// A word of the region. Orderings are taken and ignored.
#[derive(Debug, Default)]
#[allow(clippy::disallowed_types, reason = "this is the façade")]
pub struct AtomicU64(core::sync::atomic::AtomicU64);

#[allow(clippy::disallowed_types, reason = "this is the façade")]
impl AtomicU64 {
    /// A word.
    pub const fn new(value: u64) -> Self {
        Self(core::sync::atomic::AtomicU64::new(value))
    }

    fn access(&self, access: Access) -> u64 {
        match STEPPER.with_borrow(Clone::clone) {
            Some(stepper) => stepper.step(std::ptr::from_ref(self).addr(), access),
            // Relaxed: without a stepper one thread sets up or looks.
            None => {
                let old = self.0.load(Ordering::Relaxed);
                self.0.store(access.effect(old), Ordering::Relaxed);
                old
            }
        }
    }

    /// Reads the word.
    pub fn load(&self, _ordering: Ordering) -> u64 {
        self.access(Access::Load)
    }
    /// Writes the word.
    pub fn store(&self, value: u64, _ordering: Ordering) {
        self.access(Access::Store(value));
    }
    /// Writes the word and yields it as it was.
    pub fn swap(&self, value: u64, _ordering: Ordering) -> u64 {
        self.access(Access::Swap(value))
    }
    /// Writes `new` where the word is `current`; yields it as it was, as an error where it was another.
    pub fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        _success: Ordering,
        _failure: Ordering,
    ) -> Result<u64, u64> {
        let old = self.access(Access::CompareExchange { current, new });
        if old == current { Ok(old) } else { Err(old) }
    }
    /// As [`AtomicU64::compare_exchange`]; never fails without reason here.
    pub fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }
    /// Raises the word to at least `value`. Unlike the processor's it tells nothing of what was there, so
    /// that parties which cannot notice a difference stand in one state; the protocol never asks.
    pub fn fetch_max(&self, value: u64, _ordering: Ordering) {
        self.access(Access::Max(value));
    }
    /// Adds to the word, and tells as little.
    pub fn fetch_add(&self, value: u64, _ordering: Ordering) {
        self.access(Access::Add(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_does_to_a_word_what_the_processor_does() {
        let word = AtomicU64::new(3);
        assert_eq!(word.compare_exchange(4, 9, Ordering::AcqRel, Ordering::Relaxed), Err(3));
        assert_eq!(word.compare_exchange(3, 5, Ordering::AcqRel, Ordering::Relaxed), Ok(3));
        word.fetch_max(4, Ordering::AcqRel);
        word.fetch_add(2, Ordering::AcqRel);
        assert_eq!((word.swap(1, Ordering::Relaxed), word.load(Ordering::Relaxed)), (7, 1));
    }
}
