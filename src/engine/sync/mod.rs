//! The one façade for atomics.
//!
//! The same protocol code runs over the processor's atomics in the product, over
//! [loom](https://docs.rs/loom)'s in the models of memory orderings, and over a stepping shim in the
//! bounded search of interleavings and crashes. Nothing else in the crate names an atomic type.

#[cfg(loom)]
pub mod modelled;
#[cfg(test)]
pub(crate) mod paused;
#[cfg(slate_search)]
pub mod search;

#[cfg(loom)]
pub use loom::sync::atomic::{Ordering, fence};
#[cfg(loom)]
pub use modelled::AtomicU64;

#[cfg(slate_search)]
pub use search::{AtomicU64, Ordering, fence};

#[cfg(not(any(loom, slate_search)))]
pub use core::sync::atomic::{AtomicU64, Ordering, fence};

/// Tells the processor, or the model, that this loop waits for another party.
pub fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(any(loom, slate_search)))]
    core::hint::spin_loop();
}
