//! The protocol's own code under a scheduler that is asked before every access to a shared word, with checks of every
//! write and of every answer; `verify/fsck` checks the board at rest.
//!
//! The search (`cargo states`) sees the interleavings of two or three parties that have few preemptions, and with `--long`
//! others, as many as fit time and memory. The random schedules (`cargo schedules`) see some interleavings of four to eight
//! actors. `docs/models.md` says how each is bounded.
//!
//! Built plainly this is the runners. Under `--cfg slate_search`, where the protocol's atomics ask the scheduler, it is
//! what the runners build and run; with `--cfg slate_whole` besides, records have all their words, as the random
//! schedules need them.

#[cfg(slate_search)]
pub mod explore;
#[cfg(slate_search)]
pub mod party;
#[cfg(slate_search)]
pub mod places;
#[cfg(slate_search)]
pub mod programs;
#[cfg(slate_search)]
pub mod rest;
#[cfg(not(slate_search))]
pub mod runner;
#[cfg(slate_search)]
pub mod scenario;
#[cfg(slate_search)]
pub mod scenarios;
#[cfg(any(slate_whole, not(slate_search)))]
pub mod schedules;
#[cfg(slate_search)]
pub mod watch;
#[cfg(slate_search)]
pub mod worker;
#[cfg(slate_search)]
pub mod world;
