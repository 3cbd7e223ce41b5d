//! The access mutants: one access of the protocol done wrong in one way, as `docs/atomics.md` lists them with the model
//! that must find each.
//!
//! They are made of the accesses in the text. All of them are in one build of the models, each behind a switch.

pub mod list;
pub mod text;

use crate::{
    program::{Program, Verdict},
    table::Tool,
    tree::{Changed, Tree},
};
use list::{Answer, Row, rows};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use text::{Access, accesses, with_switches};

const PROTOCOL: &str = "src/engine/protocol";
const LIST: &str = "docs/atomics.md";
/// What the copy's façade gets, so that the models built from it can turn mutants on.
const SWITCHES: &str = include_str!("switches.rs");

/// An access done wrong, and the model that must find it.
pub struct AccessMutant {
    /// The access and what is wrong with it.
    pub name: String,
    /// The switches that are on: accesses by number, and what is wrong with each.
    pub switches: String,
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

/// Builds the models with every access mutant in them, none turned on.
pub fn build(tree: &Tree, target: &Path) -> Result<Program, String> {
    let mut changed: Vec<Changed> = Vec::new();
    let mut first = 1;
    for (file, text) in protocol(tree.root())? {
        changed.push(tree.rewrite(&format!("{PROTOCOL}/{file}"), |text| with_switches(&file, text, first))?);
        first += accesses(&file, &text).len();
    }
    changed.push(tree.rewrite("src/engine/sync/mod.rs", |text| format!("{text}{SWITCHES}"))?);
    let built = Program::build(Tool::Models, tree.root(), target);
    changed.into_iter().try_for_each(Changed::restore)?;
    built
}

/// The access mutants that the list gives to models.
pub fn mutants(root: &Path) -> Result<Vec<AccessMutant>, String> {
    let accesses = all(root)?;
    let switch = |access: &str, wrong: &str| {
        let at = accesses.iter().position(|known| known.name() == access);
        at.map(|at| format!("{} {wrong}", at + 1)).ok_or(format!("{LIST}: no access is {access}"))
    };
    let mut found = Vec::new();
    for row in list(root)? {
        for (wrong, answer) in &row.answers {
            if let Answer::Model(model, others) = answer {
                let mut switches = switch(&row.name(), wrong)?;
                for (access, wrong) in others {
                    switches = format!("{switches};{}", switch(access, wrong)?);
                }
                found.push(AccessMutant {
                    name: format!("{}, {wrong}", row.name()),
                    switches,
                    model: model.clone(),
                });
            }
        }
    }
    Ok(found)
}

fn list(root: &Path) -> Result<Vec<Row>, String> {
    let text = fs::read_to_string(root.join(LIST)).map_err(|error| format!("cannot read {LIST}: {error}"))?;
    rows(&text).map_err(|error| format!("{LIST}: {error}"))
}

/// The rows whose model does not make their access; where a model finds a mutant of it, that is shown already.
pub fn not_made(root: &Path, models: &Program) -> Result<Vec<String>, String> {
    let (accesses, names) = (all(root)?, models.list()?);
    let mut made = BTreeMap::new();
    let mut found = Vec::new();
    for row in list(root)? {
        let falls = row.answers.iter().any(|(_, answer)| matches!(answer, Answer::Model(..)));
        if falls || !names.contains(&row.made_in) {
            continue;
        }
        let made = made.entry(row.made_in.clone()).or_insert_with(|| made_in(models, &row.made_in));
        let number = accesses.iter().position(|access| row.is_of(access)).map(|at| at + 1);
        if number.is_none_or(|number| !made.contains(&number)) {
            found.push(format!("{} does not make {}", row.made_in, row.name()));
        }
    }
    Ok(found)
}

/// The numbers of the accesses that a model makes.
fn made_in(models: &Program, model: &str) -> Vec<usize> {
    let mut command = models.command(&["run", model]);
    let output = command.env("SLATE_MUTANT", "all made").output();
    let printed = output.map(|output| output.stdout).unwrap_or_default();
    let lines = String::from_utf8_lossy(&printed);
    lines.lines().filter_map(|line| line.strip_prefix("made ")?.parse().ok()).collect()
}

/// The mutants of an access, each with the first of the models that finds it, those of its file's name before the
/// others. For whoever writes its row.
pub fn find(
    models: &Program,
    names: &[String],
    access: &Access,
    number: usize,
) -> Vec<(String, Option<String>)> {
    let required = access.mutants();
    let wrongs = if required.is_empty() { access.relaxed_mutants() } else { &required };
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_by_key(|name| !name.starts_with(access.file.trim_end_matches(".rs")));
    let finds = |wrong: &str, model: &str| {
        matches!(models.model(model, &format!("{number} {wrong}")), Verdict::Found(_))
    };
    let first = |wrong: &str| names.iter().find(|name| finds(wrong, name)).map(ToString::to_string);
    wrongs.iter().map(|wrong| (wrong.to_string(), first(wrong))).collect()
}
