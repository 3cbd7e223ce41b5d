//! The models, one process a model: `suite list`, `suite run NAME`, or `suite long NAME [SECONDS]`. `cargo models` calls it.

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
