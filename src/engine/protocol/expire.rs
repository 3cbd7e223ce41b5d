//! Ending what expired: a sweep publishes the expire event, so that the slot and the blocks come back even if nobody
//! touches the key.
//!
//! Each group of buckets has two words, *fresh* and *swept*. For each living entry with a deadline, one of the two is no
//! later than that deadline. A change with a deadline lowers *fresh* after it is published and before its block is
//! settled; the reaper does so for the dead. A sweep of the group first moves what *fresh* says to *swept*, so that later
//! changes stand apart. Then it looks at the slots, ends what expired, and replaces *swept* by the earliest deadline that
//! is left, unless another sweep changed *swept* meanwhile. So a sweep succeeds even while changes never cease, and a
//! sweep that is killed anywhere loses no deadline.
//!
//! Damage may make these words too late. That costs time only: before a put is refused for want of room, all slots are
//! looked at.

use super::{
    Core, Fault, acquire,
    lane::{Lane, Walk},
    publish::{Change, Expect, Now, Outcome},
    slots::{Key, Slot, SlotHead, slots_of},
};
use crate::layout::{
    DeadlineHint, Head, HeadKind,
    groups::{GROUP_FRESH, GROUP_SWEPT},
    record::RecordKind,
    session::Counter,
};
use crate::sync::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// How many entries a put without room ends before it checks whether there is room now.
const ENDED_AT_ONCE: u64 = 256;
/// How often a lane that is refused repeatedly looks at every slot, unless it knows of a deadline that passed
/// meanwhile.
const WALK_PAUSE_NS: u64 = if cfg!(any(loom, slate_search)) { 0 } else { 10_000_000 };
/// How often a sweep looks at a slot that changes all the time.
const LOOKS: usize = 64;

/// The result of a sweep: what it ended and what it left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// The number of entries whose expire events it published.
    pub ended: u64,
    /// The earliest deadline that it knows of. If only a group's words tell it, it is rounded down.
    pub next_ns: Option<u64>,
    /// The group where the next sweep begins, because this one reached its limit.
    pub goes_on_at: Option<usize>,
}

/// A sweep that ends what is due.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The group to begin with. After the last group follows the first.
    pub from: usize,
    /// How long ago a deadline must have passed to count.
    pub late_ns: u64,
    /// The maximal number of entries that the sweep ends.
    pub most: u64,
}

impl Swept {
    fn leaves(&mut self, deadline_ns: u64) {
        self.next_ns = Some(self.next_ns.map_or(deadline_ns, |next_ns| next_ns.min(deadline_ns)));
    }
}

