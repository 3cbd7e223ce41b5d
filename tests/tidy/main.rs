//! Rules of the repository that no compiler knows. Each is shown to fail on a bad sample.

#[path = "../../verify/mutants/src/accesses.rs"]
#[expect(dead_code, reason = "the models use the rest")]
mod accesses;
mod atomics;
mod format;
mod imports;
#[path = "../../verify/mutants/src/list.rs"]
mod list;
mod orderings;
mod size;
mod source;
mod text;
mod words;
