//! Encodes and decodes the identity words of the header, without I/O.
//!
//! The identity words are written once, before the region has a name. Every open checks and copies them; after that they
//! are not read again. The counters that follow them belong to the protocol.

use super::refusal::Refusal;
use crate::layout::{Geometry, Shape, header, shape};

/// The number of words that [`encode`] returns and [`decode`] needs: all words before the first counter.
pub const IDENTITY_WORDS: usize = header::GENERATION;
/// The features known to this build, among those that a writer must know.
pub const KNOWN_TO_WRITERS: u64 = 0;
/// The features known to this build, among those that a reader must know.
pub const KNOWN_TO_READERS: u64 = 0;

const CHECKED: std::ops::Range<usize> = header::UUID..header::GEOMETRY_CHECKSUM;
const SHAPE: std::ops::Range<usize> = header::GEOMETRY..header::GEOMETRY + shape::SHAPE_WORDS;
const _: () = assert!(SHAPE.end <= IDENTITY_WORDS);

/// Identifies a region, and tells when it was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// A random number that identifies the region.
    pub uuid: [u64; 2],
    /// The machine's boot id when the region was created; zeros if it was not available.
    pub boot: [u64; 2],
    /// When the region was created, in nanoseconds of `CLOCK_REALTIME`.
    pub created_ns: u64,
}

/// Encodes the identity words of a region.
pub fn encode(geometry: &Geometry, origin: &Origin) -> Vec<u64> {
    let mut words = vec![0; IDENTITY_WORDS];
    let fields = [
        (header::MAGIC, header::MAGIC_VALUE),
        (header::VERSION, header::FORMAT),
        (header::FINGERPRINT, header::fingerprint()),
        (header::ENDIANNESS, header::ENDIANNESS_VALUE),
        (header::UUID, origin.uuid[0]),
        (header::UUID + 1, origin.uuid[1]),
        (header::BOOT, origin.boot[0]),
        (header::BOOT + 1, origin.boot[1]),
        (header::SEED, geometry.seed()),
        (header::CREATED_NS, origin.created_ns),
        (header::INCOMPATIBLE, KNOWN_TO_WRITERS),
        (header::READ_COMPATIBLE, KNOWN_TO_READERS),
    ];
    let shape = geometry.shape().pack();
    let shape = shape.iter().enumerate().map(|(at, word)| (header::GEOMETRY + at, *word));
    for (at, value) in fields.into_iter().chain(shape) {
        words[at] = value;
    }
    seal(&mut words);
    words
}

/// Recomputes the checksum of identity words, for tools that change one of them. A slice that is too short is not
/// changed.
pub fn seal(words: &mut [u64]) {
    if words.len() >= IDENTITY_WORDS {
        words[header::GEOMETRY_CHECKSUM] = checksum(words);
    }
}

/// Decodes the identity words of a file of `len_bytes`, for a writer or for a reader.
///
/// # Errors
/// The first reason to refuse the file. Any words are valid input; none cause a panic.
pub fn decode(words: &[u64], len_bytes: u64, writable: bool) -> Result<(Geometry, Origin), Refusal> {
    check_magic(words)?;
    let Some(words) = words.get(..IDENTITY_WORDS) else { return Err(Refusal::TooShort(len_bytes)) };
    check_build(words)?;
    if words[header::GEOMETRY_CHECKSUM] != checksum(words) {
        return Err(Refusal::Checksum);
    }
    check_features(words, writable)?;
    let mut shape = [0; shape::SHAPE_WORDS];
    shape.copy_from_slice(&words[SHAPE]);
    let shape = Shape::unpack(&shape).map_err(Refusal::Geometry)?;
    let geometry = Geometry::new(shape, words[header::SEED]).map_err(Refusal::Geometry)?;
    let expected = geometry.words() as u64 * 8;
    if expected != len_bytes {
        return Err(Refusal::Size { expected, found: len_bytes });
    }
    let pair = |at: usize| [words[at], words[at + 1]];
    let created_ns = words[header::CREATED_NS];
    Ok((geometry, Origin { uuid: pair(header::UUID), boot: pair(header::BOOT), created_ns }))
}

/// Checks whether these words belong to a board, of any format version. This is the first check of a file, because
/// advice about the owner or the mode of a board would be wrong for another kind of file.
///
/// # Errors
/// `Foreign`.
pub fn check_magic(words: &[u64]) -> Result<(), Refusal> {
    let magic = words.get(header::MAGIC).copied().unwrap_or(0);
    let is_board = magic == header::MAGIC_VALUE || magic == header::MAGIC_VALUE.swap_bytes();
    if is_board { Ok(()) } else { Err(Refusal::Foreign) }
}

