//! Every ordering of the protocol is explained where it is used.

use crate::source::{Source, files, functions, split};

const ORDERINGS: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).filter(|word| !word.is_empty())
}

/// A pairing of the table in `protocol`, P1 to P12.
fn is_pairing(word: &str) -> bool {
    let number = word.strip_prefix('P').and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| (1..=12).contains(&number))
}

/// A function that names an ordering other than `Relaxed` has a comment that names it too, or a pairing, or
/// what proves a copy afterwards.
fn unexplained(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let parts = split(&source.text);
        let (code, comments): (Vec<_>, Vec<_>) =
            (parts.code.lines().collect(), parts.comments.lines().collect());
        for function in functions(&source.text) {
            let lines = function.first..=function.last;
            let said = comments[lines.clone()].join("\n").to_lowercase();
            let paired = comments[lines.clone()].iter().any(|line| words(line).any(is_pairing));
            let body = code[lines].join("\n");
            for ordering in
                ORDERINGS.into_iter().filter(|ordering| words(&body).any(|word| word == *ordering))
            {
                if !paired && !said.contains(&ordering.to_lowercase()) {
                    found.push(format!("{}: fn {} does not explain {ordering}", source.path, function.name));
                }
            }
        }
    }
    found
}

#[test]
fn orderings_are_explained_where_they_are_used() {
    let mut sources = files(&["src/engine/protocol"], &[".rs"]);
    sources.retain(|source| !source.path.ends_with("tests.rs"));
    assert_eq!(unexplained(&sources), Vec::<String>::new());
    let bad = "/// Does.\nfn f() {\n    // Quickly.\n    WORD.store(1, Release);\n}\n";
    assert_eq!(unexplained(&[Source::sample("src/engine/protocol/a.rs", bad)]).len(), 1);
    let fine = "fn f() {\n    // Who sees it sees the record (P1).\n    WORD.store(1, Release);\n}\n";
    assert!(unexplained(&[Source::sample("src/engine/protocol/a.rs", fine)]).is_empty());
}
