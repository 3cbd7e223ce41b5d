//! `cargo schedules`: random schedules of four to eight actors over the protocol's own code, with kills.
//!
//! The program is built twice. Plainly, it is the runner: it builds itself again under
//! `--cfg slate_search --cfg slate_whole`, and runs that.

fn main() -> std::process::ExitCode {
    #[cfg(slate_whole)]
    let code = slateboard_search::schedules::worker::main();
    #[cfg(not(slate_whole))]
    let code = slateboard_search::schedules::runner::main();
    code
}
