//! loom's atomics, under a thread that may die before any of its stores, or must make none.
//!
//! A kill between two loads cannot be told from one before the next store, so counting stores reaches
//! every state that a kill can leave behind.

use super::Ordering;
use loom::sync::atomic as loomed;
use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
};

/// What a modelled thread may do to shared words.
#[derive(Clone, Copy)]
enum Licence {
    /// Everything.
    Free,
    /// So many stores; it dies before the next.
    Stores(u32),
    /// Loads only: a store fails the model.
    ReadOnly,
}

loom::thread_local! {
    static LICENCE: Cell<Licence> = Cell::new(Licence::Free);
}

/// What happens, and after how many accesses, while a role stands still.
type Interruptions = Vec<(u32, Box<dyn FnOnce()>)>;

thread_local! {
    /// The last is the next. loom runs all its threads on one; only a role that is alone is interrupted.
    static INTERRUPTIONS: RefCell<Interruptions> = const { RefCell::new(Vec::new()) };
}

/// Runs `f`, and each of the interruptions when so many accesses have been made since the one before.
/// Returns how many interruptions did not happen, because `f` ended.
pub fn interrupted<R>(mut interruptions: Interruptions, f: impl FnOnce() -> R) -> (R, usize) {
    interruptions.reverse();
    INTERRUPTIONS.with(|waiting| *waiting.borrow_mut() = interruptions);
    let value = f();
    (value, INTERRUPTIONS.with(|waiting| std::mem::take(&mut *waiting.borrow_mut())).len())
}

/// Counts an access down; at zero the interruption happens, and is not interrupted itself.
fn before_access() {
    let due = INTERRUPTIONS.with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        let (left, _) = waiting.last_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let (_, interruption) = waiting.pop()?;
        Some((interruption, std::mem::take(&mut *waiting)))
    });
    if let Some((interruption, later)) = due {
        let licence = LICENCE.with(|licence| licence.replace(Licence::Free));
        interruption();
        LICENCE.with(|mine| mine.set(licence));
        INTERRUPTIONS.with(|waiting| *waiting.borrow_mut() = later);
    }
}

/// The payload that ends a killed thread.
struct Killed;

/// Runs `f` until it is about to make the store after its first `stores`; `None` if it was killed there.
pub fn killed_after<R>(stores: u32, f: impl FnOnce() -> R) -> Option<R> {
    LICENCE.with(|licence| licence.set(Licence::Stores(stores)));
    let ended = panic::catch_unwind(AssertUnwindSafe(f));
    LICENCE.with(|licence| licence.set(Licence::Free));
    match ended {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Killed>() => None,
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// Runs `f`, which must store nothing.
pub fn read_only<R>(f: impl FnOnce() -> R) -> R {
    LICENCE.with(|licence| licence.set(Licence::ReadOnly));
    let value = f();
    LICENCE.with(|licence| licence.set(Licence::Free));
    value
}

fn before_store() {
    before_access();
    LICENCE.with(|licence| match licence.get() {
        Licence::Free => {}
        // Unwinding without the panic hook: a kill says nothing.
        Licence::Stores(0) => panic::resume_unwind(Box::new(Killed)),
        Licence::Stores(left) => licence.set(Licence::Stores(left - 1)),
        Licence::ReadOnly => panic!("a reader stores to shared memory"),
    });
}

/// loom's `AtomicU64`; every store first asks whether the thread lives on.
#[derive(Debug)]
pub struct AtomicU64(loomed::AtomicU64);

impl AtomicU64 {
    /// A new word.
    pub fn new(value: u64) -> Self {
        Self(loomed::AtomicU64::new(value))
    }
    /// Loads.
    pub fn load(&self, order: Ordering) -> u64 {
        before_access();
        self.0.load(order)
    }
    /// Stores.
    pub fn store(&self, value: u64, order: Ordering) {
        before_store();
        self.0.store(value, order);
    }
    /// Stores, and returns what was there.
    pub fn swap(&self, value: u64, order: Ordering) -> u64 {
        before_store();
        self.0.swap(value, order)
    }
    /// Stores `new` where `current` is; else returns what is there.
    pub fn compare_exchange(&self, current: u64, new: u64, ok: Ordering, err: Ordering) -> Result<u64, u64> {
        before_store();
        self.0.compare_exchange(current, new, ok, err)
    }
    /// Raises to `value`, and returns what was there.
    pub fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
        before_store();
        self.0.fetch_max(value, order)
    }
    /// Adds, and returns what was there.
    pub fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        before_store();
        self.0.fetch_add(value, order)
    }
}
