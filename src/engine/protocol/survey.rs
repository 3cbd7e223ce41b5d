//! What lists need if they cannot be of one generation, or if they meet damage: the keys that live in the slots, and
//! the keys of unreadable records.

use super::{
    Core, Fault, Tries,
    copy::Proof,
    slots::{Key, Slot, slots_of},
};
use crate::layout::{Head, HeadKind, record};

/// A damaged record, or a damaged word on the way to one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// A description of the damage.
    pub what: &'static str,
    /// The key, if a record of the slot still tells it.
    pub key: Option<Vec<u8>>,
    /// The word of the slot's head; `None` if the damage prevents finding further slots.
    pub slot: Option<usize>,
}

impl Damaged {
    /// A damaged link: the slots behind it cannot be found.
    pub(super) const fn link(what: &'static str) -> Self {
        Self { what, key: None, slot: None }
    }

    /// Whether the damage may concern keys that start with the prefix.
    pub(super) fn concerns(&self, prefix: &str) -> bool {
        self.key.as_ref().is_none_or(|key| key.starts_with(prefix.as_bytes()))
    }
}

impl Core<'_> {
    /// Calls `each` with every key that starts with the prefix and lives in a slot during the whole walk. Keys that
    /// appear or disappear meanwhile may be included or not; such a key may come twice, from two slots. A read tells
    /// whether a key has a value. The walk does not need the history, so each key is complete however fast the board
    /// changes.
    pub fn present_keys(
        &self,
        prefix: &str,
        mut each: impl FnMut(Result<&[u8], Damaged>),
    ) -> Result<(), Fault> {
        let mut key = Vec::new();
        for bucket in self.geo.shards_of_prefix(prefix).flat_map(|shard| self.geo.shard_buckets(shard)) {
            let mut chain = self.chain(bucket);
            for hash_at in chain.by_ref().flat_map(slots_of) {
                match self.living_key(bucket, hash_at, &mut key) {
                    Ok(true) if key.starts_with(prefix.as_bytes()) => each(Ok(&key)),
                    Ok(_) => {}
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
        Ok(())
    }

    /// Replaces `key` with the key that lives in the slot of the chain. Returns whether one does.
    fn living_key(&self, bucket: usize, hash_at: usize, key: &mut Vec<u8>) -> Result<bool, Fault> {
        let mut tries = Tries::new();
        loop {
            // This must be loaded before the head.
            let since = self.generation();
            if let Some((hash, head)) = self.slot_at(hash_at) {
                match head.kind() {
                    Some(HeadKind::Live) => {}
                    Some(HeadKind::Moved) => return Err(Fault::Moved),
                    Some(_) => return Ok(false),
                    None => return Err(Fault::Corrupt("a slot's head")),
                }
                let copied = self.block(head.block()).and_then(|block| self.copy_key(block, key));
                let slot = Slot { head_at: hash_at + 1, hash };
                if self.holds(Proof::HeadOrFloor(slot, head, since)) {
                    let fits = copied.is_some() && self.fits_slot(bucket, hash.fingerprint(), key);
                    return if fits { Ok(true) } else { Err(Fault::Corrupt("a record's key")) };
                }
            }
            tries.again(since, "a slot's head")?;
        }
    }

    /// Whether the bytes are a key with this fingerprint that can live in a slot of this chain.
    pub(super) fn fits_slot(&self, bucket: usize, fingerprint: u16, bytes: &[u8]) -> bool {
        let key = std::str::from_utf8(bytes).map(|key| Key::new(self.geo, key));
        key.is_ok_and(|key| (key.bucket, key.fingerprint) == (bucket, fingerprint))
    }

    /// The damage of the slot whose head is at this word, with the key that lives there.
    pub(super) fn damaged(&self, head_at: usize, what: &'static str) -> Damaged {
        Damaged { what, key: self.slot_name(head_at), slot: Some(head_at) }
    }

    /// The key of a slot, if a record still tells it: the newest record, or one that it superseded. The key is accepted
    /// if it matches the slot.
    fn slot_name(&self, head_at: usize) -> Option<Vec<u8>> {
        let bucket = self.bucket_of_slot(head_at)?;
        let (hash, mut head) = self.slot_at(head_at - 1)?;
        let mut key = Vec::new();
        for _ in 0..RECORDS {
            let block = self.block(head.block()).filter(|_| head.is(HeadKind::Live))?;
            if self.copy_key(block, &mut key).is_some() && self.fits_slot(bucket, hash.fingerprint(), &key) {
                return Some(key);
            }
            head = Head(self.record_word(block, record::PREVIOUS));
        }
        None
    }
}

/// How many records of a slot are tried to find its key.
const RECORDS: usize = 8;
