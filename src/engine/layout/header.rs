//! The words of the header.
//!
//! ```text
//! line 0    magic · format version · fingerprint · endianness · uuid (2) · boot id (2)
//! line 1    hash seed · created at · incompatible features · compatible features · geometry checksum
//! line 2..  geometry (see `shape::SHAPE_WORDS`), the dedicated shards' names
//! then      generation · floor · reserved extents · hints, each on a line of its own
//! ```

use super::{LINE, geometry, record, session, shape};
use xxhash_rust::xxh3::xxh3_64;

/// "slate\0bd", little-endian.
pub const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"slate\0bd");
/// The version of the format that this build reads and writes.
pub const FORMAT: u64 = 4;
/// This value reads as itself on a machine of the same byte order.
pub const ENDIANNESS_VALUE: u64 = 0x0102_0304_0506_0708;

/// The offset of [`MAGIC_VALUE`].
pub const MAGIC: usize = 0;
/// The offset of [`FORMAT`].
pub const VERSION: usize = 1;
/// The offset of [`fingerprint`]. Builds with different layouts refuse to share a board.
pub const FINGERPRINT: usize = 2;
/// The offset of [`ENDIANNESS_VALUE`].
pub const ENDIANNESS: usize = 3;
/// The board's uuid, two words.
pub const UUID: usize = 4;
/// The machine's boot id when the region was created, two words.
pub const BOOT: usize = 6;
/// The seed of the key hash.
pub const SEED: usize = 8;
/// Nanoseconds of `CLOCK_REALTIME` when the region was created.
pub const CREATED_NS: usize = 9;
/// Feature bits that a writer must know.
pub const INCOMPATIBLE: usize = 10;
/// Feature bits that a reader must know.
pub const READ_COMPATIBLE: usize = 11;
/// The checksum of the words `UUID..GEOMETRY_CHECKSUM` and of the geometry.
pub const GEOMETRY_CHECKSUM: usize = 12;
/// The first word of the geometry.
pub const GEOMETRY: usize = 16;

/// The words before the first counter; none in the models, which pass the geometry directly.
const IDENTITY_WORDS: usize =
    if LINE == 1 { 0 } else { (GEOMETRY + shape::SHAPE_WORDS).next_multiple_of(LINE) };
/// The global generation counter: the newest generation.
pub const GENERATION: usize = IDENTITY_WORDS;
/// Generations up to this one have left the history.
pub const FLOOR: usize = GENERATION + LINE;
/// The number of extents whose pages are reserved. These are the first ones.
pub const RESERVED: usize = FLOOR + LINE;
/// A hint: where the next unclaimed extent may be.
pub const EXTENT_HINT: usize = RESERVED + LINE;
/// The words of the header.
pub const HEADER_WORDS: usize = EXTENT_HINT + LINE;

/// A number that identifies the layout as compiled: records, sessions, buckets, header. A board with another
/// fingerprint is refused.
pub fn fingerprint() -> u64 {
    let numbers = [
        FORMAT,
        GENERATION as u64,
        HEADER_WORDS as u64,
        record::HEADER_WORDS as u64,
        session::RECORD_WORDS as u64,
        session::LANES as u64,
        session::NAME_WORDS as u64,
        geometry::BUCKET_WORDS as u64,
        geometry::SHARD_WORDS as u64,
        geometry::SHARD_VERSION_BASE as u64,
        shape::SHAPE_WORDS as u64,
        LINE as u64,
    ];
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    xxh3_64(&bytes)
}

/// The checksum of header words: identity and geometry.
pub fn checksum(words: &[u64]) -> u64 {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    xxh3_64(&bytes)
}
