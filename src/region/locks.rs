//! Death certificates: each session holds one byte of the lock file by an OFD lock.
//!
//! The kernel keeps the lock while the process lives, even while it is stopped. The kernel releases the lock when the
//! process ends, for whatever reason, and before its parent waits for it. So the only proof that a session is dead is
//! that its byte can be locked.
//!
//! The lock file is never deleted, replaced, shortened or written to. If another file had its name, all sessions would
//! look dead. That is why [`LockFile::open`] does not create a lock file for a board that has lost its own. If the file
//! was replaced all the same, its inode tells: each session's record names the lock file that has its byte. The number is
//! not given to another file while the session lives, because the session has the file open.
//!
//! An OFD lock belongs to the *open file description*. A duplicate of a descriptor shares the description, so a probe
//! through it does not see the lock. Each certificate therefore opens the file anew, and probes use a descriptor of
//! their own. A process does not probe bytes that it holds itself.
//!
//! Locks can also be queried through a descriptor that is opened for reading. This serves processes that may not write
//! the file, and file systems that are mounted read-only. If even that fails, the state of the sessions is unknown, and
//! the call returns an error.
//!
//! An additional byte, [`ELECTED`], is held by at most one of the sessions, on the descriptor of its certificate. So
//! both locks end together, and one fork handler serves both. The elected session does work that one session can do
//! for all; the byte has no other meaning. Another byte, [`READERS`], is locked by every handle that has the board open,
//! in shared mode, so that nobody deletes a board that others only read.
//!
//! Each byte is probed on its own. A query over a range reports the lock that was taken first, wherever it lies in the
//! range. So it would not save queries: each held byte needs a query of its own, and each query walks through the locks
//! that were taken earlier.

use super::{
    create::{absolute, publish},
    fork::ForkPage,
    refusal::Refusal,
    registry::{self, Registered},
    validate,
};
use crate::error::{Error, ErrorKind, Result};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};
use rustix::fs::Stat;
use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The suffix that the lock file's name adds to the region's name.
pub const LOCK_SUFFIX: &str = ".lock";
/// The byte of the elected session. It lies past the largest index of a session, which has 16 bits.
pub const ELECTED: u64 = 1 << 16;
/// The byte that all open handles lock in shared mode.
pub const READERS: u64 = ELECTED + 1;

/// The lock file of a board. While it is open, this process has a shared lock on the byte [`READERS`].
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    probe: Registered,
    /// Device and inode.
    file: (u64, u64),
    fork: Arc<ForkPage>,
}

impl LockFile {
    /// Opens the lock file beside a region. [`create`](super::create()) has created it.
    ///
    /// # Errors
    /// `Refused` if it is missing or is not a board's file; `Io`.
    pub fn open(region_path: &Path) -> Result<Self> {
        Self::open_by(region_path, open_checked)
    }

    /// Opens the lock file like [`LockFile::open`], but only to query locks. The process need not be able to write the
    /// file, and the file may have any mode.
    ///
    /// # Errors
    /// Those of [`LockFile::open`].
    pub fn open_to_ask(region_path: &Path) -> Result<Self> {
        Self::open_by(region_path, open_to_ask)
    }

    fn open_by(region_path: &Path, open: impl Fn(&Path) -> Result<(File, Stat)>) -> Result<Self> {
        let path = beside(&absolute(region_path)?, LOCK_SUFFIX);
        let fork = Arc::new(ForkPage::new()?);
        let mut file = (0, 0);
        let probe = registry::register(|| {
            let (probe, stat) = open(&path).map_err(|error| not_found_is_missing(error, &path))?;
            file = (stat.st_dev, stat.st_ino);
            Ok(probe)
        })?;
        // A failure is ignored: without the lock, the board may be deleted while it is in use here, and this handle
        // notices that later.
        let _ = try_lock(probe.file(), &lock_of(READERS, 1, libc::F_RDLCK));
        Ok(Self { path, probe, file, fork })
    }

    /// Whether any process has a lock in the file: it has the board open, with a session or only for reading. Also
    /// returns the file's inode. Opens the lock file only for this query.
    ///
    /// # Errors
    /// Those of [`LockFile::open`]. After an error it is not known whether the board is in use.
    pub fn is_in_use(region_path: &Path) -> Result<(bool, u64)> {
        let path = beside(&absolute(region_path)?, LOCK_SUFFIX);
        let (file, stat) = open_to_ask(&path).map_err(|error| not_found_is_missing(error, &path))?;
        let all = lock_of(0, i64::try_from(READERS).unwrap_or(i64::MAX) + 1, libc::F_WRLCK);
        let is_locked = conflict(&file, all).map_err(|error| {
            Error::io("the locks could not be queried", std::io::Error::from(error)).at_path(&path)
        })?;
        Ok((is_locked, stat.st_ino))
    }

