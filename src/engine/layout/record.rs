//! The words of a record: what a block holds.
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

/// Version of the key.
pub const VERSION: usize = 0;
/// The slot's head before this record.
pub const PREVIOUS: usize = 1;
/// Word offset of the slot's head, and length of the value.
pub const PLACE: usize = 2;
/// Length of the key, kind, codec.
pub const SHAPE: usize = 3;
/// Whether the words from [`WRITER`] to [`CHECKSUM`] exist. The models leave them out: they carry no
/// part of the protocol, and without a checksum a torn copy cannot hide from them; a deadline, which they are about,
/// stands above the other fields of [`SHAPE`] then. The random schedules
/// (`--cfg slate_whole` besides) have them: their sessions write entries that end with them.
pub const DETAILS: bool = cfg!(slate_whole) || !cfg!(any(loom, slate_search));
/// Who wrote it.
pub const WRITER: usize = 4;
/// When, nanoseconds of `CLOCK_REALTIME`.
pub const TIME: usize = 5;
/// Generation of the key's creation, 0 for the creating record itself.
pub const CREATED: usize = 6;
/// Deadline, nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
pub const DEADLINE: usize = 7;
/// Where the deadline is in [`SHAPE`] without [`DETAILS`].
const DEADLINE_BIT: u32 = SUPERSEDED_AT + super::words::BLOCK_BITS;
/// Packed writer word of the session that the entry ends with; 0 for none.
pub const EPHEMERAL: usize = 8;
/// Checksum.
pub const CHECKSUM: usize = 9;
/// Words before the key.
pub const HEADER_WORDS: usize = if DETAILS { 10 } else { 4 };

/// Longest key, bytes.
pub const KEY_MAX: usize = 1024;

/// What a record says of its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum RecordKind {
    /// It has this value.
    #[default]
    Value,
    /// It was removed.
    Removed,
    /// Its deadline passed.
    Expired,
    /// The session that it was bound to detached.
    Detached,
    /// The session that it was bound to died.
    Died,
}

impl RecordKind {
    /// Whether the key is absent after it.
    pub fn is_tombstone(self) -> bool {
        self != RecordKind::Value
    }
}

/// The record's words before the key, unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecordHeader {
    /// Version of the key.
    pub version: u64,
    /// The slot's head before this record.
    pub previous: u64,
    /// Word offset of the slot's head.
    pub slot: u32,
    /// Bytes of the value.
    pub value_len: u32,
    /// Bytes of the key.
    pub key_len: u16,
    /// Value or tombstone.
    pub kind: RecordKind,
    /// Whether the value lies in pieces.
    pub in_pieces: bool,
    /// How the value is encoded.
    pub codec: u8,
    /// Granules of the record that it superseded.
    pub superseded: u32,
    /// Packed writer word.
    pub writer: u64,
    /// Nanoseconds of `CLOCK_REALTIME`.
    pub time: u64,
    /// Generation of the key's creation; 0: this record's own.
    pub created: u64,
    /// Nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub deadline: u64,
    /// Packed writer word of the session it ends with; 0 for none.
    pub ephemeral: u64,
    /// Checksum.
    pub checksum: u64,
}

impl RecordHeader {
    /// Packs [`PLACE`].
    pub fn place(&self) -> u64 {
        u64::from(self.slot) << 32 | u64::from(self.value_len)
    }
    /// Packs [`SHAPE`].
    pub fn shape(&self) -> u64 {
        let kind = match self.kind {
            RecordKind::Value => 0,
            RecordKind::Removed => 1,
            RecordKind::Expired => 2,
            RecordKind::Detached => 3,
            RecordKind::Died => 4,
        };
        u64::from(self.key_len) & 0x7ff
            | kind << 11
            | u64::from(self.in_pieces) << 14
            | u64::from(self.codec) << 15
            | u64::from(self.superseded) << SUPERSEDED_AT
    }
    /// The header's words.
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
    /// First word of the value, from the start of the record. For tests, models and tools.
    #[cfg(any(test, loom, slate_search, feature = "internals"))]
    pub fn value_at(&self) -> usize {
        HEADER_WORDS + usize::from(self.key_len).div_ceil(8)
    }
}

/// The record's words before the key, packed as they stand there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackedHeader(pub [u64; HEADER_WORDS]);

impl PackedHeader {
    /// Words of nothing.
    pub const EMPTY: Self = Self([0; HEADER_WORDS]);

