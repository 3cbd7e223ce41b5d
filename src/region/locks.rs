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
//! A file that is opened for reading can be asked as well: by those who may not write it, or see it on a file system
//! that is mounted for reading. Where even that fails, nothing is known, and that is an error and no answer.
//!
//! One byte more, [`ELECTED`], is held by at most one of the sessions, on the descriptor of its own certificate:
//! so both have one life, and one fork handler. Nothing follows from who holds it but who does work that one can do
//! for all. Another, [`READERS`], is shared by all who have the board open, so that it is not deleted under those who
//! only read.
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
/// The byte that all who have the board open share.
pub const READERS: u64 = ELECTED + 1;

/// The lock file of a board. While it is open, this process shares the byte [`READERS`].
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    probe: Registered,
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
        Self::open_by(region_path, open_checked)
    }

    /// As [`LockFile::open`], for asking who holds what: by those who may not write the file, and whatever rights
    /// others have to it.
    ///
    /// # Errors
    /// As [`LockFile::open`].
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
        // Where the kernel refuses, the board may be deleted under us; then that is noticed.
        let _ = try_lock(probe.file(), &lock_of(READERS, 1, libc::F_RDLCK));
        Ok(Self { path, probe, file, fork })
    }

    /// Whether anybody has the board open: a session, or somebody who only reads. Opens the lock file for this alone.
    ///
    /// # Errors
    /// As [`LockFile::open`]. Then it is not known.
    pub fn is_in_use(region_path: &Path) -> Result<bool> {
        let path = beside(&absolute(region_path)?, LOCK_SUFFIX);
        let (file, _) = open_to_ask(&path).map_err(|error| not_found_is_missing(error, &path))?;
        conflict(&file, lock_of(0, i64::try_from(READERS).unwrap_or(i64::MAX) + 1, libc::F_WRLCK)).map_err(
            |error| Error::io("the locks could not be queried", std::io::Error::from(error)).at_path(&path),
        )
    }

    /// Whether sessions can attach by the file that is at the path now.
    ///
    /// # Errors
    /// `Refused`, with the reason, where they cannot; `Io`.
    pub fn check(&self) -> Result<()> {
        let (file, stat) =
            open_to_ask(&self.path).map_err(|error| not_found_is_missing(error, &self.path))?;
        validate::check_file(&file, &self.path)?;
        self.check_same(&stat)
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
        match try_lock(file.file(), &lock_of(byte, 1, libc::F_WRLCK)) {
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
        conflict(self.probe.file(), lock_of(byte, 1, libc::F_WRLCK))
            .map_err(|error| self.failed("could not be probed", byte, error))
    }

    fn check_process(&self) -> Result<()> {
        if self.fork.in_child() {
            return Err(Error::new(ErrorKind::Forked, "the lock file was opened before a fork")
                .hint("open the board anew in the child")
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
        let elected = lock_of(ELECTED, 1, libc::F_WRLCK);
        !self.fork.in_child() && try_lock(self.file.file(), &elected).unwrap_or(false)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        unlock(self.file.file(), &self.fork);
    }
}

/// Releases all bytes of an open file.
fn unlock(file: &File, fork: &ForkPage) {
    // In a child made without fork handlers (a bare clone) the descriptor still shares the parent's locks, and
    // unlocking would declare the parent dead.
    if fork.in_child() {
        return;
    }
    // Unlocked by name, because closing does nothing while such a child has a copy. A failure is harmless: the
    // closing, or at last the end of the process, releases the bytes.
    let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&lock_of(0, 0, libc::F_UNLCK)));
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

/// Opens a lock file for writing, where that is allowed, or for reading.
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

/// The path of a file beside the region: its name with a suffix.
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
        )),
    }
}

/// Takes a lock for the open file, unless another holds one that conflicts.
fn try_lock(file: &File, lock: &libc::flock) -> Result<bool, Errno> {
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
