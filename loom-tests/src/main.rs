//! The models, one process a model: `suite list`, or `suite run NAME [--long]`. `cargo models` calls it.

use std::process::ExitCode;

#[cfg(loom)]
mod suite;

#[cfg(loom)]
fn main() -> ExitCode {
    suite::main()
}

#[cfg(not(loom))]
fn main() -> ExitCode {
    eprintln!("the models are compiled with --cfg loom only: run `cargo models`");
    ExitCode::FAILURE
}
