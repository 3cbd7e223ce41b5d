//! Mutants of `src/engine/protocol/guard.rs`.

use super::{Mutant, long, models, schedules, states, test};

const FILE: &str = "src/engine/protocol/guard.rs";

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
            states("retire"),
            long(schedules("slots")),
        ],
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
    Mutant {
        name: "buckets are added without a maximum",
        lost: "Keys take the room of values without bound.",
        file: FILE,
        search: "added >= self.geo.shape().overflow_max",
        replace: "added == u64::MAX",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::as_many_overflow_buckets_are_added_as_may_be",
        )],
    },
    Mutant {
        name: "one bucket more is added than may be",
        lost: "Keys take more room than the board says.",
        file: FILE,
        search: "added >= self.geo.shape().overflow_max",
        replace: "added > self.geo.shape().overflow_max",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::as_many_overflow_buckets_are_added_as_may_be",
        )],
    },
    Mutant {
        name: "each shard adds as many buckets as the board may",
        lost: "Keys take the room of values.",
        file: FILE,
        search: "u64::saturating_add",
        replace: "u64::max",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::all_chains_together_have_as_many_overflow_buckets_as_may_be",
        )],
    },
    Mutant {
        name: "a chain is longer than a search",
        lost: "Keys behind the 128th bucket of a chain are lost.",
        file: FILE,
        search: "self.chain(key.bucket).count() >= longest",
        replace: "self.chain(key.bucket).count() > longest",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_chain_has_128_buckets_at_most",
        )],
    },
];
