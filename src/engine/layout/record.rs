//! The words of a record. A record is what a block holds.
//!
//! ```text
//! word  0 version                     rises by one at every change of the key
//!       1 previous head               the slot's head before this record
//!       2 head's word offset:32 | value length:32
//!       3 key length:11 | kind:3 | in_pieces:1 | codec:8
//!       4 writer                      5 time, ns of CLOCK_REALTIME
//!       6 generation of creation      7 deadline, ns of CLOCK_BOOTTIME, 0 for none
//!       8 ephemeral owner, 0 for none 9 checksum over everything but the generation word
//!      10 key, zero padded to words; then the value, or the blocks of a value in pieces
//! ```

use super::Writer;
use twox_hash::XxHash3_64;
use xxhash_rust::xxh3::xxh3_64;

/// The version of the key.
pub const VERSION: usize = 0;
/// The slot's head before this record.
pub const PREVIOUS: usize = 1;
/// The word offset of the slot's head, and the length of the value.
pub const PLACE: usize = 2;
/// The length of the key, the kind and the codec.
pub const SHAPE: usize = 3;
/// Whether the words from [`WRITER`] to [`CHECKSUM`] exist. The models omit them, because they are not part of the
/// protocol, and because without a checksum a torn copy becomes visible. The models need deadlines, so a deadline is
/// stored above the other fields of [`SHAPE`] then. The random schedules (with `--cfg slate_whole`) have these words,
/// because their sessions write entries that end with them.
pub const DETAILS: bool = cfg!(slate_whole) || !cfg!(any(loom, slate_search));
/// The writer.
pub const WRITER: usize = 4;
/// The time of writing in nanoseconds of `CLOCK_REALTIME`.
pub const TIME: usize = 5;
/// The generation of the key's creation; 0 in the record that creates the key.
pub const CREATED: usize = 6;
/// The deadline in nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
pub const DEADLINE: usize = 7;
/// Where the deadline is in [`SHAPE`] without [`DETAILS`].
const DEADLINE_BIT: u32 = SUPERSEDED_AT + super::words::BLOCK_BITS;
/// The packed writer word of the session that the entry ends with; 0 for none.
pub const EPHEMERAL: usize = 8;
/// The checksum.
pub const CHECKSUM: usize = 9;
/// The words before the key.
pub const HEADER_WORDS: usize = if DETAILS { 10 } else { 4 };

/// The bit of a kind that only tombstones have.
const TOMBSTONE: u8 = 4;

/// The length limit of a key in bytes.
pub const KEY_MAX: usize = 1024;

/// What a record says about its key. Bit 2 is set in the kinds of tombstones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
#[repr(u8)]
pub enum RecordKind {
    /// The key has this value.
    #[default]
    Value = 0,
    /// The key keeps the value of the previous record, with another deadline.
    Touched = 1,
    /// The key was removed.
    Removed = 4,
    /// The key's deadline passed.
    Expired = 5,
    /// The session that the key was bound to detached.
    Detached = 6,
    /// The session that the key was bound to died.
    Died = 7,
}

impl RecordKind {
    /// Whether the key is absent after this record.
    pub fn is_tombstone(self) -> bool {
        self as u8 & TOMBSTONE != 0
    }
}

/// The record's words before the key, unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecordHeader {
    /// The version of the key.
    pub version: u64,
    /// The slot's head before this record.
    pub previous: u64,
    /// The word offset of the slot's head.
    pub slot: u32,
    /// The length of the value in bytes.
    pub value_len: u32,
    /// The length of the key in bytes.
    pub key_len: u16,
    /// Whether this is a value or a tombstone.
    pub kind: RecordKind,
    /// Whether the value is stored in pieces.
    pub in_pieces: bool,
    /// How the value is encoded.
    pub codec: u8,
    /// The granules of the record that it superseded.
    pub superseded: u32,
    /// The packed writer word.
    pub writer: u64,
    /// The time of writing in nanoseconds of `CLOCK_REALTIME`.
    pub time: u64,
    /// The generation of the key's creation; 0 for this record's own.
    pub created: u64,
    /// The deadline in nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub deadline: u64,
    /// The packed writer word of the session that the entry ends with; 0 for none.
    pub ephemeral: u64,
    /// The checksum.
    pub checksum: u64,
}

