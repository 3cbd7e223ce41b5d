//! A result, and the statistics it is made with.

use serde::{Deserialize, Serialize};

/// In what a figure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds a call.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Calls a second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Percent of one core.
    #[serde(rename = "% of a core")]
    Percent,
}

/// Where the two cores of a run stood to each other, by the raw ping-pong of a cache line between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// Below [`NEAR_NS`] one way, before and after.
    Near,
    /// Above it, before and after.
    Far,
    /// One of each: not compared with anything.
    Moved,
}

/// One way between cores that share a cache takes less than this, nanoseconds; between others more.
const NEAR_NS: f64 = 120.0;

impl Placement {
    /// By the medians of the ping-pongs before and after a run, nanoseconds one way.
    pub fn of([before, after]: [f64; 2]) -> Self {
        match (before < NEAR_NS, after < NEAR_NS) {
            (true, true) => Self::Near,
            (false, false) => Self::Far,
            _ => Self::Moved,
        }
    }
}

/// One result: what the program prints a line of JSON for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Who.
    pub peer: String,
    /// Which work: get, put, sync, ...
    pub work: String,
    /// Which form of it: the value's size, by handle or by key, the workload's letter.
    pub what: String,
    /// In what `value` counts.
    pub unit: Unit,
    /// The figure. Of latencies, the median.
    pub value: f64,
    /// Of latencies: share of round trips, and the time one way that these took at most, nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<(f64, f64)>,
    /// Medians of the raw ping-pong before and after, nanoseconds one way. For works of two processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<[f64; 2]>,
    /// How often both processes lost their cores to others. For works of two processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches: Option<u64>,
}

impl Row {
    /// A row without latencies and without a second process.
    pub fn new(peer: &str, work: &str, what: impl Into<String>, unit: Unit, value: f64) -> Self {
        let (peer, work) = (peer.to_owned(), work.to_owned());
        Self { peer, work, what: what.into(), unit, value, curve: Vec::new(), ping: None, switches: None }
    }

    /// Where the cores stood; `None` for works of one process.
    pub fn placement(&self) -> Option<Placement> {
        self.ping.map(Placement::of)
    }
}

/// The middle one; 0 for none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// The value below which this share of the sorted ones lies.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(((sorted.len() as f64 * share) as usize).min(last)).copied().unwrap_or_default()
}

/// Shares at which latency curves are kept.
pub const SHARES: [f64; 14] =
    [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999];

/// The curve of these times.
pub fn curve(times: &mut [f64]) -> Vec<(f64, f64)> {
    times.sort_unstable_by(f64::total_cmp);
    SHARES.iter().map(|&share| (share, percentile(times, share))).collect()
}

/// The curve's time at this share; 0 where it has none.
pub fn at(curve: &[(f64, f64)], share: f64) -> f64 {
    curve.iter().find(|(known, _)| *known == share).map_or(0.0, |(_, time)| *time)
}

#[cfg(test)]
mod tests {
    use super::{Placement, at, curve, median};

    #[test]
    fn medians_and_curves() {
        assert_eq!((median(&mut []), median(&mut [3.0, 1.0, 2.0]), median(&mut [4.0, 1.0])), (0.0, 2.0, 2.5));
        let mut times: Vec<f64> = (0..1_000).rev().map(f64::from).collect();
        let curve = curve(&mut times);
        assert_eq!((at(&curve, 0.5), at(&curve, 0.999)), (500.0, 999.0));
    }

    #[test]
    fn runs_under_which_the_cores_moved_are_apart() {
        assert_eq!(Placement::of([61.0, 65.0]), Placement::Near);
        assert_eq!(Placement::of([230.0, 240.0]), Placement::Far);
        assert_eq!(Placement::of([61.0, 240.0]), Placement::Moved);
    }
}
