//! Groups of buckets. Each group has two words that tell the earliest deadline of its entries.

use std::ops::Range;

/// The maximal number of groups, which bounds what a keeper looks at in each beat.
pub const GROUPS_MAX: usize = 1024;

/// The words of a group.
pub const GROUP_WORDS: usize = 2;
/// A [`DeadlineHint`](super::DeadlineHint): no later than the deadline of any entry that was there when the group was
/// last swept.
pub const GROUP_SWEPT: usize = 0;
/// The earliest deadline of the changes since then, inverted, so that the largest word is the earliest deadline. 0 for
/// none.
pub const GROUP_FRESH: usize = 1;

/// How the table is divided into groups: runs of 2^n buckets, with the smallest n that gives at most [`GROUPS_MAX`]
/// groups. An overflow bucket belongs to its chain's group.
#[derive(Clone, Debug)]
pub struct Groups {
    buckets: usize,
    shift: u32,
    at: usize,
}

impl Groups {
    /// Divides a table of this many buckets.
    pub(super) fn of_table(buckets: usize) -> Self {
        let shift = buckets.div_ceil(GROUPS_MAX).next_power_of_two().trailing_zeros();
        Self { buckets, shift, at: 0 }
    }

    /// Places the words of the groups at this offset.
    pub(super) fn at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The number of groups.
    pub fn count(&self) -> usize {
        self.buckets.div_ceil(1 << self.shift)
    }

    /// The group of a bucket of the whole table.
    pub fn of(&self, bucket: usize) -> usize {
        bucket >> self.shift
    }

    /// The first word of a group. The group must be below [`Groups::count`].
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
