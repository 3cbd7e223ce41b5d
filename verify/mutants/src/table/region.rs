//! Mutants of `src/board/region.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/region.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "pages are reserved behind the last extent",
        lost: "A board's file grows beyond its size.",
        file: FILE,
        search: "first.saturating_add(extents).min(file.geometry.extents())",
        replace: "first.saturating_add(extents)",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_that_leaves_holds_no_lock_and_a_reserve_ends_with_the_board",
        )],
    },
    Mutant {
        name: "pages are reserved at each beat",
        lost: "A board takes the room of its whole capacity though nobody uses it.",
        file: FILE,
        search: "core.unclaimed() < AHEAD / 2",
        replace: "core.unclaimed() < u32::MAX",
        caught_by: &[test(
            "-p slateboard --lib board::keeper::tests::a_keeper_reserves_pages_ahead_of_use_and_no_more",
        )],
    },
    Mutant {
        name: "the last extent that was reserved is not used",
        lost: "A board holds one extent less than it says.",
        file: FILE,
        search: "core.raise_reserved(extent + 1))",
        replace: "core.raise_reserved(extent))",
        caught_by: &[test(
            "-p slateboard --lib board::seat::tests::a_session_that_leaves_holds_no_lock_and_a_reserve_ends_with_the_board",
        )],
    },
    Mutant {
        name: "nobody who sleeps is woken",
        lost: "A change is seen when the sleeper looks by itself, a second late or more.",
        file: FILE,
        search: "fn ring(&self, counter: usize) {
        if let Ok(core) = self.core() {",
        replace: "fn ring(&self, counter: usize) {
        if let Some(core) = self.core().ok().filter(|_| counter == usize::MAX) {",
        caught_by: &[test(
            "-p slateboard --lib board::waits::tests::who_sleeps_is_woken_by_the_writer_and_not_by_its_own_clock",
        )],
    },
    Mutant {
        name: "who sleeps on the last shard is not told that the board moved",
        lost: "A waiter learns it when it looks itself, a second later or more.",
        file: FILE,
        search: "for counter in 0..=file.geometry.shards() {",
        replace: "for counter in 0..file.geometry.shards() {",
        caught_by: &[test(
            "-p slateboard --lib board::waits::tests::a_look_at_a_board_that_moved_wakes_who_sleeps_on_any_counter",
        )],
    },
    Mutant {
        name: "who sleeps on the whole board is not told that it moved",
        lost: "A waiter learns it when it looks itself, a second later or more.",
        file: FILE,
        search: "for counter in 0..=file.geometry.shards() {",
        replace: "for counter in 1..=file.geometry.shards() {",
        caught_by: &[test(
            "-p slateboard --lib board::waits::tests::a_look_at_a_board_that_moved_wakes_who_sleeps_on_any_counter",
        )],
    },
    Mutant {
        name: "only the first look at a board that moved wakes",
        lost: "Whoever went to sleep in the moment of the first look learns it late.",
        file: FILE,
        search: "            file.mapping.leave_behind(moved);
        }",
        replace: "            file.mapping.leave_behind(moved);
        } else {
            return;
        }",
        caught_by: &[test(
            "-p slateboard --lib board::waits::tests::a_look_at_a_board_that_moved_wakes_who_sleeps_on_any_counter",
        )],
    },
    Mutant {
        name: "a full file system is told as a full board",
        lost: "The user removes keys where space on the disk is what is missing.",
        file: FILE,
        search: "(Fault::Full(Full::Blocks | Full::Pinned), Some(error)) => error,",
        replace: "(Fault::Full(Full::Names), Some(error)) => error,",
        caught_by: &[test(
            "-p slateboard --test limits a_full_disk_is_an_error_and_reads_and_removals_go_on",
        )],
    },
    Mutant {
        name: "a lane that met a full file system reserves nothing any more",
        lost: "A board stays full although its disk has room again.",
        file: FILE,
        search: "                lane.may_reserve = true;
                return",
        replace: "                return",
        caught_by: &[test(
            "-p slateboard --test limits a_full_disk_is_an_error_and_reads_and_removals_go_on",
        )],
    },
    Mutant {
        name: "an extent is used before its pages are reserved",
        lost: "A put on a full disk ends every process that touches the page.",
        file: FILE,
        search: "file.reserve_extents(first..end, |extent| core.raise_reserved(extent + 1))?;",
        replace: "(first..end).for_each(|extent| core.raise_reserved(extent + 1));
        file.reserve_extents(first..end, |_| {})?;",
        caught_by: &[test(
            "-p slateboard --test limits a_full_disk_is_an_error_and_reads_and_removals_go_on",
        )],
    },
    Mutant {
        name: "who opens a board does not ask for its boot time's offset",
        lost: "What lives in one container is over in another.",
        file: FILE,
        search: "region::settle()?;\n        Self::with_file(region::open(path, Access::ReadWrite)?, true)",
        replace: "Self::with_file(region::open(path, Access::ReadWrite)?, true)",
        caught_by: &[test(
            "-p slateboard --test time a_deadline_means_the_same_in_a_container_with_another_boot_time",
        )],
    },
    Mutant {
        name: "who only reads does not ask for its boot time's offset",
        lost: "A reader in one container finds what is over in another, or misses what lives.",
        file: FILE,
        search: "region::settle()?;\n        Self::with_file(region::open(path, Access::ReadOnly)?, false)",
        replace: "Self::with_file(region::open(path, Access::ReadOnly)?, false)",
        caught_by: &[test(
            "-p slateboard --test time a_deadline_means_the_same_in_a_container_with_another_boot_time",
        )],
    },
];
