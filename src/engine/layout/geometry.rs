//! Computes the offset of every part once, with checked arithmetic, from a few numbers.

use super::{Classes, Groups, LINE, Shape, divisor::Divisor, groups::GROUP_WORDS, header, record, session};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The words of a bucket: guard, link, seven slots of two words.
pub const BUCKET_WORDS: usize = 2 + 2 * SLOTS;
/// The slots of a bucket: seven; two in the models.
pub const SLOTS: usize = if LINE == 1 { 2 } else { 7 };
/// The words of a shard's header: its change counter, its version base and its overflow count.
pub const SHARD_WORDS: usize = if LINE == 1 { 3 } else { 2 * LINE };
/// The shard's change counter: the generation of its newest event.
pub const SHARD_CHANGES: usize = 0;
/// A version that is at least the version of every retired key of the shard.
pub const SHARD_VERSION_BASE: usize = if LINE == 1 { 1 } else { LINE };
/// An [`Overflow`](super::Overflow): how many overflow buckets the shard has.
pub const SHARD_OVERFLOW: usize = SHARD_VERSION_BASE + 1;

/// A block index that is inside the data area and is not 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(u32);

impl Block {
    /// The index: the granule where the block starts.
    pub fn index(self) -> u32 {
        self.0
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "block {}", self.0)
    }
}

/// The offsets of every part, in words, and the numbers that the algorithms need. They are computed from a [`Shape`]
/// when a board is created or opened, and are never read from the region again.
#[derive(Clone, Debug)]
pub struct Geometry {
    shape: Shape,
    classes: Classes,
    seed: u64,
    sessions_at: usize,
    names_at: usize,
    shards_at: usize,
    groups: Groups,
    buckets_at: usize,
    ring_at: usize,
    extents_at: usize,
    blocks_at: usize,
    data_at: usize,
    words: usize,
    granules: u32,
    extents: u32,
    /// The exponents of the words of a granule and of the granules of an extent, which are powers of two.
    granule_shift: u32,
    extent_shift: u32,
    /// The exponent of the number of events, if that is a power of two. Divisions by it are shifts then.
    history_shift: Option<u32>,
    /// The first eight bytes of each dedicated shard's name, with the mask of the bytes that the name has.
    dedicated_starts: Vec<(u64, u64)>,
    /// The buckets of a dedicated shard, and of a uniform one.
    per_dedicated: Divisor,
    per_uniform: Divisor,
}

