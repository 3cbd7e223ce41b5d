//! The searching program: runs the scenarios that its arguments name, one line each.

use crate::{
    explore::{Limits, Report, memory, search},
    programs::quiet_panics,
    scenario::Scenario,
    scenarios,
};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// States after which every search is cut: their numbers, of 64 bits, are taken to differ.
const STATES_MAX: usize = 1_000_000_000;

/// `list` names the scenarios. `quick NAME` searches one within its own bounds, `within STATES PREEMPTIONS NAME` within these,
/// `long SECONDS BYTES NAME` within its own bounds, and then without bounds but those. Each search prints a line, and the way to
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
        ["quick", name] => named(name).map(|scenario| one(&scenario, quick(&scenario))),
        ["within", states, preemptions, name] => named(name).and_then(|scenario| {
            let limits = Limits {
                states: states.parse().ok()?,
                preemptions: Some(preemptions.parse().ok()?),
                ..quick(&scenario)
            };
            Some(one(&scenario, limits))
        }),
        ["long", seconds, bytes, name] => named(name).and_then(|scenario| {
            let (seconds, bytes) = (seconds.parse().ok()?, bytes.parse().ok()?);
            Some(one(&scenario, quick(&scenario)) && one(&scenario, long(seconds, bytes)))
        }),
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

fn named(name: &str) -> Option<Scenario> {
    scenarios::all().into_iter().find(|scenario| scenario.name == name)
}

/// The scenario's own bounds.
fn quick(scenario: &Scenario) -> Limits {
    Limits {
        states: scenario.budget,
        until: None,
        memory: usize::MAX,
        exact: false,
        preemptions: Some(scenario.preemptions),
    }
}

/// All preemptions, and every store a step of its own.
fn long(seconds: u64, memory: usize) -> Limits {
    let until = Instant::now().checked_add(Duration::from_secs(seconds));
    Limits { states: STATES_MAX, until, memory, exact: true, preemptions: None }
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
    let line = line(&report, &limits);
    let (word, text) = match (&report.failure, unseen(scenario, &report, &limits)) {
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

fn line(report: &Report, limits: &Limits) -> String {
    let end = match (&report.failure, report.cut) {
        (Some(_), _) => "ended by what it found".into(),
        (None, Some(limit)) => format!("cut by {limit}"),
        (None, None) => "complete".into(),
    };
    let within = limits.preemptions.map_or("all interleavings".into(), |most| format!("{most} preemptions"));
    format!(
        "{within}, {end}: {} states, {} transitions, {} ends, {} outcomes, depth {}, {} runs, {} nodes, {} MiB",
        report.states,
        report.transitions,
        report.terminals,
        report.outcomes.len(),
        report.depth,
        report.runs.0,
        report.runs.1,
        memory("VmHWM") >> 20,
    )
}

/// What the search must have seen, and did not. Where preemptions are not bounded, states are counted in another way, and a
/// search that goes on for ever looks into one corner first: then the outcomes of a complete search are demanded.
fn unseen(scenario: &Scenario, report: &Report, limits: &Limits) -> Option<String> {
    let few =
        |seen: usize, least: usize, what: &str| (seen < least).then(|| format!("fewer than {least} {what}"));
    let outcomes = || few(report.outcomes.len(), scenario.outcomes, "outcomes");
    match (limits.preemptions, report.cut) {
        (Some(_), _) => few(report.states, scenario.states, "states").or_else(outcomes),
        (None, None) => outcomes(),
        (None, Some(_)) => None,
    }
}
