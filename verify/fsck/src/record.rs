//! Records: header, key, value, and the pieces of a chained value.

use crate::{
    Kind,
    board::Board,
    finding::Finding,
    words::{GenWord, Head, Writer},
};
use xxhash_rust::xxh3::xxh3_64;

/// Most granules that a record can say it superseded.
const SUPERSEDED_MAX: u64 = (1 << 23) - 1;

/// A record, read whole.
#[derive(Clone)]
pub struct Record {
    pub block: u32,
    /// The generation in the block's generation word; `None` where the word holds none.
    pub generation: Option<u64>,
    pub version: u64,
    /// The slot's head before this record.
    pub previous: Head,
    /// Word offset of the slot's head.
    pub head_at: usize,
    pub kind: Kind,
    pub codec: u8,
    pub writer: Writer,
    /// Generation of the key's creation; 0 where this record created it.
    pub created: u64,
    pub deadline: u64,
    pub ephemeral: Writer,
    /// Granules of the record that it superseded, as stored.
    pub superseded: u64,
    /// Its own granules, pieces included.
    pub granules: u64,
    pub key: Vec<u8>,
    pub hash: u64,
    pub value: Vec<u8>,
    pub pieces: Vec<u32>,
}

/// The lengths in a record's header.
struct Shape {
    key_len: usize,
    value_len: usize,
    chained: bool,
    kind: Kind,
    /// Words before the key.
    header: usize,
}

impl Shape {
    fn value_at(&self) -> usize {
        self.header + self.key_len.div_ceil(8)
    }

    /// Words of the record with its value, wherever the value lies.
    fn words(&self) -> usize {
        self.value_at() + self.value_len.div_ceil(8)
    }
}

impl Record {
    /// Reads the record in a block, or says why there is none.
    pub fn read(board: &Board<'_>, block: u32) -> Result<Self, Finding> {
        let shape = read_shape(board, block)?;
        let at = board.layout.data(block);
        let word = |word: usize| board.word(at + word);
        let details = board.layout.profile.details;
        let detail = |at: usize| if details { word(at) } else { 0 };
        let key = bytes(board.slice(at + shape.header, shape.key_len.div_ceil(8)), shape.key_len)
            .ok_or_else(|| {
                Finding::new("record-shape", format!("block {block}: the key is not padded with zeros"))
            })?;
        if std::str::from_utf8(&key).is_err() {
            return Err(Finding::new("record-shape", format!("block {block}: the key is not UTF-8")));
        }
        let (value, pieces) = read_value(board, block, &shape)?;
        let hash = board.layout.hash(&key);
        if details && word(9) != checksum(board.slice(at, shape.header), hash, &value) {
            let what =
                format!("block {block}: invalid checksum of a record of {:?}", String::from_utf8_lossy(&key));
            return Err(Finding::new("record-checksum", what));
        }
        let generation = match board.gen_word(block) {
            GenWord::Generation(generation) => Some(generation),
            _ => None,
        };
        Ok(Self {
            block,
            generation,
            version: word(0),
            previous: Head(word(1)),
            head_at: (word(2) >> 32) as usize,
            kind: shape.kind,
            codec: (word(3) >> 15) as u8,
            writer: Writer(detail(4)),
            created: detail(6),
            deadline: if details { word(7) } else { word(3) >> 46 },
            ephemeral: Writer(detail(8)),
            superseded: word(3) >> 23 & SUPERSEDED_MAX,
            granules: shape.words().div_ceil(board.layout.granule_words) as u64,
            key,
            hash,
            value,
            pieces,
        })
    }

    /// Key and version, for findings.
    pub fn name(&self) -> String {
        format!("{:?} version {}", String::from_utf8_lossy(&self.key), self.version)
    }

    pub fn is_tombstone(&self) -> bool {
        !self.kind.has_value()
    }
}

