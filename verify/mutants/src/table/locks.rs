//! Mutants of `src/region/locks.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/locks.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a lock file that can only be read is not asked",
        lost: "The sessions of a board on a read-only mount are unknown.",
        file: FILE,
        search: "Err(error) if error.kind() == ErrorKind::Io => validate::open_existing(path, false)?,",
        replace: "",
        caught_by: &[test("-p slateboard --test liveness who_may_not_open_the_lock_file_knows_nothing")],
    },
    Mutant {
        name: "who only reads does not use the board",
        lost: "A board is removed under its readers.",
        file: FILE,
        search: "i64::try_from(READERS).unwrap_or(i64::MAX) + 1, libc::F_WRLCK);",
        replace: "i64::try_from(READERS).unwrap_or(i64::MAX), libc::F_WRLCK);",
        caught_by: &[test("-p slateboard --test moved who_has_a_board_open_is_seen_by_the_lock_file_alone")],
    },
    Mutant {
        name: "a session attaches with another lock file than the one that is open",
        lost: "Sessions of one handle have their locks in two files, and seem dead to each other.",
        file: FILE,
        search: "match (stat.st_dev, stat.st_ino) == self.file {",
        replace: "match (stat.st_dev, stat.st_ino) == self.file || stat.st_nlink > 0 {",
        caught_by: &[test(
            "-p slateboard --test liveness a_session_whose_lock_file_was_replaced_is_unknown_and_goes_on",
        )],
    },
];
