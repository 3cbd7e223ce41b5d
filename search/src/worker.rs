//! The searching program: runs the scenarios that its arguments name, one line each.

use crate::{
    explore::{Limits, Report, search},
    programs::quiet_panics,
    scenario::Scenario,
    scenarios,
};
use std::process::ExitCode;

/// Searches the scenarios named by the arguments: `STATES EXACT NAME...`; a line for each, and the way to
/// the flaw where one is found. Fails when one fails.
pub fn main() -> ExitCode {
    quiet_panics();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [states, exact, preemptions, names @ ..] = arguments.as_slice() else {
        eprintln!("usage: STATES EXACT NAME...; this program is run by `cargo states`");
        return ExitCode::from(2);
    };
    let (Ok(states), Ok(exact)) = (states.parse(), exact.parse()) else {
        eprintln!("STATES must be a number, and EXACT true or false");
        return ExitCode::from(2);
    };
    let mut good = true;
    for scenario in scenarios::all().iter().filter(|scenario| names.is_empty() || names.iter().any(|name| name == scenario.name)) {
        good &= one(scenario, Limits { states, exact, preemptions: if preemptions == "quick" { Some(scenario.preemptions) } else { preemptions.parse().ok() } });
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(scenario: &Scenario, limits: Limits) -> bool {
    let start = std::time::Instant::now();
    let report = match search(scenario, limits) {
        Ok(report) => report,
        Err(reason) => {
            println!("FAILED {}: {reason}", scenario.name);
            return false;
        }
    };
    let line = line(&report);
    let verdict = verdict(scenario, &report);
    let seconds = start.elapsed().as_secs_f64();
    match verdict {
        Ok(()) => println!("ok     {:<22} {line}, {seconds:.1} s: {}", scenario.name, scenario.about),
        Err(reason) => println!("FAILED {:<22} {line}, {seconds:.1} s: {reason}", scenario.name),
    }
    if std::env::var_os("SLATE_OUTCOMES").is_some() {
        for outcome in &report.outcomes {
            println!("         {outcome}");
        }
    }
    report.failure.is_none()
}

fn line(report: &Report) -> String {
    let complete = if report.cut { "cut" } else { "complete" };
    format!(
        "{} states ({complete}), {} transitions, {} ends, {} outcomes, depth {}, {} runs, {} nodes",
        report.states,
        report.transitions,
        report.terminals,
        report.outcomes.len(),
        report.depth,
        report.runs.0,
        report.runs.1
    )
}

fn verdict(scenario: &Scenario, report: &Report) -> Result<(), String> {
    if let Some(failure) = &report.failure {
        return Err(failure.clone());
    }
    if report.cut {
        return Ok(());
    }
    if report.states < scenario.states {
        return Err(format!("fewer than {} states", scenario.states));
    }
    if report.outcomes.len() < scenario.outcomes {
        return Err(format!("fewer than {} outcomes", scenario.outcomes));
    }
    Ok(())
}