impl RecordHeader {
    /// Packs [`PLACE`].
    pub fn place(&self) -> u64 {
        u64::from(self.slot) << 32 | u64::from(self.value_len)
    }
    /// Packs [`SHAPE`].
    pub fn shape(&self) -> u64 {
        u64::from(self.key_len) & 0x7ff
            | (self.kind as u64) << 11
            | u64::from(self.in_pieces) << 14
            | u64::from(self.codec) << 15
            | u64::from(self.superseded) << SUPERSEDED_AT
    }
    /// Packs the record's words before the key.
    #[inline]
    pub fn pack(&self) -> PackedHeader {
        let mut words = [0; HEADER_WORDS];
        words[VERSION] = self.version;
        words[PREVIOUS] = self.previous;
        words[PLACE] = self.place();
        words[SHAPE] = self.shape();
        if DETAILS {
            let details =
                [self.writer, self.time, self.created, self.deadline, self.ephemeral, self.checksum];
            words[HEADER_WORDS - details.len()..].copy_from_slice(&details);
        } else {
            words[SHAPE] |= self.deadline << DEADLINE_BIT;
        }
        PackedHeader(words)
    }
    /// The first word of the value, counted from the start of the record. For tests, models and tools.
    #[cfg(any(test, loom, slate_search, feature = "internals"))]
    pub fn value_at(&self) -> usize {
        HEADER_WORDS + usize::from(self.key_len).div_ceil(8)
    }
}

/// The record's words before the key, packed as they are in the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackedHeader(pub [u64; HEADER_WORDS]);

impl PackedHeader {
    /// Words that are all 0.
    pub const EMPTY: Self = Self([0; HEADER_WORDS]);

