//! `cargo states`: every interleaving of a few parties over the protocol's own code, with a kill at every
//! access, on boards small enough to be searched whole.
//!
//! The program is built twice. Plainly, it is the runner: it builds itself again under
//! `--cfg slate_search`, and runs that.

fn main() -> std::process::ExitCode {
    #[cfg(slate_search)]
    let code = slateboard_search::worker::main();
    #[cfg(not(slate_search))]
    let code = slateboard_search::runner::main();
    code
}
