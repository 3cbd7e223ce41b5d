//! Mutants of `src/region/create.rs`.

use super::{Mutant, test};

const FILE: &str = "src/region/create.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a board's files have the rights that the umask leaves",
    lost: "A board that was made under a strict umask cannot be opened by its user.",
    file: FILE,
    search: "fchmod(&draft.file, Mode::RUSR | Mode::WUSR).map_err(|error| Self::failed(place, error))?;",
    replace: "",
    caught_by: &[test(
        "-p slateboard --test process_limits the_files_of_a_board_are_their_users_whatever_the_umask_is",
    )],
}];
