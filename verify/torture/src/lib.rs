//! Torture kills, stops and forks processes at random while they work on one board. Afterwards it judges every answer
//! that they were given.
//!
//! - [`worker`] makes random calls of every kind, and logs each call and each answer.
//! - [`log`] is that log: a mapped file, which outlives the worker.
//! - [`nemesis`] kills, stops, continues and restarts workers.
//! - [`observer`] follows the history all the time.
//! - [`judge`] puts the history of each key together, judges each answer by it, and compares both with what the independent
//!   check finds on the board at the end. It gives windows of calls to a linearizability checker.
//! - [`soak`] is another run: keys come and go without end.

pub mod fork;
pub mod judge;
pub mod log;
pub mod nemesis;
pub mod observer;
pub mod soak;
pub mod worker;
