//! Why a file is not opened as a board.

use crate::error::{Error, ErrorKind};
use std::{error, fmt, path::Path};

/// The reasons for refusing a file. Each says what is wrong and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The path's last component is a symbolic link.
    SymbolicLink,
    /// Not a regular file, but a folder, a pipe, a device.
    NotRegular,
    /// It belongs to this other user.
    Owner(u32),
    /// Its mode, which gives others rights to it.
    Mode(u32),
    /// It has so many names, not one.
    Links(u64),
    /// It was deleted, or replaced by another file, since it was opened.
    Replaced,
    /// The lock file beside a board is gone.
    NoLockFile,
    /// Made in another boot of this machine, or on another machine.
    OtherBoot,
    /// On this kind of file system, where processes may not see each other's stores.
    FileSystem(&'static str),
    /// It begins as a board does, and has only so many bytes: fewer than a header.
    TooShort(u64),
    /// It does not begin as a board does: something else.
    Foreign,
    /// Written on a machine of the other byte order.
    Endianness,
    /// Written in this version of the format.
    Format(u64),
    /// Written by a build whose layout has this fingerprint.
    Fingerprint(u64),
    /// The header's checksum is not that of its words.
    Checksum,
    /// The header's numbers cannot be, for this reason.
    Geometry(&'static str),
    /// The file has another size than its header says.
    Size {
        /// Bytes that the header says.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// Feature bits, unknown to this build, that a writer must know.
    UnknownToWriters(u64),
    /// Feature bits, unknown to this build, that a reader must know.
    UnknownToReaders(u64),
}

impl Refusal {
    /// The kind of the error that this refusal becomes.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Endianness
            | Self::Format(_)
            | Self::Fingerprint(_)
            | Self::UnknownToWriters(_)
            | Self::UnknownToReaders(_) => ErrorKind::Incompatible,
            Self::TooShort(_) | Self::Checksum | Self::Geometry(_) | Self::Size { .. } => ErrorKind::Corrupt,
            _ => ErrorKind::Refused,
        }
    }

    /// What to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::SymbolicLink => "give the path of the file itself",
            Self::NotRegular => "give the path of a board, or a path where nothing is yet",
            Self::Owner(_) => "run as the board's owner: a board has one user",
            Self::Mode(_) => "check who could have changed it, then chmod 600 it",
            Self::Links(_) => "remove the other names: a board has one path",
            Self::Replaced => "open the board again",
            Self::NoLockFile => {
                "end the processes that use the board, then make a new one; the lock file must never be deleted"
            }
            Self::OtherBoot => "make a new board: `slate init --replace` in a project, or another path",
            Self::FileSystem(_) => "put the board on tmpfs or a local disk, or run on one machine",
            Self::Foreign => "give the path of a board; the file was left as it is",
            Self::Endianness => "use the board on the machine that made it",
            Self::Format(_) | Self::Fingerprint(_) => "use the build that made it",
            Self::UnknownToWriters(_) => "open it for reading only, or use a newer build",
            Self::UnknownToReaders(_) => "use a newer build",
            Self::TooShort(_) | Self::Checksum | Self::Geometry(_) | Self::Size { .. } => {
                "move it aside and make a new board; the file was left as it is"
            }
        }
    }

    /// The error about this file.
    pub fn at(self, path: &Path) -> Error {
        Error::new(self.kind(), self.what()).hint(self.next()).at_path(path).caused_by(self)
    }

    /// The refusal behind an error, where there is one.
    #[cfg(feature = "internals")]
    pub fn of(error: &Error) -> Option<&Self> {
        error::Error::source(error)?.downcast_ref()
    }

    fn what(&self) -> String {
        match self {
            Self::SymbolicLink => "is a symbolic link".into(),
            Self::NotRegular => "is not a slateboard file: it is a folder, a pipe or a device".into(),
            Self::Owner(uid) => format!("belongs to user {uid}, not to this one"),
            Self::Mode(mode) => {
                format!("has mode {mode:03o}, so other users have rights to it; a board has 600")
            }
            Self::Links(0) => "was deleted while it was being opened".into(),
            Self::Links(links) => format!("has {links} names (hard links)"),
            Self::Replaced => "was replaced by another file since it was opened here".into(),
            Self::NoLockFile => {
                "is missing, so it is not known which sessions of the board still live".into()
            }
            Self::OtherBoot => {
                "was made before the machine was restarted, or on another machine: writes may be incomplete, and its \
                 times to live are of another clock"
                    .into()
            }
            Self::FileSystem(name) => {
                format!("is on {name}, where processes may not see each other's stores to shared memory")
            }
            Self::TooShort(bytes) => {
                format!("is a board that was truncated: it has {bytes} bytes, fewer than a header")
            }
            Self::Foreign => "is not a slateboard file: its first bytes are not those of a board".into(),
            Self::Endianness => "was written on a machine of the other byte order".into(),
            Self::Format(version) => format!("is a board of format version {version}, unknown to this build"),
            Self::Fingerprint(number) => {
                format!("was written by a build with another layout ({number:016x})")
            }
            Self::Checksum => "has a damaged header: its checksum is wrong".into(),
            Self::Geometry(reason) => format!("has an invalid header: {reason}"),
            Self::Size { expected, found } => {
                format!("is a board whose file has {found} bytes, but its header says {expected}")
            }
            Self::UnknownToWriters(bits) => {
                format!("uses features that this build cannot write ({bits:#x})")
            }
            Self::UnknownToReaders(bits) => format!("uses features that this build cannot read ({bits:#x})"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.next())
    }
}

impl error::Error for Refusal {}