    fn detail(&self, word: usize) -> u64 {
        if DETAILS { self.0.get(word).copied().unwrap_or(0) } else { 0 }
    }
    /// Whether these words are valid: an existing kind, and a valid key length.
    #[inline]
    pub fn can_be(&self) -> bool {
        // Kinds 2 and 3 do not exist.
        self.0[SHAPE] >> 12 & 3 != 1 && (1..=KEY_MAX).contains(&self.key_len())
    }
    /// The version of the key.
    pub fn version(&self) -> u64 {
        self.0[VERSION]
    }
    /// The word offset of the slot's head.
    pub fn slot(&self) -> usize {
        (self.0[PLACE] >> 32) as usize
    }
    /// The length of the value in bytes.
    pub fn value_len(&self) -> usize {
        self.0[PLACE] as u32 as usize
    }
    /// The length of the key in bytes.
    pub fn key_len(&self) -> usize {
        (self.0[SHAPE] & 0x7ff) as usize
    }
    /// Whether this is a value or a tombstone. The words must be valid.
    pub fn kind(&self) -> RecordKind {
        match self.0[SHAPE] >> 11 & 7 {
            0 => RecordKind::Value,
            1 => RecordKind::Touched,
            4 => RecordKind::Removed,
            5 => RecordKind::Expired,
            6 => RecordKind::Detached,
            _ => RecordKind::Died,
        }
    }
    /// Whether the key is absent after the record.
    #[inline]
    pub fn is_tombstone(&self) -> bool {
        is_tombstone(self.0[SHAPE])
    }
    /// Whether the value is stored in pieces.
    pub fn in_pieces(&self) -> bool {
        is_in_pieces(self.0[SHAPE])
    }
    /// How the value is encoded.
    pub fn codec(&self) -> u8 {
        (self.0[SHAPE] >> 15) as u8
    }
    /// The writer, and the session that the entry ends with; 0 if there is none.
    pub fn writers(&self) -> [Writer; 2] {
        [WRITER, EPHEMERAL].map(|word| Writer::unpack(self.detail(word)))
    }
    /// The time of writing in nanoseconds of `CLOCK_REALTIME`.
    pub fn time(&self) -> u64 {
        self.detail(TIME)
    }
    /// The generation of the key's creation; 0 for this record's own.
    pub fn created(&self) -> u64 {
        self.detail(CREATED)
    }
    /// The deadline in nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub fn deadline(&self) -> u64 {
        if DETAILS { self.detail(DEADLINE) } else { self.0[SHAPE] >> DEADLINE_BIT }
    }
    /// The packed writer word of the session that the entry ends with; 0 for none.
    pub fn ephemeral(&self) -> u64 {
        self.detail(EPHEMERAL)
    }
    /// The first word of the value, counted from the start of the record.
    pub fn value_at(&self) -> usize {
        HEADER_WORDS + self.key_len().div_ceil(8)
    }
    /// The words of the record, with its key and a value in one block.
    pub fn record_words(&self) -> usize {
        len_of(self.0[PLACE], self.0[SHAPE])
    }
    /// Unpacks the words. Returns `None` if they are invalid.
    pub fn unpack(&self) -> Option<RecordHeader> {
        self.can_be().then(|| RecordHeader {
            version: self.version(),
            previous: self.0[PREVIOUS],
            slot: self.slot() as u32,
            value_len: self.value_len() as u32,
            key_len: self.key_len() as u16,
            kind: self.kind(),
            in_pieces: self.in_pieces(),
            codec: self.codec(),
            superseded: superseded_in(self.0[SHAPE]) as u32,
            writer: self.detail(WRITER),
            time: self.time(),
            created: self.created(),
            deadline: self.deadline(),
            ephemeral: self.detail(EPHEMERAL),
            checksum: self.detail(CHECKSUM),
        })
    }
    /// The checksum of a record with these words, this hash of its key and this [`hash_of`] its value. It covers every
    /// word except the checksum itself.
    #[inline]
    pub fn checksum(&self, key_hash: u64, value_hash: u64) -> u64 {
        let mut sum = fold(key_hash ^ 0x9e37_79b9_7f4a_7c15, value_hash ^ 0xd6e8_feb8_6659_fd93);
        for [first, second] in self.0.as_chunks::<2>().0.iter().take(EPHEMERAL / 2) {
            sum = fold(sum ^ first, second ^ 0xa076_1d64_78bd_642f).wrapping_add(sum.rotate_left(23));
        }
        fold(sum ^ self.detail(EPHEMERAL), 0xe703_7ed1_a0b4_28db) ^ sum
    }
    /// Sets the fields that depend on the key's previous record: the version, the previous head, the slot, the key's
    /// creation and the granules that it supersedes.
    #[inline]
    pub fn follow(&mut self, version: u64, previous: u64, slot: usize, created: u64, superseded: u64) {
        self.0[SHAPE] = self.0[SHAPE] & !(SUPERSEDED_MAX << SUPERSEDED_AT) | superseded << SUPERSEDED_AT;
        self.0[VERSION] = version;
        self.0[PREVIOUS] = previous;
        self.0[PLACE] = (slot as u64) << 32 | self.0[PLACE] & u64::from(u32::MAX);
        if DETAILS {
            self.0.get_mut(CREATED).into_iter().for_each(|word| *word = created);
        }
    }
    /// Stores the checksum of the words. Records in the models have none.
    #[inline]
    pub fn seal(&mut self, key_hash: u64, value_hash: u64) {
        let sum = self.checksum(key_hash, value_hash);
        if DETAILS {
            self.0.get_mut(CHECKSUM).into_iter().for_each(|word| *word = sum);
        }
    }
    /// Whether the checksum matches these words, a key with this hash, and the value.
    #[inline]
    pub fn is_sound(&self, key_hash: u64, value: &[u8]) -> bool {
        !DETAILS || self.is_sound_with(key_hash, hash_of(value))
    }
    /// As [`PackedHeader::is_sound`], for a value with this [`hash_of`] it.
    #[inline]
    pub fn is_sound_with(&self, key_hash: u64, value_hash: u64) -> bool {
        self.detail(CHECKSUM) == self.checksum(key_hash, value_hash)
    }
}

/// The words of a record with this [`PLACE`] and [`SHAPE`], with its key and a value in one block.
pub const fn len_of(place: u64, shape: u64) -> usize {
    words_of((shape & 0x7ff) as usize, place as u32 as usize)
}

/// The granules of the record that a record with this [`SHAPE`] superseded.
pub const fn superseded_in(shape: u64) -> u64 {
    shape >> SUPERSEDED_AT & SUPERSEDED_MAX
}

