//! `cargo states`: interleavings of a few parties over the protocol's own code, within few preemptions and with a kill
//! before every access, on small boards.
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
