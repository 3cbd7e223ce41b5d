//! Where everything is: worked out from the geometry in the header.

use crate::finding::Finding;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The version of the format.
const FORMAT: u64 = 3;
/// Words of the header, of which these are read.
pub const GENERATION: usize = 64;
pub const FLOOR: usize = 72;
pub const RESERVED: usize = 80;
const HEADER_WORDS: usize = 96;
const SEED: usize = 8;
const CHECKSUM: usize = 12;
const GEOMETRY: usize = 16;
const NUMBERS: usize = 16;
const DEDICATED_MAX: u64 = 8;
const DEDICATED_WORDS: usize = 4;
const GEOMETRY_WORDS: usize = NUMBERS + DEDICATED_MAX as usize * DEDICATED_WORDS;
const GEOMETRY_END: usize = GEOMETRY + GEOMETRY_WORDS;

/// Words of a session record, of an entry of the name table, of a shard's header, of a bucket.
pub const SESSION_WORDS: usize = 120;
pub const NAME_WORDS: usize = 8;
pub const SHARD_WORDS: usize = 16;
pub const BUCKET_WORDS: usize = 16;
/// Words of a group of buckets, and how many groups there are at most.
pub const GROUP_WORDS: usize = 2;
const GROUPS_MAX: u64 = 1024;
/// Slots of a bucket.
pub const SLOTS: usize = 7;
/// Words of a record before its key.
pub const RECORD_WORDS: usize = 10;

const LINE: u64 = 8;
const PAGE: u64 = 512;

/// The numbers of the geometry that a check needs, and the offsets that follow from them.
pub struct Layout {
    seed: u64,
    pub granule_words: usize,
    pub extent_granules: u32,
    pub history: u64,
    pub sessions: usize,
    pub names: usize,
    pub value_max: u64,
    pub reserve_extents: u64,
    pub granules: u32,
    pub extents: u32,
    /// Granules of a block of each class, from class 1.
    pub classes: Vec<u32>,
    dedicated: Vec<Vec<u8>>,
    dedicated_buckets: usize,
    uniform_shards: usize,
    uniform_buckets: usize,
    sessions_at: usize,
    names_at: usize,
    shards_at: usize,
    /// Buckets of a group.
    group: usize,
    groups_at: usize,
    buckets_at: usize,
    ring_at: usize,
    extents_at: usize,
    blocks_at: usize,
    data_at: usize,
}

impl Layout {
    /// Reads header and geometry; the finding where no board can be read by them.
    pub fn of(words: &[u64]) -> Result<Self, Finding> {
        let header = words.get(..HEADER_WORDS).ok_or_else(|| bad("header", "the region has no header"))?;
        let expected = [u64::from_le_bytes(*b"slate\0bd"), FORMAT, fingerprint(), 0x0102_0304_0506_0708];
        let named = ["magic", "version", "fingerprint", "byte order"];
        for ((found, expected), name) in header.iter().zip(expected).zip(named) {
            if *found != expected {
                return Err(bad("header", &format!("the {name} is {found:#x}, not {expected:#x}")));
            }
        }
        let covered = [&header[4..CHECKSUM], &header[GEOMETRY..GEOMETRY_END]].concat();
        if hash_of_words(&covered) != header[CHECKSUM] {
            return Err(bad("header", "the checksum is not that of the geometry"));
        }
        if header[10] != 0 || header[11] != 0 {
            return Err(bad("header", "the board uses features that this format does not have"));
        }
        let layout = Self::of_numbers(header[SEED], &header[GEOMETRY..GEOMETRY_END])?;
        let end = layout.data_at + layout.granules as usize * layout.granule_words;
        if words.len() != end {
            return Err(bad("geometry", &format!("the region has {} words, not {end}", words.len())));
        }
        Ok(layout)
    }

