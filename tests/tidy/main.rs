//! Rules of the repository that no compiler knows. Each is shown to fail on a bad sample.

#[path = "../../verify/mutants/src/accesses.rs"]
#[expect(dead_code, reason = "the models use the rest")]
mod accesses;
mod atomics;
#[path = "../../verify/mutants/src/breaks.rs"]
#[expect(dead_code, reason = "read for their names")]
mod breaks;
#[path = "../../verify/search/src/canaries.rs"]
#[expect(dead_code, reason = "read for their names")]
mod canaries;
mod format;
mod imports;
#[path = "../../verify/mutants/src/list.rs"]
mod list;
#[path = "../../verify/mutants/src/mutants.rs"]
#[expect(dead_code, reason = "read for their names")]
mod mutants;
mod orderings;
mod size;
mod source;
mod text;
mod words;
