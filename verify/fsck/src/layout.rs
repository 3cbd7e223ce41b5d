//! The layout of a region: offsets that follow from the profile and from the numbers of the geometry.

use crate::{finding::Finding, profile::Profile};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The version of the format.
const FORMAT: u64 = 4;
/// Words of the header, of which these are read.
const SEED: usize = 8;
const CHECKSUM: usize = 12;
const GEOMETRY: usize = 16;
const NUMBERS: usize = 16;
const DEDICATED_MAX: u64 = 8;
const DEDICATED_WORDS: usize = 4;
const GEOMETRY_WORDS: usize = NUMBERS + DEDICATED_MAX as usize * DEDICATED_WORDS;
const GEOMETRY_END: usize = GEOMETRY + GEOMETRY_WORDS;

/// Words of an entry of the name table.
const NAME_WORDS: usize = 8;
/// Words of a group of buckets, and how many groups there are at most.
const GROUP_WORDS: usize = 2;
const GROUPS_MAX: u64 = 1024;

/// The layout of a region.
pub struct Layout {
    pub(crate) profile: Profile,
    seed: u64,
    pub(crate) granule_words: usize,
    pub(crate) extent_granules: u32,
    pub(crate) history: u64,
    pub(crate) sessions: usize,
    pub(crate) names: usize,
    pub(crate) value_max: u64,
    pub(crate) reserve_extents: u64,
    pub(crate) granules: u32,
    pub(crate) extents: u32,
    /// Granules of a block of each class, from class 1 on.
    pub(crate) classes: Vec<u32>,
    dedicated: Vec<Vec<u8>>,
    dedicated_buckets: usize,
    uniform_shards: usize,
    uniform_buckets: usize,
    sessions_at: usize,
    names_at: usize,
    shards_at: usize,
    /// Buckets of each group.
    group: usize,
    groups_at: usize,
    buckets_at: usize,
    ring_at: usize,
    extents_at: usize,
    blocks_at: usize,
    data_at: usize,
    /// Words of the region.
    words: usize,
}

impl Layout {
    /// Reads the layout from the header of a board of the product.
    ///
    /// # Errors
    /// The header or its geometry is invalid.
    pub fn of(words: &[u64]) -> Result<Self, Finding> {
        let header = words
            .get(..Profile::PRODUCT.header_words())
            .ok_or_else(|| bad("header", "the region is shorter than a header"))?;
        let expected = [u64::from_le_bytes(*b"slate\0bd"), FORMAT, fingerprint(), 0x0102_0304_0506_0708];
        let named = ["magic", "version", "fingerprint", "byte order"];
        for ((found, expected), name) in header.iter().zip(expected).zip(named) {
            if *found != expected {
                return Err(bad("header", &format!("the {name} is {found:#x}, expected {expected:#x}")));
            }
        }
        let covered = [&header[4..CHECKSUM], &header[GEOMETRY..GEOMETRY_END]].concat();
        if hash_of_words(&covered) != header[CHECKSUM] {
            return Err(bad("header", "invalid checksum of identity and geometry"));
        }
        if header[10] != 0 || header[11] != 0 {
            return Err(bad("header", "the board uses features that this format does not define"));
        }
        Self::new(Profile::PRODUCT, header[SEED], &header[GEOMETRY..GEOMETRY_END])
    }

