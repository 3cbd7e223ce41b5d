//! Microbenchmarks of the library alone, with the statistics of criterion: what changed since the run before.
//!
//! ```text
//! cargo bench -p slateboard-micro                  all; minutes
//! cargo bench -p slateboard-micro -- put           those whose name has this in it
//! cargo bench -p slateboard-micro -- --test        each once; seconds
//! ```
//!
//! `benches/figures` is the other one: figures beside raw limits of the same run.

mod fixture;
mod values;
mod waiting;
mod whole;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

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
