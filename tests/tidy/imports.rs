//! Who may import whom: each storey of the house rests on those named here, and on no other.

use crate::source::{Source, files, split};

/// A storey, and what it may name of the crate.
const STOREYS: [(&str, &[&str]); 11] = [
    ("engine", &[]),
    ("sync", &[]),
    // The public words, which name each other: an error carries the entry that stands there.
    ("codec", &["error"]),
    ("entry", &["layout", "codec"]),
    ("error", &["entry"]),
    ("guide", &[]),
    ("uuid", &[]),
    ("layout", &["sync", "error"]),
    ("protocol", &["sync", "layout", "error"]),
    ("region", &["sync", "layout", "error"]),
    ("board", &["sync", "codec", "entry", "error", "layout", "protocol", "region", "uuid"]),
];

/// The façade with its shims, and the file that says beside the import why its is another type.
const ATOMICS: [&str; 2] = ["src/engine/sync/", "src/region/futex.rs"];

fn storey_of(path: &str) -> Option<&str> {
    let rest =
        path.strip_prefix("src/engine/").filter(|rest| rest.contains('/')).or(path.strip_prefix("src/"))?;
    rest.split('/').next()?.split('.').next()
}

/// The names behind every `crate::`, those in braces too.
fn names(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        match rest.strip_prefix('{') {
            None => found.push(word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut top = |char: char| {
                    depth += i32::from(char == '{') - i32::from(char == '}');
                    depth >= 0
                };
                let group: String = group.chars().take_while(|char| top(*char)).collect();
                found.extend(split_at_top(&group).into_iter().map(|item| word(item.trim())));
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The parts between the commas that are in no braces.
fn split_at_top(group: &str) -> Vec<&str> {
    let mut depth = 0;
    group
        .split(|char| {
            depth += i32::from(char == '{') - i32::from(char == '}');
            char == ',' && depth == 0
        })
        .collect()
}

fn wrong_imports(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let code = split(&source.text).code;
        if code.contains("super::super") {
            found.push(format!("{} climbs over its storey by super::super", source.path));
        }
        let Some(storey) = storey_of(&source.path).filter(|storey| *storey != "lib") else { continue };
        let Some((_, allowed)) = STOREYS.iter().find(|(name, _)| *name == storey) else {
            found.push(format!("{} is of no storey: add it to the house", source.path));
            continue;
        };
        for name in names(&code) {
            let known = STOREYS.iter().any(|(storey, _)| *storey == name);
            if known && name != storey && !allowed.contains(&name.as_str()) {
                found.push(format!("{}: {storey} must not import {name}", source.path));
            }
        }
    }
    found
}

fn foreign_atomics(sources: &[Source]) -> Vec<String> {
    let names_them = |source: &&Source| split(&source.text).code.contains("sync::atomic");
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
