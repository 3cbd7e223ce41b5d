//! Mutants of `src/engine/protocol/slots.rs`.

use super::{Mutant, long, models, schedules, states};

const FILE: &str = "src/engine/protocol/slots.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a slot just retired by another is not seen",
        lost: "An insert gets no slot although another has just retired one.",
        file: FILE,
        search: "if room || self.has_room(key.bucket, guard) {",
        replace: "if room {",
        caught_by: &[models("stall::a_late_helper_applies_no_old_guard")],
    },
    Mutant {
        name: "no second look at the hash",
        lost: "A put writes into a slot that belongs to another key by now.",
        file: FILE,
        search: "(self.at(hash_at).load(Relaxed) == hash.0).then_some((hash, head))",
        replace: "Some((hash, head))",
        caught_by: &[models("stall::a_put_finds_its_own_slot"), states("retire"), long(schedules("slots"))],
    },
    Mutant {
        name: "no look at the guard before applying it",
        lost: "A late helper applies an old guard to a slot's later life.",
        file: FILE,
        search: "if !stands() {
                    return Ok(false);
                }
                let number",
        replace: "let number",
        caught_by: &[
            models("stall::a_late_helper_applies_no_old_guard"),
            states("twins"),
            long(schedules("slots")),
        ],
    },
    Mutant {
        name: "no version base",
        lost: "A key that was removed and made again begins again at version 1.",
        file: FILE,
        search: "base.fetch_max(version, AcqRel);",
        replace: "let _ = base;",
        caught_by: &[models("slots::versions_never_restart"), states("retire"), long(schedules("slots"))],
    },
    Mutant {
        name: "a retired head drops its tombstone",
        lost: "The block of a tombstone is never given back.",
        file: FILE,
        search: "let retired = head.next(HeadKind::Retired, head.block());
        // AcqRel: who sees it RETIRED",
        replace: "let retired = head.next(HeadKind::Retired, 0);
        // AcqRel: who sees it RETIRED",
        caught_by: &[models("slots::a_tombstone_is_given_back_once")],
    },
    Mutant {
        name: "a tombstone is given back without a second look at the head",
        lost: "A late giver frees the block of a slot's later life.",
        file: FILE,
        search: "if !self.head_is(head_at, head) {
            return;
        }
        let limbo",
        replace: "let limbo",
        caught_by: &[models("stall::a_late_giver_frees_no_later_life"), states("give-back")],
    },
    Mutant {
        name: "a tombstone is given back under its writer",
        lost: "A block is free while its stopped writer still asks it for its generation.",
        file: FILE,
        search: "let limbo = State::new(StateKind::Limbo, state.owner(), state.tag());",
        replace: "let limbo = State::new(StateKind::Limbo, 0, state.tag());",
        caught_by: &[models("stall::a_stopped_removal_keeps_no_slot"), states("remove-lapped")],
    },
    Mutant {
        name: "a slot is kept while its tombstone's writer is stopped",
        lost: "A stopped writer keeps a slot from all others.",
        file: FILE,
        search: "GenWord::Generation(event) if event <= self.floor())
",
        replace: "GenWord::Generation(event) if event <= self.floor())
            && self.load_state(block).is(StateKind::Owned)
",
        caught_by: &[models("stall::a_stopped_removal_keeps_no_slot"), states("full-expired")],
    },
    Mutant {
        name: "who gives a tombstone back does not see it settled",
        lost: "A tombstone that its writer settles meanwhile is never given back.",
        file: FILE,
        search: "Err(now) if State(now).tag() == state.tag() => state = State(now),",
        replace: "Err(now) if now == 0 => state = State(now),",
        caught_by: &[models("slots::a_tombstone_is_given_back_beside_its_writer")],
    },
    Mutant {
        name: "a reader takes a slot's life for going on",
        lost: "A reader takes what a tombstone's block holds in its next life.",
        file: FILE,
        search: "else { return false };
        // MOVED with a block was LIVE.
        hash == slot.hash &&",
        replace: "else { return true };
        // MOVED with a block was LIVE.
        hash != hash || head.0 < u64::MAX ||",
        caught_by: &[models("slots::a_reader_takes_no_reused_tombstone"), states("give-back-read")],
    },
    Mutant {
        name: "an overflow bucket is linked again",
        lost: "A bucket that is in the chain already is linked again, and the chain is a ring.",
        file: FILE,
        search: "if at == base {
                return Ok(stands());
            }",
        replace: "",
        caught_by: &[
            models("slots::inserts_into_a_full_bucket_link_others"),
            states("link"),
            long(schedules("slots")),
        ],
    },
    Mutant {
        name: "the bucket that was counted last is counted again",
        lost: "The count of a shard's overflow buckets has one bucket twice.",
        file: FILE,
        search: "if marked || overflow.last() == block.index() {",
        replace: "if marked {",
        caught_by: &[models("slots::a_linked_bucket_is_counted_once")],
    },
    Mutant {
        name: "a frozen guard asks for nothing",
        lost: "An insert into a frozen chain is acknowledged and lost.",
        file: FILE,
        search: "Some(GuardOp::Frozen) => return Err(Fault::Moved),",
        replace: "Some(GuardOp::Frozen) => return Ok(true),",
        caught_by: &[models("moved::an_insert_that_links_is_frozen_or_told")],
    },
    Mutant {
        name: "reopen",
        lost: "A slot that another has retired is opened for a second key.",
        file: FILE,
        search: "                    if head.is(HeadKind::Freed) {",
        replace: "                    if head.is(HeadKind::Freed) || head.is(HeadKind::Retired) {",
        caught_by: &[states("reopen"), long(schedules("slots"))],
    },
    Mutant {
        name: "given back while its head names it",
        lost: "A block is free while a head still names it.",
        file: FILE,
        search: "        let limbo = state.and_then(|(block, state)| self.make_limbo(block, state));
",
        replace: "        let limbo = state.and_then(|(block, state)| self.make_limbo(block, state));
        if let Some((block, state)) = limbo {
            self.free_owned(block, state);
        }
",
        caught_by: &[states("give-back"), long(schedules("slots"))],
    },
    Mutant {
        name: "a doomed block beside its reaper passes for one given back",
        lost: "A doomed block is freed twice, by its owner's reaper and by who gives it back.",
        file: FILE,
        search: "        let left = word.compare_exchange(limbo(owner).0, limbo(0).0, AcqRel, Acquire).is_ok();",
        replace: "        word.store(limbo(0).0, Release);
        let left = owner == owner;",
        caught_by: &[states("doomed")],
    },
    Mutant {
        name: "a bucket counted before the last does not say so",
        lost: "The count of a shard's overflow buckets has a bucket twice.",
        file: FILE,
        search: "                self.at(self.geo.data(last)).store(Overflow::COUNTED, Relaxed);
",
        replace: "                let _ = last;
",
        caught_by: &[states("link-count")],
    },
    Mutant {
        name: "hash freed by a store",
        lost: "A late helper frees a slot that another key has claimed.",
        file: FILE,
        search: "hash_word.compare_exchange(hash.0, SlotHash::new(number, 0).0, Release, Acquire);",
        replace: "hash_word.store(SlotHash::new(number, 0).0, Release);",
        caught_by: &[states("retire-kill")],
    },
];
