//! Every ordering of the protocol is explained where it is used.

use crate::source::{Source, files};
use slateboard_mutants::source::{comments, functions, words};
use std::collections::BTreeSet;

const ORDERINGS: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];

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
        let (words, comments) = (words(&source.text), comments(&source.text));
        for function in functions(&source.text) {
            let within = |at: &usize| function.documented.contains(at);
            let said: String = comments.iter().filter(|(at, _)| within(at)).map(|(_, text)| *text).collect();
            let paired = said.split(|char: char| !char.is_alphanumeric()).any(is_pairing);
            let said = said.to_lowercase();
            let named: BTreeSet<&str> =
                words.iter().filter(|(at, _)| within(at)).map(|(_, word)| *word).collect();
            let orderings = ORDERINGS.into_iter().filter(|ordering| named.contains(ordering));
            let unsaid = orderings.filter(|ordering| !paired && !said.contains(&ordering.to_lowercase()));
            found.extend(
                unsaid.map(|it| format!("{}: fn {} does not explain {it}", source.path, function.name)),
            );
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
