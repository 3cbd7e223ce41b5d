//! Death certificates: one byte of the lock file for each session, held by an OFD lock.
//!
//! The kernel keeps the lock while the process lives, stopped or not, and releases it when the process is
//! gone, however it went, and before anybody waits for the corpse. So a byte that can be locked is the proof
//! of death, and the only one.
//!
//! The lock file is never deleted, replaced, shortened or written to: on another file of the same name all
//! would look dead. That is why [`LockFile::open`] does not make one beside a board that has lost its own.
//!
//! An OFD lock belongs to the *open file*. A duplicate of a descriptor has the same one and does not see its
//! lock, so each certificate opens the file anew and probes go through a descriptor of their own. A process
//! does not probe bytes that it holds: the answer *held* would say nothing.

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

/// What the lock file's name adds to the region's.
pub const LOCK_SUFFIX: &str = ".lock";

/// The lock file of a board.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    probe: File,
    /// Device and inode.
    file: (u64, u64),
    fork: Arc<ForkPage>,
}

impl LockFile {
    /// Opens the lock file beside a region, which [`create`](super::create()) has made.
    ///
    /// # Errors
    /// `Refused` where it is missing or is no file of ours; `Io`.
    pub fn open(region_path: &Path) -> Result<Self> {
        let path = beside(&absolute(region_path)?, LOCK_SUFFIX);
        let (probe, stat) = open_checked(&path).map_err(|error| match error.is_not_found() {
            true => Refusal::NoLockFile.at(&path),
            false => error,
        })?;
        Ok(Self { path, probe, file: (stat.st_dev, stat.st_ino), fork: Arc::new(ForkPage::new()?) })
    }

    /// Takes a byte, if nobody holds it. `None` when another descriptor does, of this process or of another.
    ///
    /// # Errors
    /// `Refused` where the file was replaced or is no longer ours; `Full` where this process
    /// holds as many as it may; `Forked` in a child; `Io`.
    pub fn try_hold(&self, byte: u64) -> Result<Option<Certificate>> {
        self.check_process()?;
        let file = registry::register(|| self.reopen())?;
        let lock = lock_of(byte, libc::F_WRLCK)?;
        match fcntl(file.file(), FcntlArg::F_OFD_SETLK(&lock)) {
            Ok(_) => Ok(Some(Certificate { file, byte, fork: Arc::clone(&self.fork) })),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
            Err(error) => Err(self.failed("could not be locked", byte, error)),
        }
    }

    /// Whether anybody holds the byte. Only for bytes that this process does not hold.
    ///
    /// # Errors
    /// `Forked` in a child; `Io`.
    pub fn is_held(&self, byte: u64) -> Result<bool> {
        self.check_process()?;
        let mut lock = lock_of(byte, libc::F_WRLCK)?;
        fcntl(&self.probe, FcntlArg::F_OFD_GETLK(&mut lock))
            .map_err(|error| self.failed("could not be probed", byte, error))?;
        Ok(i32::from(lock.l_type) != libc::F_UNLCK)
    }

    fn check_process(&self) -> Result<()> {
        if self.fork.in_child() {
            return Err(Error::new(ErrorKind::Forked, "the lock file was opened before a fork")
                .next("open the board anew in the child")
                .path(&self.path));
        }
        Ok(())
    }

    fn reopen(&self) -> Result<File> {
        let (file, stat) = open_checked(&self.path).map_err(|error| match error.is_not_found() {
            true => Refusal::NoLockFile.at(&self.path),
            false => error,
        })?;
        match (stat.st_dev, stat.st_ino) == self.file {
            true => Ok(file),
            false => Err(Refusal::Replaced.at(&self.path)),
        }
    }

    fn failed(&self, what: &str, byte: u64, error: Errno) -> Error {
        Error::io(format!("byte {byte} {what}"), std::io::Error::from(error)).path(&self.path)
    }
}

/// A held byte of the lock file: while it is there, its session lives. Released at drop and at the end of the
/// process; a forked child does not have it.
#[derive(Debug)]
pub struct Certificate {
    file: Registered,
    byte: u64,
    fork: Arc<ForkPage>,
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // In a child made without fork handlers (a bare clone) the descriptor still shares the parent's lock,
        // and unlocking it would declare the parent dead.
        if self.fork.in_child() {
            return;
        }
        // Unlocked by name, because closing does nothing while such a child has a copy. A failure is
        // harmless: the closing, or at last the end of the process, releases the byte.
        if let Ok(lock) = lock_of(self.byte, libc::F_UNLCK) {
            let _ = fcntl(self.file.file(), FcntlArg::F_OFD_SETLK(&lock));
        }
    }
}

/// Makes the lock file beside a region unless it is there. Of two makers one makes it.
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

/// The path of a file beside the region: its name with a suffix.
pub(super) fn beside(region_path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(region_path);
    path.push(suffix);
    PathBuf::from(path)
}

/// A lock, or its release, of one byte. The process id is 0, as OFD locks want it.
fn lock_of(byte: u64, kind: i32) -> Result<libc::flock> {
    let start = i64::try_from(byte).ok().filter(|start| *start < i64::MAX).ok_or_else(|| {
        Error::new(ErrorKind::InvalidArgument, format!("byte {byte} is past what a file can have"))
    })?;
    Ok(libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: 1,
        l_pid: 0,
    })
}
