//! `slate`: the command line of a shared board.

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
mod wrap;

use nix::sys::signal::{SigSet, Signal};
use std::process::ExitCode;

fn main() -> ExitCode {
    // If output exceeds the limit on file sizes, the write fails and the error is reported. Without this, the signal
    // would kill the process.
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
    // A board whose file another process cuts short is an error. If no handler can be set, it ends this process instead.
    let _ = slateboard::Board::catch_truncation();
    match args::parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => failure::usage(&error),
    }
}
