//! Functions fit a screen, files can be read in one sitting, and `unsafe` has one home.

use crate::source::{Source, files, functions, split};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 700;
const FOLDERS: [&str; 9] = [
    "src",
    "benches",
    "cli/src",
    "verify/fsck/src",
    "verify/kit/src",
    "verify/schedules/src",
    "verify/stepper/src",
    "verify/torture/src",
    "examples",
];

fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for function in functions(&source.text) {
            let lines = function.last - function.starts + 1;
            if lines > FUNCTION_LINES_MAX {
                found.push(format!("{}: fn {} has {lines} lines", source.path, function.name));
            }
        }
    }
    found
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let lines = |source: &Source| source.text.lines().count();
    let long = sources.iter().filter(|source| lines(source) > FILE_LINES_MAX);
    long.map(|source| format!("{} has {} lines", source.path, lines(source))).collect()
}

fn unsafe_elsewhere(sources: &[Source]) -> Vec<String> {
    let names_it = |source: &&Source| {
        let code = split(&source.text).code;
        code.split(|char: char| !(char.is_alphanumeric() || char == '_')).any(|word| word == "unsafe")
    };
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
fn functions_fit_a_screen() {
    assert_eq!(long_functions(&files(&FOLDERS, &[".rs"])), Vec::<String>::new());
    let long = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES_MAX));
    assert_eq!(long_functions(&[Source::sample("src/a.rs", &long)]).len(), 1);
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
