//! Where a run keeps its files: in memory, under one name, gone when the run ends.

use crate::Outcome;
use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// What every file of a run begins with, in and beside its folder.
const PREFIX: &str = "slate-peers-";

/// A folder on memory. Dropping it removes what peers left in it, and the shared memory that is named after it.
pub struct Folder {
    path: PathBuf,
    /// Set in the process that made it.
    own: Option<TempDir>,
}

impl Folder {
    /// A new folder, inside `parent` if there is one.
    pub fn new(parent: Option<&Path>) -> Outcome<Self> {
        let parent = parent.unwrap_or(Path::new(MEMORY));
        let own = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        Ok(Self { path: own.path().to_owned(), own: Some(own) })
    }

    /// A folder that another process has made.
    pub fn of(path: &str) -> Self {
        Self { path: path.into(), own: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A name for shared memory that goes with this folder: the folder's own name, without separators.
    pub fn id(&self, part: &str) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}-{part}")
    }

    /// Starts a process that removes the folder when this process is gone, however it ended. It waits for the end of its
    /// input, so it ends by itself.
    pub fn have_janitor(&self) -> Outcome<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", "janitor"]).arg(&self.path);
        // A process group of its own: an interrupt at the terminal must not reach it.
        Ok(command.stdin(Stdio::piped()).process_group(0).spawn()?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            clean(own.path());
        }
    }
}

/// The janitor's role.
pub fn janitor(path: &Path) -> Outcome<()> {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    // The other children of a killed process are killed right after its files are closed.
    std::thread::sleep(Duration::from_millis(200));
    clean(path);
    Ok(())
}

/// Removes a folder and the shared memory that is named after it, or after folders in it.
fn clean(path: &Path) {
    clean_shared(path);
    // It may be gone already.
    let _ = fs::remove_dir_all(path);
}

/// Removes shared memory whose name begins with the name of the folder, which is random, or of a folder in it.
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
