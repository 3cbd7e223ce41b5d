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
    record::{self, RecordHeader, RecordKind},
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
    /// Generation of its event.
    pub generation: u64,
}

/// An event, as the ring and its blocks tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// What the event made of the key.
    pub item: Item,
    /// What the key had before; `None` where it had nothing.
    pub previous: Option<Item>,
}

/// A point in time that can be read at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// The generation.
    pub generation: u64,
    /// The floor may be this at most.
    floor_max: u64,
}

impl Core<'_> {
    /// The newest generation as readers see it: that of the counter, or of the event after it, where that is entered
    /// and its block has its generation word. A read may have told of that event already, and whoever was to count it
    /// may be stopped, or killed. Readers cannot count it, since they store nothing.
    ///
    /// Not less than any generation that a read by this caller told before. Say that is `g`. Whoever gave the block the
    /// word `g` had read the counter at `g - 1` and the ring word of `g`, so the counter is at least `g - 1` here (P3,
    /// P4), and only the event after it can be missing: no event enters before the one before it is counted. Where the
    /// counter still says `g - 1`:
    ///
    /// - the ring word names `g`, and its block says `g`: that is the answer;
    /// - the ring word is of a later lap, or the block is in a later life. Both come after the counter passed `g`, and
    ///   loading them carries it (P5, P7): the second look at the counter finds it;
    /// - an earlier ring word cannot be read any more.
    ///
    /// The answer has all events up to it: the counter carries those up to itself (P4), and the one more is carried by
    /// its generation word (P3).
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

    /// The board at `generation`. The newest event, which readers may have seen before it was counted, is
    /// accepted too, without helping it: a reader stores nothing.
    pub fn point_at(&self, generation: u64) -> Result<Point, Fault> {
        let counted = self.generation();
        if generation > counted && generation > self.newest() {
            return Err(Fault::Future);
        }
        let floor_max = Self::floor_max(generation, counted);
        if self.floor() > floor_max { Err(Fault::Lagged) } else { Ok(Point { generation, floor_max }) }
    }

    /// What the floor may be for a point: of one that was not counted yet, less by one.
    fn floor_max(generation: u64, counted: u64) -> u64 {
        if generation <= counted { generation } else { generation - 1 }
    }

    /// Whether the event at `position` is in the ring, as `word`, and its block says so.
    fn is_entered(&self, position: u64, word: RingWord) -> bool {
        let block = self.block(word.block()).filter(|_| word.lap() == self.geo.lap(position));
        block.is_some_and(|block| self.load_gen(block) == GenWord::Generation(position))
    }

    pub(super) fn proof(&self, point: Point) -> Proof {
        Proof::Floor(point.floor_max)
    }

    /// `Lagged` where the point has left the history.
    pub fn still_there(&self, point: Point) -> Result<(), Fault> {
        if self.holds(self.proof(point)) { Ok(()) } else { Err(Fault::Lagged) }
    }

    /// The key's record at the point; `None` where it had no value.
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
        // Behind damage it may be there.
        chain.ended()?;
        Ok(None)
    }

    /// A LIVE slot with its hash and head of one life; `None` for a slot that is not LIVE, or not of the
    /// fingerprint.
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

    /// Follows the heads back from the one found to the record that was current at the point. Where that is the newest,
    /// whoever copies it asks afterwards whether the slot's life went on ([`Core::lives`]): where it ended the key was
    /// removed at the point or before. The records before the newest belong to events.
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

    /// Copies key and value; `None` where the proof does not hold.
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

    /// Calls `each` with every key that starts with the prefix and has a value at the point, in no order.
    /// A damaged record is given as what is damaged, and the rest goes on.
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
        // Where a get does not find it, a list must not tell it either.
        let fits = self.fits_slot(bucket, fingerprint, &item.key);
        if fits { Ok(Some(item)) } else { Err(Fault::Corrupt("the hash of a record's slot")) }
    }

    /// The event at `position`, with what it superseded. `filter` sees the key before the values are
    /// copied; `Ok(None)` where it says no.
    pub fn event(
        &self,
        position: u64,
        verify: Verify,
        filter: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<EventRecord>, Fault> {
        // Nearly every event that is asked for is counted.
        if self.generation() < position && self.newest() < position {
            return Err(Fault::Future);
        }
        // No event led to generation 0.
        let before = position.checked_sub(1).ok_or(Fault::Lagged)?;
        // The event's blocks are whole while the floor is below it.
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

    /// The block of the event at `position`, whole while the proof holds.
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

    /// Damage, if the proof holds; otherwise the event has left the history.
    pub(super) fn gone<T>(&self, proof: Proof, what: &'static str) -> Result<T, Fault> {
        Err(if self.holds(proof) { Fault::Corrupt(what) } else { Fault::Lagged })
    }

    /// The key of an event that cannot be read, where its record still tells it.
    pub fn event_key(&self, position: u64) -> Option<Vec<u8>> {
        let proof = Proof::Floor(position.checked_sub(1)?);
        let block = self.event_block(position, proof).ok()?;
        let bucket = self.bucket_of_slot(self.header_words(block)?.slot())?;
        let mut bytes = Vec::new();
        self.copy_key(block, &mut bytes)?;
        let fits = std::str::from_utf8(&bytes).is_ok_and(|key| Key::new(self.geo, key).bucket == bucket);
        (fits && self.holds(proof)).then_some(bytes)
    }

    /// What an event superseded; `None` where that was nothing, or a tombstone.
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
        Ok((item.header.kind == RecordKind::Value).then_some(item))
    }
}

/// The item, if it is the key's. A superseded record that damage let go too early may be another key's by now,
/// and sound.
fn same_key(item: Option<Item>, key: &[u8]) -> Result<Option<Item>, Fault> {
    let other = item.as_ref().is_some_and(|item| item.key != key);
    if other { Err(Fault::Corrupt("a superseded record's key")) } else { Ok(item) }
}
