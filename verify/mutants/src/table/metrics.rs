//! Mutants of `src/board/metrics.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/metrics.rs";

pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "a session is told with whatever name its place has",
    lost: "A session that has ended is told under the name of another.",
    file: FILE,
    search: "filter(|_| core.names_stand(freed))",
    replace: "filter(|_| core.names_stand(freed) || freed < u64::MAX)",
    caught_by: &[test(
        "-p slateboard --lib board::reader::tests::paused::a_session_is_told_with_its_own_name_or_with_none",
    )],
}];
