//! What each word of a region is, by the layout alone.

use slateboard::{
    layout::{
        Block, GenWord, Geometry, Guard, Head, RingWord, SlotHash, State, geometry,
        groups::GROUP_WORDS,
        header,
        record::{self, RecordHeader},
        session,
    },
    sync::search::Access,
};

/// What a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The generation counter.
    Generation,
    /// The floor.
    Floor,
    /// A word of the history ring, by its index.
    Ring(u32),
    /// A block's state word.
    State(u32),
    /// A block's generation word.
    Gen(u32),
    /// A word of a granule of the data area.
    Data(u32, u32),
    /// A bucket's guard.
    Guard,
    /// A bucket's link.
    Link,
    /// A slot's hash, by its position in the table.
    Hash(u32),
    /// A slot's head, by its position in the table.
    Head(u32),
    /// A word of a session's record.
    Session(u32, u32),
    /// A shard's word.
    Shard(u32),
    /// A word of a group of buckets.
    Group(u32),
    /// An extent's class, and its hint.
    Class(u32, bool),
    /// A word of the name table.
    Name(u32),
    /// Another word of the header.
    Header(u32),
    /// The word outside of the region: sessions to reap.
    Mail,
}

/// The place of every word, the one outside of the region last.
pub fn places(geo: &Geometry) -> Vec<Place> {
    let mut places: Vec<Place> = (0..geo.words() as u32).map(Place::Header).collect();
    for at in 0..geo.sessions() * session::RECORD_WORDS {
        let (index, word) = (at / session::RECORD_WORDS, at % session::RECORD_WORDS);
        places[geo.session(0) + at] = Place::Session(index as u32, word as u32);
    }
    for at in 0..geo.names() * session::NAME_WORDS {
        places[geo.name(0) + at] = Place::Name((at / session::NAME_WORDS) as u32);
    }
    for at in 0..geo.shards() * geometry::SHARD_WORDS {
        places[geo.shard(0) + at] = Place::Shard((at % geometry::SHARD_WORDS) as u32);
    }
    for group in 0..geo.groups().count() {
        for word in 0..GROUP_WORDS {
            places[geo.groups().word(group) + word] = Place::Group(word as u32);
        }
    }
    for bucket in 0..geo.buckets() {
        let base = geo.bucket(bucket);
        (places[base], places[base + 1]) = (Place::Guard, Place::Link);
        for slot in 0..geometry::SLOTS {
            let number = (bucket * geometry::SLOTS + slot) as u32;
            (places[base + 2 + 2 * slot], places[base + 3 + 2 * slot]) =
                (Place::Hash(number), Place::Head(number));
        }
    }
    for index in 0..geo.history() {
        places[geo.ring(index + 1)] = Place::Ring(index as u32);
    }
    for extent in 0..geo.extents() {
        places[geo.extent(extent)] = Place::Class(extent, false);
        places[geo.extent(extent) + 1] = Place::Class(extent, true);
    }
    for block in blocks(geo) {
        places[geo.state(block)] = Place::State(block.index());
        places[geo.generation(block)] = Place::Gen(block.index());
        for word in 0..geo.granule_words() {
            places[geo.data(block) + word] = Place::Data(block.index(), word as u32);
        }
    }
    (places[header::GENERATION], places[header::FLOOR]) = (Place::Generation, Place::Floor);
    places.push(Place::Mail);
    places
}

/// All granules but the first, which is never a block.
pub fn blocks(geo: &Geometry) -> impl Iterator<Item = Block> + use<'_> {
    (1..geo.granules()).filter_map(|index| geo.block(index))
}

/// A word, as people read it.
pub fn show(place: Place, word: u64) -> String {
    match place {
        Place::Ring(_) => format!("{:?}", RingWord(word)),
        Place::State(_) => format!("{:?}", State(word)),
        Place::Gen(_) => format!("{:?}", GenWord::unpack(word)),
        Place::Guard => format!("{:?}", Guard(word)),
        Place::Hash(_) => format!("{:?}", SlotHash(word)),
        Place::Head(_) | Place::Data(_, 1) => format!("{:?}", Head(word)),
        _ => format!("{word:#x}"),
    }
}

/// What an access did to a word that was `old`, as people read it.
pub fn does(place: Place, access: Access, old: u64) -> String {
    let before = show(place, old);
    match access {
        Access::Load => format!("{place:?} reads {before}"),
        Access::CompareExchange { new, current } if current == old => {
            format!("{place:?} {before} -> {}", show(place, new))
        }
        Access::CompareExchange { current, .. } => {
            format!("{place:?} fails: {before}, not {}", show(place, current))
        }
        _ => format!("{place:?} {before} => {}", show(place, access.effect(old))),
    }
}

/// A record, read from words that stand still.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its header.
    pub header: RecordHeader,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// The pieces of a chained value.
    pub pieces: Vec<Block>,
}

impl Record {
    /// Whether the key is absent after it.
    pub fn removes(&self) -> bool {
        self.header.kind.is_tombstone()
    }
}

/// The record in a block; `None` where its words cannot be one.
pub fn record(words: &[u64], geo: &Geometry, block: Block) -> Option<Record> {
    let base = geo.data(block);
    let head: [u64; record::HEADER_WORDS] = words.get(base..base + record::HEADER_WORDS)?.try_into().ok()?;
    let header = record::PackedHeader(head).unpack()?;
    let key = bytes(words, base + record::HEADER_WORDS, usize::from(header.key_len))?;
    let (at, len) = (base + header.value_at(), header.value_len as usize);
    let mut pieces = Vec::new();
    let value = if header.in_pieces {
        let each = geo.extent_granules() as usize * geo.granule_words() * 8;
        let mut value = Vec::new();
        for number in 0..len.div_ceil(each) {
            let piece = geo.block(u32::try_from(*words.get(at + number)?).ok()?)?;
            value.extend(bytes(words, geo.data(piece), (len - value.len()).min(each))?);
            pieces.push(piece);
        }
        value
    } else {
        bytes(words, at, len)?
    };
    Some(Record { header, key, value, pieces })
}

fn bytes(words: &[u64], at: usize, len: usize) -> Option<Vec<u8>> {
    let words = words.get(at..at.checked_add(len.div_ceil(8))?)?;
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(len);
    Some(bytes)
}
