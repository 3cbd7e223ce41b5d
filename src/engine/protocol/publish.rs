//! Changing a key: publish, log, count, wake, in this order.
//!
//! A killed writer leaves nothing, or a private block, which the reaper frees, or a published block that is not in the
//! history. The next writer of that key or the reaper logs such a block, and nobody sees it until then.

use super::{
    COUNTER_MASK, Core, Fault, Tries,
    guard::Sought,
    history::Logged,
    lane::{Claimed, Lane},
    slots::{Key, Slot, SlotHead},
};
use crate::layout::{
    Block, GenWord, Head, HeadKind, SlotHash, geometry, header,
    record::{self, PackedHeader, RecordKind},
    session::{Counter, Sum},
};
use crate::sync::{
    Ordering::{Acquire, Relaxed, Release},
    fence, pause,
};

/// The condition that a change requires.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expect {
    /// No condition.
    #[default]
    Any,
    /// The key has no value.
    Absent,
    /// The key has a value.
    Present,
    /// The key has a value of this version. 0 means the same as [`Expect::Absent`].
    Version(u64),
    /// The key has the value that this generation wrote. 0 means the same as [`Expect::Absent`].
    Generation(u64),
}

/// A change of a key.
#[derive(Clone, Copy, Debug)]
pub struct Change<'v> {
    /// Whether the change writes a value or a tombstone.
    pub kind: RecordKind,
    /// The bytes of the value; empty for a tombstone.
    pub value: &'v [u8],
    /// How the bytes are encoded.
    pub codec: u8,
    /// The deadline in nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub deadline: u64,
    /// The packed writer word of the session that the entry ends with; 0 for none.
    pub ephemeral: u64,
    /// The condition that the change requires.
    pub expect: Expect,
}

impl<'v> Change<'v> {
    /// A put of these bytes.
    pub fn put(value: &'v [u8], expect: Expect) -> Self {
        Self { kind: RecordKind::Value, value, codec: 0, deadline: 0, ephemeral: 0, expect }
    }
    /// A removal.
    pub fn tombstone(kind: RecordKind, expect: Expect) -> Self {
        Self { kind, value: &[], codec: 0, deadline: 0, ephemeral: 0, expect }
    }
}

/// The time, as the caller provides it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Nanoseconds of `CLOCK_REALTIME`, for records.
    pub real_ns: u64,
    /// Nanoseconds of `CLOCK_BOOTTIME`. The clock is read only if there is a deadline, because reading a clock costs as
    /// much as the copy of a small value.
    pub boot_ns: fn() -> u64,
}

impl Default for Now {
    fn default() -> Self {
        Self { real_ns: 0, boot_ns: || 0 }
    }
}

/// The result of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The change happened.
    Done {
        /// The key's new version.
        version: u64,
        /// The generation of the change's event.
        generation: u64,
        /// The number of attempts that failed because others were faster.
        retries: u32,
        /// Where the key lives.
        slot: Slot,
    },
    /// The change did not happen, because the key's current version is not the expected one.
    Conflict {
        /// The key's current version; 0 if it has no value.
        version: u64,
    },
    /// There was nothing to remove.
    Nothing,
}

/// The contents of a slot, as a writer sees them.
pub(super) struct Standing {
    pub(super) words: PackedHeader,
    pub(super) generation: u64,
}

/// The fields of a record that depend on the record that it follows.
struct After {
    version: u64,
    created: u64,
    /// The granules of the record that it supersedes.
    superseded: u64,
}

enum Judged {
    Go(After),
    Conflict(u64),
    Expired(u64),
    Again,
}