fn check_build(words: &[u64]) -> Result<(), Refusal> {
    if words[header::MAGIC] != header::MAGIC_VALUE || words[header::ENDIANNESS] != header::ENDIANNESS_VALUE {
        return Err(Refusal::Endianness);
    }
    if words[header::VERSION] != header::FORMAT {
        return Err(Refusal::Format(words[header::VERSION]));
    }
    if words[header::FINGERPRINT] != header::fingerprint() {
        return Err(Refusal::Fingerprint(words[header::FINGERPRINT]));
    }
    Ok(())
}

fn check_features(words: &[u64], writable: bool) -> Result<(), Refusal> {
    match (
        words[header::INCOMPATIBLE] & !KNOWN_TO_WRITERS,
        words[header::READ_COMPATIBLE] & !KNOWN_TO_READERS,
    ) {
        (_, unknown) if unknown != 0 => Err(Refusal::UnknownToReaders(unknown)),
        (unknown, _) if unknown != 0 && writable => Err(Refusal::UnknownToWriters(unknown)),
        _ => Ok(()),
    }
}

/// The checksum of the origin, the seed, the features and the geometry.
fn checksum(words: &[u64]) -> u64 {
    header::checksum(&[&words[CHECKED], &words[SHAPE]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORIGIN: Origin = Origin { uuid: [1, 2], boot: [3, 4], created_ns: 5 };

    fn geometry() -> Geometry {
        Geometry::new(Shape::sized(1 << 20, 1024, 64, 4), 77).unwrap()
    }

    fn len_bytes() -> u64 {
        geometry().words() as u64 * 8
    }

    /// The header with changed words and a recomputed checksum.
    fn changed(changes: &[(usize, u64)]) -> Vec<u64> {
        let mut words = encode(&geometry(), &ORIGIN);
        for (at, value) in changes {
            words[*at] = *value;
        }
        seal(&mut words);
        words
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let (decoded, origin) = decode(&encode(&geometry(), &ORIGIN), len_bytes(), true).unwrap();
        assert_eq!((decoded.shape(), decoded.seed(), origin), (geometry().shape(), 77, ORIGIN));
    }

    #[test]
    fn each_wrong_word_has_its_refusal() {
        let magic = header::MAGIC_VALUE.swap_bytes();
        let cases = [
            (vec![(header::MAGIC, 1)], Refusal::Foreign),
            (vec![(header::MAGIC, magic)], Refusal::Endianness),
            (vec![(header::ENDIANNESS, header::ENDIANNESS_VALUE.swap_bytes())], Refusal::Endianness),
            (vec![(header::VERSION, header::FORMAT + 1)], Refusal::Format(header::FORMAT + 1)),
            (vec![(header::FINGERPRINT, 9)], Refusal::Fingerprint(9)),
            (vec![(header::READ_COMPATIBLE, 4)], Refusal::UnknownToReaders(4)),
            (vec![(header::INCOMPATIBLE, 8)], Refusal::UnknownToWriters(8)),
        ];
        for (changes, refusal) in cases {
            assert_eq!(decode(&changed(&changes), len_bytes(), true).unwrap_err(), refusal);
        }
        let reader = decode(&changed(&[(header::INCOMPATIBLE, 8)]), len_bytes(), false);
        assert!(reader.is_ok(), "a reader need not know what only writers must");
        let short = decode(&changed(&[])[..IDENTITY_WORDS - 1], 100, false).unwrap_err();
        assert_eq!(short, Refusal::TooShort(100));
    }

    #[test]
    fn numbers_that_cannot_be_are_refused_under_a_right_checksum() {
        let refusal = decode(&changed(&[(header::GEOMETRY, 12_345)]), len_bytes(), true).unwrap_err();
        assert!(matches!(refusal, Refusal::Geometry(_)), "{refusal}");
        let refusal = decode(&changed(&[]), len_bytes() + 1, true).unwrap_err();
        assert_eq!(refusal, Refusal::Size { expected: len_bytes(), found: len_bytes() + 1 });
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_found(at in 0..SHAPE.end, bit in 0u32..64) {
            let mut words = encode(&geometry(), &ORIGIN);
            words[at] ^= 1 << bit;
            // Words 13 to 15 are reserved and not covered by the checksum.
            let unused = header::GEOMETRY_CHECKSUM < at && at < header::GEOMETRY;
            prop_assert_eq!(decode(&words, len_bytes(), true).is_ok(), unused);
        }

        #[test]
        fn any_words_are_refused_or_decoded(
            mut words in proptest::collection::vec(any::<u64>(), 0..2 * IDENTITY_WORDS),
            sound in 0..IDENTITY_WORDS, len_bytes: u64, writable: bool,
        ) {
            let model = encode(&geometry(), &ORIGIN);
            for (word, model) in words.iter_mut().zip(&model[..sound]) {
                *word = *model;
            }
            seal(&mut words);
            let _ = decode(&words, len_bytes, writable);
        }
    }
}
