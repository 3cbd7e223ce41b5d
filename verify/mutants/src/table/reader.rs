//! Mutants of `src/board/reader.rs`.

use super::{Mutant, long, test, torture};

const FILE: &str = "src/board/reader.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a read into a buffer takes any key",
        lost: "A call with a key that cannot be one is answered as if it could.",
        file: FILE,
        search: "        check(key)?;
        let core = self.region.core_to_read",
        replace: "        let core = self.region.core_to_read",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
    Mutant {
        name: "a glance ignores deadlines",
        lost: "A value is returned after its time to live.",
        file: FILE,
        search: "|is, found, buffer| Ok(present(is, found, buffer).then(|| meta(found))),",
        replace: "|is, found, _| Ok(is.then(|| meta(found))),",
        caught_by: &[test("-p slateboard --test handles a_read_into_a_buffer_knows_deadlines")],
    },
    Mutant {
        name: "an expired entry is present",
        lost: "A value is returned after its time to live.",
        file: FILE,
        search: "let present = is && !is_expired(found.words.deadline());",
        replace: "let present = is;",
        caught_by: &[
            test(
                "-p slateboard --test handles a_handle_learns_that_its_key_expired_although_nobody_changes_anything",
            ),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a buffer keeps what it had when there is no value",
        lost: "A caller takes the bytes of another read for the key's value.",
        file: FILE,
        search: "    if !present {
        out.clear();
    }
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test handles a_handle_follows_its_key_through_changes_and_removals",
        )],
    },
    Mutant {
        name: "a key may be empty",
        lost: "The board holds a key that cannot be one.",
        file: FILE,
        search: "(1..=KEY_MAX).contains(&key.len())",
        replace: "(0..=KEY_MAX).contains(&key.len())",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
    Mutant {
        name: "a key may be of any length",
        lost: "The board holds a key that cannot be one.",
        file: FILE,
        search: "(1..=KEY_MAX).contains(&key.len())",
        replace: "(1..).contains(&key.len())",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
];
