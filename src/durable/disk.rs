//! Every call to the operating system that durable files need: one trait, so that tests can replace it.

use crate::{error::Result as BoardResult, region};
use rustix::fs::{Advice, Mode, OFlags, fadvise, openat, renameat, unlinkat};
use std::{
    fmt, fs,
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// The file whose bytes are locked.
pub const LOCK: &str = "lock";

/// A folder of durable files. Names have no `/`.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Creates a file for appending. `AlreadyExists` if there is one of that name.
    ///
    /// # Errors
    /// Those of `open(2)`.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file for reading and appending.
    ///
    /// # Errors
    /// Those of `open(2)`.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file another name. A file that has that name is replaced.
    ///
    /// # Errors
    /// Those of `rename(2)`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// Those of `unlink(2)`.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The names of all files.
    ///
    /// # Errors
    /// Those of `readdir(3)`.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes names permanent: those that were created, renamed and removed before the call.
    ///
    /// # Errors
    /// Those of `fsync(2)`. It is then not known what is permanent.
    fn sync_folder(&self) -> io::Result<()>;
    /// Locks one byte of the folder's lock file, if nobody holds it. The lock ends with the process at the latest.
    ///
    /// # Errors
    /// Those of `open(2)` and `fcntl(2)`.
    fn lock(&self, byte: u64) -> io::Result<Option<Box<dyn Held>>>;
    /// Where the folder is, for texts.
    fn path(&self) -> &Path;
}

/// An open file. Only its end is written to.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Appends the bytes. After an error, any number of them may have been appended.
    ///
    /// # Errors
    /// Those of `write(2)`.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Fills the buffer with the bytes from `offset` on. `UnexpectedEof` if there are fewer.
    ///
    /// # Errors
    /// Those of `pread(2)`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// The bytes of the file.
    ///
    /// # Errors
    /// Those of `fstat(2)`.
    fn length(&self) -> io::Result<u64>;
    /// Makes the bytes and the length permanent. After an error nothing is known about what was appended since the last
    /// success, and the call must not be repeated in the hope for a better answer.
    ///
    /// # Errors
    /// Those of `fdatasync(2)`.
    fn sync(&self) -> io::Result<()>;
}

/// A locked byte. The lock ends when this is dropped.
pub trait Held: Send + Sync + fmt::Debug {}

/// A folder of the file system.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    folder: File,
}

impl Folder {
    /// Opens the folder.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), folder: File::open(path)? })
    }

    fn open_with(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::RDWR | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(File::from(openat(&self.folder, name, flags, Mode::from_raw_mode(0o600))?))
    }
}

impl Disk for Folder {
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.open_with(name, OFlags::CREATE | OFlags::EXCL)?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.open_with(name, OFlags::empty())?;
        // Verification shall read what is on the disk. The kernel drops pages that it has written; a refusal costs nothing else.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        Ok(Box::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.folder, from, &self.folder, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.folder, name, rustix::fs::AtFlags::empty())?)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // A name that is not UTF-8 is not of a durable file.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.folder.sync_all()
    }

    fn lock(&self, byte: u64) -> io::Result<Option<Box<dyn Held>>> {
        let held = region::hold::try_hold(|| self.open_lock(), byte).map_err(io::Error::other)?;
        Ok(held.map(|held| Box::new(held) as Box<dyn Held>))
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Folder {
    fn open_lock(&self) -> BoardResult<File> {
        Ok(self.open_with(LOCK, OFlags::CREATE)?)
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Held for region::hold::HeldByte {}
