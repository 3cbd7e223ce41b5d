//! What no file says: work put off, places on one machine, lints switched off.

use crate::source::{Source, files, root};

const FOLDERS: [&str; 11] = [
    "src",
    "cli",
    "tests",
    "examples",
    "benches",
    "docs",
    "verify",
    "fuzz/fuzz_targets",
    "loom-tests",
    ".ci",
    ".cargo",
];

fn text_files() -> Vec<Source> {
    let mut sources = files(&FOLDERS, &[".rs", ".md", ".toml", "run"]);
    for name in
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Cargo.toml"]
    {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|_| panic!("{name} is missing"));
        sources.push(Source { path: name.into(), text });
    }
    sources
}

/// In pieces, so that this file does not say them.
fn forbidden() -> Vec<String> {
    [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X:"],
        ["/ro", "ot/"],
        ["/wo", "rk/"],
        ["/ho", "me/"],
        ["/tmp", "/w/"],
    ]
    .map(|halves| halves.concat())
    .to_vec()
}

fn said(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            let words = forbidden().into_iter().filter(|word| line.contains(word.as_str()));
            found.extend(words.map(|word| format!("{}:{} says {word}", source.path, number + 1)));
        }
    }
    found
}

/// Members of the workspace that leave the lint wall.
fn outside_the_wall(manifests: &[Source]) -> Vec<String> {
    let inside = |text: &str| text.contains("[lints]\nworkspace = true");
    let outside = manifests.iter().filter(|manifest| !inside(&manifest.text));
    outside.map(|manifest| format!("{} does not take the workspace's lints", manifest.path)).collect()
}

#[test]
fn nothing_is_put_off_and_no_machine_is_named() {
    assert_eq!(said(&text_files()), Vec::<String>::new());
    for word in forbidden() {
        assert_eq!(said(&[Source::sample("a.rs", &format!("fn f() {{}}\n// {word} it"))]).len(), 1, "{word}");
    }
}

#[test]
fn every_member_is_inside_the_lint_wall() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for lint in ["unsafe_code = \"deny\"", "missing_docs =", "undocumented_unsafe_blocks = \"deny\""] {
        assert!(manifest.contains(lint), "the lint wall lost {lint}");
    }
    let mut manifests = files(&["benches", "cli", "loom-tests", "verify"], &["Cargo.toml"]);
    manifests.push(Source { path: "Cargo.toml".into(), text: manifest });
    assert_eq!(outside_the_wall(&manifests), Vec::<String>::new());
    assert_eq!(outside_the_wall(&[Source::sample("x/Cargo.toml", "[package]\n")]).len(), 1);
}
