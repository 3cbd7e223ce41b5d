//! The searching program: runs the scenarios that its arguments name, one line each.

use crate::{
    explore::{Limits, Report, search},
    programs::quiet_panics,
    random,
    scenario::Scenario,
    scenarios,
};
use std::process::ExitCode;

/// `list` names the scenarios; `random PARTIES SEED COUNT` runs random schedules. `search STATES EXACT PREEMPTIONS NAME` searches one: a line, and the way to
/// the flaw where one is found.
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
        ["random", parties, seed, count] => schedules(parties, seed, count),
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

/// Runs random schedules; `None` where the arguments make no sense.
fn schedules(parties: &str, seed: &str, count: &str) -> Option<bool> {
    let (parties, seed, count) = (parties.parse().ok()?, seed.parse().ok()?, count.parse().ok()?);
    let ran = random::run(parties, seed, count);
    match &ran {
        Ok(text) => println!("ok     {text}"),
        Err(reason) => println!("FAILED {reason}"),
    }
    Some(ran.is_ok())
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
    let good = verdict.is_ok();
    match verdict {
        Ok(()) => println!("ok     {:<22} {line}, {seconds:.1} s: {}", scenario.name, scenario.about),
        Err(reason) => println!("FAILED {:<22} {line}, {seconds:.1} s: {reason}", scenario.name),
    }
    if std::env::var_os("SLATE_OUTCOMES").is_some() {
        for outcome in &report.outcomes {
            println!("         {outcome}");
        }
    }
    good
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
