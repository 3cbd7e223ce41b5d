//! Where a run keeps its files: in memory, under one name, gone when it ends.

use crate::Outcome;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// What every file of a run begins with, in and beside its folder.
const PREFIX: &str = "slate-peers-";

/// A folder on memory. Its end takes away what peers left in it, and the shared memory they named after it.
pub struct Folder {
    path: PathBuf,
    /// Of the run that made it; a part of another folder goes with that.
    own: Option<TempDir>,
}

impl Folder {
    /// A new one, inside `parent` where there is one.
    pub fn new(parent: Option<&str>) -> Outcome<Self> {
        let parent = Path::new(parent.unwrap_or(MEMORY));
        let own = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        Ok(Self { path: own.path().to_owned(), own: Some(own) })
    }

    /// The folder that another process has made.
    pub fn of(path: &str) -> Self {
        Self { path: path.into(), own: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A name for shared memory that goes with this folder: its own, without separators.
    pub fn id(&self, part: &str) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}-{part}")
    }
}

impl Folder {
    /// Takes away a folder and the shared memory that is named after it, or after folders in it.
    pub fn clean(path: &Path) {
        clean_shared(path);
        let _ = fs::remove_dir_all(path);
    }
}

/// Shared memory whose name begins with the folder's, which is random, or with that of a folder in it.
fn clean_shared(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            clean_shared(&entry.path());
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in fs::read_dir(MEMORY).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.starts_with(&name) && file != name {
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            Self::clean(own.path());
        }
    }
}
