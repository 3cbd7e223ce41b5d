//! How long to measure.

use std::time::Duration;

/// Lengths and repetitions of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// `--quick`, `--smoke`, or nothing for a full run: handed on to child processes.
    pub flag: Option<&'static str>,
    /// Rounds in which all peers take their turn; figures are medians over them.
    pub rounds: usize,
    /// Turns of each form of a work in a round; the round's figure is their median.
    pub turns: usize,
    /// The same of works of the board alone, which have one round only.
    pub turns_alone: usize,
    /// Length of one such turn.
    pub turn: Duration,
    /// Forms that need longer for all turns get fewer.
    pub budget: Duration,
    /// Points of each curve, at most.
    pub points: usize,
    /// For how long at most a store is written to before puts are timed: until it reuses its space.
    pub warm_up: Duration,
    /// Length of a work of two processes.
    pub pair: Duration,
    /// Round trips of a latency run, at most.
    pub trips: usize,
    /// Length of one YCSB workload.
    pub ycsb: Duration,
    /// Keys of YCSB before anything is inserted.
    pub ycsb_keys: usize,
    /// For how long processes are watched that sleep.
    pub idle: Duration,
    /// Puts that wake waiters.
    pub wakes: usize,
    /// Commands started in a round.
    pub commands: usize,
    /// A peer whose work took longer than this takes part in that work's first round only.
    pub patience: Duration,
}

const FULL: Plan = Plan {
    flag: None,
    rounds: 9,
    turns: 5,
    turns_alone: 21,
    turn: Duration::from_millis(20),
    budget: Duration::from_secs(12),
    points: usize::MAX,
    warm_up: Duration::from_secs(1),
    pair: Duration::from_millis(400),
    trips: 100_000,
    ycsb: Duration::from_millis(600),
    ycsb_keys: 100_000,
    idle: Duration::from_secs(5),
    wakes: 300,
    commands: 40,
    patience: Duration::from_secs(20),
};

const QUICK: Plan = Plan {
    flag: Some("--quick"),
    rounds: 3,
    turns: 3,
    turns_alone: 5,
    turn: Duration::from_millis(8),
    budget: Duration::from_secs(2),
    warm_up: Duration::from_millis(400),
    pair: Duration::from_millis(100),
    trips: 20_000,
    ycsb: Duration::from_millis(200),
    idle: Duration::from_secs(2),
    wakes: 40,
    commands: 15,
    patience: Duration::from_secs(6),
    ..FULL
};

const SMOKE: Plan = Plan {
    flag: Some("--smoke"),
    rounds: 1,
    turns: 1,
    turns_alone: 1,
    turn: Duration::from_micros(200),
    budget: Duration::ZERO,
    points: 2,
    warm_up: Duration::from_millis(1),
    pair: Duration::from_millis(5),
    trips: 300,
    ycsb: Duration::from_millis(10),
    ycsb_keys: 1_000,
    idle: Duration::from_millis(100),
    wakes: 3,
    commands: 2,
    patience: Duration::from_secs(6),
};

impl Plan {
    /// The plan of an option; of a full run without one.
    pub fn of(flag: Option<&str>) -> Self {
        [SMOKE, QUICK].into_iter().find(|plan| plan.flag == flag).unwrap_or(FULL)
    }

    /// Those of a curve's points that this plan measures.
    pub fn points<'x>(&self, all: &'x [usize]) -> &'x [usize] {
        &all[..self.points.min(all.len())]
    }
}
