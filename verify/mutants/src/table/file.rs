//! Mutants of `src/region/file.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/file.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "blocks of the file system are told as bytes",
        lost: "A figure that is shown is wrong.",
        file: FILE,
        search: "Ok(stat.f_bavail.saturating_mul(stat.f_frsize))",
        replace: "Ok(stat.f_bavail)",
        caught_by: &[test(
            "-p slateboard --lib board::metrics::tests::a_board_in_a_file_tells_how_many_bytes_its_file_system_has_left",
        )],
    },
    Mutant {
        name: "a link in the place of the board's file is the board",
        lost: "A process goes on with a board that no other can open.",
        file: FILE,
        search: "match statat(&self.folder.0, name, AtFlags::SYMLINK_NOFOLLOW) {",
        replace: "match statat(&self.folder.0, name, AtFlags::empty()) {",
        caught_by: &[test("-p slateboard --test moved every_handle_learns_that_its_board_moved")],
    },
];
