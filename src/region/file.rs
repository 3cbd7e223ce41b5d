//! Opens, checks and maps the region's file. The file stays open, because pages are reserved through it.

use super::{
    create::absolute,
    fork::Moved,
    header::{self, Origin},
    identity,
    mapping::{Mapping, WORD_BYTES},
    memory::Budget,
    refusal::Refusal,
    validate,
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Geometry,
};
use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, Stat, openat, statat},
    io::Errno,
};
use std::{
    fs::File,
    ops::Range,
    os::{fd::OwnedFd, unix::fs::FileExt},
    path::{Path, PathBuf},
};

/// What a handle may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Load and store.
    ReadWrite,
    /// Load only: the mapping is `PROT_READ`.
    ReadOnly,
}

/// Identifies a region and the file that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Identity {
    /// A random number that identifies the region.
    pub uuid: [u64; 2],
    /// The machine's boot id when the region was created; zeros if it was not available.
    pub boot: [u64; 2],
    /// When the region was created, in nanoseconds of `CLOCK_REALTIME`.
    pub created_ns: u64,
    /// Device of the file.
    pub device: u64,
    /// Inode of the file.
    pub inode: u64,
}

impl Identity {
    pub(super) fn new(origin: &Origin, stat: &Stat) -> Self {
        let Origin { uuid, boot, created_ns } = *origin;
        Self { uuid, boot, created_ns, device: stat.st_dev, inode: stat.st_ino }
    }
}

/// An open region.
#[derive(Debug)]
pub struct RegionFile {
    /// The mapping of the region's words.
    pub mapping: Mapping,
    /// Where each table is in the words, as checked at the open.
    pub geometry: Geometry,
    /// Identifies the region and its file.
    pub identity: Identity,
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) folder: Folder,
}

/// The current entry at the path of an open region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whereabouts {
    /// The region's file.
    Here,
    /// Nothing, another file, or a shorter one. Processes that open the path do not find this region any more.
    Moved(Moved),
    /// The path could not be examined, so its entry is not known.
    Unknown,
}

/// The folder of a region's file. It stays open as long as the region, so the file can be looked up after a change of
/// the root folder, the user or the current folder, and after the folder was renamed.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

impl Folder {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let parent = path.parent().unwrap_or(path);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        validate::above_standard(|| openat(CWD, parent, flags, Mode::empty()))
            .map(Self)
            .map_err(|error| Error::io("the folder could not be opened", error).at_path(parent))
    }
}

impl RegionFile {
    /// The absolute path at which the region was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reserves the pages of extents' block tables and of their data, one extent after the other, and calls `done` after
    /// each. Reserving them again is harmless. No code may access an extent before its pages are reserved.
    ///
    /// # Errors
    /// `Full` if the file system has no room, or a control group of this process no memory; `Refused` if the file system
    /// cannot reserve pages; `Io`.
    pub fn reserve_extents(&self, extents: Range<u32>, mut done: impl FnMut(u32)) -> Result<()> {
        let mut memory = Budget::of(&self.file);
        for extent in extents {
            let (blocks, data) = self.geometry.extent_words(extent);
            let bytes = ((blocks.len() + data.len()) * WORD_BYTES) as u64;
            memory.take(bytes).map_err(|error| error.at_path(&self.path))?;
            self.reserve(blocks)?;
            self.reserve(data)?;
            done(extent);
        }
        Ok(())
    }

    /// Looks up which file is at the region's path now.
    pub fn whereabouts(&self) -> Whereabouts {
        let Some(name) = self.path.file_name() else { return Whereabouts::Unknown };
        match statat(&self.folder.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if (stat.st_dev, stat.st_ino) == (self.identity.device, self.identity.inode) => {
                let is_whole =
                    u64::try_from(stat.st_size).is_ok_and(|size| size >= self.mapping.len_bytes() as u64);
                if is_whole { Whereabouts::Here } else { Whereabouts::Moved(Moved::Cut) }
            }
            Ok(_) => Whereabouts::Moved(Moved::Replaced),
            Err(Errno::NOENT) => Whereabouts::Moved(Moved::Gone),
            Err(_) => Whereabouts::Unknown,
        }
    }

