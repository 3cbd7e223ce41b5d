//! Folders for boards, and what stands in them.

use crate::Outcome;
use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
const PREFIX: &str = "slate-scaling-";

/// A folder on memory where there is one; gone when the value is.
pub fn folder() -> Outcome<TempDir> {
    let prefix = format!("{PREFIX}{}-", std::process::id());
    let built = tempfile::Builder::new().prefix(&prefix).tempdir_in(Path::new(MEMORY));
    Ok(built.or_else(|_| tempfile::tempdir())?)
}

/// Starts a process that removes the folders of this one when it is gone, however it went. It ends then too.
pub fn have_janitor() -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--role", "janitor", &std::process::id().to_string()]);
    // A group of its own: what interrupts the run at a terminal is not for it.
    Ok(command.stdin(Stdio::piped()).process_group(0).spawn()?)
}

/// Removes the folders of the processes that are named so.
pub fn remove_those_of(is_meant: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(MEMORY).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(&is_meant) {
            // Another user's stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Bytes of memory that the board's file takes: its pages that were touched.
pub fn allocated(path: &Path) -> Outcome<u64> {
    Ok(fs::metadata(path)?.blocks() * 512)
}
