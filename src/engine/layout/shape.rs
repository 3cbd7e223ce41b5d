//! The numbers that a board is created from, and their limits.

use super::{GRANULE_WORDS_MIN, LINE};

/// The maximal number of dedicated shards.
pub const DEDICATED_MAX: usize = 8;
/// The words of a dedicated shard's name: one length byte, then UTF-8.
pub const DEDICATED_WORDS: usize = 4;
/// The length limit of a dedicated shard's name in bytes.
pub const DEDICATED_NAME_MAX: usize = DEDICATED_WORDS * 8 - 1;
const NUMBERS: usize = 16;
/// The words of a shape in the header.
pub const SHAPE_WORDS: usize = NUMBERS + DEDICATED_MAX * DEDICATED_WORDS;

/// The maximal number of granules. Block indices have 23 bits.
pub const GRANULES_MAX: u64 = 1 << super::words::BLOCK_BITS;
/// The maximal number of keys.
pub const KEYS_MAX: u64 = 4 << 20;
/// The maximal number of sessions.
pub const SESSIONS_MAX: u64 = 4096;
/// The maximal number of uniform shards.
pub const UNIFORM_MAX: u64 = 64;
/// The smallest capacity that users may request, in bytes.
pub const CAPACITY_MIN: u64 = 1 << 20;
/// The largest capacity in bytes.
pub const CAPACITY_MAX: u64 = 16 << 30;
/// The smallest history in events.
pub const HISTORY_MIN: u64 = 64;
/// The largest history in events.
pub const HISTORY_MAX: u64 = 1 << 22;
/// The length limit of a value on any board, in bytes.
pub const VALUE_MAX: u64 = 16 << 20;

/// The numbers that a board is created from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The bytes of the data area, a multiple of the extent.
    pub capacity: u64,
    /// The words of a granule: 8, and more for boards over 512 MiB.
    pub granule_words: u64,
    /// The granules of an extent.
    pub extent_granules: u64,
    /// The number of events that the history holds.
    pub history: u64,
    /// The number of events that are kept even when space is short.
    pub history_min: u64,
    /// The number of session records.
    pub sessions: u64,
    /// The number of entries of the name table.
    pub names: u64,
    /// The buckets of each dedicated shard.
    pub dedicated_buckets: u64,
    /// The buckets of each uniform shard.
    pub uniform_buckets: u64,
    /// The number of uniform shards.
    pub uniform_shards: u64,
    /// The number of overflow buckets that may be linked on the whole board.
    pub overflow_max: u64,
    /// The number of extents that are reserved for removals when the data area is full.
    pub reserve_extents: u64,
    /// The length limit of a value in bytes.
    pub value_max: u64,
    /// The maximal number of mutations of one commit. Reserved for commits of several keys.
    pub commit_max: u64,
    /// The number of keys that the table was made for. This is the requested number, not the number of slots.
    pub keys: u64,
    /// The first path segments that have a shard of their own.
    pub dedicated: Vec<String>,
}

impl Shape {
    /// A shape for this number of bytes, keys, events and sessions, with the default shards.
    pub fn sized(capacity: u64, keys: u64, history: u64, sessions: u64) -> Self {
        let granule_words = granule_words_for(capacity);
        let capacity = capacity.max(CAPACITY_MIN);
        let extent_granules = (capacity / 64 / (granule_words * 8)).next_power_of_two().clamp(64, 1024);
        let capacity = capacity.next_multiple_of(extent_granules * granule_words * 8);
        let mut shape = Self {
            capacity,
            granule_words,
            extent_granules,
            history,
            history_min: 64.min(history),
            sessions,
            names: (sessions * 8).clamp(4096, 16_384),
            dedicated_buckets: 0,
            uniform_buckets: 0,
            uniform_shards: 8,
            overflow_max: 0,
            reserve_extents: 1,
            value_max: VALUE_MAX.min(capacity / 8),
            commit_max: 64,
            keys,
            dedicated: ["task", "file", "team"].map(String::from).to_vec(),
        };
        shape.set_keys(keys);
        shape
    }