impl Core<'_> {
    /// Changes a key. If there is no room, this ends what expired and tries again. `hint` is where the key lived last.
    pub fn change(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<Outcome, Fault> {
        match self.try_change(lane, key, change, now, hint) {
            Err(Fault::Full(_)) => self.change_ending_expired(lane, key, change, now, hint),
            other => other,
        }
    }

    /// As [`Core::change`], but returns `Full` if there is no room, without ending expired entries.
    pub fn try_change(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<Outcome, Fault> {
        self.try_change_inline(lane, key, change, now, hint)
    }

    /// As [`Core::try_change`], but inlined into its caller, for the one call that makes nearly every change. It must
    /// not be used in a loop: the compiler would hoist the preparation for rare turns out of the loop.
    #[inline(always)]
    pub(crate) fn try_change_inline(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<Outcome, Fault> {
        if change.ephemeral | change.deadline != 0 {
            return self.change_bound(lane, key, change, now, hint);
        }
        self.change_as::<false>(lane, key, change, now, hint)
    }

    /// As [`Core::try_change_inline`], for an entry that ends by itself.
    #[cold]
    #[inline(never)]
    fn change_bound(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<Outcome, Fault> {
        self.change_as::<true>(lane, key, change, now, hint)
    }

    /// `BOUND`: whether the entry may end by itself, by its deadline or with its session.
    #[inline(always)]
    fn change_as<const BOUND: bool>(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<Outcome, Fault> {
        self.ask_lines(lane, key, hint);
        self.trim(lane)?;
        if BOUND && change.ephemeral != 0 {
            // This comes before the put, because a reaper looks for ephemeral entries only if this counter says that
            // there are any.
            self.count(lane, Counter::Ephemerals, 1);
        }
        let removal = change.kind.is_tombstone();
        let granules = self.head_granules(key.bytes.len(), change.value.len());
        let claimed = self.claim(lane, granules, removal)?;
        // Release: a thread that sees a store below also sees the claim (P2).
        fence(Release);
        self.begin(lane, claimed, GenWord::Unlogged(claimed.tag).pack());
        let mut words = self.draft(lane, key, change, now);
        let outcome = match self.fill(lane, claimed, key, change, &words) {
            Ok(()) => self.publish(lane, claimed, key, change, now, hint, &mut words),
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok(Published::As(published)) => {
                if BOUND && change.deadline != 0 {
                    // This comes before the block is settled: if the writer is killed in between, the reaper finds the
                    // block.
                    self.announce_deadline(key.bucket, change.deadline);
                }
                self.conclude(lane, claimed, change.kind, key.shard, published)
            }
            Ok(Published::Not(outcome)) => {
                self.withdraw(lane, claimed);
                Ok(outcome)
            }
            Err(fault) => {
                self.withdraw(lane, claimed);
                Err(fault)
            }
        }
    }

    /// Prefetches all cache lines that a change takes from other writers, if others have written since this lane did.
    /// Fetched one after the other, each of them would cost as much as the rest of a put.
    #[inline]
    fn ask_lines(&self, lane: &Lane, key: &Key<'_>, hint: Option<Slot>) {
        // Relaxed: this is only a hint.
        let newest = self.at(header::GENERATION).load(Relaxed) & COUNTER_MASK;
        if newest == lane.newest || cfg!(any(loom, slate_search)) {
            return;
        }
        let head = hint.map_or(self.geo.bucket(key.bucket), |slot| slot.head_at);
        let shard = self.geo.shard(key.shard) + geometry::SHARD_CHANGES;
        let lines = [head, header::GENERATION, self.geo.ring(newest + 1), shard, header::FLOOR];
        self.machine.prefetch_write(&lines.map(|at| self.at(at)));
    }

    /// Logs and counts the published record, wakes sleepers, and settles the block.
    #[inline]
    fn conclude(
        &self,
        lane: &mut Lane,
        claimed: Claimed,
        kind: RecordKind,
        shard: usize,
        published: Record,
    ) -> Result<Outcome, Fault> {
        // Logging also counts in the shard and wakes. The change has happened. However long other threads are faster,
        // it must not be reported as one that may be tried again.
        let logged = loop {
            match self.log_in(lane, claimed.block, claimed.tag, Some(shard)) {
                Err(Fault::Contended) => {}
                logged => break logged?,
            }
        };
        let generation = match logged {
            Logged::At(generation) => generation,
            Logged::Past => return Err(Fault::Corrupt("a pinned block's generation word")),
        };
        let Record { version, slot, retries, superseded } = published;
        // This comes before the block is settled: a reaper that finds it unsettled checks whether this was done.
        self.weigh(lane, Sum::Superseded, generation, superseded);
        self.settle(lane, claimed);
        self.room_for_the_next(lane, generation);
        self.count(lane, if kind.is_tombstone() { Counter::Removes } else { Counter::Puts }, 1);
        if retries > 0 {
            self.count(lane, Counter::Retries, u64::from(retries));
        }
        lane.share.add(superseded);
        lane.newest = generation;
        Ok(Outcome::Done { version, generation, retries, slot })
    }

    /// Takes back a block that was not published.
    fn withdraw(&self, lane: &mut Lane, claimed: Claimed) {
        self.free_pieces(claimed.block, claimed.tag);
        self.unbegin(lane, claimed);
        self.keep(lane, claimed);
    }

    /// Publishes the block as the key's newest record by one compare-and-swap of the slot's head. Its success proves
    /// that the superseded record was current until then.
    #[inline]
    #[allow(clippy::too_many_arguments, reason = "what a change is made of, each used here alone")]
    fn publish(
        &self,
        lane: &mut Lane,
        claimed: Claimed,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
        words: &mut PackedHeader,
    ) -> Result<Published, Fault> {
        let value_hash = if record::DETAILS { record::hash_of(change.value) } else { 0 };
        // If the change requires that the key exists, the key gets no slot, because the slot would stay open.
        let make = !change.kind.is_tombstone() && matches!(change.expect, Expect::Any | Expect::Absent);
        let mut hint = hint;
        let mut tries = Tries::new();
        let mut retries = 0;
        loop {
            let found = match hint.take().and_then(|slot| self.hinted(slot)) {
                Some(found) => found,
                None => match self.find(key, make)? {
                    Sought::Slot(found) => found,
                    Sought::Absent => return Ok(Published::Not(unmet(change.expect, 0))),
                    Sought::Missing(missing) => self.make(lane, key, missing, now)?,
                },
            };
            match self.judge(lane, key, &found, change, now)? {
                Judged::Go(after) => {
                    let After { version, created, superseded } = after;
                    words.follow(version, found.head.0, found.slot.head_at, created, superseded);
                    words.seal(key.hash, value_hash);
                    self.store_header(claimed.block, words);
                    let new = found.head.next(HeadKind::Live, claimed.block.index());
                    // Release: a thread that loads the head sees the record (P1).
                    if self
                        .at(found.slot.head_at)
                        .compare_exchange(found.head.0, new.0, Release, Relaxed)
                        .is_ok()
                    {
                        return Ok(Published::As(Record { version, slot: found.slot, retries, superseded }));
                    }
                    retries += 1;
                    back_off(retries);
                }
                Judged::Conflict(version) => {
                    self.count(lane, Counter::Conflicts, 1);
                    return Ok(Published::Not(unmet(change.expect, version)));
                }
                Judged::Expired(generation) => {
                    self.expire(lane, key, generation, now, Some(found.slot))?;
                }
                Judged::Again => {}
            }
            tries.again(found.head.0, "a slot's head")?;
        }
    }

    /// The head of the slot where the key lived last, if the key still lives there. A slot's hash word belongs to one
    /// life, and in one life a slot has one key.
    #[inline]
    fn hinted(&self, slot: Slot) -> Option<SlotHead> {
        let (hash, head) = self.slot_at(slot.head_at - 1)?;
        (hash == slot.hash && head.is(HeadKind::Live)).then_some(SlotHead { slot, head })
    }

    /// Checks whether the change may follow the slot's current contents, and returns how it follows them.
    #[inline]
    fn judge(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        found: &SlotHead,
        change: &Change<'_>,
        now: Now,
    ) -> Result<Judged, Fault> {
        if found.head.is(HeadKind::Open) {
            let base = self.at(self.geo.shard(key.shard) + geometry::SHARD_VERSION_BASE);
            // Relaxed: the retirements that raised it were seen when the slot was found (P8).
            let version = base.load(Relaxed).saturating_add(1);
            let after = After { version, created: 0, superseded: 0 };
            let absent = matches!(change.expect, Expect::Any | Expect::Absent) && !change.kind.is_tombstone();
            return Ok(if absent { Judged::Go(after) } else { self.confirmed(found, Judged::Conflict(0)) });
        }
        let Some(standing) = self.standing(lane, found)? else { return Ok(Judged::Again) };
        let Standing { words: old, generation } = standing;
        let present = !old.is_tombstone();
        if present
            && old.deadline() != 0
            && change.kind != RecordKind::Expired
            && old.deadline() <= (now.boot_ns)()
        {
            return Ok(self.confirmed(found, Judged::Expired(generation)));
        }
        let met = match change.expect {
            Expect::Any => true,
            Expect::Absent => !present,
            Expect::Present => present,
            Expect::Version(version) => present && old.version() == version,
            Expect::Generation(wrote) => present && generation == wrote,
        };
        if !met || (change.kind.is_tombstone() && !present) {
            return Ok(self.confirmed(found, Judged::Conflict(if present { old.version() } else { 0 })));
        }
        let created = match (present, old.created()) {
            (false, _) => 0,
            (true, 0) => generation,
            (true, created) => created,
        };
        let superseded = self.geo.granules_for(old.record_words()) as u64;
        Ok(Judged::Go(After { version: old.version().saturating_add(1), created, superseded }))
    }

    /// A negative answer is valid only if the head that it was read from did not change (P2).
    fn confirmed(&self, found: &SlotHead, judged: Judged) -> Judged {
        fence(Acquire);
        if self.head_is(found.slot.head_at, found.head) { judged } else { Judged::Again }
    }

    /// The record of a LIVE head. If its writer has not logged it, it is logged first: a predecessor's work is finished
    /// before it is superseded. The slot was found to belong to the key, and it does as long as the head does not
    /// change. The record is checked for that as well, so that damage of one key does not affect another. Returns
    /// `None` if the caller must look again.
    #[inline]
    pub(super) fn standing(&self, lane: &mut Lane, found: &SlotHead) -> Result<Option<Standing>, Fault> {
        let block = self.block(found.head.block()).ok_or(Fault::Corrupt("a slot's block"))?;
        let generation = match self.load_gen(block) {
            GenWord::Generation(generation) => generation,
            GenWord::Unlogged(tag) => {
                // The block is published only if the head still names it. A private block must not become an event.
                if self.head_is(found.slot.head_at, found.head) {
                    self.log(lane, block, tag)?;
                    self.count(lane, Counter::Helped, 1);
                }
                return Ok(None);
            }
            _ if !self.head_is(found.slot.head_at, found.head) => return Ok(None),
            _ => return Err(Fault::Corrupt("a block's generation word")),
        };
        match self.words_to_follow(block).filter(|words| words.slot() == found.slot.head_at) {
            Some(words) => Ok(Some(Standing { words, generation })),
            None => {
                // A block that began another life is not damaged (P2).
                fence(Acquire);
                let same = self.head_is(found.slot.head_at, found.head);
                if same { Err(Fault::Corrupt("a record's slot or shape")) } else { Ok(None) }
            }
        }
    }

    /// The words of the record that decide what may follow it.
    #[inline]
    fn words_to_follow(&self, block: Block) -> Option<PackedHeader> {
        if !self.fits(block, record::HEADER_WORDS) {
            return None;
        }
        let source = &self.words[self.geo.data(block)..][..record::HEADER_WORDS];
        let mut words = PackedHeader::EMPTY;
        for word in [record::VERSION, record::PLACE, record::SHAPE, record::CREATED, record::DEADLINE] {
            if let (Some(to), Some(from)) = (words.0.get_mut(word), source.get(word)) {
                *to = from.load(Relaxed);
            }
        }
        Some(words).filter(PackedHeader::can_be)
    }

    /// Brings the record of a LIVE head into the history if its writer has not done so, like a writer that supersedes
    /// it.
    pub(super) fn help(&self, lane: &mut Lane, head_at: usize, head: Head) -> Result<(), Fault> {
        let slot = Slot { head_at, hash: SlotHash(0) };
        self.standing(lane, &SlotHead { slot, head }).map(drop)
    }
}

/// The result of `publish`.
enum Published {
    As(Record),
    Not(Outcome),
}

/// A published record.
struct Record {
    version: u64,
    slot: Slot,
    retries: u32,
    superseded: u64,
}

/// The answer for a key whose current version is this one; 0 if it has no value.
fn unmet(expect: Expect, version: u64) -> Outcome {
    match (expect, version) {
        (Expect::Any | Expect::Absent, 0) => Outcome::Nothing,
        _ => Outcome::Conflict { version },
    }
}

/// Waits a little, longer each time: 32 pauses at first, doubling up to 2,048.
fn back_off(retries: u32) {
    let pauses = if cfg!(any(loom, slate_search)) { u32::from(retries > 4) } else { 32 << retries.min(6) };
    for _ in 0..pauses {
        pause();
    }
}
