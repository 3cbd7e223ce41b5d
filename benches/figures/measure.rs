//! Works that take turns, so that what disturbs the machine disturbs all of them alike.

use crate::Outcome;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Turns of every work; the figure is their median.
    pub rounds: usize,
    /// Length of one turn.
    pub turn: Duration,
    /// Round trips of one latency run.
    pub trips: usize,
    /// Turns of the works of two processes.
    pub pair_rounds: usize,
    /// Length of one of them.
    pub pair_turn: Duration,
}

impl Plan {
    /// For figures to publish.
    pub const FULL: Self = Self {
        rounds: 31,
        turn: Duration::from_millis(40),
        trips: 200_000,
        pair_rounds: 9,
        pair_turn: Duration::from_millis(300),
    };
    /// For a first look.
    pub const QUICK: Self = Self {
        rounds: 5,
        turn: Duration::from_millis(8),
        trips: 20_000,
        pair_rounds: 3,
        pair_turn: Duration::from_millis(50),
    };
}

/// Runs so often, and returns the time that took.
type Run<'a> = Box<dyn FnMut(u64) -> Outcome<Duration> + 'a>;

/// Something to be measured again and again.
pub struct Work<'a> {
    /// As the table shows it.
    pub name: String,
    run: Run<'a>,
}

impl<'a> Work<'a> {
    /// A work of one repetition, which is told its number. Timed by the thread's own clock: while another
    /// program has the core, it stands still.
    pub fn new(name: impl Into<String>, once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        Self::repeated(name, thread_time, once)
    }

    /// As [`Work::new`], by the clock on the wall: for works of several threads.
    pub fn on_the_wall(name: impl Into<String>, once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        Self::repeated(name, wall_time, once)
    }

    fn repeated(
        name: impl Into<String>,
        clock: fn() -> Duration,
        mut once: impl FnMut(usize) -> Outcome<()> + 'a,
    ) -> Self {
        let run = move |times| {
            let started = clock();
            for number in 0..times {
                once(number as usize)?;
            }
            Ok(clock().saturating_sub(started))
        };
        Self { name: name.into(), run: Box::new(run) }
    }
}

fn thread_time() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn wall_time() -> Duration {
    read(ClockId::Monotonic)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Nanoseconds of one repetition of each work, medians over rounds in which the works took turns.
pub fn interleave(plan: &Plan, works: &mut [Work<'_>]) -> Outcome<Vec<f64>> {
    let mut times = Vec::new();
    for work in works.iter_mut() {
        times.push(repetitions(plan, work)?);
    }
    let mut samples = vec![Vec::with_capacity(plan.rounds); works.len()];
    for _ in 0..plan.rounds {
        for ((work, &times), samples) in works.iter_mut().zip(&times).zip(&mut samples) {
            samples.push((work.run)(times)?.as_nanos() as f64 / times as f64);
        }
    }
    Ok(samples.iter_mut().map(|samples| median(samples)).collect())
}

/// How many repetitions fill a turn. Finding out also warms everything up.
fn repetitions(plan: &Plan, work: &mut Work<'_>) -> Outcome<u64> {
    let mut times = 1_u64;
    loop {
        let took = (work.run)(times)?.max(Duration::from_nanos(1));
        if took >= plan.turn / 2 {
            let fitting = times as f64 * plan.turn.as_secs_f64() / took.as_secs_f64();
            return Ok((fitting as u64).max(1));
        }
        times *= 2;
    }
}

/// The middle one. 0 for none.
pub fn median(samples: &mut [f64]) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(0.0)
}

/// The sample that this share of all is at or below, of samples in order.
pub fn percentile(sorted: &[u64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0) as f64
}
