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
        search: "Seen::Expired => self.get_in_full_into(key, Some(found.generation), buffer),",
        replace: "Seen::Expired => Ok(Some(meta(found))),",
        caught_by: &[test("-p slateboard --test handles a_read_into_a_buffer_knows_deadlines")],
    },
    Mutant {
        name: "what a glance finds expired is absent",
        lost: "A reader that was paused finds no value at a key that always had one.",
        file: FILE,
        search: "Seen::Expired => self.get_in_full_into(key, Some(found.generation), buffer),",
        replace: "Seen::Expired => {
                    buffer.clear();
                    Ok(None)
                }",
        caught_by: &[test(
            "-p slateboard --lib board::reader::tests::paused::a_read_finds_a_value_that_replaced_one_whose_time_is_over",
        )],
    },
    Mutant {
        name: "what a glance found expired is forgotten",
        lost: "Each read of an expired value copies it once more.",
        file: FILE,
        search: "self.read_since(&core, &slot_key, None, over, &mut found, buffer);",
        replace: "self.read_since(&core, &slot_key, None, over.filter(|_| false), &mut found, buffer);",
        caught_by: &[test(
            "-p slateboard --lib board::reader::tests::paused::an_expired_value_is_read_twice_and_no_more",
        )],
    },
    Mutant {
        name: "an expired entry is present",
        lost: "A value is returned after its time to live.",
        file: FILE,
        search: "true if is_expired(found.words.deadline()) => Seen::Expired,",
        replace: "true if is_expired(found.words.deadline()) && !is => Seen::Expired,",
        caught_by: &[
            test(
                "-p slateboard --test handles a_handle_learns_that_its_key_expired_although_nobody_changes_anything",
            ),
            long(torture("--kills 60 --seed 1")),
        ],
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
    Mutant {
        name: "what has expired is absent though another value replaced it",
        lost: "A reader that was paused finds no value at a key that always had one.",
        file: FILE,
        search: "Seen::Expired if over == Some(found.generation) => return Ok(false),",
        replace: "Seen::Expired if over.is_none() || over == Some(found.generation) => return Ok(false),",
        caught_by: &[test(
            "-p slateboard --lib board::reader::tests::an_expired_value_that_was_replaced_while_it_was_read_is_not_absence",
        )],
    },
    Mutant {
        name: "a view of the present has no instant",
        lost: "A view has entries whose time to live was over.",
        file: FILE,
        search: "View::new(self.clone(), point, Some(instant_ns))",
        replace: "View::new(self.clone(), point, None)",
        caught_by: &[test("-p slateboard --test expiry a_view_is_of_one_instant_or_of_none")],
    },
    Mutant {
        name: "a view that is gone tells a wrong number",
        lost: "Who asks for the past is told wrongly how far it is out of reach.",
        file: FILE,
        search: "floor.saturating_sub(generation), floor)",
        replace: "floor.saturating_sub(generation) + 1, floor)",
        caught_by: &[test(
            "-p slateboard --test history a_view_is_of_any_generation_from_the_floor_to_the_newest",
        )],
    },
    Mutant {
        name: "a buffer keeps what it had when there is no value",
        lost: "A caller takes the bytes of an expired value for the key's value.",
        file: FILE,
        search: "        if !is {
            out.clear();
        }
        Ok(is)",
        replace: "        Ok(is)",
        caught_by: &[test("-p slateboard --test handles a_read_into_a_buffer_knows_deadlines")],
    },
    Mutant {
        name: "an entry keeps a name that was freed while it was read",
        lost: "An entry is told under the name of another session.",
        file: FILE,
        search: "if core.names_stand(freed) {
                return Ok(entry);",
        replace: "if core.names_stand(freed) || entry.is_some() {
                return Ok(entry);",
        caught_by: &[
            test(
                "-p slateboard --lib board::event::tests::an_entry_is_read_again_when_a_name_was_freed_meanwhile",
            ),
            test(
                "-p slateboard --lib board::reader::tests::paused::a_value_is_told_with_its_own_writer_s_name",
            ),
        ],
    },
    Mutant {
        name: "an entry that was read in vain keeps its names",
        lost: "An entry is told under the name of another session.",
        file: FILE,
        search: "Ok(read()?.map(Entry::without_names))",
        replace: "read()",
        caught_by: &[test(
            "-p slateboard --lib board::event::tests::an_entry_is_read_again_when_a_name_was_freed_meanwhile",
        )],
    },
];
