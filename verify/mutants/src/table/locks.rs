//! Mutants of `src/region/locks.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/locks.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a certificate that is dropped is not unlocked",
        lost: "A session that ended passes for alive while a child of the process lives.",
        file: FILE,
        search: "impl Drop for Certificate {
    fn drop(&mut self) {
        unlock(self.file.file(), &self.fork);",
        replace: "impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = (self.file.file(), &self.fork);",
        caught_by: &[test(
            "-p slateboard --lib region::locks::tests::what_is_dropped_is_unlocked_although_a_child_has_a_copy",
        )],
    },
    Mutant {
        name: "a lock file that is closed is not unlocked",
        lost: "A board that was closed passes for open while a child of the process lives.",
        file: FILE,
        search: "impl Drop for LockFile {
    fn drop(&mut self) {
        unlock(self.probe.file(), &self.fork);",
        replace: "impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = (self.probe.file(), &self.fork);",
        caught_by: &[test(
            "-p slateboard --lib region::locks::tests::what_is_dropped_is_unlocked_although_a_child_has_a_copy",
        )],
    },
    Mutant {
        name: "a child that has copies of the descriptors unlocks them",
        lost: "A session that lives is reaped.",
        file: FILE,
        search: "    if fork.in_child() {
        return;
    }
    // An explicit",
        replace: "    let _ = fork;
    // An explicit",
        caught_by: &[test(
            "-p slateboard --lib region::locks::tests::such_a_child_unlocks_nothing_of_its_parent",
        )],
    },
    Mutant {
        name: "who has a board open is not seen",
        lost: "A board is replaced under the processes that read it.",
        file: FILE,
        search: "let _ = try_lock(probe.file(), &lock_of(READERS, 1, libc::F_RDLCK));",
        replace: "let _ = (&probe, libc::F_RDLCK);",
        caught_by: &[test("-p slateboard --test moved who_has_a_board_open_is_seen_by_the_lock_file_alone")],
    },
    Mutant {
        name: "one reader alone is seen",
        lost: "A board is replaced under the second process that reads it.",
        file: FILE,
        search: "lock_of(READERS, 1, libc::F_RDLCK)",
        replace: "lock_of(READERS, 1, libc::F_WRLCK)",
        caught_by: &[test("-p slateboard --test moved who_has_a_board_open_is_seen_by_the_lock_file_alone")],
    },
    Mutant {
        name: "a lock file that was replaced passes the check",
        lost: "Nobody learns why sessions cannot attach.",
        file: FILE,
        search: "        validate::check_file(&file, &self.path)?;
        self.check_same(&stat)",
        replace: "        let _ = &stat;
        validate::check_file(&file, &self.path).map(drop)",
        caught_by: &[test(
            "-p slateboard --lib region::locks::tests::a_lock_file_that_was_replaced_is_told_when_it_is_checked",
        )],
    },
    Mutant {
        name: "a lock file that is another's or open to others passes the check",
        lost: "Nobody learns why sessions cannot attach.",
        file: FILE,
        search: "        validate::check_file(&file, &self.path)?;
        self.check_same(&stat)",
        replace: "        let _ = &file;
        self.check_same(&stat)",
        caught_by: &[test("-p slateboard --test moved what_cannot_be_asked_is_unknown_and_never_dead")],
    },
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