    fn detail(&self, word: usize) -> u64 {
        if DETAILS { self.0.get(word).copied().unwrap_or(0) } else { 0 }
    }
    /// Whether these can be a record's: a kind that there is, a key of a length that a key can have.
    #[inline]
    pub fn can_be(&self) -> bool {
        self.0[SHAPE] >> 11 & 7 <= 4 && (1..=KEY_MAX).contains(&self.key_len())
    }
    /// Version of the key.
    pub fn version(&self) -> u64 {
        self.0[VERSION]
    }
    /// Word offset of the slot's head.
    pub fn slot(&self) -> usize {
        (self.0[PLACE] >> 32) as usize
    }
    /// Bytes of the value.
    pub fn value_len(&self) -> usize {
        self.0[PLACE] as u32 as usize
    }
    /// Bytes of the key.
    pub fn key_len(&self) -> usize {
        (self.0[SHAPE] & 0x7ff) as usize
    }
    /// Value or tombstone. Of words that can be a record's.
    pub fn kind(&self) -> RecordKind {
        match self.0[SHAPE] >> 11 & 7 {
            0 => RecordKind::Value,
            1 => RecordKind::Removed,
            2 => RecordKind::Expired,
            3 => RecordKind::Detached,
            _ => RecordKind::Died,
        }
    }
    /// Whether the value lies in pieces.
    pub fn in_pieces(&self) -> bool {
        is_in_pieces(self.0[SHAPE])
    }
    /// How the value is encoded.
    pub fn codec(&self) -> u8 {
        (self.0[SHAPE] >> 15) as u8
    }
    /// Who wrote it, and whose end it ends with; nobody where there is none.
    pub fn writers(&self) -> [Writer; 2] {
        [WRITER, EPHEMERAL].map(|word| Writer::unpack(self.detail(word)))
    }
    /// Nanoseconds of `CLOCK_REALTIME`.
    pub fn time(&self) -> u64 {
        self.detail(TIME)
    }
    /// Generation of the key's creation; 0: this record's own.
    pub fn created(&self) -> u64 {
        self.detail(CREATED)
    }
    /// Nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub fn deadline(&self) -> u64 {
        if DETAILS { self.detail(DEADLINE) } else { self.0[SHAPE] >> DEADLINE_BIT }
    }
    /// Packed writer word of the session that the entry ends with; 0 for none.
    pub fn ephemeral(&self) -> u64 {
        self.detail(EPHEMERAL)
    }
    /// First word of the value, from the start of the record.
    pub fn value_at(&self) -> usize {
        HEADER_WORDS + self.key_len().div_ceil(8)
    }
    /// Words of the record with its key and a value in one block.
    pub fn record_words(&self) -> usize {
        len_of(self.0[PLACE], self.0[SHAPE])
    }
    /// The words, unpacked; `None` where they cannot be a record's.
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
    /// The checksum of a record with these words, the hash of its key and [`hash_of`] its value. It covers every
    /// word but the checksum itself.
    #[inline]
    pub fn checksum(&self, key_hash: u64, value_hash: u64) -> u64 {
        let mut sum = fold(key_hash ^ 0x9e37_79b9_7f4a_7c15, value_hash ^ 0xd6e8_feb8_6659_fd93);
        for [first, second] in self.0.as_chunks::<2>().0.iter().take(EPHEMERAL / 2) {
            sum = fold(sum ^ first, second ^ 0xa076_1d64_78bd_642f).wrapping_add(sum.rotate_left(23));
        }
        fold(sum ^ self.detail(EPHEMERAL), 0xe703_7ed1_a0b4_28db) ^ sum
    }
    /// Gives a record its place among its key's: a version, the head before it, the slot, the key's creation, the
    /// granules that it supersedes.
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
    /// Gives the words their checksum. The models' records have none.
    #[inline]
    pub fn seal(&mut self, key_hash: u64, value_hash: u64) {
        let sum = self.checksum(key_hash, value_hash);
        if DETAILS {
            self.0.get_mut(CHECKSUM).into_iter().for_each(|word| *word = sum);
        }
    }
    /// Whether the checksum is that of these words, of a key with this hash, and of the value.
    #[inline]
    pub fn is_sound(&self, key_hash: u64, value: &[u8]) -> bool {
        !DETAILS || self.detail(CHECKSUM) == self.checksum(key_hash, hash_of(value))
    }
}

/// Words of a record with this [`PLACE`] and [`SHAPE`], its key, and a value in one block.
pub const fn len_of(place: u64, shape: u64) -> usize {
    words_of((shape & 0x7ff) as usize, place as u32 as usize)
}

/// Granules of the record that one with this [`SHAPE`] superseded.
pub const fn superseded_in(shape: u64) -> u64 {
    shape >> SUPERSEDED_AT & SUPERSEDED_MAX
}

/// First bit of the granules in [`SHAPE`].
const SUPERSEDED_AT: u32 = 23;
const SUPERSEDED_MAX: u64 = (1 << super::words::BLOCK_BITS) - 1;

/// Whether a record with this [`SHAPE`] is a tombstone.
pub const fn is_tombstone(shape: u64) -> bool {
    shape >> 11 & 7 != 0
}

/// Whether a record with this [`SHAPE`] has its value in pieces.
pub const fn is_in_pieces(shape: u64) -> bool {
    shape >> 14 & 1 == 1
}

/// Hash of a value, for the checksum: XXH3, 64 bits. Of two libraries, one is the faster where the hash has no loop, the
/// other where it has one, for which it takes the widest instructions that the processor has.
#[inline]
pub fn hash_of(value: &[u8]) -> u64 {
    if value.len() <= NO_LOOP { xxh3_64(value) } else { XxHash3_64::oneshot(value) }
}

/// Up to so many bytes XXH3 is a fixed sequence of multiplications.
const NO_LOOP: usize = 240;

/// The high and low halves of a 128-bit product, folded: a cheap mix of two words.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Words of a record whose key and value are stored in one block.
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
