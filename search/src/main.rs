//! `cargo states`: every interleaving of a few parties over the protocol's own code, with a kill at every
//! access, on boards small enough to be searched whole; and mutants of that code, each of which the
//! search must catch.
//!
//! The program is built twice. Plainly, it is the runner: it builds itself again under
//! `--cfg slate_search`, where the protocol's atomics ask a scheduler before every access, and runs that.

#[cfg(not(slate_search))]
mod canaries;
#[cfg(slate_search)]
mod explore;
#[cfg(slate_search)]
mod fsck;
#[cfg(slate_search)]
mod party;
#[cfg(slate_search)]
mod places;
#[cfg(slate_search)]
mod programs;
#[cfg(slate_search)]
mod random;
#[cfg(not(slate_search))]
mod runner;
#[cfg(slate_search)]
mod scenario;
#[cfg(slate_search)]
mod scenarios;
#[cfg(slate_search)]
mod watch;
#[cfg(slate_search)]
mod worker;
#[cfg(slate_search)]
mod world;

fn main() -> std::process::ExitCode {
    #[cfg(slate_search)]
    let code = worker::main();
    #[cfg(not(slate_search))]
    let code = runner::main();
    code
}
