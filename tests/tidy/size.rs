//! Files can be read in one sitting, and `unsafe` has one home. That functions fit a screen is a rule of clippy.

use crate::source::{Source, files};
use slateboard_mutants::source::words;

const FILE_LINES_MAX: usize = 700;
const FOLDERS: [&str; 10] = [
    "src",
    "benches",
    "cli/src",
    "verify/fsck/src",
    "verify/kit/src",
    "verify/mutants/src",
    "verify/search/src",
    "verify/stepper/src",
    "verify/torture/src",
    "examples",
];

fn long_files(sources: &[Source]) -> Vec<String> {
    let lines = |source: &Source| source.text.lines().count();
    let long = sources.iter().filter(|source| lines(source) > FILE_LINES_MAX);
    long.map(|source| format!("{} has {} lines", source.path, lines(source))).collect()
}

fn unsafe_elsewhere(sources: &[Source]) -> Vec<String> {
    let names_it = |source: &&Source| words(&source.text).iter().any(|(_, word)| *word == "unsafe");
    // And one `fork`, which is what tests and torture test; and peers whose own interface asks for it.
    const ELSEWHERE: [&str; 6] = [
        "verify/kit/src/children/fork.rs",
        "benches/compare/src/peers/table.rs",
        "benches/compare/src/peers/unprotected.rs",
        "benches/compare/src/peers/mutex.rs",
        "benches/compare/src/peers/mmap_sync.rs",
        "benches/compare/src/peers/lmdb.rs",
    ];
    let home = |source: &&Source| {
        source.path.starts_with("src/region/") || ELSEWHERE.contains(&source.path.as_str())
    };
    let elsewhere = sources.iter().filter(|source| !home(source));
    elsewhere.filter(names_it).map(|source| format!("{} has unsafe code", source.path)).collect()
}

#[test]
fn files_can_be_read_in_one_sitting() {
    assert_eq!(long_files(&files(&FOLDERS, &[".rs"])), Vec::<String>::new());
    assert_eq!(long_files(&[Source::sample("src/a.rs", &"\n".repeat(FILE_LINES_MAX + 1))]).len(), 1);
}

#[test]
fn unsafe_is_in_the_region_alone() {
    assert_eq!(unsafe_elsewhere(&files(&FOLDERS, &[".rs"])), Vec::<String>::new());
    let bad = "fn f() { unsafe { g() } } // but not: unsafe_code";
    assert_eq!(unsafe_elsewhere(&[Source::sample("src/board/a.rs", bad)]).len(), 1);
    let fine = "#[allow(unsafe_code)] mod a; // unsafe\nconst A: &str = \"unsafe\";";
    assert!(unsafe_elsewhere(&[Source::sample("src/lib.rs", fine)]).is_empty());
}