impl Core<'_> {
    /// Announces an entry that was just published to the sweeps of the bucket's group.
    #[cold]
    pub(super) fn announce_deadline(&self, bucket: usize, deadline_ns: u64) {
        // Release: a sweep that takes this value over, or finds that another sweep did, sees the entry (P12).
        self.group_word(self.geo.groups().of(bucket), GROUP_FRESH).fetch_max(!deadline_ns, Release);
    }

    fn group_word(&self, group: usize, word: usize) -> &AtomicU64 {
        self.at(self.geo.groups().word(group) + word)
    }

    /// A bound that no deadline of the group's living entries precedes. `None` if no entry has a deadline.
    fn next_deadline(&self, group: usize) -> Option<u64> {
        // Relaxed: a sweep loads both again.
        let fresh = self.group_word(group, GROUP_FRESH).load(Relaxed);
        let swept = DeadlineHint(self.group_word(group, GROUP_SWEPT).load(Relaxed)).deadline_ns();
        [Some(!fresh).filter(|_| fresh != 0), swept].into_iter().flatten().min()
    }

    /// Ends what expired in the groups whose words announce it. The keeper calls this at every beat.
    pub fn sweep_due(&self, lane: &mut Lane, sweep: Sweep, now: Now) -> Result<Swept, Fault> {
        let groups = self.geo.groups().count();
        let due_ns = (now.boot_ns)().saturating_sub(sweep.late_ns);
        let mut all = Swept::default();
        for group in (0..groups).map(|step| (sweep.from + step) % groups) {
            let Some(deadline_ns) = self.next_deadline(group) else { continue };
            if deadline_ns > due_ns {
                all.leaves(deadline_ns);
                continue;
            }
            let swept = self.sweep(lane, group, sweep.most.saturating_sub(all.ended), now)?;
            all.ended += swept.ended;
            swept.next_ns.into_iter().for_each(|deadline_ns| all.leaves(deadline_ns));
            if swept.goes_on_at.is_some() {
                all.goes_on_at = swept.goes_on_at;
                break;
            }
        }
        Ok(all)
    }

    /// Ends what expired in a group, whatever its words say, and corrects the words.
    pub fn sweep(&self, lane: &mut Lane, group: usize, most: u64, now: Now) -> Result<Swept, Fault> {
        let hint = self.take_fresh(group);
        let mut swept = Swept::default();
        for bucket in self.geo.groups().buckets(group) {
            self.sweep_chain(lane, bucket, &mut swept, now)?;
            if swept.ended >= most {
                swept.goes_on_at = Some(group);
                return Ok(swept);
            }
        }
        if let Some(hint) = hint {
            let word = self.group_word(group, GROUP_SWEPT);
            // Release: a sweep that begins with this value sees the entries that this one saw (P12).
            let _ = word.compare_exchange(hint.0, hint.replaced(swept.next_ns).0, Release, Relaxed);
        }
        Ok(swept)
    }

    /// Moves the value of *fresh* to *swept*, and returns it. Returns `None` if another sweep is active in the group;
    /// then *fresh* stays.
    fn take_fresh(&self, group: usize) -> Option<DeadlineHint> {
        let (word, fresh_word) = (self.group_word(group, GROUP_SWEPT), self.group_word(group, GROUP_FRESH));
        // Relaxed: taking the value over acquires what it carries.
        let fresh = fresh_word.load(Relaxed);
        // Acquire: what earlier sweeps took over and saw (P12).
        let hint = DeadlineHint(acquire(word));
        if fresh == 0 {
            return Some(hint);
        }
        let lowered = hint.with(!fresh);
        // Release: a thread that sees this, and *fresh* without the value, sees the entries (P12).
        word.compare_exchange(hint.0, lowered.0, Release, Relaxed).ok()?;
        // Acquire: the entries of all threads that announced a deadline until now, also a later one (P12).
        let _ = fresh_word.compare_exchange(fresh, 0, Acquire, Relaxed);
        Some(lowered)
    }

    /// Ends what expired in a chain.
    fn sweep_chain(&self, lane: &mut Lane, bucket: usize, swept: &mut Swept, now: Now) -> Result<(), Fault> {
        let boot_ns = (now.boot_ns)();
        for hash_at in self.chain(bucket).flat_map(slots_of) {
            match self.sweep_slot(lane, bucket, hash_at, (boot_ns, now)) {
                Ok(Left::Ended) => swept.ended += 1,
                Ok(Left::Until(deadline_ns)) => swept.leaves(deadline_ns),
                // The scrubber handles a damaged key. It must not prevent the others from being ended.
                Ok(Left::Nothing) | Err(Fault::Corrupt(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Ends the slot's entry if it expired.
    fn sweep_slot(
        &self,
        lane: &mut Lane,
        bucket: usize,
        hash_at: usize,
        (boot_ns, now): (u64, Now),
    ) -> Result<Left, Fault> {
        for _ in 0..LOOKS {
            let Some((hash, head)) = self.slot_at(hash_at) else { continue };
            match head.kind() {
                Some(HeadKind::Live) => {}
                Some(HeadKind::Moved) => return Err(Fault::Moved),
                _ => return Ok(Left::Nothing),
            }
            let found = SlotHead { slot: Slot { head_at: hash_at + 1, hash }, head };
            // A record that its writer published but did not log is logged first. It may have expired since.
            let Some(standing) = self.standing(lane, &found)? else { continue };
            let (deadline_ns, absent) = (standing.words.deadline(), standing.words.is_tombstone());
            let expired = !absent && deadline_ns != 0 && deadline_ns <= boot_ns;
            let key = if expired { self.key_named_by(head) } else { None };
            // The copy comes from one life of the block only if the head did not change (P2).
            fence(Acquire);
            if !self.head_is(found.slot.head_at, head) {
                continue;
            }
            if !expired {
                return Ok(if absent || deadline_ns == 0 { Left::Nothing } else { Left::Until(deadline_ns) });
            }
            let key = key.ok_or(Fault::Corrupt("a record's key"))?;
            let key = Key::new(self.geo, &key);
            if key.bucket != bucket {
                return Err(Fault::Corrupt("a record's key"));
            }
            if self.expire(lane, &key, standing.generation, now, Some(found.slot))? {
                return Ok(Left::Ended);
            }
        }
        // The slot changed all the time. It is treated as expired, so that a sweep looks at it again.
        Ok(Left::Until(boot_ns))
    }

    /// The key of the record that a head names. As for every copy, it must be proved afterwards.
    fn key_named_by(&self, head: Head) -> Option<String> {
        let block = self.block(head.block())?;
        let mut key = Vec::new();
        self.copy_key(block, &mut key)?;
        String::from_utf8(key).ok()
    }

    /// Ends what expired in the chain where a key needs a slot, if the group's words say that something may have
    /// expired. Returns how many entries it ended.
    pub(super) fn end_in_chain(&self, lane: &mut Lane, bucket: usize, now: Now) -> Result<u64, Fault> {
        let mut swept = Swept::default();
        let deadline = self.next_deadline(self.geo.groups().of(bucket));
        if deadline.is_some_and(|deadline_ns| deadline_ns <= (now.boot_ns)()) {
            match self.sweep_chain(lane, bucket, &mut swept, now) {
                // If no block is available for the event, the expired entry stays. There may still be room for another
                // bucket.
                Ok(()) | Err(Fault::Full(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(swept.ended)
    }

    /// Retries a change that found no room, after ending what expired. The two steps alternate until the change
    /// succeeds, or until a search of everything, before the last attempt, found nothing that expired. Slots that others
    /// left open are retired once.
    #[cold]
    pub fn change_ending_expired(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        change: &Change<'_>,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<Outcome, Fault> {
        // Two puts that want the last slot could otherwise take it from each other for ever.
        let mut may_take = true;
        loop {
            let ended = match self.end_expired(lane, now, &mut may_take) {
                // The expire event takes one of the blocks that are reserved for it. These may be used up.
                Err(Fault::Full(_)) => 0,
                ended => ended?,
            };
            // The floor passes an event only after it is counted, and its writer may have been stopped before that.
            self.finish_pending(lane)?;
            match self.try_change(lane, key, change, now, hint) {
                Err(Fault::Full(_)) if ended > 0 => {}
                other => return other,
            }
        }
    }

    /// Ends some of the expired entries, wherever they are, and retires slots that dead inserters left open, if it may.
    /// Returns how many.
    fn end_expired(&self, lane: &mut Lane, now: Now, may_take: &mut bool) -> Result<u64, Fault> {
        let sweep = Sweep { from: 0, late_ns: 0, most: ENDED_AT_ONCE };
        let ended = self.sweep_due(lane, sweep, now)?.ended;
        if ended > 0 { Ok(ended) } else { self.walk(lane, now, may_take) }
    }

    /// Looks at every slot on behalf of a put that would be refused otherwise, unless this lane did so just before.
    /// Returns how many entries it ended and how many slots it retired.
    ///
    /// A slot that is open at both looks may belong to an inserter that is slow and alive. If that one is refused then, it
    /// takes the slot back in the same way. So a put may take slots only until it has taken one: each of several puts
    /// that want the same slot takes it at most once, and the last one keeps it.
    pub(super) fn walk(&self, lane: &mut Lane, now: Now, may_take: &mut bool) -> Result<u64, Fault> {
        let boot_ns = (now.boot_ns)();
        let passed = |walk: &Walk| {
            boot_ns >= walk.boot_ns.saturating_add(WALK_PAUSE_NS)
                || walk.next_ns.is_some_and(|deadline_ns| deadline_ns <= boot_ns)
        };
        if !lane.walk.as_ref().is_none_or(passed) {
            return Ok(0);
        }
        let open = if *may_take { self.sweep_open(&[]) } else { Vec::new() };
        let mut all = Swept::default();
        for group in 0..self.geo.groups().count() {
            let swept = self.sweep(lane, group, ENDED_AT_ONCE - all.ended, now)?;
            all.ended += swept.ended;
            swept.next_ns.into_iter().for_each(|deadline_ns| all.leaves(deadline_ns));
            if swept.goes_on_at.is_some() {
                return Ok(all.ended);
            }
        }
        lane.walk = Some(Walk { boot_ns, next_ns: all.next_ns });
        if open.is_empty() {
            return Ok(all.ended);
        }
        let still_open = self.sweep_open(&open);
        let retired = open.iter().filter(|slot| !still_open.contains(slot)).count();
        *may_take = retired == 0;
        Ok(all.ended + retired as u64)
    }

    /// Publishes the expire event of an entry whose deadline has passed. Returns whether it did; the entry may have
    /// changed meanwhile.
    pub fn expire(
        &self,
        lane: &mut Lane,
        key: &Key<'_>,
        generation: u64,
        now: Now,
        hint: Option<Slot>,
    ) -> Result<bool, Fault> {
        let change = Change::tombstone(RecordKind::Expired, Expect::Generation(generation));
        let ended = matches!(self.try_change(lane, key, &change, now, hint)?, Outcome::Done { .. });
        if ended {
            self.count(lane, Counter::Expired, 1);
        }
        Ok(ended)
    }
}

/// What a slot holds after the sweep looked at it.
enum Left {
    /// Nothing with a deadline.
    Nothing,
    /// The entry was ended.
    Ended,
    /// An entry with this deadline.
    Until(u64),
}
