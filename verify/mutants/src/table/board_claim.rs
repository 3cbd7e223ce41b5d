//! Mutants of `src/board/claim.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/claim.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a claim is released without its token",
        lost: "A script releases the claim of another one.",
        file: FILE,
        search: "Some(token) => entry.created == token,",
        replace: "Some(token) => entry.created > 0 || token > 0,",
        caught_by: &[test(
            "-p slateboard --test guests a_claim_is_released_by_who_knows_its_token_and_by_nobody_else",
        )],
    },
    Mutant {
        name: "a claim that is bound to another session is released",
        lost: "A script releases the claim of another session.",
        file: FILE,
        search: "(bound.session, bound.incarnation) == (mine.session, mine.incarnation)",
        replace: "bound.session < u16::MAX || mine.session == u16::MAX",
        caught_by: &[test(
            "-p slateboard --test guests a_claim_is_released_by_who_knows_its_token_and_by_nobody_else",
        )],
    },
    Mutant {
        name: "a value that stays is released like a claim",
        lost: "A release removes a task.",
        file: FILE,
        search: "                if !ends_by_itself(&entry) {",
        replace: "                if entry.key.is_empty() {",
        caught_by: &[test(
            "-p slateboard --test guests a_claim_is_released_by_who_knows_its_token_and_by_nobody_else",
        )],
    },
    Mutant {
        name: "a claim never ends",
        lost: "A script that is killed keeps its claim for ever.",
        file: FILE,
        search: "if options.ttl.is_none() && !options.ephemeral {",
        replace: "if options.ttl.is_none() && key.is_empty() {",
        caught_by: &[test(
            "-p slateboard --test guests a_claim_is_released_by_who_knows_its_token_and_by_nobody_else",
        )],
    },
    Mutant {
        name: "a claim is made whoever has the key",
        lost: "Two scripts have one claim.",
        file: FILE,
        search: "options.expect(Expect::Absent)",
        replace: "options.expect(Expect::Any)",
        caught_by: &[test("-p slateboard --test guests claims_and_leases_exclude_each_other")],
    },
    Mutant {
        name: "the claim of a task that was removed is not seen",
        lost: "Two scripts have one claim.",
        file: FILE,
        search: "if is_claimed || has_value",
        replace: "if is_claimed && has_value || has_value",
        caught_by: &[test("-p slateboard --test guests claims_and_leases_exclude_each_other")],
    },
    Mutant {
        name: "a task cannot be claimed",
        lost: "A queue is stuck: the value of a task passes for a claim.",
        file: FILE,
        search: "if is_claimed || has_value",
        replace: "if is_claimed || (is_claimed && has_value)",
        caught_by: &[test("-p slateboard --test guests claims_and_leases_exclude_each_other")],
    },
    Mutant {
        name: "what ends by itself is a task",
        lost: "A worker gets the mark of another session as a task.",
        file: FILE,
        search: "Ok(self.reader().get(key)?.is_some_and(|entry| !ends_by_itself(&entry)))",
        replace: "Ok(self.reader().get(key)?.is_some())",
        caught_by: &[test(
            "-p slateboard --test guests tasks_are_claimed_in_the_order_of_their_keys_and_once",
        )],
    },
];
