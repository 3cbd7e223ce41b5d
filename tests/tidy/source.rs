//! The files that the rules look at.

use std::{fs, path::Path};

/// A file of the repository.
pub struct Source {
    /// From the repository's root.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn sample(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files with one of these endings in these folders, and below them. A folder that is not there has none.
pub fn files(folders: &[&str], endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    folders.iter().for_each(|folder| collect(&root().join(folder), endings, &mut found));
    assert!(!found.is_empty(), "no files in {folders:?}");
    found
}

fn collect(folder: &Path, endings: &[&str], found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != ".git" {
            collect(&path, endings, found);
        } else if endings.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}
