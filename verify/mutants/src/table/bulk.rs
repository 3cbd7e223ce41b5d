//! Mutants of `src/board/bulk.rs`.

use super::{Mutant, long, test, torture};

const FILE: &str = "src/board/bulk.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the first failure ends many puts",
        lost: "The keys after a refused one are not put.",
        file: FILE,
        search: "pairs.into_iter().map(|(key, value)| self.put(key.as_ref(), value)).collect()",
        replace: "{
            let mut failed = false;
            let mut put = |(key, value): (K, V)| {
                let put = self.put(key.as_ref(), value);
                failed |= put.is_err();
                put
            };
            pairs.into_iter().map_while(|pair| Some(put(pair)).filter(Result::is_ok)).collect()
        }",
        caught_by: &[test("-p slateboard --test bulk many_gets_and_puts_answer_for_each_key")],
    },
    Mutant {
        name: "a removal that removed nothing is counted",
        lost: "Two sessions both count what one of them removed.",
        file: FILE,
        search: "removed += u64::from(self.remove(key)?.is_some());",
        replace: "removed += u64::from(self.remove(key)?.is_some()).max(1);",
        caught_by: &[test(
            "-p slateboard --lib board::bulk::tests::a_key_that_another_removed_first_is_not_counted",
        )],
    },
    Mutant {
        name: "damage of one key hides that others were removed",
        lost: "Damaged records of a prefix are not named.",
        file: FILE,
        search: "listing::sound(&found.damaged).map(|()| removed)",
        replace: "Ok(removed)",
        caught_by: &[test(
            "-p slateboard --test bulk damage_is_named_and_the_other_keys_of_the_prefix_are_removed",
        )],
    },
    Mutant {
        name: "an increment does not keep the codec",
        lost: "A counter that was JSON is text once it is counted.",
        file: FILE,
        search: "codec = old.map_or(CodecId::UTF8, |entry| entry.codec);",
        replace: "codec = old.map_or(CodecId::UTF8, |_| CodecId::UTF8);",
        caught_by: &[test(
            "-p slateboard --test bulk a_counter_keeps_its_codec_and_its_sum_says_what_was_put",
        )],
    },
    Mutant {
        name: "an increment counts what is not text",
        lost: "The bytes of another encoding become a counter.",
        file: FILE,
        search: "if ![CodecId::RAW, CodecId::UTF8, CodecId::JSON].contains(&entry.codec) {",
        replace: "if entry.version == 0 {",
        caught_by: &[test("-p slateboard --test bulk a_value_that_is_not_text_is_not_counted")],
    },
    Mutant {
        name: "what is no number counts as zero",
        lost: "An increment overwrites a value that is no counter.",
        file: FILE,
        search: "_ => refused(\"the value is not an integer\"),
        })?;",
        replace: "_ => refused(\"the value is not an integer\"),
        }).unwrap_or(0);",
        caught_by: &[test("-p slateboard --test bulk what_is_no_counter_is_left_as_it_is")],
    },
    Mutant {
        name: "an increment wraps around",
        lost: "A counter becomes negative past its largest value.",
        file: FILE,
        search: "let sum = standing.checked_add(delta);",
        replace: "let sum = Some(standing.wrapping_add(delta));",
        caught_by: &[test("-p slateboard --test bulk what_is_no_counter_is_left_as_it_is")],
    },
    Mutant {
        name: "a removal of a prefix leaves its first key",
        lost: "A key stays that was there all the time.",
        file: FILE,
        search: "self.remove_each(&found.entries)?",
        replace: "self.remove_each(&found.entries[found.entries.len().min(1)..])?",
        caught_by: &[
            test("-p slateboard --test bulk a_prefix_is_removed_and_nothing_else"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
];
