//! A result, and the statistics it is made with.

use serde::{Deserialize, Serialize};

/// The unit of a figure.
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
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// How many: along an axis.
    #[serde(rename = "count")]
    Count,
}

impl Unit {
    /// A value with its unit, four digits: for tables.
    pub fn show(self, value: f64) -> String {
        self.with_digits(value, 4)
    }

    /// The same with three digits: for charts.
    pub fn brief(self, value: f64) -> String {
        self.with_digits(value, 3)
    }

    fn with_digits(self, mut value: f64, count: i32) -> String {
        let (factor, units): (f64, &[&str]) = match self {
            Self::Nanoseconds => (1e3, &["ns", "µs", "ms", "s"]),
            Self::PerSecond => (1e3, &["/s", "k/s", "M/s"]),
            Self::Bytes => (1024.0, &["B", "KiB", "MiB", "GiB"]),
            Self::Percent => (f64::INFINITY, &["%"]),
            Self::Count => (1e6, &["", "M"]),
        };
        let mut unit = 0;
        // A hair below a power of ten is one.
        while value >= factor * (1.0 - 1e-9) && unit + 1 < units.len() {
            value /= factor;
            unit += 1;
        }
        format!("{} {}", digits(value, count), units[unit]).trim_end().to_owned()
    }
}

/// So many digits, without zeros behind the point; a comma between thousands.
pub fn digits(value: f64, count: i32) -> String {
    let power = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let text = format!("{value:.*}", (count - 1 - power).max(0) as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match text.len() {
        length if length > 3 && !text.contains('.') => {
            format!("{},{}", &text[..length - 3], &text[length - 3..])
        }
        _ => text.to_owned(),
    }
}

/// How near the two cores of a run are to each other, by the raw ping-pong of a cache line between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// Below [`NEAR_NS`] one way, before and after.
    Near,
    /// Above it, before and after.
    Far,
    /// One of each: such a run is not compared with anything.
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

/// One result. `peers PEER WORK` prints it as a line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The peer.
    pub peer: String,
    /// Which work: get, put, sync, ...
    pub work: String,
    /// Which form of it: the value's size, by handle or by key, the workload's letter, the curve.
    pub what: String,
    /// What the work varies: keys, sessions, bytes of a value. For points of curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// The unit of `value`.
    pub unit: Unit,
    /// The figure. Of latencies, the median.
    pub value: f64,
    /// Of latencies: share of round trips, and the time one way that these took at most, nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<(f64, f64)>,
    /// Medians of the raw ping-pong before and after, nanoseconds one way. For works of two processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<[f64; 2]>,
    /// How often both processes lost their cores to other programs. For works of two processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches: Option<u64>,
}

impl Row {
    /// A row without latencies and without a second process.
    pub fn new(peer: &str, work: &str, what: impl Into<String>, unit: Unit, value: f64) -> Self {
        let (peer, work) = (peer.to_owned(), work.to_owned());
        Self {
            peer,
            work,
            what: what.into(),
            x: None,
            unit,
            value,
            curve: Vec::new(),
            ping: None,
            switches: None,
        }
    }

    /// How near the cores were; `None` for works of one process.
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
    use super::{Placement, Unit, at, curve, median};

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

    #[test]
    fn figures_have_units() {
        let brief = [
            (Unit::Nanoseconds, 1e3),
            (Unit::Nanoseconds, 2.5e6),
            (Unit::Bytes, 64.0),
            (Unit::Bytes, 65536.0),
        ];
        assert_eq!(brief.map(|(unit, value)| unit.brief(value)), ["1 µs", "2.5 ms", "64 B", "64 KiB"]);
        let counts = [10_000.0, 2e6, 1_024.0, 0.0].map(|value| Unit::Count.brief(value));
        assert_eq!(counts, ["10,000", "2 M", "1,024", "0"]);
        assert_eq!(Unit::Percent.show(0.05), "0.05 %");
        assert_eq!(
            [5_645.2, 42.61, 203_412.0].map(|ns| Unit::Nanoseconds.show(ns)),
            ["5.645 µs", "42.61 ns", "203.4 µs"]
        );
        assert_eq!(Unit::PerSecond.brief(109_400.0), "109 k/s");
    }
}