    /// The number of bytes that this user can still allocate on the region's file system.
    ///
    /// # Errors
    /// `Io` if the file system cannot be queried.
    pub fn file_system_free(&self) -> Result<u64> {
        let stat = rustix::fs::fstatvfs(&self.file)
            .map_err(|error| Error::io("the file system could not be examined", error).at_path(&self.path))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn reserve(&self, words: Range<usize>) -> Result<()> {
        self.mapping.reserve(&self.file, words).map_err(|error| error.at_path(&self.path))
    }
}

/// Opens an existing region. The file is checked before it is mapped. Opening never changes it.
///
/// # Errors
/// `NotFound`; `Refused`, `Incompatible` or `Corrupt` with a [`Refusal`] as the source; `Io`.
pub fn open(path: &Path, access: Access) -> Result<RegionFile> {
    let path = absolute(path)?;
    let writable = access == Access::ReadWrite;
    let (file, words) = open_board(&path, writable)?;
    let stat = validate::check_file(&file, &path)?;
    let len_bytes = u64::try_from(stat.st_size).unwrap_or(0);
    let (geometry, origin) =
        header::decode(&words, len_bytes, writable).map_err(|refusal| refusal.at(&path))?;
    check_boot(&origin).map_err(|refusal| refusal.at(&path))?;
    let mapping = Mapping::of_file(&file, writable).map_err(|error| error.at_path(&path))?;
    if mapping.len_bytes() as u64 != len_bytes {
        let refusal = Refusal::Size { expected: len_bytes, found: mapping.len_bytes() as u64 };
        return Err(refusal.at(&path));
    }
    let (identity, folder) = (Identity::new(&origin, &stat), Folder::of(&path)?);
    Ok(RegionFile { mapping, geometry, identity, file, path, folder })
}

/// Refuses a region of another boot. Its sessions are dead, its deadlines refer to another clock, and pages that were
/// not yet on the disk may be lost.
fn check_boot(origin: &Origin) -> Result<(), Refusal> {
    let now = identity::boot_id();
    let is_told = origin.boot != [0; 2] && now != [0; 2];
    if is_told && origin.boot != now { Err(Refusal::OtherBoot) } else { Ok(()) }
}

/// Opens the file and reads its header's words, if it is a board. The owner is checked later.
fn open_board(path: &Path, writable: bool) -> Result<(File, Vec<u64>)> {
    let opened = validate::open_existing(path, writable).and_then(|file| begins_as_board(file, path));
    match opened {
        // The file cannot be opened for writing. If it can be read and is not a board, that is the better error.
        Err(error) if writable && error.kind() == ErrorKind::Io => {
            match validate::open_existing(path, false).and_then(|file| begins_as_board(file, path)) {
                Err(refused) if refused.kind() == ErrorKind::Refused => Err(refused),
                _ => Err(error),
            }
        }
        other => other,
    }
}

fn begins_as_board(file: File, path: &Path) -> Result<(File, Vec<u64>)> {
    validate::check_regular(&file, path)?;
    let words = read_header(&file).map_err(|error| error.at_path(path))?;
    header::check_magic(&words).map_err(|refusal| refusal.at(path))?;
    Ok((file, words))
}

/// Reads the header's words; fewer if the file is shorter. The header is read, not mapped, because an access to a
/// mapping past the end of its file ends the process.
fn read_header(file: &File) -> Result<Vec<u64>> {
    let mut bytes = [0; header::IDENTITY_WORDS * WORD_BYTES];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("the header could not be read", error)),
        }
    }
    let (words, _) = bytes.get(..filled).unwrap_or_default().as_chunks::<WORD_BYTES>();
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}