    /// Computes the buckets of the shards for `keys` keys and for the removed keys of the history. With three dedicated
    /// shards, each of them gets a quarter of the table, and the uniform shards get the rest.
    pub fn set_keys(&mut self, keys: u64) {
        self.keys = keys;
        let slots = keys + keys.min(self.history);
        let buckets = (slots / 5).max(1);
        let dedicated = self.dedicated.len() as u64;
        self.dedicated_buckets = if dedicated == 0 { 0 } else { (buckets / (dedicated + 1)).max(1) };
        self.uniform_buckets =
            ((buckets - dedicated * (buckets / (dedicated + 1))) / self.uniform_shards.max(1)).max(1);
        self.overflow_max = buckets.max(4);
    }

    fn numbers(&self) -> [u64; NUMBERS] {
        [
            self.capacity,
            self.granule_words,
            self.extent_granules,
            self.history,
            self.history_min,
            self.sessions,
            self.names,
            self.dedicated_buckets,
            self.uniform_buckets,
            self.uniform_shards,
            self.overflow_max,
            self.reserve_extents,
            self.value_max,
            self.commit_max,
            self.dedicated.len() as u64,
            self.keys,
        ]
    }

    /// Packs the shape as the header stores it.
    pub fn pack(&self) -> [u64; SHAPE_WORDS] {
        let mut words = [0; SHAPE_WORDS];
        words[..NUMBERS].copy_from_slice(&self.numbers());
        for (name, words) in self.dedicated.iter().zip(words[NUMBERS..].chunks_mut(DEDICATED_WORDS)) {
            let mut bytes = [0u8; DEDICATED_WORDS * 8];
            let len = name.len().min(DEDICATED_NAME_MAX);
            bytes[0] = len as u8;
            bytes[1..=len].copy_from_slice(&name.as_bytes()[..len]);
            for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
                *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            }
        }
        words
    }

    /// Unpacks the shape from header words. Returns the reason if they are invalid.
    pub fn unpack(words: &[u64; SHAPE_WORDS]) -> Result<Self, &'static str> {
        let (numbers, names) = words.split_at(NUMBERS);
        if numbers[14] > DEDICATED_MAX as u64 {
            return Err("more dedicated shards than the header holds");
        }
        let mut dedicated = Vec::new();
        for words in names.chunks(DEDICATED_WORDS).take(numbers[14] as usize) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let name = bytes.get(1..=usize::from(bytes[0])).ok_or("a dedicated shard's name is too long")?;
            dedicated
                .push(String::from_utf8(name.to_vec()).map_err(|_| "a dedicated shard's name is not UTF-8")?);
        }
        Ok(Self {
            capacity: numbers[0],
            granule_words: numbers[1],
            extent_granules: numbers[2],
            history: numbers[3],
            history_min: numbers[4],
            sessions: numbers[5],
            names: numbers[6],
            dedicated_buckets: numbers[7],
            uniform_buckets: numbers[8],
            uniform_shards: numbers[9],
            overflow_max: numbers[10],
            reserve_extents: numbers[11],
            value_max: numbers[12],
            commit_max: numbers[13],
            keys: numbers[15],
            dedicated,
        })
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let within = |value: u64, low: u64, high: u64| (low..=high).contains(&value);
        let granule_bytes = self.granule_words.saturating_mul(8);
        let extent_bytes = self.extent_granules.saturating_mul(granule_bytes);
        let model = LINE == 1;
        let power = |value: u64, low, high| within(value, low, high) && value.is_power_of_two();
        Err(if !power(self.granule_words, GRANULE_WORDS_MIN as u64, 1 << 12) {
            "granules must have 8 to 4,096 words, a power of two"
        } else if !power(self.extent_granules, if model { 1 } else { 32 }, 1024) {
            "extents must have 32 to 1,024 granules, a power of two"
        } else if !within(self.capacity, extent_bytes, CAPACITY_MAX) {
            "the capacity must be at least one extent and at most 16 GiB"
        } else if !self.capacity.is_multiple_of(extent_bytes) {
            "the capacity must be a multiple of the extent"
        } else if self.capacity / granule_bytes > GRANULES_MAX {
            "the capacity needs larger granules"
        } else if !within(self.history, if model { 1 } else { HISTORY_MIN }, HISTORY_MAX) {
            "the history must have 64 to 4,194,304 events"
        } else if self.history_min > self.history {
            "the least history must not exceed the history"
        } else if !within(self.sessions, 1, SESSIONS_MAX) {
            "there must be 1 to 4,096 sessions"
        } else if !within(self.names, 1, 16_384) {
            "there must be 1 to 16,384 names"
        } else if self.dedicated.len() > DEDICATED_MAX
            || (self.dedicated_buckets == 0) != self.dedicated.is_empty()
        {
            "there may be up to 8 dedicated shards, each with buckets"
        } else if self
            .dedicated
            .iter()
            .any(|name| name.is_empty() || name.len() > DEDICATED_NAME_MAX || name.contains('/'))
        {
            "a dedicated shard's name must have 1 to 31 bytes and no '/'"
        } else if (1..self.dedicated.len()).any(|at| self.dedicated[..at].contains(&self.dedicated[at])) {
            "a dedicated shard is named twice"
        } else if !within(self.uniform_shards, 1, UNIFORM_MAX) || self.uniform_buckets == 0 {
            "there must be 1 to 64 uniform shards, each with buckets"
        } else if !within(self.keys, 1, KEYS_MAX) || self.buckets() > KEYS_MAX || self.overflow_max > KEYS_MAX
        {
            "there must be 1 to 4,194,304 keys"
        } else if self.reserve_extents > 1 || (self.reserve_extents * 2) * extent_bytes > self.capacity {
            "the reserve must leave room for values"
        } else if self.value_max > VALUE_MAX.min(self.capacity) {
            "values may have at most 16 MiB"
        } else {
            return Ok(());
        })
    }

    pub(super) fn buckets(&self) -> u64 {
        (self.dedicated.len() as u64)
            .saturating_mul(self.dedicated_buckets)
            .saturating_add(self.uniform_shards.saturating_mul(self.uniform_buckets))
    }
}

