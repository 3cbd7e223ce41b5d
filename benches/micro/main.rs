//! Microbenchmarks of the library alone, with criterion's statistics: they show what changed since the run before.
//!
//! ```text
//! cargo bench -p slateboard-micro                  runs all, in minutes
//! cargo bench -p slateboard-micro -- put           runs those whose name has this in it
//! cargo bench -p slateboard-micro -- --test        runs each once, in seconds
//! ```
//!
//! `benches/compare` measures the figures of `docs/performance.md`, beside raw limits and other systems.

mod values;
mod waiting;
mod whole;

use criterion::{Criterion, criterion_group, criterion_main};
use slateboard::Board;
use slateboard_micro::{Filled, memory};
use std::time::Duration;

/// Keys of a board, unless a benchmark is about their number.
const KEYS: usize = 1_000;
/// Sizes of values, bytes.
const SIZES: [usize; 5] = [8, 64, 1 << 10, 16 << 10, 64 << 10];
/// Events of history: a put at full history lets one go, which is the steady state.
const HISTORY: usize = 2_048;

/// A board whose history is full of puts to these keys.
fn filled(keys: usize, size: usize) -> Filled {
    let capacity = if size > 16 << 10 { 512 << 20 } else { 64 << 20 };
    let options = Board::options().capacity(capacity).history(HISTORY as u64);
    Filled::new(&memory(), options, keys, size, HISTORY + 100).unwrap()
}

/// A size as it is named.
fn label(size: usize) -> String {
    if size >= 1 << 10 { format!("{} KiB", size >> 10) } else { format!("{size} B") }
}

/// The numbers of the keys, round and round.
fn round(keys: usize) -> impl FnMut() -> usize {
    let mut next = 0;
    move || {
        next = if next + 1 == keys { 0 } else { next + 1 };
        next
    }
}

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50)
}

criterion_group! {
    name = benches;
    config = settings();
    targets = values::gets, values::puts, values::updates, whole::lists, whole::scans, whole::views, whole::events, waiting::watches
}
criterion_main!(benches);
