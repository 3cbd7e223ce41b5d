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

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => failure::usage(&error),
    }
}