/// The words of a granule for a capacity in bytes: granules of 64 bytes up to 512 MiB; above that, the size doubles
/// with the capacity.
pub fn granule_words_for(capacity: u64) -> u64 {
    let mut words = GRANULE_WORDS_MIN as u64;
    while capacity.div_ceil(words * 8) > GRANULES_MAX && words < 1 << 12 {
        words *= 2;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{super::Geometry, *};
    use proptest::prelude::*;

    #[test]
    fn each_number_of_a_shape_has_its_bounds() {
        let sound = Shape::sized(1 << 20, 64, 64, 3);
        let check = |change: fn(&mut Shape, u64), value| {
            let mut shape = sound.clone();
            change(&mut shape, value);
            shape.check().is_ok()
        };
        let bounds: [(fn(&mut Shape, u64), u64, u64); 8] = [
            (|shape, n| shape.history = n, HISTORY_MIN, HISTORY_MAX),
            (|shape, n| shape.history_min = n, 0, 64),
            (|shape, n| shape.sessions = n, 1, SESSIONS_MAX),
            (|shape, n| shape.names = n, 1, 16_384),
            (|shape, n| shape.uniform_shards = n, 1, UNIFORM_MAX),
            (|shape, n| shape.overflow_max = n, 0, KEYS_MAX),
            (|shape, n| shape.reserve_extents = n, 0, 1),
            (|shape, n| shape.value_max = n, 0, 1 << 20),
        ];
        for (at, (change, least, most)) in bounds.into_iter().enumerate() {
            assert!(check(change, least) && check(change, most), "number {at}: {least} to {most}");
            assert!(!check(change, most + 1), "number {at}: {most} and one more");
            assert!(least == 0 || !check(change, least - 1), "number {at}: one less than {least}");
        }
    }

    proptest! {
        #[test]
        fn any_header_words_are_refused_or_make_a_geometry(words in proptest::collection::vec(any::<u64>(), SHAPE_WORDS)) {
            if let Ok(shape) = Shape::unpack(&words.try_into().unwrap()) {
                let _ = Geometry::new(shape, 0);
            }
        }

        #[test]
        fn a_shape_unpacks_to_what_was_packed(capacity in 1u64..1 << 30, keys in 1u64..1 << 20, history in 64u64..1 << 16) {
            let shape = Shape::sized(capacity, keys, history, 64);
            prop_assert_eq!(Shape::unpack(&shape.pack()).unwrap(), shape.clone());
            prop_assert!(Geometry::new(shape, 7).is_ok());
        }
    }
}