    fn of_numbers(seed: u64, geometry: &[u64]) -> Result<Self, Finding> {
        let (n, names) = geometry.split_at(NUMBERS);
        check_bounds(n)?;
        let dedicated = names
            .chunks(DEDICATED_WORDS)
            .take(n[14] as usize)
            .map(dedicated_name)
            .collect::<Result<Vec<_>, _>>()?;
        let granules = n[0] / (n[1] * 8);
        let extents = granules / n[2];
        let buckets = n[14] * n[7] + n[9] * n[8];
        let group = buckets.div_ceil(GROUPS_MAX).next_power_of_two();
        // Each part with its words and what its start is a multiple of.
        let parts = [
            (n[5] * SESSION_WORDS as u64, LINE),
            (n[6] * NAME_WORDS as u64, LINE),
            ((n[14] + n[9]) * SHARD_WORDS as u64, 2 * LINE),
            (buckets.div_ceil(group) * GROUP_WORDS as u64, LINE),
            (buckets * BUCKET_WORDS as u64, 2 * LINE),
            (n[3], LINE),
            (extents * 2, LINE),
            (granules * 2, PAGE),
            (granules * n[1], PAGE),
        ];
        let mut end = HEADER_WORDS as u64;
        let [
            sessions_at,
            names_at,
            shards_at,
            groups_at,
            buckets_at,
            ring_at,
            extents_at,
            blocks_at,
            data_at,
        ] = parts.map(|(words, multiple)| {
            let start = end.next_multiple_of(multiple);
            end = start + words;
            start as usize
        });
        Ok(Self {
            seed,
            granule_words: n[1] as usize,
            extent_granules: n[2] as u32,
            history: n[3],
            sessions: n[5] as usize,
            names: n[6] as usize,
            value_max: n[12],
            reserve_extents: n[11],
            granules: granules as u32,
            extents: extents as u32,
            classes: classes(n[2] as u32),
            dedicated,
            dedicated_buckets: n[7] as usize,
            uniform_shards: n[9] as usize,
            uniform_buckets: n[8] as usize,
            sessions_at,
            names_at,
            shards_at,
            group: group as usize,
            groups_at,
            buckets_at,
            ring_at,
            extents_at,
            blocks_at,
            data_at,
        })
    }

    pub fn session(&self, index: usize) -> usize {
        self.sessions_at + index * SESSION_WORDS
    }
    pub fn name(&self, index: usize) -> usize {
        self.names_at + index * NAME_WORDS
    }
    pub fn shard(&self, index: usize) -> usize {
        self.shards_at + index * SHARD_WORDS
    }
    /// First word of the group of a bucket.
    pub fn group_of(&self, bucket: usize) -> usize {
        self.groups_at + bucket / self.group * GROUP_WORDS
    }
    pub fn bucket(&self, index: usize) -> usize {
        self.buckets_at + index * BUCKET_WORDS
    }
    /// The ring's word of an event.
    pub fn ring(&self, event: u64) -> usize {
        self.ring_at + ((event - 1) % self.history) as usize
    }
    pub fn lap(&self, event: u64) -> u64 {
        (event - 1) / self.history + 1
    }
    pub fn extent(&self, index: u32) -> usize {
        self.extents_at + index as usize * 2
    }
    /// The state word of a granule; its generation word is behind it.
    pub fn state(&self, granule: u32) -> usize {
        self.blocks_at + granule as usize * 2
    }
    pub fn data(&self, granule: u32) -> usize {
        self.data_at + granule as usize * self.granule_words
    }
    pub fn shards(&self) -> usize {
        self.dedicated.len() + self.uniform_shards
    }
    pub fn buckets(&self) -> usize {
        self.dedicated.len() * self.dedicated_buckets + self.uniform_shards * self.uniform_buckets
    }
    pub fn shard_of_bucket(&self, bucket: usize) -> usize {
        let dedicated = self.dedicated.len() * self.dedicated_buckets;
        match bucket.checked_sub(dedicated) {
            None => bucket / self.dedicated_buckets,
            Some(rest) => self.dedicated.len() + rest / self.uniform_buckets,
        }
    }
    pub fn extent_words(&self) -> usize {
        self.extent_granules as usize * self.granule_words
    }
    /// The class of the smallest blocks that hold so many words; the largest where none does.
    pub fn class_for(&self, words: usize) -> usize {
        let granules = words.div_ceil(self.granule_words);
        let at = self.classes.iter().position(|&size| size as usize >= granules);
        at.unwrap_or(self.classes.len() - 1) + 1
    }

    pub fn hash(&self, key: &[u8]) -> u64 {
        xxh3_64_with_seed(key, self.seed)
    }
    /// The bucket where the chain of a key with this hash starts.
    pub fn chain_of(&self, key: &[u8], hash: u64) -> usize {
        let first = key.split(|&byte| byte == b'/').next().unwrap_or_default();
        let low = hash & 0xffff_ffff;
        match self.dedicated.iter().position(|name| name == first) {
            Some(shard) => shard * self.dedicated_buckets + share(low, 32, self.dedicated_buckets),
            None => {
                let shard = share(hash >> 48, 16, self.uniform_shards);
                self.dedicated.len() * self.dedicated_buckets
                    + shard * self.uniform_buckets
                    + share(low, 32, self.uniform_buckets)
            }
        }
    }
}

