//! Who may import whom: each storey of the house rests on those named here, and on no other.

use crate::source::{Source, files};
use proc_macro2::{TokenStream, TokenTree};
use slateboard_mutants::source::words;

/// A storey, and what it may name of the crate.
const STOREYS: [(&str, &[&str]); 13] = [
    ("engine", &[]),
    ("sync", &[]),
    // The public words, which name each other: an error carries the entry that stands there.
    ("codec", &["error"]),
    // The region tells the time of which deadlines are.
    ("entry", &["layout", "codec", "region"]),
    ("error", &["entry"]),
    ("guide", &[]),
    // What outlives the machine: files, and nothing of the protocol.
    ("durable", &["error", "layout", "region"]),
    ("uuid", &[]),
    ("layout", &["sync", "error"]),
    ("protocol", &["sync", "layout", "error"]),
    ("region", &["sync", "layout", "error"]),
    // How a folder's board is found and made, from what a user has.
    ("project", &["board", "error", "layout", "uuid"]),
    ("board", &["sync", "codec", "durable", "entry", "error", "layout", "protocol", "region", "uuid"]),
];

/// The façade with its shims, and the file that says beside the import why its is another type.
const ATOMICS: [&str; 2] = ["src/engine/sync/", "src/region/futex.rs"];

fn storey_of(path: &str) -> Option<&str> {
    let rest =
        path.strip_prefix("src/engine/").filter(|rest| rest.contains('/')).or(path.strip_prefix("src/"))?;
    rest.split('/').next()?.split('.').next()
}

/// The names behind every `crate::`, those in braces too.
fn names(code: TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            names(group.stream(), found);
        }
        if token.to_string() != "crate" {
            continue;
        }
        match tokens.get(at + 3) {
            Some(TokenTree::Ident(name)) => found.push(name.to_string()),
            Some(TokenTree::Group(group)) => {
                let items: Vec<TokenTree> = group.stream().into_iter().collect();
                let items = items.split(|token| token.to_string() == ",");
                found.extend(items.filter_map(|item| item.first()).map(ToString::to_string));
            }
            _ => {}
        }
    }
}

/// The words and signs of Rust text, without what separates them.
fn code(source: &Source) -> String {
    words(&source.text).into_iter().map(|(_, word)| word).collect()
}

fn wrong_imports(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        if code(source).contains("super::super") {
            found.push(format!("{} climbs over its storey by super::super", source.path));
        }
        let Some(storey) = storey_of(&source.path).filter(|storey| *storey != "lib") else { continue };
        let Some((_, allowed)) = STOREYS.iter().find(|(name, _)| *name == storey) else {
            found.push(format!("{} is of no storey: add it to the house", source.path));
            continue;
        };
        let mut named = Vec::new();
        names(source.text.parse().expect("Rust text"), &mut named);
        for name in named {
            let known = STOREYS.iter().any(|(storey, _)| *storey == name);
            if known && name != storey && !allowed.contains(&name.as_str()) {
                found.push(format!("{}: {storey} must not import {name}", source.path));
            }
        }
    }
    found
}

fn foreign_atomics(sources: &[Source]) -> Vec<String> {
    let names_them = |source: &&Source| code(source).contains("sync::atomic");
    let elsewhere = sources.iter().filter(|source| !ATOMICS.iter().any(|home| source.path.starts_with(home)));
    let found = elsewhere.filter(names_them);
    found.map(|source| format!("{} takes atomics from elsewhere than crate::sync", source.path)).collect()
}

#[test]
fn each_storey_rests_on_those_below() {
    assert_eq!(wrong_imports(&files(&["src"], &[".rs"])), Vec::<String>::new());
    for (path, bad) in [
        ("src/engine/protocol/a.rs", "use crate::region::Mapping;"),
        ("src/region/a.rs", "use crate::{error::{Error, Result}, protocol::Core};"),
        ("src/engine/layout/a.rs", "fn f() { crate::board::g() }"),
        ("src/cellar.rs", ""),
        ("src/board/a.rs", "use super::super::region;"),
    ] {
        assert_eq!(wrong_imports(&[Source::sample(path, bad)]).len(), 1, "{path}: {bad}");
    }
}

#[test]
fn atomics_come_through_the_facade() {
    assert_eq!(foreign_atomics(&files(&["src"], &[".rs"])), Vec::<String>::new());
    let bad = Source::sample("src/board/a.rs", "use std::sync::atomic::AtomicBool;");
    assert_eq!(foreign_atomics(&[bad]).len(), 1);
}
