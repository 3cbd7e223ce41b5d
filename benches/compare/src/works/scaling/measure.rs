//! Works that take turns, so that what disturbs the machine disturbs all of them alike.

use crate::Outcome;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Turns of every work; the figure is their median.
    pub rounds: usize,
    /// Length of one turn.
    turn: Duration,
    /// Works that need longer for all turns get fewer, three at least.
    budget: Duration,
    /// Watching what idle processes take.
    pub idle: Duration,
    /// Puts that waiters are woken by.
    pub wakes: usize,
    /// Whether the figures are for a first look.
    pub quick: bool,
}

impl Plan {
    /// For figures to publish.
    pub const FULL: Self = Self {
        rounds: 21,
        turn: Duration::from_millis(25),
        budget: Duration::from_secs(12),
        idle: Duration::from_secs(5),
        wakes: 300,
        quick: false,
    };
    /// For a first look.
    pub const QUICK: Self = Self {
        rounds: 5,
        turn: Duration::from_millis(5),
        budget: Duration::from_secs(2),
        idle: Duration::from_millis(2100),
        wakes: 40,
        quick: true,
    };
}

/// A work: does its operation so often, and returns the time that took.
pub struct Work<'a>(Box<dyn FnMut(u64) -> Outcome<Duration> + 'a>);

impl<'a> Work<'a> {
    /// A work of one operation, which is told its number. Timed by the thread's own clock: while another
    /// program has the core, it stands still.
    pub fn new(once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        Self::timed(ClockId::ThreadCPUTime, once)
    }

    /// As [`Work::new`], by the clock on the wall: for what other threads do a part of.
    pub fn on_the_wall(once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        Self::timed(ClockId::Monotonic, once)
    }

    fn timed(clock: ClockId, mut once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        let mut next = 0_usize;
        Self(Box::new(move |times| {
            let started = read(clock);
            for _ in 0..times {
                once(next)?;
                next = next.wrapping_add(1);
            }
            Ok(read(clock).saturating_sub(started))
        }))
    }
}

/// Nanoseconds of one operation of each work: medians over rounds in which the works took turns.
pub fn interleave<const N: usize>(plan: &Plan, mut works: [Work<'_>; N]) -> Outcome<[f64; N]> {
    let mut times = [1; N];
    for (work, times) in works.iter_mut().zip(&mut times) {
        *times = repetitions(plan, work)?;
    }
    let mut samples = [const { Vec::new() }; N];
    let started = Instant::now();
    for round in 0..plan.rounds {
        if round >= 3 && started.elapsed() > plan.budget {
            break;
        }
        for ((work, &times), samples) in works.iter_mut().zip(&times).zip(&mut samples) {
            samples.push(work.0(times)?.as_nanos() as f64 / times as f64);
        }
    }
    Ok(samples.map(|mut samples| median(&mut samples)))
}

/// How many operations fill a turn. Finding out also warms everything up.
fn repetitions(plan: &Plan, work: &mut Work<'_>) -> Outcome<u64> {
    let mut times = 1_u64;
    loop {
        let took = work.0(times)?.max(Duration::from_nanos(1));
        if took >= plan.turn / 2 {
            let fitting = times as f64 * plan.turn.as_secs_f64() / took.as_secs_f64();
            return Ok((fitting as u64).max(1));
        }
        times *= 2;
    }
}

/// The middle one. 0 for none.
pub fn median(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.5)
}

/// The one that so large a part of the samples is not above. 0 for none.
pub fn quantile(samples: &mut [f64], part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples.get((last as f64 * part).round() as usize).copied().unwrap_or(0.0)
}

/// Processor time of this process.
pub fn process_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// The clock that all processes share, nanoseconds.
pub fn now_ns() -> u64 {
    read(ClockId::Monotonic).as_nanos() as u64
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Numbers below `count`, each as often as the others, in an order that no prefetcher guesses.
pub fn shuffled(count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (state >> 33) as usize % (last + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let mut samples: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(median(&mut samples), 50.0);
        assert_eq!(quantile(&mut samples, 0.99), 99.0);
        assert_eq!(median(&mut []), 0.0);
    }

    #[test]
    fn every_number_once() {
        let mut order = shuffled(1000);
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
    }
}
