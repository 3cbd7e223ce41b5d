//! Latencies in a histogram with logarithmic buckets: about 3 % precise at any magnitude, small to send.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Buckets between a power of two and the next: 2^5.
const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;

/// Counts of values, each with its bucket.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub(crate) struct Histogram {
    buckets: BTreeMap<u32, u64>,
    max: u64,
}

/// What a histogram says, in the unit of its values.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub(crate) struct Quantiles {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
    pub(crate) count: u64,
}

impl Histogram {
    pub(crate) fn record(&mut self, value: u64) {
        *self.buckets.entry(bucket_of(value)).or_default() += 1;
        self.max = self.max.max(value);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (&bucket, &count) in &other.buckets {
            let total = self.buckets.entry(bucket).or_default();
            *total = total.saturating_add(count);
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let count = self.buckets.values().fold(0u64, |sum, &count| sum.saturating_add(count));
        let at = |per_mille| self.at(count, per_mille);
        Quantiles { p50: at(500), p99: at(990), p999: at(999), max: self.max, count }
    }

    /// The smallest bucket bound that at least this share of the values does not exceed.
    fn at(&self, count: u64, per_mille: u128) -> u64 {
        let rank = (u128::from(count) * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0u128;
        for (&bucket, &in_bucket) in &self.buckets {
            seen += u128::from(in_bucket);
            if seen >= rank {
                return upper_bound(bucket).min(self.max);
            }
        }
        self.max
    }
}

/// Values below 32 have a bucket each; above, 32 buckets for each power of two.
fn bucket_of(value: u64) -> u32 {
    if value < STEPS {
        return value as u32;
    }
    let exponent = value.ilog2();
    let step = (value >> (exponent - STEP_BITS)) & (STEPS - 1);
    ((exponent - STEP_BITS + 1) << STEP_BITS) + step as u32
}

/// The largest value of a bucket. Buckets come from other processes: any number is answered.
fn upper_bound(bucket: u32) -> u64 {
    let (row, step) = (bucket >> STEP_BITS, u64::from(bucket) & (STEPS - 1));
    if row == 0 {
        return step;
    }
    let upper = u128::from(STEPS + step + 1).checked_shl(row - 1).unwrap_or(u128::MAX) - 1;
    u64::try_from(upper).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_3_percent_wide() {
        let mut previous = 0;
        for value in (0..64)
            .flat_map(|bits| [1u64 << bits, (1 << bits) | (1 << bits >> 1), (1 << bits) - 1 + (1 << bits)])
        {
            let bound = upper_bound(bucket_of(value));
            assert!(bound >= value && bound - value <= value / 32, "{value} {bound}");
        }
        for value in 0..100_000 {
            let bucket = bucket_of(value);
            assert!(bucket == previous || bucket == previous + 1, "{value}");
            previous = bucket;
        }
    }

    #[test]
    fn quantiles_of_a_known_distribution() {
        let mut even = Histogram::default();
        let mut odd = Histogram::default();
        (1..=10_000u64).for_each(|value| if value % 2 == 0 { even.record(value) } else { odd.record(value) });
        even.merge(&odd);
        let found = even.quantiles();
        assert_eq!((found.count, found.max), (10_000, 10_000));
        for (found, exact) in [(found.p50, 5_000), (found.p99, 9_900), (found.p999, 9_990)] {
            assert!(found >= exact && found - exact <= exact / 32, "{found} {exact}");
        }
    }

    #[test]
    fn nothing_recorded_and_nonsense_received() {
        assert_eq!(Histogram::default().quantiles(), Quantiles { p50: 0, p99: 0, p999: 0, max: 0, count: 0 });
        assert_eq!(upper_bound(u32::MAX), u64::MAX);
    }
}
