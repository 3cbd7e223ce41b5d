//! Work done in parallel, and how it ended.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
};

/// How many passed and how many failed. Lines are printed as they come.
#[derive(Default)]
pub struct Score(Mutex<(usize, usize)>);

impl Score {
    /// Prints one line and counts it.
    pub fn line(&self, passed: bool, text: &str) {
        let mut score = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{text}");
        *if passed { &mut score.0 } else { &mut score.1 } += 1;
    }

    /// Passed and failed.
    pub fn counts(&self) -> (usize, usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many workers as there are processors.
pub fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does the work in order, one item for each worker at a time. Each worker has its own number, below [`workers`].
pub fn in_parallel<T: Send>(work: impl IntoIterator<Item = T>, run: impl Fn(usize, T) + Sync) {
    let queue = Mutex::new(work.into_iter().collect::<VecDeque<_>>());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for worker in 0..workers() {
            let (next, run) = (&next, &run);
            scope.spawn(move || {
                while let Some(item) = next() {
                    run(worker, item);
                }
            });
        }
    });
}
