//! Mutants of `src/durable/aside.rs`.

use super::{Mutant, test};

const FILE: &str = "src/durable/aside.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "all files that were put aside stay",
        lost: "A folder with a bad disk fills with damaged files.",
        file: FILE,
        search: ".skip(KEPT)",
        replace: ".skip(usize::MAX)",
        caught_by: &[test(
            "-p slateboard --test durable_files the_last_three_files_that_were_put_aside_stay",
        )],
    },
    Mutant {
        name: "a file is put aside without its reason",
        lost: "Nobody learns why a file was not used.",
        file: FILE,
        search: r#"let _ = file.append(format!("{name}: {why}\n").as_bytes());"#,
        replace: "",
        caught_by: &[test(
            "-p slateboard --test durable_files files_without_a_valid_one_are_an_error_and_not_an_empty_board",
        )],
    },
];
