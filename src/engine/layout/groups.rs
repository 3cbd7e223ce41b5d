//! Groups of buckets, each with two words that tell the earliest deadline of its entries.

use std::ops::Range;

/// Most groups: what a keeper looks at in each beat.
pub const GROUPS_MAX: usize = 1024;

/// Words of a group.
pub const GROUP_WORDS: usize = 2;
/// No later than the deadlines of entries that were there when the group was swept last: a
/// [`DeadlineHint`](super::DeadlineHint).
pub const GROUP_SWEPT: usize = 0;
/// The earliest deadline of the changes since, inverted, so that the largest word is the earliest; 0 for none.
pub const GROUP_FRESH: usize = 1;

/// How the table is divided: runs of 2^n buckets, as few as give at most [`GROUPS_MAX`] groups. An overflow bucket
/// belongs to its chain's group.
#[derive(Clone, Debug)]
pub struct Groups {
    buckets: usize,
    shift: u32,
    at: usize,
}

impl Groups {
    /// Over a table of so many buckets.
    pub(super) fn of_table(buckets: usize) -> Self {
        let shift = buckets.div_ceil(GROUPS_MAX).next_power_of_two().trailing_zeros();
        Self { buckets, shift, at: 0 }
    }

    /// With their words from this one on.
    pub(super) fn at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.buckets.div_ceil(1 << self.shift)
    }

    /// The group of a bucket of the whole table.
    pub fn of(&self, bucket: usize) -> usize {
        bucket >> self.shift
    }

    /// First word of a group. The group must be below [`Groups::count`].
    pub fn word(&self, group: usize) -> usize {
        self.at + group * GROUP_WORDS
    }

    /// The buckets of a group, as a range of the whole table.
    pub fn buckets(&self, group: usize) -> Range<usize> {
        let start = group << self.shift;
        start..(start + (1 << self.shift)).min(self.buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_is_in_one_group() {
        for buckets in [1, 2, 1023, 1024, 1025, 5000, 838_861] {
            let groups = Groups::of_table(buckets);
            assert!((1..=GROUPS_MAX).contains(&groups.count()), "{buckets} buckets: {}", groups.count());
            let mut next = 0;
            for group in 0..groups.count() {
                let range = groups.buckets(group);
                assert_eq!((range.start, range.is_empty()), (next, false));
                assert!([range.start, range.end - 1].iter().all(|&bucket| groups.of(bucket) == group));
                next = range.end;
            }
            assert_eq!(next, buckets);
        }
    }
}
