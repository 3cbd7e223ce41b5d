//! A copy of the sources that mutants may change.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Folders that no build of the models reads.
const SKIPPED: &[&str] = &["target", "fuzz"];

/// A copy of the workspace's sources.
pub struct Tree {
    root: PathBuf,
}

/// A file that was changed, with what it was.
pub struct Changed {
    path: PathBuf,
    text: String,
}

impl Tree {
    /// Copies the sources to `to`, over what is left of an earlier copy. A file that did not change is left
    /// alone, so that it is not built again.
    pub fn copy(from: &Path, to: &Path) -> Result<Self, String> {
        let explain = |error| format!("cannot copy {} to {}: {error}", from.display(), to.display());
        copy_folder(from, to).map_err(explain)?;
        Ok(Self { root: to.to_path_buf() })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is in a file.
    pub fn text(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(file)).map_err(|error| format!("cannot read {file}: {error}"))
    }

    /// Replaces text that must stand in the file exactly once.
    pub fn replace(&self, file: &str, search: &str, replace: &str) -> Result<Changed, String> {
        let text = self.text(file)?;
        let found = text.matches(search).count();
        if found != 1 {
            return Err(format!("no longer applies: its text stands in {file} {found} times, not once"));
        }
        self.rewrite(file, |text| text.replace(search, replace))
    }

    /// Makes another text of a file's.
    pub fn rewrite(&self, file: &str, change: impl FnOnce(&str) -> String) -> Result<Changed, String> {
        let (path, text) = (self.root.join(file), self.text(file)?);
        fs::write(&path, change(&text)).map_err(|error| format!("cannot write {file}: {error}"))?;
        Ok(Changed { path, text })
    }
}

impl Changed {
    /// Puts the file back.
    pub fn restore(self) -> Result<(), String> {
        fs::write(&self.path, self.text).map_err(|error| format!("cannot restore a mutant's file: {error}"))
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let (source, goal) = (entry.path(), to.join(&name));
        if text.starts_with('.') || SKIPPED.contains(&text.as_ref()) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&source, &goal)?;
        } else if kind.is_file() && fs::read(&source).ok() != fs::read(&goal).ok() {
            fs::copy(&source, &goal)?;
        }
    }
    remove_gone(from, to)
}

/// Removes what the sources no longer have: cargo would find it.
fn remove_gone(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if from.join(entry.file_name()).exists() || entry.file_name() == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
