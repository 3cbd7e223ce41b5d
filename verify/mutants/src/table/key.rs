//! Mutants of `src/board/key.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/key.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a handle's glance ignores deadlines",
        lost: "A handle returns a value that has expired.",
        file: FILE,
        search: "Seen::Expired => self.read_in_full(Some(found.generation), found, out),",
        replace: "Seen::Expired => Ok(true),",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_learns_that_its_key_expired_although_nobody_changes_anything",
        )],
    },
    Mutant {
        name: "what a handle's glance finds expired is absent",
        lost: "A handle whose thread was paused finds no value at a key that always had one.",
        file: FILE,
        search: "Seen::Expired => self.read_in_full(Some(found.generation), found, out),",
        replace: "Seen::Expired => {
                    out.clear();
                    Ok(false)
                }",
        caught_by: &[test(
            "-p slateboard --lib board::reader::tests::paused::a_handle_finds_a_value_that_replaced_one_whose_time_is_over",
        )],
    },
    Mutant {
        name: "what a handle's glance found expired is forgotten",
        lost: "Each read of an expired value through a handle copies it once more.",
        file: FILE,
        search: "Seen::Expired => self.read_in_full(Some(found.generation), found, out),",
        replace: "Seen::Expired => self.read_in_full(None, found, out),",
        caught_by: &[test(
            "-p slateboard --lib board::reader::tests::paused::an_expired_value_is_read_twice_and_no_more",
        )],
    },
    Mutant {
        name: "a poll returns nothing once it has noted a version",
        lost: "Who polls for what is newer than a version that is older than the noted one learns nothing.",
        file: FILE,
        search: "            && seen <= version
",
        replace: "            && (seen <= version || version < seen)
",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_follows_its_key_through_changes_and_removals",
        )],
    },
    Mutant {
        name: "a poll returns what is not newer",
        lost: "Who polls sees each value again and again.",
        file: FILE,
        search: "filter(|meta| meta.version > version)",
        replace: "filter(|meta| meta.version >= version)",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_learns_that_its_key_expired_although_nobody_changes_anything",
        )],
    },
    Mutant {
        name: "a handle returns removals as values",
        lost: "Who reads or polls by handle gets an empty value, or a version, of a key that was removed.",
        file: FILE,
        search: "let meta = is.then(|| reader::meta(&found));",
        replace: "let meta = (is || found.generation > 0).then(|| reader::meta(&found));",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_follows_its_key_through_changes_and_removals",
        )],
    },
    Mutant {
        name: "a handle answers from what it noted although its board has moved",
        lost: "Who polls goes on with a board that newcomers cannot open.",
        file: FILE,
        search: "        let core = region.core_to_read(region.words()?);
        Ok(core.is_newest",
        replace:
            "        let Ok(words) = region.words() else { return Ok(Some(self.noted_meta.get().version)) };
        let core = region.core_to_read(words);
        Ok(core.is_newest",
        caught_by: &[test("-p slateboard --test moved every_handle_learns_that_its_board_moved")],
    },
    Mutant {
        name: "what a handle noted is never asked for again",
        lost: "Who polls with a handle sees no change at all.",
        file: FILE,
        search: "Ok(core.is_newest(recall.slot, recall.head).then(|| self.noted_meta.get().version))",
        replace: "Ok(Some(self.noted_meta.get().version).filter(|&version| {
            core.is_newest(recall.slot, recall.head) || version > 0
        }))",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_follows_its_key_through_changes_and_removals",
        )],
    },
    Mutant {
        name: "a handle notes what has a time to live",
        lost: "Who reads or polls with a handle never learns that the entry expired.",
        file: FILE,
        search: "let lasts = meta.filter(|_| found.words.deadline() == 0);",
        replace: "let lasts = meta;",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_learns_that_its_key_expired_although_nobody_changes_anything",
        )],
    },
    Mutant {
        name: "a handle returns what it remembers although its board has moved",
        lost: "Who reads with a handle goes on with a board that newcomers cannot open.",
        file: FILE,
        search: "            return Ok(Some(self.noted_meta.get()));
        }",
        replace: "            return Ok(Some(self.noted_meta.get()));
        }
        if self.noted.get().is_some() && reader.region.words().is_err() {
            return Ok(Some(self.noted_meta.get()));
        }",
        caught_by: &[test("-p slateboard --test moved every_handle_learns_that_its_board_moved")],
    },
    Mutant {
        name: "a handle's put asks for nothing",
        lost: "A put under a condition, through a handle, overwrites whatever stands there.",
        file: FILE,
        search: "PutOptions::new().expect(expect)",
        replace: "PutOptions::new().expect(if value.as_ref() == b\"\\0\" { expect } else { Expect::Any })",
        caught_by: &[test(
            "-p slateboard --test conditions a_change_happens_exactly_if_its_condition_is_met",
        )],
    },
];
