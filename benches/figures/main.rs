//! The figures of `docs/performance.md`: every one beside a raw limit that is measured in the same run.
//!
//! ```text
//! cargo bench --bench figures                    the table, as Markdown
//! cargo bench --bench figures -- --quick         seconds instead of minutes, with more noise
//! cargo bench --bench figures -- --json          one JSON object a line
//! cargo bench --bench figures -- --only sync     sections whose name has this in it
//! ```
//!
//! Sections: get, put, session, whole, sync, contend, beside.

mod fixture;
mod local;
mod measure;
mod pair;
mod report;
mod roles;

use measure::Plan;
use report::Report;
use std::process::ExitCode;

/// What goes wrong in a benchmark ends it.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("--role") => roles::play(arguments.get(1..).unwrap_or_default()),
        _ => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let only = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    let wanted = |section: &str| only.is_none_or(|only| section.contains(only.as_str()));
    let plan = if has("--quick") { Plan::QUICK } else { Plan::FULL };
    let mut report = Report::new(has("--json"));
    if wanted("get") || wanted("put") {
        local::gets_and_puts(&plan, &wanted, &mut report)?;
    }
    if wanted("session") {
        local::attaching(&plan, &mut report)?;
    }
    if wanted("whole") {
        local::whole_board(&plan, &mut report)?;
    }
    if wanted("sync") {
        pair::sync_latency(&plan, &mut report)?;
    }
    if wanted("contend") {
        pair::contended_increments(&plan, &mut report)?;
    }
    if wanted("beside") {
        pair::reads_beside_a_writer(&plan, &mut report)?;
    }
    report.print();
    Ok(())
}
