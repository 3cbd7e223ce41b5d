//! Names for the states between instructions: what an image shows to be under way.

use slateboard::layout::{
    Block, GenWord, Geometry, Guard, GuardOp, Head, HeadKind, RingWord, SlotHash, State, StateKind, geometry,
    header, session,
};
use std::collections::BTreeSet;

/// A block that its owner has not published, or an overflow bucket that is not linked.
pub const PRIVATE: &str = "a private block";
/// A piece of a chain whose head is not published.
pub const PIECE: &str = "a piece of a private chain";
/// A live head whose record has no event.
pub const PUBLISHED: &str = "published, not in the history";
/// A ring word past the counter, whose block has no generation.
pub const ENTERED: &str = "in the ring, without its generation";
/// A ring word past the counter, whose block has its generation.
pub const UNCOUNTED: &str = "with its generation, not counted";
/// An event whose owner has not settled its block.
pub const UNSETTLED: &str = "counted, not settled";
/// A block that its owner is to free.
pub const DOOMED: &str = "doomed";
/// An intent to let an event go.
pub const INTENDED: &str = "a floor step intended";
/// An intent whose event is past the floor.
pub const FLOORED: &str = "a floor step made, its block not freed yet";
/// A guard that asks for a slot which has not got its hash.
pub const CLAIMED: &str = "a slot claimed, without its hash";
/// A slot waiting for its first record.
pub const OPEN: &str = "an open slot";
/// A slot whose key is gone.
pub const RETIRED: &str = "a retired slot";
/// A tombstone that is being given back.
pub const LIMBO: &str = "a tombstone half given back";
/// A bucket in the making.
pub const BUCKET: &str = "a bucket not linked";
/// A name in the making.
pub const NAME: &str = "a name half made";

/// What an image shows to be under way.
pub fn of(words: &[u64], geometry: &Geometry) -> BTreeSet<&'static str> {
    let image = Image { words, geometry };
    let mut seen = BTreeSet::new();
    image.blocks(&mut seen);
    image.heads(&mut seen);
    image.entered(&mut seen);
    image.sessions(&mut seen);
    seen
}

struct Image<'i> {
    words: &'i [u64],
    geometry: &'i Geometry,
}

impl Image<'_> {
    fn gen_word(&self, block: Block) -> GenWord {
        GenWord::unpack(self.words[self.geometry.generation(block)])
    }

    fn state(&self, block: Block) -> State {
        State(self.words[self.geometry.state(block)])
    }

    fn blocks(&self, seen: &mut BTreeSet<&'static str>) {
        let generation = self.words[header::GENERATION];
        for block in (1..self.geometry.granules()).filter_map(|index| self.geometry.block(index)) {
            let state = self.state(block);
            let name = match (state.kind(), self.gen_word(block)) {
                (StateKind::Inflight, GenWord::Unlogged(_)) => PRIVATE,
                (StateKind::Inflight, GenWord::Bucket(_)) => BUCKET,
                (StateKind::Inflight, GenWord::Generation(own)) if own <= generation => UNSETTLED,
                (StateKind::Doomed, _) => DOOMED,
                (StateKind::Part, GenWord::Parent { block, tag }) if self.is_private(block, tag) => PIECE,
                _ => continue,
            };
            seen.insert(name);
        }
    }

    /// Whether the head of a chain is still its owner's alone.
    fn is_private(&self, head: u32, tag: u64) -> bool {
        self.geometry.block(head).is_some_and(|head| {
            let state = self.state(head);
            state.is(StateKind::Inflight)
                && state.tag() == tag
                && self.gen_word(head) == GenWord::Unlogged(tag)
        })
    }

    /// First words of a chain's buckets.
    fn chain(&self, bucket: usize) -> Vec<usize> {
        let mut chain = vec![self.geometry.bucket(bucket)];
        while let Some(block) = self.geometry.block(self.words[chain[chain.len() - 1] + 1] as u32) {
            chain.push(self.geometry.data(block));
        }
        chain
    }

    fn heads(&self, seen: &mut BTreeSet<&'static str>) {
        for bucket in 0..self.geometry.buckets() {
            let slots = self
                .chain(bucket)
                .into_iter()
                .flat_map(|base| (0..geometry::SLOTS).map(move |slot| base + 2 + 2 * slot));
            let slots: Vec<_> =
                slots.map(|at| (SlotHash(self.words[at]), Head(self.words[at + 1]))).collect();
            for (_, head) in &slots {
                let block = self.geometry.block(head.block());
                let unlogged =
                    block.is_some_and(|block| matches!(self.gen_word(block), GenWord::Unlogged(_)));
                match head.kind() {
                    Some(HeadKind::Live) if unlogged => seen.insert(PUBLISHED),
                    Some(HeadKind::Open) => seen.insert(OPEN),
                    Some(HeadKind::Retired) if block.is_some() => seen.insert(LIMBO) | seen.insert(RETIRED),
                    Some(HeadKind::Retired) => seen.insert(RETIRED),
                    _ => false,
                };
            }
            let guard = Guard(self.words[self.geometry.bucket(bucket)]);
            if let Some(GuardOp::Claim { slot, .. }) = guard.op()
                && slots.get(usize::from(slot)).is_some_and(|(hash, _)| hash.number() < guard.number())
            {
                seen.insert(CLAIMED);
            }
        }
    }

    fn entered(&self, seen: &mut BTreeSet<&'static str>) {
        let position = self.words[header::GENERATION] + 1;
        let word = RingWord(self.words[self.geometry.ring(position)]);
        if let Some(block) =
            self.geometry.block(word.block()).filter(|_| word.lap() == self.geometry.lap(position))
        {
            let named = self.gen_word(block) == GenWord::Generation(position);
            seen.insert(if named { UNCOUNTED } else { ENTERED });
        }
    }

    fn sessions(&self, seen: &mut BTreeSet<&'static str>) {
        for index in 0..self.geometry.sessions() {
            for lane in 0..session::LANES {
                let event =
                    self.words[self.geometry.session(index) + session::intent(lane) + session::INTENT_EVENT];
                if event != 0 {
                    seen.insert(INTENDED);
                }
                if event != 0 && self.words[header::FLOOR] >= event {
                    seen.insert(FLOORED);
                }
            }
        }
        let half = (1..self.geometry.names()).any(|name| self.words[self.geometry.name(name)] & 0xff == 1);
        if half {
            seen.insert(NAME);
        }
    }
}
