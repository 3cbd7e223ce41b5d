//! Mutants of `src/engine/protocol/tombstones.rs`.

use super::{Mutant, long, models, schedules, states, test};

const FILE: &str = "src/engine/protocol/tombstones.rs";

pub const MUTANTS: &[Mutant] = &[
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
        // AcqRel: a thread that sees it RETIRED",
        replace: "let retired = head.next(HeadKind::Retired, 0);
        // AcqRel: a thread that sees it RETIRED",
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
        replace: "        word.store(limbo(0).0, crate::sync::Ordering::Release);
        let left = owner == owner;",
        caught_by: &[states("doomed")],
    },
    Mutant {
        name: "a sweep gives no tombstone back",
        lost: "A killed session's tombstone keeps its block until its slot is needed.",
        file: FILE,
        search: "                if head.is(HeadKind::Retired) && head.block() != 0 {
                    self.give_back(hash_at + 1, head);
                }
                if",
        replace: "                if",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_tombstone_that_a_killed_session_did_not_give_back_is_given_back",
        )],
    },
    Mutant {
        name: "a put without room gives no tombstone back",
        lost: "A killed session's tombstone keeps its block although there is no room.",
        file: FILE,
        search: "                } else if head.is(HeadKind::Retired) && head.block() != 0 {
                    self.give_back(head_at, head);
                }",
        replace: "                }",
        caught_by: &[test(
            "-p slateboard --lib engine::protocol::tests::bounds::a_tombstone_that_a_killed_session_did_not_give_back_is_given_back",
        )],
    },
];
