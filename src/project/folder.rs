//! A project's `.slate` folder: whether it is accepted, how it is distinguished from copies, and its lock for changes.

use super::{
    machine::{self, own_uid},
    whole,
};
use crate::error::{Error, ErrorKind, Result};
use rustix::{
    fs::{
        AtFlags, CWD, FlockOperation, Mode, OFlags, StatxFlags, flock, fstatfs, fstatvfs, makedev, openat,
        statx,
    },
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
pub(super) const FOLDER: &str = ".slate";
/// The name of a file that moves the folder to an overlay's upper layer, before a dot and random digits.
pub(super) const SETTLED: &str = ".settled";
/// The file in the folder that makes git ignore it.
pub(super) const IGNORE: &str = ".gitignore";
/// How long to wait for the lock of another `init`.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// Magic number of overlayfs, which may invent inode numbers on access.
const OVERLAY: u64 = 0x794c_7630;

/// Identifies a folder even if it is renamed or seen through another mount. The device number is not part of the
/// identity, because it can change when the machine restarts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(super) struct FolderId {
    /// An unsigned number stored by its bits, because integers in TOML are signed.
    folder_inode: i64,
    /// Birth time, in nanoseconds since 1970; missing if the file system has no birth times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder_born: Option<i64>,
    /// Identifies the file system, and is recorded only if it has no birth times: inode numbers of another file system may
    /// be the same. The device number if the file system has no identity, as those of FUSE; so after another mount the
    /// folder passes for a copy, and never a copy for the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder_file_system: Option<i64>,
}

/// An existing `.slate` folder that belongs to this user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SlateFolder {
    pub(super) path: PathBuf,
    pub(super) id: FolderId,
    /// Whether the folder is in an overlay: its inode number is not reliable, and what is written there stays in the
    /// overlay's upper layer.
    pub(super) is_layered: bool,
    file_system: i64,
}

/// The lock of a folder. While it is held, no other `init` changes the folder.
#[derive(Debug)]
pub(super) struct FolderLock(#[allow(dead_code, reason = "its drop unlocks")] OwnedFd);

impl SlateFolder {
    /// The folder at this path, or the target of a symbolic link at this path; `None` if nothing is there.
    ///
    /// Fails if something is there that cannot be used. If it were skipped silently, the board of another project would be
    /// used.
    pub(super) fn find(path: &Path) -> Result<Option<Self>> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io("the folder cannot be accessed", error).at_path(path)),
        };
        let refused = |why: &str| Err(unusable(path, why));
        // A folder above the project may be writable by everyone, as /tmp is: what other users put there is not trusted.
        let is_own = |found: &fs::Metadata| machine::is_own(found.uid());
        if found.is_symlink() {
            if !is_own(&found) && found.uid() != 0 {
                return Err(foreign(path, "symbolic link ", &found));
            }
            match fs::metadata(path) {
                Ok(target) if !target.is_dir() => {
                    return refused("is a symbolic link to something that is not a folder");
                }
                Ok(target) if !is_own(&target) => {
                    return Err(foreign(path, "is a symbolic link to a folder that ", &target));
                }
                Ok(_) => {}
                Err(error) => {
                    return refused(&format!("is a dangling symbolic link ({error})"));
                }
            }
        } else if !found.is_dir() {
            return refused("is not a folder, so it cannot hold the record of a board");
        } else if !is_own(&found) {
            return Err(foreign(path, "", &found));
        }
        Self::examine(path).map(Some)
    }

    /// The folder at this path, created with mode 0700 if there is none, with a `.gitignore` that makes git ignore it.
    pub(super) fn make(path: &Path) -> Result<Self> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // An existing folder of a file system that is mounted read-only can still be used.
            Err(_) if fs::symlink_metadata(path).is_ok() => {}
            Err(error) => return Err(Error::io("the folder cannot be created", error).at_path(path)),
        }
        let Some(folder) = Self::find(path)? else {
            return Err(Error::new(
                ErrorKind::Contended,
                "the folder was removed while it was being created",
            )
            .hint("try again")
            .at_path(path));
        };
        let mode = fs::metadata(path).map_or(0, |found| found.mode());
        if mode & 0o022 != 0 {
            return Err(writable_by_others(path));
        }
        let ignore = path.join(IGNORE);
        if fs::symlink_metadata(&ignore).is_ok() {
            return Ok(folder);
        }
        // Complete at once: a file without its line would be left as it is. Whoever else makes it writes the same.
        match whole::create(&ignore, b"*\n", whole::ways(true)) {
            Err(error) if is_there_or_read_only(&error) => Ok(folder),
            Err(error) => Err(Error::io("the file cannot be written", error).at_path(&ignore)),
            Ok(()) => Ok(folder),
        }
    }

    /// Moves the folder into the upper layer, if it is in an overlay: it gets another birth time by that, so its identity
    /// must be recorded afterwards.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.is_layered {
            let failed = |error| Error::io("the folder cannot be written", error).at_path(&self.path);
            let draft = self.path.join(format!("{SETTLED}.{}", whole::random_name().map_err(failed)?));
            whole::write_new(&draft, b"").and_then(|()| fs::remove_file(&draft)).map_err(failed)?;
            *self = Self::examine(&self.path)?;
        }
        Ok(())
    }

    fn examine(path: &Path) -> Result<Self> {
        let failed = |error: Errno| Error::io("the folder cannot be examined", error).at_path(path);
        let folder = open(path).map_err(failed)?;
        let wanted = StatxFlags::INO | StatxFlags::BTIME;
        let found = statx(&folder, c"", AtFlags::EMPTY_PATH, wanted).map_err(failed)?;
        let is_born = found.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = found.stx_btime.tv_sec.saturating_mul(1_000_000_000) + i64::from(found.stx_btime.tv_nsec);
        let kind = fstatfs(&folder).map_err(failed)?.f_type as u64 & 0xffff_ffff;
        let device = makedev(found.stx_dev_major, found.stx_dev_minor);
        let file_system = identity(fstatvfs(&folder).map_err(failed)?.f_fsid, device);
        let folder_born = (is_born && born != 0).then_some(born);
        let id = FolderId {
            folder_inode: found.stx_ino.cast_signed(),
            folder_born,
            folder_file_system: folder_born.is_none().then_some(file_system),
        };
        Ok(Self { path: path.to_owned(), id, is_layered: kind == OVERLAY, file_system })
    }

    /// Whether this folder is the recorded one, and not a copy of it.
    pub(super) fn is(&self, recorded: &FolderId) -> bool {
        let same_inode = self.id.folder_inode == recorded.folder_inode;
        match (self.id.folder_born, recorded.folder_born) {
            (Some(now), Some(then)) => now == then && (same_inode || self.is_layered),
            _ => same_inode && recorded.folder_file_system.is_none_or(|then| then == self.file_system),
        }
    }

    /// Takes the lock, so that no other `init` changes the folder. `None` if another process still holds it after
    /// [`PATIENCE`], for example because that process is stopped.
    ///
    /// Fails if the file system has no locks.
    pub(super) fn lock(&self) -> io::Result<Option<FolderLock>> {
        let started = Instant::now();
        loop {
            match try_lock(&self.path)? {
                None if started.elapsed() < PATIENCE => thread::sleep(PAUSE),
                outcome => return Ok(outcome),
            }
        }
    }
}

