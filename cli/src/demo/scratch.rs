//! A folder for one demo, which is removed when the demo ends, even if it is killed.

use crate::failure::{Failure, Status};
use rustix::{
    io::Errno,
    process::geteuid,
    rand::{GetRandomFlags, getrandom},
};
use std::{
    env,
    fs::{self, File},
    io::{self, Read},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const SHARED_MEMORY: &str = "/dev/shm";
const PREFIX: &str = "demo-";
/// Attempts to create a folder before another demo removes it as one that was left behind.
const ATTEMPTS: u32 = 16;
/// How often the sweeper tries to remove the folder, because ending agents may still write to it.
const SWEEPS: u32 = 200;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(10);

/// The folder, and a process that removes it when this process ends, even by SIGKILL.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    sweeper: Child,
    /// Shows other demos that this one is running.
    #[allow(dead_code, reason = "its drop unlocks")]
    lock: Option<File>,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self, Failure> {
        let shared = Path::new(SHARED_MEMORY);
        let root = if shared.is_dir() { shared.to_owned() } else { env::temp_dir() };
        let base = root.join(format!("slate-{}", geteuid().as_raw()));
        // Folders of demos that were killed together with their sweepers.
        remove_left(&base);
        for _ in 0..ATTEMPTS {
            // The sweeper starts first, so that the folder never exists without a process that removes it.
            let folder = base.join(random_name()?);
            let mut scratch = Self { sweeper: spawn_sweeper(&folder)?, folder, lock: None };
            make(&base, &scratch.folder)?;
            // Another demo may have removed the folder as one that was left behind, before it was locked.
            scratch.lock = lock(&scratch.folder);
            if scratch.lock.is_some() && scratch.folder.is_dir() {
                return Ok(scratch);
            }
        }
        Err(Failure::failed(format!(
            "another process removes folders in {} as soon as they are created; stop it, and try again",
            base.display()
        )))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        let _ = self.sweeper.wait();
    }
}

/// A random name, which no other demo chooses.
fn random_name() -> Result<String, Failure> {
    let mut bytes = [0; 8];
    getrandom(&mut bytes, GetRandomFlags::empty())
        .map_err(|error| Failure::io("cannot get random bytes", &error.into()))?;
    Ok(format!("{PREFIX}{:016x}", u64::from_ne_bytes(bytes)))
}

/// Creates a private folder in a private folder, which other demos may be removing because it is empty.
fn make(base: &Path, folder: &Path) -> Result<(), Failure> {
    let private = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
    let mut made = Ok(());
    for _ in 0..ATTEMPTS {
        made = match private(base) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => private(folder),
        };
        if !matches!(&made, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            break;
        }
    }
    made.map_err(|error| Failure::io(format!("cannot create the folder {}", folder.display()), &error))
}

/// The folder with its lock, if no other process holds it.
fn lock(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    match rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => None,
        // A file system without locks.
        _ => Some(folder),
    }
}

/// Removes the folders whose demos have ended, as their missing lock shows.
fn remove_left(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let folder = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && lock(&folder).is_some() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn spawn_sweeper(folder: &Path) -> Result<Child, Failure> {
    let program = env::current_exe()
        .map_err(|error| Failure::io("cannot find the program file of this process", &error))?;
    Command::new(program)
        .arg("demo-sweep")
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // Ctrl-C must end only the coordinator, because the sweeper removes the folder after that.
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::io("cannot start the process that cleans up", &error))
}

/// Waits until the coordinator has ended, then removes its folder.
pub(crate) fn sweep(folder: &Path) -> Result<(), Failure> {
    let is_demo =
        folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    if !is_demo {
        return Err(Failure::new(Status::Usage, format!("{} is not the folder of a demo", folder.display())));
    }
    let _ = io::stdin().read_to_end(&mut Vec::new());
    for _ in 0..SWEEPS {
        match fs::remove_dir_all(folder) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(_) => thread::sleep(BETWEEN_SWEEPS),
        }
    }
    // Removes the parent folder if it is empty; an error means that others use it.
    let _ = folder.parent().map(fs::remove_dir);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_demo_folder_is_swept() {
        let folder = tempfile::tempdir().expect("folder");
        assert!(sweep(folder.path()).is_err());
        assert!(folder.path().exists());
    }
}
