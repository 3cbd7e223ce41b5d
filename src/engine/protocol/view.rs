//! The board at one generation, and single events of the history.
//!
//! From a slot's head, `previous` leads from record to record to the one that was current at the
//! generation. Each event owns the block that it superseded, so those records are whole while the floor
//! has not passed the generation.

use super::{
    Core, Fault,
    copy::Proof,
    read::Verify,
    slots::{Key, Slot, SlotHead, slots_of},
    survey::Damaged,
};
use crate::layout::{
    Block, GenWord, Head, HeadKind, RingWord,
    record::{self, RecordHeader},
};

/// A key's record at the generation of a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The rest of the record.
    pub header: RecordHeader,
    /// The generation of its event.
    pub generation: u64,
}

/// An event, as the ring and its blocks tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// The record that the event produced.
    pub item: Item,
    /// The key's previous record; `None` if it had no value.
    pub previous: Option<Item>,
}

/// A generation at which the board can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// The generation.
    pub generation: u64,
    /// The largest floor at which the point can still be read.
    floor_max: u64,
}

impl Core<'_> {
    /// The newest generation as readers see it: that of the counter, or of the event after it, if that is in the ring
    /// and its block has its generation word. A read may already have reported that event, and the thread that was to
    /// count it may be stopped or killed. Readers cannot count it, because they store nothing.
    ///
    /// The result is not less than any generation that a read by this caller reported before. Let that be `g`. The
    /// thread that gave the block the word `g` had read the counter at `g - 1` and the ring word of `g`, so the counter
    /// is at least `g - 1` here (P3, P4). Only the event after it can be missing, because no event enters before the
    /// previous one is counted. If the counter is still `g - 1`, there are three cases:
    ///
    /// - The ring word names `g`, and its block says `g`. Then that is the answer.
    /// - The ring word is of a later lap, or the block is in a later life. Both come after the counter passed `g`, and
    ///   loading them carries it (P5, P7). So the second load of the counter finds it.
    /// - An earlier ring word cannot be read any more.
    ///
    /// All events up to the answer are visible: the counter carries those up to itself (P4), and the generation word
    /// carries the additional one (P3).
    #[inline]
    pub fn newest(&self) -> u64 {
        let counted = self.generation();
        let next = counted + 1;
        let (word, lap) = (self.ring_word(next), self.geo.lap(next));
        if word.lap() < lap {
            return counted;
        }
        if self.is_entered(next, word) { next } else { self.generation() }
    }

    /// The present.
    pub fn point(&self) -> Point {
        let generation = self.newest();
        Point { generation, floor_max: Self::floor_max(generation, self.generation()) }
    }

    /// The board at `generation`. The newest event, which readers may have seen before it was counted, is also
    /// accepted. It is not completed here, because a reader stores nothing.
    pub fn point_at(&self, generation: u64) -> Result<Point, Fault> {
        let counted = self.generation();
        if generation > counted && generation > self.newest() {
            return Err(Fault::Future);
        }
        let floor_max = Self::floor_max(generation, counted);
        if self.floor() > floor_max { Err(Fault::Lagged) } else { Ok(Point { generation, floor_max }) }
    }

    /// The largest floor at which a point can be read. For a generation that is not counted yet it is one less.
    fn floor_max(generation: u64, counted: u64) -> u64 {
        if generation <= counted { generation } else { generation - 1 }
    }

    /// Whether the event at `position` is in the ring as `word`, and its block says so.
    fn is_entered(&self, position: u64, word: RingWord) -> bool {
        let block = self.block(word.block()).filter(|_| word.lap() == self.geo.lap(position));
        block.is_some_and(|block| self.load_gen(block) == GenWord::Generation(position))
    }

    pub(super) fn proof(&self, point: Point) -> Proof {
        Proof::Floor(point.floor_max)
    }

    /// Returns `Lagged` if the point has left the history.
    pub fn still_there(&self, point: Point) -> Result<(), Fault> {
        if self.holds(self.proof(point)) { Ok(()) } else { Err(Fault::Lagged) }
    }

    /// The key's record at the point; `None` if it had no value.
    pub fn get_at(&self, key: &Key<'_>, point: Point, verify: Verify) -> Result<Option<Item>, Fault> {
        let mut chain = self.chain(key.bucket);
        for hash_at in chain.by_ref().flat_map(slots_of) {
            let Some(found) = self.stable_slot(hash_at, Some(key.fingerprint))? else { continue };
            let Some(block) = self.block(found.head.block()) else {
                return self.refused(point, "a slot's block");
            };
            if !self.key_is(block, key) {
                self.still_there(point)?;
                continue;
            }
            return self.item_at(found, point, verify).and_then(|item| same_key(item, key.bytes));
        }
        self.still_there(point)?;
        // The key may be behind the damage.
        chain.ended()?;
        Ok(None)
    }

    /// The hash and head of a LIVE slot, of one life. `None` if the slot is not LIVE, or does not have the fingerprint.
    pub(super) fn stable_slot(
        &self,
        hash_at: usize,
        fingerprint: Option<u16>,
    ) -> Result<Option<SlotHead>, Fault> {
        for _ in 0..64 {
            if let Some((hash, head)) = self.slot_at(hash_at) {
                let wanted = fingerprint.is_none_or(|wanted| wanted == hash.fingerprint());
                return match head.kind() {
                    Some(HeadKind::Live) if wanted => {
                        Ok(Some(SlotHead { slot: Slot { head_at: hash_at + 1, hash }, head }))
                    }
                    Some(HeadKind::Moved) => Err(Fault::Moved),
                    None if wanted => Err(Fault::Corrupt("a slot's head")),
                    _ => Ok(None),
                };
            }
        }
        Err(Fault::Contended)
    }

    fn refused<T>(&self, point: Point, what: &'static str) -> Result<T, Fault> {
        self.still_there(point)?;
        Err(Fault::Corrupt(what))
    }

    /// Follows the heads back from the one that was found to the record that was current at the point. If that is the
    /// newest record, the caller checks after the copy whether the slot's life continues ([`Core::lives`]); if it
    /// ended, the key was removed at the point or before. Older records belong to events.
    pub(super) fn record_at(&self, found: SlotHead, point: Point) -> Result<Option<(Block, u64)>, Fault> {
        let mut head = found.head;
        for step in 0..=self.geo.history() + 2 {
            if !head.is(HeadKind::Live) {
                self.still_there(point)?;
                return Ok(None);
            }
            let Some(block) = self.block(head.block()) else {
                return self.refused(point, "a record's block");
            };
            let gen_word = self.load_gen(block);
            if let GenWord::Generation(generation) = gen_word
                && generation <= point.generation
            {
                return Ok(Some((block, generation)));
            }
            head = Head(self.record_word(block, record::PREVIOUS));
            if step == 0 && !self.lives(found.slot) {
                return self.still_there(point).map(|()| None);
            }
            if !matches!(gen_word, GenWord::Generation(_) | GenWord::Unlogged(_)) {
                return self.refused(point, "a block's generation word");
            }
        }
        self.refused(point, "a key's records, which lead round")
    }

    fn item_at(&self, found: SlotHead, point: Point, verify: Verify) -> Result<Option<Item>, Fault> {
        let Some((block, generation)) = self.record_at(found, point)? else { return Ok(None) };
        let copied = self.copy_item(block, generation, self.proof(point), verify);
        if !self.lives(found.slot) {
            return self.still_there(point).map(|()| None);
        }
        let item = copied?.ok_or(Fault::Lagged)?;
        if item.header.slot as usize != found.slot.head_at {
            return Err(Fault::Corrupt("a record's slot"));
        }
        Ok((!item.header.kind.is_tombstone()).then_some(item))
    }

    /// Copies key and value. Returns `None` if the proof does not hold.
    pub(super) fn copy_item(
        &self,
        block: Block,
        generation: u64,
        proof: Proof,
        verify: Verify,
    ) -> Result<Option<Item>, Fault> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let keyed = self.copy_key(block, &mut key);
        let copied = keyed.and_then(|_| self.copy(block, &mut value));
        if !self.holds(proof) {
            return Ok(None);
        }
        let words = copied.ok_or(Fault::Corrupt("a record's lengths"))?;
        if verify == Verify::Always && !words.is_sound(self.geo.hash(&key), &value) {
            return Err(Fault::Corrupt("a record's checksum"));
        }
        let header = words.unpack().ok_or(Fault::Corrupt("a record's lengths"))?;
        Ok(Some(Item { key, value, header, generation }))
    }

    /// Calls `each` with every key that starts with the prefix and has a value at the point, in no particular order. A
    /// damaged record is reported as damage, and the walk continues.
    pub fn list_at(
        &self,
        prefix: &str,
        point: Point,
        verify: Verify,
        mut each: impl FnMut(Result<Item, Damaged>),
    ) -> Result<(), Fault> {
        for bucket in self.geo.shards_of_prefix(prefix).flat_map(|shard| self.geo.shard_buckets(shard)) {
            let mut chain = self.chain(bucket);
            for hash_at in chain.by_ref().flat_map(slots_of) {
                match self.listed(bucket, hash_at, prefix, point, verify) {
                    Ok(Some(item)) => each(Ok(item)),
                    Ok(None) => {}
                    Err(Fault::Corrupt(what)) => {
                        let damaged = self.damaged(hash_at + 1, what);
                        if damaged.concerns(prefix) {
                            each(Err(damaged));
                        }
                    }
                    Err(fault) => return Err(fault),
                }
            }
            if let Err(Fault::Corrupt(what)) = chain.ended() {
                each(Err(Damaged::link(what)));
            }
        }
        self.still_there(point)
    }

    /// The slot's record at the point, if its key starts with the prefix.
    fn listed(
        &self,
        bucket: usize,
        hash_at: usize,
        prefix: &str,
        point: Point,
        verify: Verify,
    ) -> Result<Option<Item>, Fault> {
        let Some(found) = self.stable_slot(hash_at, None)? else { return Ok(None) };
        if !prefix.is_empty() {
            let mut key = Vec::new();
            let Some(block) = self.block(found.head.block()) else {
                return self.refused(point, "a slot's block");
            };
            if self.copy_key(block, &mut key).is_none() {
                if !self.lives(found.slot) {
                    return self.still_there(point).map(|()| None);
                }
                return self.refused(point, "a record's lengths");
            }
            if !key.starts_with(prefix.as_bytes()) {
                self.still_there(point)?;
                return Ok(None);
            }
        }
        let fingerprint = found.slot.hash.fingerprint();
        let Some(item) = self.item_at(found, point, verify)? else { return Ok(None) };
        if !item.key.starts_with(prefix.as_bytes()) {
            return Err(Fault::Corrupt("a superseded record's key"));
        }
        // A list must not report a key that a get does not find.
        let fits = self.fits_slot(bucket, fingerprint, &item.key);
        if fits { Ok(Some(item)) } else { Err(Fault::Corrupt("the hash of a record's slot")) }
    }

    /// The event at `position`, with what it superseded. `filter` sees the key before the values are copied. Returns
    /// `Ok(None)` if it rejects the key.
    pub fn event(
        &self,
        position: u64,
        verify: Verify,
        filter: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<EventRecord>, Fault> {
        // Nearly every requested event is counted.
        if self.generation() < position && self.newest() < position {
            return Err(Fault::Future);
        }
        // Generation 0 has no event.
        let before = position.checked_sub(1).ok_or(Fault::Lagged)?;
        // The event's blocks are complete while the floor is below it.
        let proof = Proof::Floor(before);
        let block = self.event_block(position, proof)?;
        let mut key = Vec::new();
        if self.copy_key(block, &mut key).is_none() {
            return self.gone(proof, "a record's lengths");
        }
        if !filter(&key) {
            return if self.holds(proof) { Ok(None) } else { Err(Fault::Lagged) };
        }
        let previous = Head(self.record_word(block, record::PREVIOUS));
        let item = self.copy_item(block, position, proof, verify)?.ok_or(Fault::Lagged)?;
        let previous = same_key(self.previous_item(previous, proof, verify)?, &item.key)?;
        Ok(Some(EventRecord { item, previous }))
    }

    /// The block of the event at `position`. It is complete while the proof holds.
    pub(super) fn event_block(&self, position: u64, proof: Proof) -> Result<Block, Fault> {
        let word = self.ring_word(position);
        let ours = word.lap() == self.geo.lap(position) && word.is_single();
        let Some(block) = self.block(word.block()).filter(|_| ours) else {
            return self.gone(proof, "a word of the history ring");
        };
        if self.load_gen(block) == GenWord::Generation(position) {
            Ok(block)
        } else {
            self.gone(proof, "the generation word of an event")
        }
    }

    /// Reports damage if the proof holds. Otherwise the event has left the history.
    pub(super) fn gone<T>(&self, proof: Proof, what: &'static str) -> Result<T, Fault> {
        Err(if self.holds(proof) { Fault::Corrupt(what) } else { Fault::Lagged })
    }

    /// The key of an unreadable event, if its record still tells it.
    pub fn event_key(&self, position: u64) -> Option<Vec<u8>> {
        let proof = Proof::Floor(position.checked_sub(1)?);
        let block = self.event_block(position, proof).ok()?;
        let head_at = self.header_words(block)?.slot();
        let bucket = self.bucket_of_slot(head_at)?;
        // While the event is in the history, its slot does not pass to another key.
        let (hash, _) = self.slot_at(head_at - 1)?;
        let mut bytes = Vec::new();
        self.copy_key(block, &mut bytes)?;
        let fits = self.fits_slot(bucket, hash.fingerprint(), &bytes);
        (fits && self.holds(proof)).then_some(bytes)
    }

    /// What an event superseded; `None` if that was nothing, or a tombstone.
    fn previous_item(&self, previous: Head, proof: Proof, verify: Verify) -> Result<Option<Item>, Fault> {
        let Some(block) = self.block(previous.block()).filter(|_| previous.is(HeadKind::Live)) else {
            return Ok(None);
        };
        let generation = match self.load_gen(block) {
            GenWord::Generation(generation) => generation,
            _ if self.holds(proof) => return Err(Fault::Corrupt("a superseded record")),
            _ => return Err(Fault::Lagged),
        };
        let item = self.copy_item(block, generation, proof, verify)?.ok_or(Fault::Lagged)?;
        Ok((!item.header.kind.is_tombstone()).then_some(item))
    }
}

/// The item, if it belongs to the key. If damage let a superseded record go too early, its block may now hold a sound
/// record of another key.
fn same_key(item: Option<Item>, key: &[u8]) -> Result<Option<Item>, Fault> {
    let other = item.as_ref().is_some_and(|item| item.key != key);
    if other { Err(Fault::Corrupt("a superseded record's key")) } else { Ok(item) }
}
