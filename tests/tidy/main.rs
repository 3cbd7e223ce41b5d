//! Rules of the repository that no compiler knows. Each is shown to fail on a bad sample.

#[path = "../../loom-tests/src/runner/accesses.rs"]
#[expect(dead_code, reason = "the models use the rest")]
mod accesses;
mod atomics;
#[path = "../../loom-tests/src/runner/breaks.rs"]
#[expect(dead_code, reason = "read for their names")]
mod breaks;
#[path = "../../search/src/canaries.rs"]
#[expect(dead_code, reason = "read for their names")]
mod canaries;
mod format;
mod imports;
#[path = "../../loom-tests/src/runner/list.rs"]
mod list;
#[path = "../../loom-tests/src/runner/mutants.rs"]
#[expect(dead_code, reason = "read for their names")]
mod mutants;
mod orderings;
mod size;
mod source;
mod text;
mod words;
