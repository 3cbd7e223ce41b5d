//! Checks what kind of file a board's file is, and who may use it.
//!
//! All checks examine the open file, never its path, so a later change of the path cannot make them wrong.

use super::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, Stat, fstat, fstatfs, openat},
    io::Errno,
    process::geteuid,
};
use std::{
    fs::File,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    path::Path,
};

/// The descriptor of standard error, which is the highest of the three standard descriptors.
const STANDARD_MAX: RawFd = 2;

/// File systems of other machines, of user space, or of a virtual machine's host, by the type that `statfs(2)` returns.
/// On these, a mapping may be a private copy of the pages, or may be written back late.
const INCOHERENT: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x0bd0_0bd0, "Lustre"),
    (0x2003_0528, "OrangeFS"),
    (0x7461_636f, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0x4750_4653, "GPFS"),
    (0x786f_4256, "a shared folder of VirtualBox"),
    (0xbacb_acbc, "a shared folder of VMware"),
];

/// Opens an existing file as every file of a board is opened: it does not follow a symbolic link, does not pass the
/// descriptor to new programs, and does not wait for the other end of a pipe.
pub(super) fn open_existing(path: &Path, writable: bool) -> Result<File> {
    let access = if writable { OFlags::RDWR } else { OFlags::RDONLY };
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match above_standard(|| openat(CWD, path, flags, Mode::empty())) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::NOENT | Errno::NOTDIR) => {
            Err(Error::new(ErrorKind::NotFound, "there is no board at this path")
                .hint("create a board first")
                .at_path(path))
        }
        Err(Errno::LOOP) => Err(Refusal::SymbolicLink.at(path)),
        Err(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => Err(Refusal::NotRegular.at(path)),
        Err(error) => Err(Error::io("the file could not be opened", error).at_path(path)),
    }
}

/// Calls `open` so that its descriptor is not one of the three standard ones. If a program has closed those, their
/// numbers are free, and a board that got one of them would receive what the program prints.
pub(super) fn above_standard(open: impl FnOnce() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let mut standard = Vec::new();
    loop {
        // Free standard numbers are occupied until `open` has returned, so that it cannot get one of them.
        let place = openat(CWD, c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        if place.as_raw_fd() > STANDARD_MAX {
            drop(place);
            return open();
        }
        standard.push(place);
    }
}

/// Checks that an open file is a regular file. This comes before anything is read from it.
pub(super) fn check_regular(file: &File, path: &Path) -> Result<()> {
    let stat =
        fstat(file).map_err(|error| Error::io("the file could not be examined", error).at_path(path))?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if regular { Ok(()) } else { Err(Refusal::NotRegular.at(path)) }
}

/// Checks the kind, owner, mode, number of links and file system of an open file.
pub(super) fn check_file(file: &File, path: &Path) -> Result<Stat> {
    check(file, path, check_stat)
}

/// Checks like [`check_file`], but accepts every mode. For a file that is only used to query the kernel's locks.
pub(super) fn check_file_to_ask(file: &File, path: &Path) -> Result<Stat> {
    check(file, path, |stat, uid| match check_stat(stat, uid) {
        Err(Refusal::Mode(_)) => Ok(()),
        other => other,
    })
}

fn check(file: &File, path: &Path, of: impl FnOnce(&Stat, u32) -> Result<(), Refusal>) -> Result<Stat> {
    let stat =
        fstat(file).map_err(|error| Error::io("the file could not be examined", error).at_path(path))?;
    of(&stat, geteuid().as_raw()).map_err(|refusal| refusal.at(path))?;
    check_file_system(file, path)?;
    Ok(stat)
}

/// Checks that shared mappings on the file's file system are coherent.
pub(super) fn check_file_system(file: impl AsFd, path: &Path) -> Result<()> {
    let stat = fstatfs(file)
        .map_err(|error| Error::io("the file system could not be examined", error).at_path(path))?;
    match incoherent(stat.f_type as u64) {
        Some(name) => Err(Refusal::FileSystem(name).at(path)),
        None => Ok(()),
    }
}

fn check_stat(stat: &Stat, uid: u32) -> Result<(), Refusal> {
    let mode = stat.st_mode & 0o777;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        Err(Refusal::NotRegular)
    } else if stat.st_uid != uid {
        Err(Refusal::Owner(stat.st_uid))
    } else if stat.st_nlink != 1 {
        Err(Refusal::Links(links(stat)))
    } else if mode & 0o077 != 0 {
        Err(Refusal::Mode(mode))
    } else {
        Ok(())
    }
}

#[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "32 bits wide on aarch64")]
fn links(stat: &Stat) -> u64 {
    u64::from(stat.st_nlink)
}

/// The name of the file system, if its shared mappings are not coherent. The upper half of the type is ignored, because
/// it may be sign-extended.
fn incoherent(kind: u64) -> Option<&'static str> {
    INCOHERENT.iter().find(|(known, _)| *known == kind & 0xffff_ffff).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_others_are_known_also_sign_extended() {
        assert_eq!(incoherent(0x6969), Some("NFS"));
        assert_eq!(incoherent(0xffff_ffff_ff53_4d42), Some("CIFS"));
        let local = [0x0102_1994, 0xef53, 0x5846_5342, 0x9123_683e, 0x794c_7630];
        assert!(local.into_iter().all(|kind| incoherent(kind).is_none()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "examines files")]
    fn what_a_file_is_comes_before_whose_it_is() {
        let file = tempfile::tempfile().unwrap();
        let mut stat = fstat(&file).unwrap();
        let uid = stat.st_uid;
        stat.st_mode = 0o100_600;
        assert_eq!(check_stat(&stat, uid), Err(Refusal::Links(0)));
        stat.st_nlink = 1;
        assert_eq!(check_stat(&stat, uid), Ok(()));
        stat.st_mode |= 0o020;
        assert_eq!(check_stat(&stat, uid), Err(Refusal::Mode(0o620)));
        assert_eq!(check_stat(&stat, uid + 1), Err(Refusal::Owner(uid)));
        stat.st_mode = 0o040_700;
        assert_eq!(check_stat(&stat, uid + 1), Err(Refusal::NotRegular));
    }
}
