//! `cargo schedules`: random schedules of four to eight actors over the protocol's own code, each of which
//! may be killed at any access, reap others, and come back; and mutants of that code that must be caught.
//!
//! Where the explicit search (`cargo states`) sees all interleavings of two or three parties, this sees some
//! of many: [shuttle](https://docs.rs/shuttle) chooses who moves next, at random or by priorities that change
//! at few random points (PCT). The parties and all checks are the search's: every write is judged when it
//! is made, every answer when all is over, and then the board at rest. Orderings are for `loom-tests/`.
//!
//! The program is built twice. Plainly, it is the runner: it builds itself again under
//! `--cfg slate_search --cfg slate_whole`, and runs that.

#[cfg(slate_search)]
mod actor;
#[cfg(slate_search)]
mod family;
#[cfg(not(slate_search))]
mod options;
#[cfg(not(slate_search))]
mod runner;
#[cfg(slate_search)]
mod table;
#[cfg(slate_search)]
mod worker;

fn main() -> std::process::ExitCode {
    #[cfg(slate_search)]
    let code = worker::main();
    #[cfg(not(slate_search))]
    let code = runner::main();
    code
}
