//! The searching program: runs the scenarios that its arguments name, one line each.

use crate::{
    explore::{Limits, Report, search},
    programs::quiet_panics,
    scenario::Scenario,
    scenarios,
};
use std::process::ExitCode;

/// `list` names the scenarios. `search STATES EXACT PREEMPTIONS NAME` searches one, and prints a line, and the way to
/// the failure where one is found.
pub fn main() -> ExitCode {
    quiet_panics();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let good = match *words.as_slice() {
        ["list"] => {
            scenarios::all().iter().for_each(|scenario| println!("{}", scenario.name));
            Some(true)
        }
        ["search", states, exact, preemptions, name] => named(states, exact, preemptions, name),
        _ => None,
    };
    match good {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => {
            eprintln!("this program is run by `cargo states`");
            ExitCode::from(2)
        }
    }
}

/// Searches one scenario; `None` where the arguments make no sense.
fn named(states: &str, exact: &str, preemptions: &str, name: &str) -> Option<bool> {
    let all = scenarios::all();
    let scenario = all.iter().find(|scenario| scenario.name == name)?;
    let preemptions = match preemptions {
        "quick" => Some(scenario.preemptions),
        "all" => None,
        number => Some(number.parse().ok()?),
    };
    Some(one(scenario, Limits { states: states.parse().ok()?, exact: exact.parse().ok()?, preemptions }))
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
    let (word, text) = match (&report.failure, unseen(scenario, &report)) {
        (Some(reason), _) => ("FAILED", reason.clone()),
        (None, Some(unseen)) => ("UNSEEN", unseen),
        (None, None) => ("ok", scenario.about.to_owned()),
    };
    let seconds = start.elapsed().as_secs_f64();
    println!("{word} {:<22} {line}, {seconds:.1} s: {text}", scenario.name);
    if std::env::var_os("SLATE_OUTCOMES").is_some() {
        for outcome in &report.outcomes {
            println!("         {outcome}");
        }
    }
    word == "ok"
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

/// What the search must have seen, unless the limit ended it, and did not see.
fn unseen(scenario: &Scenario, report: &Report) -> Option<String> {
    if report.cut {
        return None;
    }
    let few =
        |seen: usize, least: usize, what: &str| (seen < least).then(|| format!("fewer than {least} {what}"));
    few(report.states, scenario.states, "states")
        .or_else(|| few(report.outcomes.len(), scenario.outcomes, "outcomes"))
}