/// The identity of a file system, or of its mount if it has none.
fn identity(file_system: u64, device: u64) -> i64 {
    match file_system {
        0 => device.cast_signed(),
        id => id.cast_signed(),
    }
}

/// Takes the lock of a folder, if no process holds it.
pub(super) fn try_lock(path: &Path) -> io::Result<Option<FolderLock>> {
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

/// What is wrong with a folder, and what to do.
fn unusable(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("this {why}"))
        .hint("move it away, or specify a board by its path, with --board or SLATE_BOARD")
        .at_path(path)
}

/// As [`unusable`], for what belongs to another user.
fn foreign(path: &Path, what: &str, found: &fs::Metadata) -> Error {
    let (owner, own) = (found.uid(), own_uid());
    let why = match machine::is_mapped(owner) {
        true => "",
        false => ", which stands for every user that this container does not map",
    };
    let text =
        format!("this {what}belongs to another user (user id {owner}{why}, while this process has {own})");
    Error::new(ErrorKind::Corrupt, text)
        .hint("run as that user, or specify a board by its path, with --board or SLATE_BOARD")
        .at_path(path)
}

/// A folder for private files that others can change.
pub(super) fn writable_by_others(path: &Path) -> Error {
    Error::new(ErrorKind::Corrupt, format!("other users can write to it; run `chmod 700 {}`", path.display()))
        .hint("then try again; a file system without modes of its own must be mounted with the option umask=077")
        .at_path(path)
}

fn is_there_or_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    fn id(inode: i64, born: Option<i64>) -> FolderId {
        FolderId { folder_inode: inode, folder_born: born, folder_file_system: None }
    }

    #[test]
    fn a_folder_is_known_by_inode_and_birth() {
        let folder = |id, is_layered| SlateFolder { path: PathBuf::new(), id, is_layered, file_system: 5 };
        let same = folder(id(7, Some(100)), false);
        assert!(same.is(&id(7, Some(100))));
        assert!(!same.is(&id(8, Some(100))) && !same.is(&id(7, Some(101))));
        assert!(same.is(&id(7, None)) && !same.is(&id(8, None)), "without birth times, the inode decides");
        let overlay = folder(id(7, Some(100)), true);
        assert!(overlay.is(&id(8, Some(100))) && !overlay.is(&id(7, Some(101))));
        let unborn = |file_system| FolderId { folder_file_system: Some(file_system), ..id(7, None) };
        assert!(same.is(&unborn(5)) && !same.is(&unborn(6)), "the same inode number of another file system");
    }

    #[test]
    fn a_file_system_without_an_identity_is_known_by_its_device() {
        assert_eq!((identity(5, 7), identity(0, 7)), (5, 7));
        let place = tempfile::tempdir().expect("folder");
        let made = SlateFolder::make(&place.path().join(FOLDER)).expect("made");
        let id = fstatvfs(open(&made.path).expect("open")).expect("file system").f_fsid;
        let device = fs::metadata(&made.path).expect("folder").dev();
        assert_eq!(made.file_system, identity(id, device));
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
