//! How long to measure.

use crate::Outcome;
use std::time::Duration;

/// Lengths and repetitions of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// `--quick`, `--smoke`, or nothing for a full run: handed on to the processes of single works.
    pub flag: Option<&'static str>,
    /// Rounds in which all peers take their turn; figures are medians over them.
    pub rounds: usize,
    /// Turns of each work of one process in a round; the round's figure is their median.
    pub turns: usize,
    /// For how long at most a store is written to before puts are timed: until it reuses its space.
    pub warm_up: Duration,
    /// Length of one such turn.
    pub turn: Duration,
    /// Length of a work of two processes.
    pub pair: Duration,
    /// Round trips of a latency run, at most.
    pub trips: usize,
    /// Length of one YCSB workload.
    pub ycsb: Duration,
    /// Keys of YCSB before anything is inserted.
    pub ycsb_keys: usize,
    /// For how long sleeping waiters are watched.
    pub idle: Duration,
    /// Commands started in a round.
    pub commands: usize,
    /// A peer whose work took longer than this takes part in that work's first round only.
    pub patience: Duration,
}

const FULL: Plan = Plan {
    flag: None,
    rounds: 9,
    turns: 5,
    warm_up: Duration::from_secs(1),
    turn: Duration::from_millis(20),
    pair: Duration::from_millis(400),
    trips: 100_000,
    ycsb: Duration::from_millis(600),
    ycsb_keys: 100_000,
    idle: Duration::from_secs(5),
    commands: 40,
    patience: Duration::from_secs(20),
};

const QUICK: Plan = Plan {
    flag: Some("--quick"),
    rounds: 3,
    turns: 3,
    warm_up: Duration::from_millis(400),
    turn: Duration::from_millis(8),
    pair: Duration::from_millis(100),
    trips: 20_000,
    ycsb: Duration::from_millis(200),
    idle: Duration::from_secs(2),
    commands: 15,
    patience: Duration::from_secs(6),
    ..FULL
};

const SMOKE: Plan = Plan {
    flag: Some("--smoke"),
    rounds: 1,
    turns: 1,
    warm_up: Duration::from_millis(1),
    turn: Duration::from_micros(200),
    pair: Duration::from_millis(5),
    trips: 300,
    ycsb: Duration::from_millis(10),
    ycsb_keys: 1_000,
    idle: Duration::from_millis(100),
    commands: 2,
    patience: Duration::from_secs(6),
};

impl Plan {
    /// The plan that the options name.
    pub fn of(options: &[&str]) -> Outcome<Self> {
        let mut plan = match options {
            options if options.contains(&"--smoke") => SMOKE,
            options if options.contains(&"--quick") => QUICK,
            _ => FULL,
        };
        if let Some(rounds) = option(options, "--rounds") {
            plan.rounds = rounds.parse()?;
        }
        Ok(plan)
    }
}

/// What stands behind an option.
pub fn option<'a>(options: &[&'a str], name: &str) -> Option<&'a str> {
    options.iter().skip_while(|option| **option != name).nth(1).copied()
}
