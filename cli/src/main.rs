//! `slate`: a board of shared context from the command line.

mod args;
mod commands;
mod demo;
mod failure;
mod folder;
mod locate;
mod place;
mod print;
mod record;
mod units;
mod whole;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match args::Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => failure::usage(&error),
    }
}
