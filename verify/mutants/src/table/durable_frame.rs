//! Mutants of `src/durable/frame.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/frame.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the checksum of a frame is not compared",
        lost: "Damaged bytes are returned as values.",
        file: FILE,
        search: "&& hash(&frame[HEAD_CHECK..], seed) == word(frame, BODY_CHECK)",
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_damage a_bit_that_is_flipped_gives_no_wrong_value_and_no_older_one_in_silence",
        )],
    },
    Mutant {
        name: "the checksum of a frame's head is not compared",
        lost: "A damaged length leads past all frames that follow.",
        file: FILE,
        search: "head_check(head, seed) != half(head, HEAD_CHECK) || ",
        replace: "",
        caught_by: &[test("-p slateboard --test durable_damage behind_a_damaged_frame_the_journal_goes_on")],
    },
    Mutant {
        name: "the checksum of a file's head is not compared",
        lost: "A damaged generation passes for a board's.",
        file: FILE,
        search: "if xxh3_64_with_seed(&bytes[..CHECK], 0) != word(bytes, CHECK) {",
        replace: "if bytes.is_empty() {",
        caught_by: &[test(
            "-p slateboard --test durable_damage a_bit_that_is_flipped_gives_no_wrong_value_and_no_older_one_in_silence",
        )],
    },
    Mutant {
        name: "frames of other files are valid",
        lost: "What another file left on the disk passes for this one's.",
        file: FILE,
        search: "    salt.wrapping_add(offset)",
        replace: "    salt.wrapping_mul(0).wrapping_add(offset)",
        caught_by: &[test("-p slateboard --test durable_damage a_frame_of_another_place_or_file_is_none")],
    },
    Mutant {
        name: "damage ends a segment",
        lost: "Everything that follows one damaged frame is lost.",
        file: FILE,
        search: "        while next < self.length {",
        replace: "        while next < self.length && from == 0 {",
        caught_by: &[test("-p slateboard --test durable_damage behind_a_damaged_frame_the_journal_goes_on")],
    },
    Mutant {
        name: "what the device cannot read ends a recovery",
        lost: "One bad sector makes a whole board unusable.",
        file: FILE,
        search: "if is_of_the_device(&read) {
                self.window.clear();
                return Ok(None);",
        replace: "if is_of_the_device(&read) && self.length == 0 {
                self.window.clear();
                return Ok(None);",
        caught_by: &[test("-p slateboard --test durable_files what_the_device_cannot_read_is_damage")],
    },
    Mutant {
        name: "a sector that cannot be read takes all that is read with it",
        lost: "Sound frames before a bad sector are lost.",
        file: FILE,
        search: "self.window.truncate(count as usize);",
        replace: "",
        caught_by: &[test("-p slateboard --test durable_files what_the_device_cannot_read_is_damage")],
    },
];
