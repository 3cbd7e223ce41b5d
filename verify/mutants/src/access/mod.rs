//! One flaw of one access at a time, as `docs/atomics.md` lists them: each must fall to its model.

use crate::{
    accesses::{Access, accesses, with_flaws},
    cargo::{Suite, Verdict},
    list::{Answer, Row, rows},
};
use slateboard_mutants::tree::{Changed, Tree};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const PROTOCOL: &str = "src/engine/protocol";
const LIST: &str = "docs/atomics.md";
/// What the copy's façade gets, so that the suite built from it can turn flaws on.
const FLAWS: &str = include_str!("switches.rs");

/// A flaw of an access, and the model that must fail with it.
pub struct Flaw {
    /// The access and the flaw.
    pub name: String,
    /// The numbers of accesses in the suite, and their flaws.
    pub on: Vec<(usize, String)>,
    /// The model.
    pub model: String,
}

/// The accesses of the protocol, in the order of their numbers, which begin at 1.
pub fn all(root: &Path) -> Result<Vec<Access>, String> {
    let mut found = Vec::new();
    for (file, text) in protocol(root)? {
        found.extend(accesses(&file, &text));
    }
    Ok(found)
}

/// The protocol's files, by name, with what stands in them.
fn protocol(root: &Path) -> Result<Vec<(String, String)>, String> {
    let explain = |error| format!("cannot read {PROTOCOL}: {error}");
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(PROTOCOL)).map_err(explain)? {
        let path: PathBuf = entry.map_err(explain)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".rs") && name != "tests.rs" {
            files.push((name, fs::read_to_string(&path).map_err(explain)?));
        }
    }
    files.sort();
    Ok(files)
}

/// Builds the suite with every flaw of every access in it, none turned on.
pub fn build(tree: &Tree, target: &Path) -> Result<Suite, String> {
    let mut changed: Vec<Changed> = Vec::new();
    let mut first = 1;
    for (file, text) in protocol(tree.root())? {
        changed.push(tree.rewrite(&format!("{PROTOCOL}/{file}"), |text| with_flaws(&file, text, first))?);
        first += accesses(&file, &text).len();
    }
    changed.push(tree.rewrite("src/engine/sync/mod.rs", |text| format!("{text}{FLAWS}"))?);
    let built = Suite::build(tree.root(), &target.join("mutants"));
    changed.into_iter().try_for_each(Changed::restore)?;
    built?.kept_as(&target.join("suite-each"))
}

/// The flaws that the list gives to models.
pub fn listed(root: &Path, accesses: &[Access]) -> Result<Vec<Flaw>, String> {
    let number = |name: &str| {
        let at = accesses.iter().position(|access| access.name() == name);
        at.map(|at| at + 1).ok_or(format!("{LIST}: no access is {name}"))
    };
    let mut flaws = Vec::new();
    for row in list(root)? {
        let own = number(&row.name())?;
        for (flaw, answer) in &row.answers {
            if let Answer::Model(model, others) = answer {
                let mut on = vec![(own, flaw.clone())];
                for (access, flaw) in others {
                    on.push((number(access)?, flaw.clone()));
                }
                flaws.push(Flaw { name: format!("{}, {flaw}", row.name()), on, model: model.clone() });
            }
        }
    }
    Ok(flaws)
}

fn list(root: &Path) -> Result<Vec<Row>, String> {
    let text = fs::read_to_string(root.join(LIST)).map_err(|error| format!("cannot read {LIST}: {error}"))?;
    rows(&text).map_err(|error| format!("{LIST}: {error}"))
}

/// The rows whose model does not make their access; where a model falls to a flaw of it, that is shown already.
pub fn not_made(
    root: &Path,
    suite: &Suite,
    models: &[String],
    accesses: &[Access],
) -> Result<Vec<String>, String> {
    let mut made = BTreeMap::new();
    let mut found = Vec::new();
    for row in list(root)? {
        let falls = row.answers.iter().any(|(_, answer)| matches!(answer, Answer::Model(..)));
        if falls || !models.contains(&row.made_in) {
            continue;
        }
        let made = made.entry(row.made_in.clone()).or_insert_with(|| suite.made_in(&row.made_in));
        let number = accesses.iter().position(|access| row.is_of(access)).map(|at| at + 1);
        if number.is_none_or(|number| !made.contains(&number)) {
            found.push(format!("{} does not make {}", row.made_in, row.name()));
        }
    }
    Ok(found)
}

/// The flaws of an access, each with the first of the models that falls to it, those of its file's name before
/// the others. For whoever writes its row.
pub fn find(
    suite: &Suite,
    models: &[String],
    access: &Access,
    number: usize,
) -> Vec<(String, Option<String>)> {
    let flaws = access.flaws();
    let flaws = if flaws.is_empty() { access.relaxed_flaws() } else { &flaws };
    let mut models: Vec<&String> = models.iter().collect();
    models.sort_by_key(|model| !model.starts_with(access.file.trim_end_matches(".rs")));
    let falls = |flaw: &str, model: &str| {
        matches!(suite.run_with(model, &[(number, flaw.to_owned())]), Verdict::Failed(_))
    };
    let first = |flaw: &str| models.iter().find(|model| falls(flaw, model)).map(ToString::to_string);
    flaws.iter().map(|flaw| (flaw.to_string(), first(flaw))).collect()
}