fn read_shape(board: &Board<'_>, block: u32) -> Result<Shape, Finding> {
    let bad = |what: &str| Finding::new("record-shape", format!("block {block}: {what}"));
    let size = board.size_of(block).ok_or_else(|| bad("no block starts there"))? as usize;
    let room = size * board.layout.granule_words;
    let header = board.layout.profile.record_words();
    if room < header {
        return Err(bad("the block is shorter than a record's header"));
    }
    let at = board.layout.data(block);
    let word = board.word(at + 3);
    let kind = match word >> 11 & 7 {
        0 => Kind::Put,
        1 => Kind::Touched,
        4 => Kind::Removed,
        5 => Kind::Expired,
        6 => Kind::Detached,
        7 => Kind::Died,
        _ => return Err(bad("invalid kind")),
    };
    let value_len = (board.word(at + 2) & 0xffff_ffff) as usize;
    let shape =
        Shape { key_len: (word & 0x7ff) as usize, value_len, chained: word >> 14 & 1 == 1, kind, header };
    if (board.layout.profile.details && word >> 46 != 0) || !(1..=1024).contains(&shape.key_len) {
        return Err(bad("invalid length of the key"));
    }
    if value_len as u64 > board.layout.value_max || (!kind.has_value() && value_len > 0) {
        return Err(bad("invalid length of the value"));
    }
    let whole = shape.words();
    if shape.chained != (whole > board.layout.extent_words()) {
        return Err(bad("a chained value that fits an extent, or one in a block that does not"));
    }
    let list = value_len.div_ceil(board.layout.extent_words() * 8);
    let words = if shape.chained { shape.value_at() + list } else { whole };
    if words > room {
        return Err(bad("the record is longer than its block"));
    }
    Ok(shape)
}

fn read_value(board: &Board<'_>, block: u32, shape: &Shape) -> Result<(Vec<u8>, Vec<u32>), Finding> {
    let at = board.layout.data(block) + shape.value_at();
    if !shape.chained {
        let value = unpadded(board.slice(at, shape.value_len.div_ceil(8)), shape.value_len);
        return Ok((value, Vec::new()));
    }
    let piece_words = board.layout.extent_words();
    let (mut value, mut pieces) = (Vec::with_capacity(shape.value_len), Vec::new());
    while value.len() < shape.value_len {
        let len = (shape.value_len - value.len()).min(piece_words * 8);
        let listed = board.word(at + pieces.len());
        let bad = |what: &str| Finding::new("pieces", format!("block {block} lists piece {listed}: {what}"));
        let piece = u32::try_from(listed).ok().filter(|&piece| piece < board.layout.granules);
        let piece = piece.ok_or_else(|| bad("the block does not exist"))?;
        let size = board.size_of(piece).ok_or_else(|| bad("no block starts there"))?;
        if (size as usize * board.layout.granule_words) < len.div_ceil(8) {
            return Err(bad("the block is too short"));
        }
        value.extend(unpadded(board.slice(board.layout.data(piece), len.div_ceil(8)), len));
        pieces.push(piece);
    }
    Ok((value, pieces))
}

/// The first `len` bytes of the words; `None` where the rest of the last word is not zero.
fn bytes(words: &[u64], len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(words.len() * 8);
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    let rest = bytes.split_off(len);
    rest.iter().all(|&byte| byte == 0).then_some(bytes)
}

/// The first `len` bytes of the words.
fn unpadded(words: &[u64], len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(words.len() * 8);
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    bytes.truncate(len);
    bytes
}

/// The checksum of a record, as the format defines it.
fn checksum(header: &[u64], key_hash: u64, value: &[u8]) -> u64 {
    let mut sum = fold(key_hash ^ 0x9e37_79b9_7f4a_7c15, xxh3_64(value) ^ 0xd6e8_feb8_6659_fd93);
    for pair in header[..8].chunks(2) {
        sum = fold(sum ^ pair[0], pair[1] ^ 0xa076_1d64_78bd_642f).wrapping_add(sum.rotate_left(23));
    }
    fold(sum ^ header[8], 0xe703_7ed1_a0b4_28db) ^ sum
}

/// The halves of the product of two words, folded.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
