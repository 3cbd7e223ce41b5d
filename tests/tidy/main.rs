//! Rules of the repository that no compiler knows. Each is shown to fail on a bad sample.

mod atomics;
mod durable;
mod figures;
mod format;
mod imports;
mod orderings;
mod preemptions;
mod size;
mod source;
mod words;
