//! The explicit search of states: the protocol's own code run access by access over words that a scheduler
//! keeps, and checks of every write, of every answer and of the board at rest. The random schedules
//! (`verify/schedules/`) run the same parties under the same checks.
//!
//! Built plainly this is the runner. Under `--cfg slate_search`, where the protocol's atomics ask a
//! scheduler before every access, it is what the runner builds and runs.

#[cfg(slate_search)]
pub mod explore;
#[cfg(slate_search)]
pub mod party;
#[cfg(slate_search)]
pub mod places;
#[cfg(slate_search)]
pub mod programs;
#[cfg(slate_search)]
pub mod random;
#[cfg(slate_search)]
pub mod rest;
#[cfg(not(slate_search))]
pub mod runner;
#[cfg(slate_search)]
pub mod scenario;
#[cfg(slate_search)]
pub mod scenarios;
#[cfg(slate_search)]
pub mod watch;
#[cfg(slate_search)]
pub mod worker;
#[cfg(slate_search)]
pub mod world;