impl Geometry {
    /// Checks the shape and computes the offsets. Returns the reason if the shape is invalid.
    pub fn new(shape: Shape, seed: u64) -> Result<Self, &'static str> {
        shape.check()?;
        let granules = shape.capacity / (shape.granule_words * 8);
        let extents = granules / shape.extent_granules;
        let shards = shape.dedicated.len() as u64 + shape.uniform_shards;
        let page_words = if LINE == 1 { 1 } else { 512 };
        let mut at = header::HEADER_WORDS as u64;
        let mut part = |words: Option<u64>, align: u64| -> Result<usize, &'static str> {
            let start = at.next_multiple_of(align);
            at = start.checked_add(words.ok_or("the sizes overflow")?).ok_or("the sizes overflow")?;
            usize::try_from(start).map_err(|_| "the region does not fit the address space")
        };
        let times = |count: u64, words: usize| count.checked_mul(words as u64);
        let line = LINE as u64;
        let sessions_at = part(times(shape.sessions, session::RECORD_WORDS), line)?;
        let names_at = part(times(shape.names, session::NAME_WORDS), line)?;
        let shards_at = part(times(shards, SHARD_WORDS), line * 2)?;
        let groups = Groups::of_table(shape.buckets() as usize);
        let groups_at = part(times(groups.count() as u64, GROUP_WORDS), line)?;
        let buckets_at = part(times(shape.buckets(), BUCKET_WORDS), line * 2)?;
        let ring_at = part(times(shape.history, 1), line)?;
        let extents_at = part(times(extents, 2), line)?;
        let blocks_at = part(times(granules, 2), page_words)?;
        let data_at = part(times(granules, shape.granule_words as usize), page_words)?;
        let words = usize::try_from(at).map_err(|_| "the region does not fit the address space")?;
        if u32::try_from(words).is_err() {
            return Err("the region has more words than a record can name");
        }
        let start = |name: &String| (first_bytes(name.as_bytes()), first_bytes(&vec![0xff; name.len()]));
        let dedicated_starts = shape.dedicated.iter().map(start).collect();
        let (granule_shift, extent_shift) =
            (shape.granule_words.trailing_zeros(), shape.extent_granules.trailing_zeros());
        let (per_dedicated, per_uniform) =
            (Divisor::new(shape.dedicated_buckets), Divisor::new(shape.uniform_buckets));
        let classes = Classes::new(shape.extent_granules as u32);
        let history_shift = shape.history.is_power_of_two().then(|| shape.history.trailing_zeros());
        let granules = granules as u32;
        Ok(Self {
            shape,
            classes,
            seed,
            sessions_at,
            names_at,
            shards_at,
            groups: groups.at(groups_at),
            buckets_at,
            ring_at,
            extents_at,
            blocks_at,
            data_at,
            words,
            granules,
            extents: extents as u32,
            granule_shift,
            extent_shift,
            history_shift,
            dedicated_starts,
            per_dedicated,
            per_uniform,
        })
    }

    /// The shape that the geometry was computed from.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
    /// The seed of the key hash.
    pub fn seed(&self) -> u64 {
        self.seed
    }
    /// The size classes.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }
    /// The words of the whole region.
    pub fn words(&self) -> usize {
        self.words
    }
    /// The words before the tables whose pages are reserved extent by extent.
    pub fn fixed_words(&self) -> usize {
        self.blocks_at
    }
    /// The granules of the data area.
    pub fn granules(&self) -> u32 {
        self.granules
    }
    /// The extents of the data area.
    pub fn extents(&self) -> u32 {
        self.extents
    }
    /// The granules of an extent.
    pub fn extent_granules(&self) -> u32 {
        1 << self.extent_shift
    }
    /// The words of a granule.
    pub fn granule_words(&self) -> usize {
        1 << self.granule_shift
    }
    /// The number of granules that hold this many words.
    pub fn granules_for(&self, words: usize) -> usize {
        (words + self.granule_words() - 1) >> self.granule_shift
    }
    /// How many keys fit: as many as the table was made for, or fewer if the data area does not have a block for each.
    pub fn keys_fit(&self) -> u64 {
        let smallest =
            self.classes.of(self.granules_for(record::HEADER_WORDS + 1)).unwrap_or(self.classes.whole());
        let extents = u64::from(self.extents).saturating_sub(self.shape.reserve_extents);
        self.shape.keys.min(extents * u64::from(self.classes.blocks(smallest)))
    }
    /// The number of events that the ring holds.
    pub fn history(&self) -> u64 {
        self.shape.history
    }
    /// The number of session records.
    pub fn sessions(&self) -> usize {
        self.shape.sessions as usize
    }
    /// The number of entries of the name table.
    pub fn names(&self) -> usize {
        self.shape.names as usize
    }
    /// The first word of session `index`'s record. The index must be below [`Geometry::sessions`].
    pub fn session(&self, index: usize) -> usize {
        self.sessions_at + index * session::RECORD_WORDS
    }
    /// The first word of name `index`'s entry. The index must be below [`Geometry::names`].
    pub fn name(&self, index: usize) -> usize {
        self.names_at + index * session::NAME_WORDS
    }
    /// The number of shards. Dedicated shards come first.
    pub fn shards(&self) -> usize {
        self.shape.dedicated.len() + self.shape.uniform_shards as usize
    }
    /// The first word of a shard's header. The shard must be below [`Geometry::shards`].
    pub fn shard(&self, shard: usize) -> usize {
        self.shards_at + shard * SHARD_WORDS
    }
    /// The groups of buckets.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }
    /// The buckets of the whole table, without overflow buckets.
    pub fn buckets(&self) -> usize {
        self.shape.buckets() as usize
    }
    /// The first word of bucket `index` of the whole table. The index must be below [`Geometry::buckets`].
    pub fn bucket(&self, index: usize) -> usize {
        self.buckets_at + index * BUCKET_WORDS
    }
    /// The buckets of a shard, as a range of the whole table.
    pub fn shard_buckets(&self, shard: usize) -> std::ops::Range<usize> {
        let dedicated = self.shape.dedicated.len();
        let each = self.shape.dedicated_buckets as usize;
        if shard < dedicated {
            shard * each..(shard + 1) * each
        } else {
            let uniform = self.shape.uniform_buckets as usize;
            let first = dedicated * each + (shard - dedicated) * uniform;
            first..first + uniform
        }
    }
    /// The shard of a bucket of the whole table.
    pub fn shard_of_bucket(&self, bucket: usize) -> usize {
        let dedicated = self.shape.dedicated.len();
        let each = self.shape.dedicated_buckets as usize;
        match bucket.checked_sub(dedicated * each) {
            None => self.per_dedicated.divide(bucket),
            Some(rest) => dedicated + self.per_uniform.divide(rest),
        }
    }
    /// The word of ring position `position`. Positions start at 1.
    pub fn ring(&self, position: u64) -> usize {
        let before = position.wrapping_sub(1);
        self.ring_at
            + match self.history_shift {
                Some(shift) => before & !(u64::MAX << shift),
                None => before % self.shape.history,
            } as usize
    }
    /// The lap of ring position `position`. Positions start at 1.
    pub fn lap(&self, position: u64) -> u64 {
        let before = position.wrapping_sub(1);
        1 + match self.history_shift {
            Some(shift) => before >> shift,
            None => before / self.shape.history,
        }
    }
    /// The class word of an extent. Its hint word follows. The extent must be below [`Geometry::extents`].
    pub fn extent(&self, extent: u32) -> usize {
        self.extents_at + extent as usize * 2
    }
    /// The block with this index; `None` for 0 and for an index outside the data area.
    pub fn block(&self, index: u32) -> Option<Block> {
        (index != 0 && index < self.granules).then_some(Block(index))
    }
    /// The state word of a block. Its generation word follows.
    pub fn state(&self, block: Block) -> usize {
        self.blocks_at + block.0 as usize * 2
    }
    /// The generation word of a block.
    pub fn generation(&self, block: Block) -> usize {
        self.state(block) + 1
    }
    /// The first data word of a block.
    pub fn data(&self, block: Block) -> usize {
        self.data_at + ((block.0 as usize) << self.granule_shift)
    }
    /// The first word of the data area.
    pub fn data_at(&self) -> usize {
        self.data_at
    }
    /// The extent of a block.
    pub fn extent_of(&self, block: Block) -> u32 {
        block.0 >> self.extent_shift
    }
    /// The words of an extent's block table and of its data. Their pages are reserved together.
    pub fn extent_words(&self, extent: u32) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let granules = self.extent_granules() as usize;
        let first = extent as usize * granules;
        let words = self.granule_words();
        (
            self.blocks_at + first * 2..self.blocks_at + (first + granules) * 2,
            self.data_at + first * words..self.data_at + (first + granules) * words,
        )
    }

    /// The hash of a key on this board.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        xxh3_64_with_seed(key, self.seed)
    }
    /// The shard of a key with this hash.
    #[inline]
    pub fn shard_of(&self, key: &str, hash: u64) -> usize {
        let key_start = first_bytes(key.as_bytes());
        // The first bytes suffice to tell nearly all keys from a name.
        let is_first = |name: &String| {
            key.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let starts = self.dedicated_starts.iter().zip(&self.shape.dedicated);
        let mut named = starts.map(|(&(start, mask), name)| key_start & mask == start && is_first(name));
        match named.position(|named| named) {
            Some(shard) => shard,
            None => self.shape.dedicated.len() + scale(hash >> 48, 16, self.shape.uniform_shards as usize),
        }
    }
    /// The bucket, as an index into the whole table, of a key of `shard` with this hash.
    #[inline]
    pub fn bucket_of(&self, shard: usize, hash: u64) -> usize {
        let range = self.shard_buckets(shard);
        range.start + scale(hash & 0xffff_ffff, 32, range.len())
    }
    /// The shards that may hold keys with this prefix.
    pub fn shards_of_prefix(&self, prefix: &str) -> std::ops::Range<usize> {
        let dedicated = self.shape.dedicated.len();
        match prefix.split_once('/') {
            Some((first, _)) => match self.shape.dedicated.iter().position(|name| name == first) {
                Some(shard) => shard..shard + 1,
                None => dedicated..self.shards(),
            },
            None => 0..self.shards(),
        }
    }
}