    /// The layout of a board of this profile, with this seed of the key hash, and the geometry in the words in which a
    /// header stores it.
    ///
    /// # Errors
    /// The geometry is invalid.
    pub fn new(profile: Profile, seed: u64, geometry: &[u64]) -> Result<Self, Finding> {
        if geometry.len() != GEOMETRY_WORDS {
            return Err(bad("geometry", "the geometry has another number of words than in a header"));
        }
        let (n, names) = geometry.split_at(NUMBERS);
        check_bounds(&profile, n)?;
        let dedicated = names.chunks(DEDICATED_WORDS).take(n[14] as usize).map(dedicated_name);
        let dedicated = dedicated.collect::<Result<Vec<_>, _>>()?;
        let granules = n[0] / (n[1] * 8);
        let extents = granules / n[2];
        let buckets = n[14] * n[7] + n[9] * n[8];
        let group = buckets.div_ceil(GROUPS_MAX).next_power_of_two();
        let (line, page) = (profile.line_words as u64, profile.page_words as u64);
        let times = |count: u64, words: usize| count * words as u64;
        // The words of each part, and the alignment of its start.
        let parts = [
            (times(n[5], profile.session_words()), line),
            (times(n[6], NAME_WORDS), line),
            (times(n[14] + n[9], profile.shard_words()), 2 * line),
            (times(buckets.div_ceil(group), GROUP_WORDS), line),
            (times(buckets, profile.bucket_words()), 2 * line),
            (n[3], line),
            (extents * 2, line),
            (granules * 2, page),
            (granules * n[1], page),
        ];
        let mut end = profile.header_words() as u64;
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
            profile,
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
            words: end as usize,
        })
    }

    /// Checks that the region has the size that follows from the geometry.
    pub(crate) fn check_size(&self, words: usize) -> Result<(), Finding> {
        let end = self.words;
        let wrong = || bad("geometry", &format!("the region has {words} words, expected {end}"));
        if words == end { Ok(()) } else { Err(wrong()) }
    }
    pub(crate) fn session(&self, index: usize) -> usize {
        self.sessions_at + index * self.profile.session_words()
    }
    pub(crate) fn name(&self, index: usize) -> usize {
        self.names_at + index * NAME_WORDS
    }
    pub(crate) fn shard(&self, index: usize) -> usize {
        self.shards_at + index * self.profile.shard_words()
    }
    /// First word of the group of a bucket.
    pub(crate) fn group_of(&self, bucket: usize) -> usize {
        self.groups_at + bucket / self.group * GROUP_WORDS
    }
    pub(crate) fn bucket(&self, index: usize) -> usize {
        self.buckets_at + index * self.profile.bucket_words()
    }
    /// The ring's word of an event.
    pub(crate) fn ring(&self, event: u64) -> usize {
        self.ring_at + ((event - 1) % self.history) as usize
    }
    pub(crate) fn lap(&self, event: u64) -> u64 {
        (event - 1) / self.history + 1
    }
    pub(crate) fn extent(&self, index: u32) -> usize {
        self.extents_at + index as usize * 2
    }
    /// The state word of a granule; its generation word is behind it.
    pub(crate) fn state(&self, granule: u32) -> usize {
        self.blocks_at + granule as usize * 2
    }
    pub(crate) fn data(&self, granule: u32) -> usize {
        self.data_at + granule as usize * self.granule_words
    }
    pub(crate) fn shards(&self) -> usize {
        self.dedicated.len() + self.uniform_shards
    }
    pub(crate) fn buckets(&self) -> usize {
        self.dedicated.len() * self.dedicated_buckets + self.uniform_shards * self.uniform_buckets
    }
    pub(crate) fn shard_of_bucket(&self, bucket: usize) -> usize {
        let dedicated = self.dedicated.len() * self.dedicated_buckets;
        match bucket.checked_sub(dedicated) {
            None => bucket / self.dedicated_buckets,
            Some(rest) => self.dedicated.len() + rest / self.uniform_buckets,
        }
    }
    pub(crate) fn extent_words(&self) -> usize {
        self.extent_granules as usize * self.granule_words
    }
    /// The class of the smallest blocks that hold this many words; the largest class where none does.
    pub(crate) fn class_for(&self, words: usize) -> usize {
        let granules = words.div_ceil(self.granule_words);
        let at = self.classes.iter().position(|&size| size as usize >= granules);
        at.unwrap_or(self.classes.len() - 1) + 1
    }

    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        xxh3_64_with_seed(key, self.seed)
    }
    /// First bucket of the chain of a key with this hash.
    pub(crate) fn chain_of(&self, key: &[u8], hash: u64) -> usize {
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

/// The fingerprint of a key with this hash, as a slot stores it.
pub(crate) fn fingerprint_of(hash: u64) -> u16 {
    ((hash >> 32) as u16).max(1)
}

/// The part, of `count` equal parts of the numbers with this many bits, that a number falls into.
fn share(number: u64, bits: u32, count: usize) -> usize {
    ((u128::from(number) * count as u128) >> bits) as usize
}

fn bad(rule: &'static str, what: &str) -> Finding {
    Finding::new(rule, what.to_owned())
}

fn check_bounds(profile: &Profile, n: &[u64]) -> Result<(), Finding> {
    let extent_bytes = n[1].saturating_mul(8).saturating_mul(n[2]);
    let buckets = n[14].saturating_mul(n[7]).saturating_add(n[9].saturating_mul(n[8]));
    let bounds = [
        ("words of a granule", (8..=4096).contains(&n[1])),
        ("granules of an extent", (profile.extent_granules_min..=1024).contains(&n[2])),
        ("capacity", n[0] >= extent_bytes && n[0] <= 16 << 30 && n[0].is_multiple_of(extent_bytes.max(1))),
        ("granules", n[0] / n[1].saturating_mul(8).max(1) <= 1 << 23),
        ("history", (profile.history_min..=1 << 22).contains(&n[3]) && n[4] <= n[3]),
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
        Some((name, _)) => Err(bad("geometry", &format!("invalid {name}"))),
        None => Ok(()),
    }
}

/// Reads the name of a dedicated shard: a length byte, then the bytes.
fn dedicated_name(words: &[u64]) -> Result<Vec<u8>, Finding> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = bytes.get(1..=usize::from(bytes[0])).filter(|name| !name.is_empty() && !name.contains(&b'/'));
    name.map(<[u8]>::to_vec).ok_or_else(|| bad("geometry", "invalid name of a dedicated shard"))
}

/// Granules of the blocks of each class. A size is a quarter larger than the one before, or larger still where fewer
/// blocks fit an extent, and as large as that number of blocks allows.
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

/// XXH3 of the numbers that decide how a build lays out a board.
fn fingerprint() -> u64 {
    let product = Profile::PRODUCT;
    hash_of_words(&[
        FORMAT,
        product.generation() as u64,
        product.header_words() as u64,
        product.record_words() as u64,
        product.session_words() as u64,
        product.lanes as u64,
        NAME_WORDS as u64,
        product.bucket_words() as u64,
        product.shard_words() as u64,
        product.version_base() as u64,
        GEOMETRY_WORDS as u64,
        product.line_words as u64,
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

    /// The sizes follow from `docs/format.md` alone, and are those of the engine for every size of an extent.
    #[test]
    fn classes_are_those_of_the_engine() {
        for extent in 32..=1024 {
            let engine = Classes::new(extent);
            let theirs: Vec<u32> = (1..=engine.count()).filter_map(|class| engine.granules(class)).collect();
            assert_eq!(classes(extent), theirs, "extents of {extent} granules");
        }
    }
}
