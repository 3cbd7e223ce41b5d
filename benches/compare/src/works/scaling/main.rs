//! How the figures grow: with sessions, keys, the size of values, the length of the history, waiters. One JSON line a point.
//!
//! ```text
//! cargo run --release -p scaling --                 all; minutes
//! cargo run --release -p scaling -- --quick         two minutes, with more noise
//! cargo run --release -p scaling -- --only keys     sections whose name has this in it
//! cargo run --release -p scaling -- --write         also curves and a section of docs/performance.md; with --only,
//!                                                   the other sections keep their points of before
//! cargo run --release -p scaling -- --draw          the same from the points of before, without measuring
//! ```
//!
//! Sections: sessions, keys, values, history, waiters. Each point stands beside a raw reference of the same run where
//! there is a natural one: `"raw": true`.

mod boards;
mod charts;
mod child;
mod history;
mod keys;
mod measure;
mod page;
mod point;
mod roles;
mod sessions;
mod values;
mod waiters;

use measure::Plan;
use point::Points;
use std::process::ExitCode;

/// What goes wrong ends the program; boards and processes end with what holds them.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A section measures its points.
type Section = fn(&Plan, &mut Points) -> Outcome<()>;

const SECTIONS: [(&str, Section); 5] = [
    ("sessions", sessions::measure),
    ("keys", keys::measure),
    ("values", values::measure),
    ("history", history::measure),
    ("waiters", waiters::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((role, rest)) if role == "--role" => roles::play(rest),
        _ => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scaling: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let (mut plan, mut only, mut write) = (Plan::FULL, String::new(), false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => plan = Plan::QUICK,
            "--write" => write = true,
            "--draw" => return page::write(&[]),
            "--only" => only = arguments.next().ok_or("--only needs a section's name")?.clone(),
            other => {
                return Err(format!(
                    "unknown argument {other}: [--quick] [--only SECTION] [--write | --draw]"
                )
                .into());
            }
        }
    }
    let sections: Vec<_> = SECTIONS.iter().filter(|section| section.0.contains(&only)).collect();
    if sections.is_empty() {
        return Err(format!("no section has {only} in its name").into());
    }
    // Its input ends with this process.
    let _janitor = boards::have_janitor()?;
    let mut points = Points::new(plan.quick)?;
    for (name, measure) in &sections {
        points.begin(name);
        measure(&plan, &mut points)?;
    }
    if write {
        page::write(points.lines())?;
    }
    eprintln!("OK: {} lines of {} sections", points.lines().len(), sections.len());
    Ok(())
}