    /// The inode of the lock file. Only sessions whose records name it hold their bytes in this file.
    pub fn inode(&self) -> u64 {
        self.file.1
    }

    /// Checks whether sessions can attach with the lock file that is at the path now.
    ///
    /// # Errors
    /// `Refused`, with the reason, if they cannot; `Io`.
    pub fn check(&self) -> Result<()> {
        let (file, stat) =
            open_to_ask(&self.path).map_err(|error| not_found_is_missing(error, &self.path))?;
        validate::check_file(&file, &self.path)?;
        self.check_same(&stat)
    }

    /// Locks a byte if it is free. Returns `None` if another descriptor holds it, in this process or in another one.
    ///
    /// # Errors
    /// `Refused` if the file was replaced or has another owner or mode now; `Full` if this process holds as many
    /// certificates as it may; `Forked` in a child; `Io`.
    pub fn try_hold(&self, byte: u64) -> Result<Option<Certificate>> {
        self.check_process()?;
        check_range(byte)?;
        let file = registry::register(|| self.reopen())?;
        match try_lock(file.file(), &lock_of(byte, 1, libc::F_WRLCK)) {
            Ok(true) => Ok(Some(Certificate { file, fork: Arc::clone(&self.fork) })),
            Ok(false) => Ok(None),
            Err(error) => Err(self.failed("could not be locked", byte, error)),
        }
    }

    /// Whether a session holds the byte. Must not be used for bytes that this process holds.
    ///
    /// # Errors
    /// `Forked` in a child; `Io`.
    pub fn is_held(&self, byte: u64) -> Result<bool> {
        self.check_process()?;
        check_range(byte)?;
        conflict(self.probe.file(), lock_of(byte, 1, libc::F_WRLCK))
            .map_err(|error| self.failed("could not be probed", byte, error))
    }

    fn check_process(&self) -> Result<()> {
        if self.fork.in_child() {
            return Err(Error::new(ErrorKind::Forked, "the lock file was opened before a fork")
                .hint("open the board again in the child")
                .at_path(&self.path));
        }
        Ok(())
    }

    fn reopen(&self) -> Result<File> {
        let (file, stat) =
            open_checked(&self.path).map_err(|error| not_found_is_missing(error, &self.path))?;
        self.check_same(&stat).map(|()| file)
    }

    fn check_same(&self, stat: &Stat) -> Result<()> {
        match (stat.st_dev, stat.st_ino) == self.file {
            true => Ok(()),
            false => Err(Refusal::Replaced.at(&self.path)),
        }
    }

    fn failed(&self, what: &str, byte: u64, error: Errno) -> Error {
        Error::io(format!("byte {byte} {what}"), std::io::Error::from(error)).at_path(&self.path)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        unlock(self.probe.file(), &self.fork);
    }
}

/// A locked byte of the lock file, which proves that its session lives. It is released at drop and at the end of the
/// process. A forked child does not have it.
#[derive(Debug)]
pub struct Certificate {
    file: Registered,
    fork: Arc<ForkPage>,
}

impl Certificate {
    /// Locks the byte [`ELECTED`] as well, if it is free. Returns whether this certificate holds it now; it keeps the
    /// byte until it is dropped. Returns `false` also in a child, and if the kernel refuses.
    pub fn try_elect(&self) -> bool {
        let elected = lock_of(ELECTED, 1, libc::F_WRLCK);
        !self.fork.in_child() && try_lock(self.file.file(), &elected).unwrap_or(false)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        unlock(self.file.file(), &self.fork);
    }
}

/// Releases all locks of an open file.
fn unlock(file: &File, fork: &ForkPage) {
    // In a child that was created without fork handlers (by a bare `clone`) the descriptor still shares the parent's
    // locks. Unlocking would declare the parent dead.
    if fork.in_child() {
        return;
    }
    // An explicit unlock is needed, because closing releases nothing while such a child has a copy of the descriptor.
    // A failure is harmless: the close, or finally the end of the process, releases the bytes.
    let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&lock_of(0, 0, libc::F_UNLCK)));
}

