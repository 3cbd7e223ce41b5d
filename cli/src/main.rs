//! `slate`: a board of shared context from the command line.

mod args;
mod commands;
mod demo;
mod failure;
mod folder;
mod locate;
mod merge;
mod place;
mod print;
mod record;
mod units;
mod whole;

use nix::sys::signal::{SigSet, Signal};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Output that goes into a file beyond the limit on its size is an error that is told, not the signal's end.
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
    match args::parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => failure::usage(&error),
    }
}
