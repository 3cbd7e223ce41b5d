//! Mutants of `src/region/memory.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/memory.rs";
const GROUPS: &str = "-p slateboard --lib region::memory::tests::the_tightest_group_above_the_process_counts";
const CACHE: &str = "-p slateboard --lib region::memory::tests::what_the_kernel_gives_up_first_is_not_needed";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "only the group of the process limits its memory",
        lost: "The kernel kills a process at the limit of a group above.",
        file: FILE,
        search: "upwards.filter_map(|group| room(group, version)).min_by_key(|room| room.bytes)",
        replace: "upwards.take(1).filter_map(|group| room(group, version)).min_by_key(|room| room.bytes)",
        caught_by: &[test(GROUPS)],
    },
    Mutant {
        name: "a board may take the memory that its programs need",
        lost: "The kernel kills the process that reads what it stored.",
        file: FILE,
        search: "usage.saturating_sub(cache.sum()).saturating_add(kept)",
        replace: "usage.saturating_sub(cache.sum()).saturating_add(kept - kept)",
        caught_by: &[test(GROUPS)],
    },
    Mutant {
        name: "the cache of files is memory that is taken",
        lost: "A board in a group that reads many files takes no more values.",
        file: FILE,
        search: "usage.saturating_sub(cache.sum())",
        replace: "usage.saturating_sub(cache.sum::<u64>().min(0))",
        caught_by: &[test(CACHE)],
    },
];
