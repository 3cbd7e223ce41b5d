//! Random schedules of four to eight actors over the protocol's own code, each of which may be killed at any access,
//! reap others, and come back.
//!
//! Where the search sees all interleavings of two or three parties within bounds, this sees some of many:
//! [shuttle](https://docs.rs/shuttle) chooses who moves next, at random or by priorities that change at few random
//! points (PCT). The parties and all checks are the search's. Orderings are for `loom-tests/`.

#[cfg(slate_whole)]
pub mod actor;
#[cfg(slate_whole)]
pub mod family;
#[cfg(not(slate_search))]
pub mod runner;
#[cfg(slate_whole)]
pub mod table;
#[cfg(slate_whole)]
pub mod worker;