/// The fingerprint in a slot of a key with this hash.
pub fn fingerprint_of(hash: u64) -> u16 {
    ((hash >> 32) as u16).max(1)
}

/// Which of `count` parts of equal size a number of so many bits falls into.
fn share(number: u64, bits: u32, count: usize) -> usize {
    ((u128::from(number) * count as u128) >> bits) as usize
}

fn bad(rule: &'static str, what: &str) -> Finding {
    Finding::new(rule, what.to_owned())
}

fn check_bounds(n: &[u64]) -> Result<(), Finding> {
    let extent_bytes = n[1].saturating_mul(8).saturating_mul(n[2]);
    let buckets = n[14].saturating_mul(n[7]).saturating_add(n[9].saturating_mul(n[8]));
    let bounds = [
        ("words of a granule", (8..=4096).contains(&n[1])),
        ("granules of an extent", (32..=1024).contains(&n[2])),
        ("capacity", n[0] >= extent_bytes && n[0] <= 16 << 30 && n[0].is_multiple_of(extent_bytes.max(1))),
        ("granules", n[0] / n[1].saturating_mul(8).max(1) <= 1 << 23),
        ("history", (64..=1 << 22).contains(&n[3]) && n[4] <= n[3]),
        ("sessions", (1..=4096).contains(&n[5])),
        ("names", (1..=16_384).contains(&n[6])),
        ("dedicated shards", n[14] <= DEDICATED_MAX && (n[14] == 0) == (n[7] == 0)),
        ("uniform shards", (1..=64).contains(&n[9]) && n[8] > 0),
        ("buckets", buckets <= 4 << 20 && n[10] <= 4 << 20),
        ("reserve", n[11] <= 1 && n[11].saturating_mul(2).saturating_mul(extent_bytes) <= n[0]),
        ("longest value", n[12] <= 16 << 20 && n[12] <= n[0]),
        ("keys", (1..=4 << 20).contains(&n[15])),
    ];
    match bounds.iter().find(|(_, sound)| !sound) {
        Some((name, _)) => Err(bad("geometry", &format!("the geometry's {name} cannot be"))),
        None => Ok(()),
    }
}

/// A length byte, then the name.
fn dedicated_name(words: &[u64]) -> Result<Vec<u8>, Finding> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = bytes.get(1..=usize::from(bytes[0])).filter(|name| !name.is_empty() && !name.contains(&b'/'));
    name.map(<[u8]>::to_vec).ok_or_else(|| bad("geometry", "a dedicated shard has no name"))
}

/// Sizes of the classes: each size is the largest with which so many blocks fit an extent, and there is a
/// quarter more in it than in the size before, or as little more as gives fewer blocks.
fn classes(extent: u32) -> Vec<u32> {
    let mut sizes = vec![1];
    let mut size = 1;
    while size < extent {
        let least = (size + size / 4).max(size + 1);
        let blocks = extent.div_ceil(least).min(extent / size - 1);
        size = (extent / blocks).max(size + 1);
        sizes.push(size);
    }
    sizes
}

/// XXH3 of the numbers that decide how a build lays a board out.
fn fingerprint() -> u64 {
    let lanes = 4;
    let version_base = 8;
    hash_of_words(&[
        FORMAT,
        GENERATION as u64,
        HEADER_WORDS as u64,
        RECORD_WORDS as u64,
        SESSION_WORDS as u64,
        lanes,
        NAME_WORDS as u64,
        BUCKET_WORDS as u64,
        SHARD_WORDS as u64,
        version_base,
        GEOMETRY_WORDS as u64,
        LINE,
    ])
}

fn hash_of_words(words: &[u64]) -> u64 {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slateboard::layout::Classes;

    /// Worked out apart, from the page alone; the same for every extent that there may be.
    #[test]
    fn classes_are_those_of_the_engine() {
        for extent in 32..=1024 {
            let engine = Classes::new(extent);
            let theirs: Vec<u32> = (1..=engine.count()).filter_map(|class| engine.granules(class)).collect();
            assert_eq!(classes(extent), theirs, "extents of {extent} granules");
        }
    }
}
