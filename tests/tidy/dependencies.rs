//! What the workspace depends on is what `deny.toml` allows: licences, banned names, one version of each, one
//! registry. Offline, from what cargo has on disk.

use crate::source::root;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

struct Package {
    name: String,
    version: String,
    licence: String,
    source: Option<String>,
}

/// The quoted strings of `list = [..]` in a section of `deny.toml`.
fn list(deny: &str, section: &str, list: &str) -> Vec<String> {
    let section = deny.split(&format!("[{section}]")).nth(1).and_then(|rest| rest.split("\n[").next());
    let uncommented: String = section
        .unwrap_or_default()
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let items = uncommented.split(&format!("\n{list} = [")).nth(1).and_then(|rest| rest.split(']').next());
    let quoted = items.unwrap_or_default().split('"').skip(1).step_by(2);
    quoted.map(String::from).collect()
}

/// Whether an SPDX expression holds where these licences are allowed. `/` is the old way to write OR.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let holds = any_of(&tokens, &mut at, allowed);
    holds && at == tokens.len()
}

fn any_of(tokens: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut holds = all_of(tokens, at, allowed);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= all_of(tokens, at, allowed);
    }
    holds
}

fn all_of(tokens: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut holds = one(tokens, at, allowed);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one(tokens, at, allowed);
    }
    holds
}

fn one(tokens: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(token) = tokens.get(*at) else { return false };
    *at += 1;
    if *token == "(" {
        let holds = any_of(tokens, at, allowed);
        *at += 1;
        return holds;
    }
    let mut licence = token.to_string();
    if tokens.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", tokens.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}

fn findings(packages: &[Package], deny: &str) -> Vec<String> {
    let licences = list(deny, "licenses", "allow");
    let (banned, twice) = (list(deny, "bans", "deny"), list(deny, "bans", "skip"));
    let mut versions = BTreeMap::<&str, Vec<&str>>::new();
    let mut found = foreign(packages);
    for package in packages {
        let name = &package.name;
        versions.entry(name).or_default().push(&package.version);
        if !is_allowed(&package.licence, &licences) {
            found.push(format!("{name} has the licence {}", package.licence));
        }
        if banned.contains(name) {
            found.push(format!("{name} is banned: see deny.toml"));
        }
    }
    let several =
        versions.into_iter().filter(|(name, all)| all.len() > 1 && !twice.contains(&name.to_string()));
    found.extend(several.map(|(name, all)| format!("{name} is there more than once: {}", all.join(", "))));
    found
}

fn metadata() -> Value {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", &platform])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// The ids of the workspace's members but these, and of all that they depend on.
fn reached(metadata: &Value, excluded: &[String]) -> BTreeSet<String> {
    let excluded: BTreeSet<String> = items(&metadata["packages"])
        .filter(|package| package["source"].is_null() && excluded.contains(&text(&package["name"])))
        .map(|package| text(&package["id"]))
        .collect();
    let mut left: Vec<String> = items(&metadata["workspace_members"]).map(text).collect();
    left.retain(|id| !excluded.contains(id));
    let mut reached = BTreeSet::new();
    while let Some(id) = left.pop() {
        let nodes = items(&metadata["resolve"]["nodes"]).filter(|node| text(&node["id"]) == id);
        left.extend(nodes.flat_map(|node| items(&node["deps"])).map(|needed| text(&needed["pkg"])));
        left.retain(|next| *next != id && !reached.contains(next));
        reached.insert(id);
    }
    reached
}

/// All packages of the lock file, or those with these ids.
fn packages(metadata: &Value, ids: Option<&BTreeSet<String>>) -> Vec<Package> {
    items(&metadata["packages"])
        .filter(|package| ids.is_none_or(|ids| ids.contains(&text(&package["id"]))))
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: text(&package["license"]),
            source: package["source"].as_str().map(String::from),
        })
        .collect()
}

/// Packages that another registry or a repository hands out.
fn foreign(packages: &[Package]) -> Vec<String> {
    let foreign =
        packages.iter().filter(|package| package.source.as_deref().is_some_and(|source| source != REGISTRY));
    foreign.map(|package| format!("{} is not from crates.io", package.name)).collect()
}

fn deny() -> String {
    std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there")
}

#[test]
fn dependencies_are_what_is_allowed() {
    let (metadata, deny) = (metadata(), deny());
    let all = packages(&metadata, None);
    let packages = packages(&metadata, Some(&reached(&metadata, &list(&deny, "graph", "exclude"))));
    assert!(packages.iter().any(|package| package.name == "slateboard"));
    assert_eq!(findings(&packages, &deny), Vec::<String>::new());
    assert_eq!(foreign(&all), Vec::<String>::new());
}

#[test]
fn what_only_the_comparison_needs_is_left_out() {
    let node = |id: &str, needs: &[&str]| {
        let needs: Vec<Value> = needs.iter().map(|id| serde_json::json!({ "pkg": id })).collect();
        serde_json::json!({ "id": id, "deps": needs })
    };
    let metadata = serde_json::json!({
        "packages": [{ "id": "p 1", "name": "peers", "source": null }, { "id": "a 1", "name": "a", "source": null }],
        "workspace_members": ["a 1", "p 1"],
        "resolve": { "nodes": [node("a 1", &["b 1"]), node("p 1", &["b 1", "c 1"]), node("b 1", &[]), node("c 1", &[])] },
    });
    let ids = |ids: &[&str]| ids.iter().map(|id| id.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(reached(&metadata, &["peers".to_owned()]), ids(&["a 1", "b 1"]));
    assert_eq!(reached(&metadata, &[]), ids(&["a 1", "b 1", "c 1", "p 1"]));
}

#[test]
fn a_lock_without_an_owner_is_banned_elsewhere() {
    let (metadata, deny) = (metadata(), deny());
    let all = packages(&metadata, None);
    assert!(findings(&all, &deny).iter().any(|finding| finding.contains("raw_sync is banned")));
}

#[test]
fn what_is_not_allowed_is_found() {
    let package = |name: &str, licence: &str, source: &str| Package {
        name: name.into(),
        version: name.len().to_string(),
        licence: licence.into(),
        source: Some(source.into()),
    };
    let found = |package: Package| findings(&[package], &deny()).len();
    assert_eq!(found(package("a", "MIT", REGISTRY)), 0);
    assert_eq!(found(package("a", "GPL-3.0", REGISTRY)), 1);
    assert_eq!(found(package("a", "", REGISTRY)), 1);
    assert_eq!(found(package("openssl", "MIT", REGISTRY)), 1);
    assert_eq!(found(package("a", "MIT", "git+https://example.org")), 1);
    let twice = [package("a", "MIT", REGISTRY), package("a", "MIT", REGISTRY)];
    assert_eq!(findings(&twice, &deny()).len(), 1);
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "Zlib", "A WITH B"].map(String::from);
    for fine in ["MIT", "GPL OR MIT", "GPL/MIT", "(GPL OR MIT) AND Zlib", "A WITH B OR GPL"] {
        assert!(is_allowed(fine, &allowed), "{fine}");
    }
    for bad in ["GPL", "MIT AND GPL", "A", "A WITH C", "", "MIT MIT", "(GPL OR MIT) AND GPL"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
