//! One totally ordered history: how an event enters the ring, gets its generation and is counted.
//!
//! The history has no holes and no duplicates. A ring word changes only if nothing entered its position since it was
//! read, so the counter was still below that position. A block that had entered earlier would have shown its generation,
//! because `finish` writes the generation before it raises the counter. How events leave is `retention.rs`.

use super::{Core, Fault, Tries, lane::Lane};
use crate::layout::{Block, GenWord, RingWord, header, session::Counter};
use crate::sync::{
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// What `log` found out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Logged {
    /// The block's event has this generation, and the counter shows it.
    At(u64),
    /// The block had its event and began another life. Only helpers meet this: an owner's block is pinned.
    Past,
}

impl Core<'_> {
    /// Brings the block's event into the history. The block was proved published while its generation
    /// word was `UNLOGGED(tag)`.
    pub fn log(&self, lane: &mut Lane, block: Block, tag: u64) -> Result<Logged, Fault> {
        self.log_in(lane, block, tag, self.shard_of_block(block))
    }

    /// As [`Core::log`], of a block of this shard.
    #[inline]
    pub(super) fn log_in(
        &self,
        lane: &mut Lane,
        block: Block,
        tag: u64,
        shard: Option<usize>,
    ) -> Result<Logged, Fault> {
        let mut tries = Tries::new();
        loop {
            let generation = self.generation();
            let position = generation + 1;
            // After the generation, never before: that makes entries unique.
            match self.load_gen(block) {
                GenWord::Generation(own) => {
                    self.show(shard, own);
                    return Ok(Logged::At(own));
                }
                GenWord::Unlogged(other) if other == tag => {}
                GenWord::Unlogged(_) | GenWord::Parent { .. } | GenWord::Bucket(_) => {
                    return Ok(Logged::Past);
                }
                GenWord::None | GenWord::Unknown(_) => {
                    return Err(Fault::Corrupt("a block's generation word"));
                }
            }
            let lap = self.geo.lap(position);
            let word = self.ring_word(position);
            let entered = word.lap() == lap && self.block(word.block()).is_some();
            if entered {
                self.finish(position, word)?;
            } else if word.lap() == lap - 1 || self.is_damaged_at(position) {
                self.make_room(lane, position)?;
                let entry = RingWord::new(lap, block.index());
                let ring = self.at(self.geo.ring(position));
                // Release: who reads the ring word sees the block's UNLOGGED word and its record (P5).
                if ring.compare_exchange(word.0, entry.0, Release, Relaxed).is_ok() {
                    // Without another look at the counter: if the event is counted already, the block's word names
                    // its generation, and nothing here changes anything.
                    if !self.complete(position, block, GenWord::Unlogged(tag), shard) {
                        self.show(shard, position);
                    }
                    return Ok(Logged::At(position));
                }
            }
            // Otherwise this view is stale, and must not overwrite a newer entry.
            tries.again(generation ^ word.0.rotate_left(17), "a word of the history ring")?;
        }
    }

    /// Whether a ring word of neither this lap nor the last, or one that names no block, is damage and not a
    /// stale view: the counter stood still while it was read. Then it may be overwritten like the last lap's.
    fn is_damaged_at(&self, position: u64) -> bool {
        // Relaxed: the ring word was loaded with acquire, and carries the counter its writer saw (P5).
        self.at(header::GENERATION).load(Relaxed) == position - 1
    }

    /// Makes the counters show at least generation `own`, and wakes sleepers. A caller that is told its generation must
    /// find it in `events`, and whoever finished the event may have been stopped halfway.
    #[cold]
    fn show(&self, shard: Option<usize>, own: u64) {
        if let Some(shard) = shard {
            self.raise_shard(shard, own);
        }
        // Release: passes on what the event's finisher did (P4). Fails where it is shown already.
        let _ = self.at(header::GENERATION).compare_exchange(own.wrapping_sub(1), own, Release, Relaxed);
        if let Some(shard) = shard {
            self.wake(shard);
        }
    }

    /// Completes the event at `position`. Anyone may do it.
    pub fn finish(&self, position: u64, word: RingWord) -> Result<(), Fault> {
        let block = self.block(word.block()).ok_or(Fault::Corrupt("the block of an event"))?;
        // Acquire: before the generation; otherwise they might belong to a reused block.
        let gen_word = self.load_gen(block);
        let shard = self.shard_of_block(block);
        fence(Acquire);
        if self.generation() == position - 1 {
            self.complete(position, block, gen_word, shard);
        }
        Ok(())
    }

    /// Completes the event at `position`: its generation word, which was `gen_word`, its shard's counter, the
    /// board's counter. Nothing that a reader of the board's counter must find may be done after that is
    /// raised. Then sleepers are woken. Whether all that was done here: otherwise another did a part, and may have
    /// been stopped before it woke anybody.
    #[inline(always)]
    fn complete(&self, position: u64, block: Block, gen_word: GenWord, shard: Option<usize>) -> bool {
        if let GenWord::Unlogged(_) = gen_word {
            // Release: the generation word carries the ring entry and the record (P3).
            let own = GenWord::Generation(position).pack();
            let _ = self.gen_of(block).compare_exchange(gen_word.pack(), own, Release, Acquire);
        }
        if let Some(shard) = shard {
            self.raise_shard(shard, position);
        }
        // Read-modify-write, never a store: the release sequence through the counter is guarantee G1 (P4).
        let counter = self.at(header::GENERATION);
        let raised = counter.compare_exchange(position - 1, position, Release, Relaxed).is_ok();
        if raised {
            shard.into_iter().for_each(|shard| self.wake(shard));
        }
        raised
    }

    /// Completes the event that a killed finisher may have left uncounted. Each attach and each beat calls this.
    pub fn finish_pending(&self, lane: &mut Lane) -> Result<(), Fault> {
        let position = self.generation() + 1;
        let word = self.ring_word(position);
        if word.lap() == self.geo.lap(position) && self.block(word.block()).is_some() {
            self.finish(position, word)?;
            self.count(lane, Counter::Helped, 1);
        }
        Ok(())
    }

    /// The shard whose slot a record names; `None` where the record is damaged or torn.
    pub(super) fn shard_of_block(&self, block: Block) -> Option<usize> {
        self.bucket_of_slot(self.slot_of(block)).map(|bucket| self.geo.shard_of_bucket(bucket))
    }
}