/// The first bit of the granules in [`SHAPE`].
const SUPERSEDED_AT: u32 = 23;
const SUPERSEDED_MAX: u64 = (1 << super::words::BLOCK_BITS) - 1;

/// Whether a record with this [`SHAPE`] is a tombstone.
pub const fn is_tombstone(shape: u64) -> bool {
    shape >> 11 & TOMBSTONE as u64 != 0
}

/// Whether a record with this [`SHAPE`] has its value in pieces.
pub const fn is_in_pieces(shape: u64) -> bool {
    shape >> 14 & 1 == 1
}

/// The hash of a value, for the checksum: XXH3 with 64 bits. Two libraries are used. One is faster for short values,
/// where the hash has no loop. The other is faster for long values, because it uses the widest instructions of the
/// processor.
#[inline]
pub fn hash_of(value: &[u8]) -> u64 {
    if value.len() <= NO_LOOP { xxh3_64(value) } else { XxHash3_64::oneshot(value) }
}

/// Up to this number of bytes, XXH3 is a fixed sequence of multiplications.
const NO_LOOP: usize = 240;

/// The high and low halves of a 128-bit product, combined by XOR: a cheap mix of two words.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The words of a record whose key and value are stored in one block.
pub const fn words_of(key_len: usize, value_len: usize) -> usize {
    HEADER_WORDS + key_len.div_ceil(8) + value_len.div_ceil(8)
}

const _: () = assert!(CHECKSUM + 1 == 10 && (!DETAILS || HEADER_WORDS == CHECKSUM + 1));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_unpacks_to_what_was_packed() {
        let header = RecordHeader {
            version: 7,
            previous: 8,
            slot: u32::MAX,
            value_len: 16 << 20,
            key_len: 1024,
            kind: RecordKind::Expired,
            in_pieces: true,
            codec: 255,
            superseded: (1 << 23) - 1,
            writer: 1,
            time: 2,
            created: 3,
            deadline: 4,
            ephemeral: 5,
            checksum: 6,
        };
        assert_eq!(header.pack().unpack(), Some(header));
    }

    #[test]
    fn every_kind_unpacks_and_only_those_without_a_value_are_tombstones() {
        use RecordKind::{Detached, Died, Expired, Removed, Touched, Value};
        let kinds = [
            (Value, false),
            (Touched, false),
            (Removed, true),
            (Expired, true),
            (Detached, true),
            (Died, true),
        ];
        for (kind, tombstone) in kinds {
            let words = RecordHeader { kind, key_len: 1, ..Default::default() }.pack();
            assert_eq!(words.unpack().map(|header| header.kind), Some(kind));
            assert_eq!((kind.is_tombstone(), words.is_tombstone()), (tombstone, tombstone));
        }
        for missing in [2, 3] {
            let mut words = RecordHeader { key_len: 1, ..Default::default() }.pack();
            words.0[SHAPE] |= missing << 11;
            assert!(!words.can_be());
        }
    }

    #[test]
    fn the_hash_is_one_function_at_all_lengths() {
        let bytes: Vec<u8> = (0..70_000_u32).map(|at| (at * 7 + at / 251) as u8).collect();
        let (step, long): (_, &[usize]) =
            if cfg!(miri) { (97, &[]) } else { (1, &[4_095, 4_096, 65_536, 70_000]) };
        for len in (0..1_200).step_by(step).chain(long.iter().copied()) {
            let value = &bytes[..len];
            assert_eq!(
                (hash_of(value), XxHash3_64::oneshot(value)),
                (xxh3_64(value), xxh3_64(value)),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn every_bit_of_every_word_changes_the_checksum() {
        let header = RecordHeader { key_len: 5, value_len: 3, ..Default::default() };
        let sum = header.pack().checksum(42, hash_of(b"abc"));
        assert_ne!(sum, header.pack().checksum(43, hash_of(b"abc")));
        assert_ne!(sum, header.pack().checksum(42, hash_of(b"abd")));
        for word in (0..HEADER_WORDS).filter(|&word| word != CHECKSUM) {
            for bit in 0..64 {
                let mut words = header.pack();
                words.0[word] ^= 1 << bit;
                assert_ne!(sum, words.checksum(42, hash_of(b"abc")), "word {word} bit {bit}");
            }
        }
    }
}
