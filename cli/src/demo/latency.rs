//! The time from a put until another process sees it. Two processes answer each other on a board of their own, by
//! polling, without other work. The latency is half of a round trip.

use super::{
    scratch::Scratch,
    team::{Orders, Team},
};
use crate::{
    args::{DemoAgent, StoreArg},
    failure::Failure,
};
use serde::Serialize;
use slateboard::{Board, KeyHandle};
use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

const PING: &str = "ping";
const PONG: &str = "pong";
const VALUE: [u8; 64] = [b'.'; 64];
/// Number of measured round trips.
const ROUNDS: u32 = 20_000;
/// Number of round trips before the measurement.
const WARM_UP: u32 = 1_000;
/// No round trip starts after this time.
const LONGEST: Duration = Duration::from_millis(500);
/// Number of polls between two reads of the clock.
const LOOKS: u32 = 1 << 12;
/// A time limit, so that a missing answer is an error and not a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// The result of a measurement: one-way times in nanoseconds, and how undisturbed the measurement was.
#[derive(Clone, Copy, PartialEq, Serialize, Debug)]
pub(crate) struct Latency {
    #[serde(flatten)]
    pub(crate) times: Quantiles,
    /// Fraction of the time in which the asking process ran on a processor. If it is far below 1, the times measure the
    /// scheduler.
    pub(crate) processor_share: f64,
}

/// Quantiles of times, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub(crate) struct Quantiles {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
    pub(crate) count: u64,
}

impl Quantiles {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |per_mille: usize| {
            let rank = (times.len() * per_mille).div_ceil(1_000);
            times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: at(500), p99: at(990), p999: at(999), max: at(1_000), count: times.len() as u64 }
    }
}

/// Starts the other process, exchanges messages with it, and ends it.
pub(crate) fn measure(scratch: &Scratch) -> Result<Latency, Failure> {
    let region = scratch.path("latency");
    let session = Board::options().capacity(1 << 20).keys(64).create(&region)?.attach("asking")?;
    let orders =
        Orders { store: StoreArg::Answers, at: &region, folder: &scratch.path("."), agents: 1, tasks: 0 };
    let mut team = Team::start(&orders)?;
    team.0.iter_mut().try_for_each(super::team::Member::wait_until_ready)?;
    let (ping, pong) = (session.key(PING)?, session.key(PONG)?);
    let (mut times, mut buffer, mut seen) = (Vec::new(), Vec::new(), 0);
    let is_shared = is_shared();
    let (began, processor) = (Instant::now(), processor_time());
    for round in 0..WARM_UP + ROUNDS {
        let asked = Instant::now();
        if asked - began > LONGEST && !times.is_empty() {
            break;
        }
        ping.put(VALUE)?;
        seen = newer(&pong, seen, &mut buffer, (asked + PATIENCE, is_shared))?;
        if round >= WARM_UP || asked - began > LONGEST / 2 {
            times.push(u64::try_from(asked.elapsed().as_nanos() / 2).unwrap_or(u64::MAX));
        }
    }
    let processor = processor_time().saturating_sub(processor);
    let processor_share = (processor.as_secs_f64() / began.elapsed().as_secs_f64()).min(1.0);
    Ok(Latency { times: Quantiles::of(times), processor_share })
}

/// The processor time that this process has used.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The other process. It answers until it is killed.
pub(crate) fn agent(args: &DemoAgent) -> Result<(), Failure> {
    let session = Board::open(&args.at)?.attach(&args.name)?;
    let (ping, pong) = (session.key(PING)?, session.key(PONG)?);
    io::stdout().write_all(b".").and_then(|()| io::stdout().flush())?;
    let (mut buffer, mut seen, is_shared) = (Vec::new(), 0, is_shared());
    loop {
        seen = newer(&ping, seen, &mut buffer, (Instant::now() + PATIENCE, is_shared))?;
        pong.put(&buffer)?;
    }
}

/// Whether both processes share a single processor. Only then does a poll yield, because yielding would increase the times
/// on a machine with several processors. Called once, because it reads files.
fn is_shared() -> bool {
    thread::available_parallelism().is_ok_and(|processors| processors.get() == 1)
}

/// Polls until the key has a version newer than `seen`, and returns that version.
fn newer(
    key: &KeyHandle,
    seen: u64,
    buffer: &mut Vec<u8>,
    (end, is_shared): (Instant, bool),
) -> Result<u64, Failure> {
    let mut looks = 0u32;
    loop {
        if let Some(meta) = key.get_newer_into(seen, buffer)? {
            return Ok(meta.version);
        }
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(LOOKS) {
            if Instant::now() > end {
                let text =
                    format!("timeout: no answer from the other process within {} s", PATIENCE.as_secs());
                return Err(Failure::failed(text));
            }
            if is_shared {
                thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_known_distribution() {
        let found = Quantiles::of((1..=10_000).rev().collect());
        assert_eq!(found, Quantiles { p50: 5_000, p99: 9_900, p999: 9_990, max: 10_000, count: 10_000 });
        assert_eq!(Quantiles::of(vec![7]), Quantiles { p50: 7, p99: 7, p999: 7, max: 7, count: 1 });
        assert_eq!(Quantiles::of(Vec::new()), Quantiles { p50: 0, p99: 0, p999: 0, max: 0, count: 0 });
    }
}
