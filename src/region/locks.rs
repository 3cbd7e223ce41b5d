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
//!
//! One byte more, [`ELECTED`], is held by at most one of the sessions, on the descriptor of its own certificate:
//! so both have one life, and one fork handler. Nothing follows from who holds it but who does work that one can do
//! for all.
//!
//! Probes are byte by byte. A query over a range is answered with the lock that was taken first, wherever in
//! the range it lies, so it skips nothing: each held byte takes a query of its own, and each query a walk
//! through the locks that were taken before.

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
/// The byte of the elected session. Past every index that a session can have, which takes 16 bits.
pub const ELECTED: u64 = 1 << 16;

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
        check_range(byte)?;
        let file = registry::register(|| self.reopen())?;
        match try_lock(file.file(), byte) {
            Ok(true) => Ok(Some(Certificate { file, fork: Arc::clone(&self.fork) })),
            Ok(false) => Ok(None),
            Err(error) => Err(self.failed("could not be locked", byte, error)),
        }
    }

    /// Whether anybody holds the byte. Only for bytes that this process does not hold.
    ///
    /// # Errors
    /// `Forked` in a child; `Io`.
    pub fn is_held(&self, byte: u64) -> Result<bool> {
        self.check_process()?;
        check_range(byte)?;
        let mut lock = lock_of(byte, 1, libc::F_WRLCK);
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
    fork: Arc<ForkPage>,
}

impl Certificate {
    /// Takes the byte [`ELECTED`] as well, if nobody else holds it. Whether this certificate has it now: it keeps
    /// it until it is dropped. `false` also in a child, and where the kernel refuses.
    pub fn try_elect(&self) -> bool {
        !self.fork.in_child() && try_lock(self.file.file(), ELECTED).unwrap_or(false)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // In a child made without fork handlers (a bare clone) the descriptor still shares the parent's lock,
        // and unlocking it would declare the parent dead.
        if self.fork.in_child() {
            return;
        }
        // Unlocked by name, because closing does nothing while such a child has a copy. A failure is
        // harmless: the closing, or at last the end of the process, releases the bytes.
        let all = lock_of(0, 0, libc::F_UNLCK);
        let _ = fcntl(self.file.file(), FcntlArg::F_OFD_SETLK(&all));
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

fn check_range(byte: u64) -> Result<()> {
    match i64::try_from(byte) {
        Ok(start) if start < i64::MAX => Ok(()),
        _ => Err(Error::new(ErrorKind::InvalidArgument, format!("byte {byte} is past what a file can have"))),
    }
}

/// Locks a byte for the open file, unless another holds it.
fn try_lock(file: &File, byte: u64) -> Result<bool, Errno> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(&lock_of(byte, 1, libc::F_WRLCK))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A lock, or its release, of so many bytes, 0 for all from there on. The process id is 0, as OFD locks want it.
fn lock_of(byte: u64, bytes: i64, kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: i64::try_from(byte).unwrap_or(i64::MAX),
        l_len: bytes,
        l_pid: 0,
    }
}