/// Creates the lock file beside a region unless it exists. Of two concurrent creators, one creates it and the other one
/// uses it.
pub(super) fn ensure_lock_file(region_path: &Path) -> Result<()> {
    let path = beside(region_path, LOCK_SUFFIX);
    match open_checked(&path) {
        Err(error) if error.is_not_found() => {}
        outcome => return outcome.map(|_| ()),
    }
    match publish(&path, 0, |_, _| Ok(())) {
        Err(error) if error.kind() == ErrorKind::Exists => open_checked(&path).map(|_| ()),
        outcome => outcome,
    }
}

fn open_checked(path: &Path) -> Result<(File, Stat)> {
    let file = validate::open_existing(path, true)?;
    let stat = validate::check_file(&file, path)?;
    Ok((file, stat))
}

/// Opens a lock file for writing if that is allowed, and otherwise for reading.
fn open_to_ask(path: &Path) -> Result<(File, Stat)> {
    let file = match validate::open_existing(path, true) {
        Err(error) if error.kind() == ErrorKind::Io => validate::open_existing(path, false)?,
        other => other?,
    };
    let stat = validate::check_file_to_ask(&file, path)?;
    Ok((file, stat))
}

fn not_found_is_missing(error: Error, path: &Path) -> Error {
    if error.is_not_found() { Refusal::NoLockFile.at(path) } else { error }
}

/// The path of a file beside the region: the region's name with a suffix.
pub(super) fn beside(region_path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(region_path);
    path.push(suffix);
    PathBuf::from(path)
}

fn check_range(byte: u64) -> Result<()> {
    match i64::try_from(byte) {
        Ok(start) if start < i64::MAX => Ok(()),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("byte {byte} is past the largest offset of a file"),
        )
        .hint("give a smaller byte")),
    }
}

/// Takes a lock for the open file, unless another open file holds a conflicting one.
pub(super) fn try_lock(file: &File, lock: &libc::flock) -> Result<bool, Errno> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(lock)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether another open file holds a lock that conflicts with this one.
fn conflict(file: &File, mut lock: libc::flock) -> Result<bool, Errno> {
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock))?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

/// Describes a lock, or the release of a lock, on `bytes` bytes from `byte` on; 0 means up to the end. The process id is
/// 0, as OFD locks require.
pub(super) fn lock_of(byte: u64, bytes: i64, kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: i64::try_from(byte).unwrap_or(i64::MAX),
        l_len: bytes,
        l_pid: 0,
    }
}

// They make files.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    fn lock_file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        ensure_lock_file(&path).unwrap();
        (folder, path)
    }

    /// A child that was made by a bare `clone` has copies of the descriptors, which share the locks.
    #[test]
    fn what_is_dropped_is_unlocked_although_a_child_has_a_copy() {
        let (_folder, path) = lock_file();
        let locks = LockFile::open(&path).unwrap();
        let certificate = locks.try_hold(3).unwrap().unwrap();
        let _copy = certificate.file.file().try_clone().unwrap();
        assert!(locks.is_held(3).unwrap());
        drop(certificate);
        assert!(!locks.is_held(3).unwrap(), "a session that ended passes for alive");
        let _copy = locks.probe.file().try_clone().unwrap();
        assert!(LockFile::is_in_use(&path).unwrap().0);
        drop(locks);
        assert!(!LockFile::is_in_use(&path).unwrap().0, "a board that was closed passes for open");
    }

    #[test]
    fn a_lock_file_that_was_replaced_is_told_when_it_is_checked() {
        let (folder, path) = lock_file();
        let locks = LockFile::open(&path).unwrap();
        locks.check().unwrap();
        std::fs::rename(folder.path().join("board.lock"), folder.path().join("aside")).unwrap();
        ensure_lock_file(&path).unwrap();
        assert_eq!(locks.check().unwrap_err().kind(), ErrorKind::Refused);
    }

    #[test]
    fn such_a_child_unlocks_nothing_of_its_parent() {
        let (_folder, path) = lock_file();
        let locks = LockFile::open(&path).unwrap();
        let certificate = locks.try_hold(3).unwrap().unwrap();
        unlock(certificate.file.file(), &ForkPage::of_a_parent());
        assert!(locks.is_held(3).unwrap(), "the parent passes for dead");
        assert!(certificate.try_elect() && locks.is_held(ELECTED).unwrap());
    }
}
