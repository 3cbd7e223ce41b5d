//! Works of one process: forms of a work that take turns, timed by the thread's own clock where that sees them.

use crate::{Outcome, plan::Plan, row::median};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Runs so often, and returns the time that took.
type Run<'a> = Box<dyn FnMut(u64) -> Outcome<Duration> + 'a>;

/// One form of a work.
pub struct Form<'a> {
    /// As the table shows it.
    pub what: String,
    run: Run<'a>,
}

impl<'a> Form<'a> {
    /// A form of one repetition, which is told its number. The thread's clock stands still while another program has
    /// the core; `wall` is for what is done outside this thread.
    pub fn new(what: impl Into<String>, wall: bool, mut once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        let clock = if wall { ClockId::Monotonic } else { ClockId::ThreadCPUTime };
        let run = move |times| {
            let started = time(clock);
            for number in 0..times {
                once(number as usize)?;
            }
            Ok(time(clock).saturating_sub(started))
        };
        Self { what: what.into(), run: Box::new(run) }
    }
}

/// What a clock shows.
pub fn time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Nanoseconds of one repetition of each form: medians over turns that they took one after the other.
pub fn interleave(plan: &Plan, mut forms: Vec<Form<'_>>) -> Outcome<Vec<(String, f64)>> {
    let mut times = Vec::new();
    for form in &mut forms {
        times.push(repetitions(plan, form)?);
    }
    let mut samples = vec![Vec::new(); forms.len()];
    for _ in 0..plan.turns {
        for ((form, &times), samples) in forms.iter_mut().zip(&times).zip(&mut samples) {
            samples.push((form.run)(times)?.as_nanos() as f64 / times as f64);
        }
    }
    Ok(forms.into_iter().zip(samples).map(|(form, mut samples)| (form.what, median(&mut samples))).collect())
}

/// How many repetitions fill a turn. Finding out also warms everything up.
fn repetitions(plan: &Plan, form: &mut Form<'_>) -> Outcome<u64> {
    let mut times = 1_u64;
    loop {
        let took = (form.run)(times)?.max(Duration::from_nanos(1));
        if took >= plan.turn / 2 {
            let fitting = times as f64 * plan.turn.as_secs_f64() / took.as_secs_f64();
            return Ok((fitting as u64).max(1));
        }
        times *= 2;
    }
}

/// The numbers up to `count` in an order without a pattern: no prefetcher guesses it.
pub fn order(count: usize) -> Vec<usize> {
    use rand::{SeedableRng, rngs::SmallRng, seq::SliceRandom};
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut SmallRng::seed_from_u64(7));
    order
}
