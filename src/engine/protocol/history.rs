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

/// The result of `log`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Logged {
    /// The block's event has this generation, and the counter includes it.
    At(u64),
    /// The block had its event and began another life. Only helpers see this result, because an owner's block is
    /// pinned.
    Past,
}

impl Core<'_> {
    /// Brings the block's event into the history. The block was proved to be published while its generation word was
    /// `UNLOGGED(tag)`.
    pub fn log(&self, lane: &mut Lane, block: Block, tag: u64) -> Result<Logged, Fault> {
        self.log_in(lane, block, tag, self.shard_of_block(block))
    }

    /// As [`Core::log`], for a block of this shard.
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
            // The generation word is loaded after the counter, never before it: that makes entries unique.
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
                // Release: a thread that reads the ring word sees the block's UNLOGGED word and its record (P5).
                if ring.compare_exchange(word.0, entry.0, Release, Relaxed).is_ok() {
                    // The counter need not be checked again: if the event is counted already, the block's word names
                    // its generation, and nothing changes here.
                    if !self.complete(position, block, GenWord::Unlogged(tag), shard) {
                        self.show(shard, position);
                    }
                    return Ok(Logged::At(position));
                }
            }
            // Otherwise this view is stale and must not overwrite a newer entry.
            tries.again(generation ^ word.0.rotate_left(17), "a word of the history ring")?;
        }
    }

    /// Whether a ring word is damaged and not just a stale view: it belongs to neither this lap nor the last one, or
    /// names no block, and the counter did not change while it was read. A damaged word may be overwritten like one of
    /// the last lap.
    fn is_damaged_at(&self, position: u64) -> bool {
        // Relaxed: the ring word was loaded with acquire and carries the counter that its writer saw (P5).
        self.at(header::GENERATION).load(Relaxed) == position - 1
    }

    /// Raises the counters to at least generation `own`, and wakes sleepers. A caller that gets its generation must
    /// find it in `events`, and the thread that finished the event may have been stopped halfway.
    #[cold]
    fn show(&self, shard: Option<usize>, own: u64) {
        if let Some(shard) = shard {
            self.raise_shard(shard, own);
        }
        // Release: passes on what the event's finisher did (P4). Fails if the counter is already there.
        let _ = self.at(header::GENERATION).compare_exchange(own.wrapping_sub(1), own, Release, Relaxed);
        if let Some(shard) = shard {
            self.wake(shard);
        }
    }

    /// Completes the event at `position`. Any thread may do it.
    pub fn finish(&self, position: u64, word: RingWord) -> Result<(), Fault> {
        let block = self.block(word.block()).ok_or(Fault::Corrupt("the block of an event"))?;
        // Acquire: this comes before the generation; otherwise the words might belong to a reused block.
        let gen_word = self.load_gen(block);
        let shard = self.shard_of_block(block);
        fence(Acquire);
        if self.generation() == position - 1 {
            self.complete(position, block, gen_word, shard);
        }
        Ok(())
    }

    /// Completes the event at `position`: its generation word (which was `gen_word`), its shard's counter and the
    /// board's counter, and then wakes sleepers. Everything that a reader of the board's counter must find is done
    /// before that counter is raised. Returns whether all of this was done here. Otherwise another thread did a part,
    /// and may have been stopped before it woke anybody.
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
        // A read-modify-write, never a store: the release sequence through the counter gives guarantee G1 (P4).
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

    /// The shard whose slot a record names. `None` if the record is damaged or torn.
    pub(super) fn shard_of_block(&self, block: Block) -> Option<usize> {
        self.bucket_of_slot(self.slot_of(block)).map(|bucket| self.geo.shard_of_bucket(bucket))
    }
}
