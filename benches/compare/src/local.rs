//! Works of one process: forms of a work that take turns, so that a disturbance of the machine disturbs all of them alike.

use crate::{Outcome, plan::Plan, row::median};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Runs so often, and returns the time that took by this clock.
type Run<'a> = Box<dyn FnMut(u64, ClockId) -> Outcome<Duration> + 'a>;

/// One form of a work.
pub struct Form<'a> {
    /// As the table shows it.
    pub what: String,
    /// Whether this is a limit, measured without the board.
    pub raw: bool,
    clock: ClockId,
    run: Run<'a>,
}

impl<'a> Form<'a> {
    /// A form of one operation, which gets its number. It is timed by the thread's own clock, which stands still while
    /// another program has the core.
    pub fn new(what: impl Into<String>, mut once: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        let mut next = 0_usize;
        let run = move |times, clock| {
            let started = time(clock);
            for _ in 0..times {
                once(next)?;
                next = next.wrapping_add(1);
            }
            Ok(time(clock).saturating_sub(started))
        };
        Self { what: what.into(), raw: false, clock: ClockId::ThreadCPUTime, run: Box::new(run) }
    }

    /// The same as a limit that the others are compared with.
    #[must_use]
    pub fn raw(self) -> Self {
        Self { raw: true, ..self }
    }

    /// The same, timed by the clock on the wall if `wall`: for what is done outside this thread.
    #[must_use]
    pub fn on_the_wall(self, wall: bool) -> Self {
        let clock = if wall { ClockId::Monotonic } else { self.clock };
        Self { clock, ..self }
    }

    fn run(&mut self, times: u64) -> Outcome<Duration> {
        (self.run)(times, self.clock)
    }
}

/// The time of a clock.
pub fn time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// The clock that all processes share, nanoseconds.
pub fn now_ns() -> u64 {
    time(ClockId::Monotonic).as_nanos() as u64
}

/// Turns that each form gets, also where those take longer than the budget.
const TURNS_MIN: usize = 3;

/// Nanoseconds of one operation of each form: medians over `turns` turns.
pub fn interleave(plan: &Plan, turns: usize, forms: &mut [Form<'_>]) -> Outcome<Vec<f64>> {
    let mut times = Vec::new();
    for form in &mut *forms {
        times.push(repetitions(plan, form)?);
    }
    let mut samples = vec![Vec::new(); forms.len()];
    let started = Instant::now();
    for turn in 0..turns {
        if turn >= TURNS_MIN && started.elapsed() > plan.budget {
            break;
        }
        for ((form, &times), samples) in forms.iter_mut().zip(&times).zip(&mut samples) {
            samples.push(form.run(times)?.as_nanos() as f64 / times as f64);
        }
    }
    Ok(samples.iter_mut().map(|samples| median(samples)).collect())
}

/// How many operations fill a turn. Finding out also warms everything up.
fn repetitions(plan: &Plan, form: &mut Form<'_>) -> Outcome<u64> {
    let mut times = 1_u64;
    loop {
        let took = form.run(times)?.max(Duration::from_nanos(1));
        if took >= plan.turn / 2 {
            let fitting = times as f64 * plan.turn.as_secs_f64() / took.as_secs_f64();
            return Ok((fitting as u64).max(1));
        }
        times *= 2;
    }
}

/// The numbers below `count` in an order without a pattern, which no prefetcher guesses.
pub fn order(count: usize) -> Vec<usize> {
    use rand::{SeedableRng, rngs::SmallRng, seq::SliceRandom};
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut SmallRng::seed_from_u64(7));
    order
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn every_number_once() {
        let mut order = order(1_000);
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1_000));
    }
}