/// The first eight bytes, padded with zeros.
fn first_bytes(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Sixteen bits of a hash that select neither shard nor bucket. Never 0.
pub fn fingerprint_of(hash: u64) -> u16 {
    ((hash >> 32) as u16).max(1)
}

/// Maps `bits` random bits to `0..count`.
fn scale(value: u64, bits: u32, count: usize) -> usize {
    ((u128::from(value) * count as u128) >> bits) as usize
}

const _: () = assert!(LINE == 1 || BUCKET_WORDS * 8 == 128);
const _: () = assert!(header::GEOMETRY > header::GEOMETRY_CHECKSUM);

#[cfg(test)]
mod tests {
    use super::{super::shape::CAPACITY_MAX, *};
    use proptest::prelude::*;

    #[test]
    fn parts_follow_each_other_and_fill_the_region() {
        for capacity in [1 << 20, 64 << 20, 1 << 30, CAPACITY_MAX] {
            let geometry = Geometry::new(Shape::sized(capacity, 65_536, 16_384, 64), 1).unwrap();
            let starts = [
                header::HEADER_WORDS,
                geometry.session(0),
                geometry.name(0),
                geometry.shard(0),
                geometry.groups().word(0),
                geometry.bucket(0),
                geometry.ring(1),
                geometry.extent(0),
                geometry.blocks_at,
                geometry.data_at,
                geometry.words(),
            ];
            assert!(starts.is_sorted(), "{starts:?}");
            let last = geometry.block(geometry.granules() - 1).unwrap();
            assert_eq!(geometry.data(last) + geometry.granule_words(), geometry.words());
            assert_eq!(geometry.extent_words(geometry.extents() - 1).1.end, geometry.words());
            assert!(geometry.generation(last) < geometry.data_at);
            assert_eq!((geometry.block(0), geometry.block(geometry.granules())), (None, None));
        }
    }

    #[test]
    fn every_bucket_is_in_the_shard_that_names_it() {
        let geometry = Geometry::new(Shape::sized(1 << 20, 4096, 1024, 4), 1).unwrap();
        for shard in 0..geometry.shards() {
            assert!(geometry.shard_buckets(shard).all(|bucket| geometry.shard_of_bucket(bucket) == shard));
        }
        assert_eq!(geometry.shard_buckets(geometry.shards() - 1).end, geometry.buckets());
    }

    #[test]
    fn laps_rise_where_positions_wrap() {
        let geometry = Geometry::new(Shape::sized(1 << 20, 64, 64, 1), 1).unwrap();
        assert_eq!((geometry.lap(1), geometry.lap(64), geometry.lap(65)), (1, 1, 2));
        assert_eq!(geometry.ring(1), geometry.ring(65));
    }

    proptest! {
        #[test]
        fn every_key_has_a_bucket_in_its_shard(key in "[a-z/]{1,40}", seed: u64) {
            let geometry = Geometry::new(Shape::sized(1 << 20, 1000, 64, 4), seed).unwrap();
            let hash = geometry.hash(key.as_bytes());
            let shard = geometry.shard_of(&key, hash);
            prop_assert!(geometry.shard_buckets(shard).contains(&geometry.bucket_of(shard, hash)));
            for prefix in (0..=key.len()).map(|end| &key[..end]) {
                prop_assert!(geometry.shards_of_prefix(prefix).contains(&shard));
            }
        }
    }
}
