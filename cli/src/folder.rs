//! A project's `.slate` folder: whether it is accepted, how it is distinguished from copies, and its lock for changes.

use crate::{
    failure::{Failure, Status},
    record::own_uid,
    whole,
};
use rustix::{
    fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, StatxFlags, flock, fstatfs, openat, statx},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The name of the folder.
pub(crate) const FOLDER: &str = ".slate";
/// How long to wait for the lock of another `init`.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// Magic number of overlayfs, which may invent inode numbers on access.
const OVERLAY: u64 = 0x794c_7630;

/// Identifies a folder even if it is renamed or seen through another mount. The device number is not part of the
/// identity, because it can change when the machine restarts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct FolderId {
    /// An unsigned number stored by its bits, because integers in TOML are signed.
    folder_inode: i64,
    /// Birth time, in nanoseconds since 1970; missing if the file system has no birth times.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder_born: Option<i64>,
}

/// An existing `.slate` folder that belongs to this user.
#[derive(Clone, Debug)]
pub(crate) struct SlateFolder {
    pub(crate) path: PathBuf,
    pub(crate) id: FolderId,
    /// Whether the inode number is reliable.
    has_inode: bool,
}

/// The lock of a folder. While it is held, no other `init` changes the folder.
#[derive(Debug)]
pub(crate) struct FolderLock(#[allow(dead_code, reason = "its drop unlocks")] OwnedFd);

impl SlateFolder {
    /// The folder at this path, or the target of a symbolic link at this path; `None` if nothing is there.
    ///
    /// Fails if something is there that cannot be used. If it were skipped silently, the board of another project would be
    /// used.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>, Failure> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Failure::io(format!("cannot access {}", path.display()), &error)),
        };
        let refused = |why: &str| {
            let text = format!(
                "{} {why}; move it away, or specify a board with --board or SLATE_BOARD",
                path.display()
            );
            Err(Failure::new(Status::Corrupt, text))
        };
        // A folder above the project may be writable by everyone, as /tmp is: what other users put there is not trusted.
        let is_own = |found: &fs::Metadata| found.uid() == own_uid();
        if found.is_symlink() {
            if !is_own(&found) && found.uid() != 0 {
                return refused("is a symbolic link that belongs to another user");
            }
            match fs::metadata(path) {
                Ok(target) if !target.is_dir() => {
                    return refused("is a symbolic link to something that is not a folder");
                }
                Ok(target) if !is_own(&target) => {
                    return refused("is a symbolic link to a folder that belongs to another user");
                }
                Ok(_) => {}
                Err(error) => {
                    return refused(&format!("is a dangling symbolic link ({error})"));
                }
            }
        } else if !found.is_dir() {
            return refused("is not a folder, so it cannot hold the record of a board");
        } else if !is_own(&found) {
            return refused("belongs to another user");
        }
        Self::examine(path).map(Some)
    }

    /// The folder at this path, created with mode 0700 if there is none, with a `.gitignore` that makes git ignore it.
    pub(crate) fn make(path: &Path) -> Result<Self, Failure> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Failure::io(format!("cannot create the folder {}", path.display()), &error));
            }
        }
        let Some(folder) = Self::find(path)? else {
            return Err(Failure::failed(format!(
                "{} was removed while it was being created; try again",
                path.display()
            )));
        };
        let mode = fs::metadata(path).map_or(0, |found| found.mode());
        if mode & 0o022 != 0 {
            let text =
                format!("other users can write to {0}; run `chmod 700 {0}` and try again", path.display());
            return Err(Failure::new(Status::Corrupt, text));
        }
        let ignore = path.join(".gitignore");
        match whole::write_new(&ignore, b"*\n") {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Failure::io(format!("cannot write {}", ignore.display()), &error))
            }
            _ => Ok(folder),
        }
    }

    fn examine(path: &Path) -> Result<Self, Failure> {
        let failed = |error: Errno| Failure::io(format!("cannot examine {}", path.display()), &error.into());
        let folder = open(path).map_err(failed)?;
        let wanted = StatxFlags::INO | StatxFlags::BTIME;
        let found = statx(&folder, c"", AtFlags::EMPTY_PATH, wanted).map_err(failed)?;
        let is_born = found.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = found.stx_btime.tv_sec.saturating_mul(1_000_000_000) + i64::from(found.stx_btime.tv_nsec);
        let kind = fstatfs(&folder).map_err(failed)?.f_type as u64 & 0xffff_ffff;
        let id = FolderId {
            folder_inode: found.stx_ino.cast_signed(),
            folder_born: (is_born && born != 0).then_some(born),
        };
        Ok(Self { path: path.to_owned(), id, has_inode: kind != OVERLAY })
    }

    /// Whether this folder is the recorded one, and not a copy of it.
    pub(crate) fn is(&self, recorded: &FolderId) -> bool {
        let same_inode = self.id.folder_inode == recorded.folder_inode;
        match (self.id.folder_born, recorded.folder_born) {
            (Some(now), Some(then)) => now == then && (same_inode || !self.has_inode),
            _ => same_inode,
        }
    }

    /// Takes the lock, so that no other `init` changes the folder. `None` if another process still holds it after
    /// [`PATIENCE`], for example because that process is stopped.
    ///
    /// Fails if the file system has no locks.
    pub(crate) fn lock(&self) -> io::Result<Option<FolderLock>> {
        let started = Instant::now();
        loop {
            match try_lock(&self.path)? {
                None if started.elapsed() < PATIENCE => thread::sleep(PAUSE),
                outcome => return Ok(outcome),
            }
        }
    }
}

/// Takes the lock of a folder, if no process holds it.
pub(crate) fn try_lock(path: &Path) -> io::Result<Option<FolderLock>> {
    let folder = open(path)?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(FolderLock(folder))),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open(path: &Path) -> Result<OwnedFd, Errno> {
    openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(inode: i64, born: Option<i64>) -> FolderId {
        FolderId { folder_inode: inode, folder_born: born }
    }

    #[test]
    fn a_folder_is_known_by_inode_and_birth() {
        let folder = |id, has_inode| SlateFolder { path: PathBuf::new(), id, has_inode };
        let same = folder(id(7, Some(100)), true);
        assert!(same.is(&id(7, Some(100))));
        assert!(!same.is(&id(8, Some(100))) && !same.is(&id(7, Some(101))));
        assert!(same.is(&id(7, None)) && !same.is(&id(8, None)), "without birth times, the inode decides");
        let overlay = folder(id(7, Some(100)), false);
        assert!(overlay.is(&id(8, Some(100))) && !overlay.is(&id(7, Some(101))));
    }

    #[test]
    fn a_renamed_folder_is_the_same_and_a_copy_is_not() {
        let place = tempfile::tempdir().expect("folder");
        let [first, second] = ["a", "b"].map(|name| place.path().join(name));
        let made = SlateFolder::make(&first).expect("made");
        fs::rename(&first, &second).expect("renamed");
        assert!(SlateFolder::find(&second).expect("found").expect("there").is(&made.id));
        let copy = SlateFolder::make(&first).expect("made");
        assert!(!copy.is(&made.id));
        assert!(made.id.folder_born.is_some(), "this file system has no birth times");
    }

    #[test]
    fn one_has_the_lock() {
        let place = tempfile::tempdir().expect("folder");
        let folder = SlateFolder::make(&place.path().join(FOLDER)).expect("made");
        let lock = folder.lock().expect("asked").expect("locked");
        assert!(try_lock(&folder.path).expect("asked").is_none());
        drop(lock);
        assert!(try_lock(&folder.path).expect("asked").is_some());
    }
}
