//! Torture: processes at work on one board are killed, stopped and forked at random, and everything that they were told
//! is judged afterwards.
//!
//! - [`worker`]: does random operations, and notes each call and each answer in a log that outlives it;
//! - [`log`]: that log, a mapped file;
//! - [`nemesis`]: kills, stops, continues, and starts workers again;
//! - [`observer`]: follows the history all the time;
//! - [`soak`]: another run, of keys that come and go for ever;
//! - [`judge`]: what was told must fit together, must fit the history, and must fit what stands at the end, of which the
//!   independent checker gives the account. Windows of operations go to a linearizability checker.

pub mod fork;
pub mod judge;
pub mod log;
pub mod nemesis;
pub mod observer;
pub mod soak;
pub mod worker;
