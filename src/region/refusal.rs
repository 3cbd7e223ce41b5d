//! The reasons why a file is not opened as a board.

use crate::error::{Error, ErrorKind};
use std::{error, fmt, path::Path};

/// A reason to refuse a file. Its text says what is wrong with the file and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The path's last component is a symbolic link.
    SymbolicLink,
    /// The file is not a regular file but, for example, a folder, a pipe or a device.
    NotRegular,
    /// The file belongs to another user, whose id this is.
    Owner(u32),
    /// The file has this mode, which gives rights to other users.
    Mode(u32),
    /// The file has this number of names (hard links) instead of one.
    Links(u64),
    /// The file was deleted, or replaced by another file, after it was opened.
    Replaced,
    /// The board's lock file is missing.
    NoLockFile,
    /// The file was created before the machine was restarted, or on another machine.
    OtherBoot,
    /// The file is on a file system of this kind, where processes may not see each other's stores.
    FileSystem(&'static str),
    /// The file starts like a board, but it has only this many bytes: fewer than a header.
    TooShort(u64),
    /// The file does not start like a board. It is something else.
    Foreign,
    /// The file was written on a machine of the other byte order.
    Endianness,
    /// The file has this version of the format, which this build does not know.
    Format(u64),
    /// The file was written by a build whose layout has this fingerprint.
    Fingerprint(u64),
    /// The header's checksum does not match its words.
    Checksum,
    /// The header's geometry is invalid, for this reason.
    Geometry(&'static str),
    /// The file's size differs from the size in its header.
    Size {
        /// The size in bytes that the header gives.
        expected: u64,
        /// The size of the file in bytes.
        found: u64,
    },
    /// Feature bits that a writer must know and that are unknown to this build.
    UnknownToWriters(u64),
    /// Feature bits that a reader must know and that are unknown to this build.
    UnknownToReaders(u64),
}

impl Refusal {
    /// The [`ErrorKind`] of the error that reports this refusal.
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

    /// What the user can do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::SymbolicLink => "give the path of the file itself",
            Self::NotRegular => "give the path of a board, or a path where no file exists yet",
            Self::Owner(_) => "run as the board's owner: a board belongs to one user",
            Self::Mode(_) => "check who could have changed it, then run `chmod 600` on it",
            Self::Links(_) => "remove the other hard links: a board has exactly one path",
            Self::Replaced => "open the board again",
            Self::NoLockFile => {
                "end the processes that use the board, then create a new board; never delete a lock file by hand"
            }
            Self::OtherBoot => "create a new board: `slate init --replace` in a project, or another path",
            Self::FileSystem(_) => "put the board on tmpfs or on a local disk",
            Self::Foreign => "give the path of a board; the file was not changed",
            Self::Endianness => "use the board on the machine that created it",
            Self::Format(_) | Self::Fingerprint(_) => "use the build that created it, or create a new board",
            Self::UnknownToWriters(_) => "open it for reading only, or use a newer build",
            Self::UnknownToReaders(_) => "use a newer build",
            Self::TooShort(_) | Self::Checksum | Self::Geometry(_) | Self::Size { .. } => {
                "move it aside and create a new board; the file was not changed"
            }
        }
    }

    /// Turns the refusal into an error about the file at `path`.
    pub fn at(self, path: &Path) -> Error {
        Error::new(self.kind(), self.what()).hint(self.next()).at_path(path).caused_by(self)
    }

    /// The refusal that caused an error, if one did.
    #[cfg(feature = "internals")]
    pub fn of(error: &Error) -> Option<&Self> {
        error::Error::source(error)?.downcast_ref()
    }

    fn what(&self) -> String {
        match self {
            Self::SymbolicLink => "is a symbolic link".into(),
            Self::NotRegular => "is not a slateboard file: it is a folder, a pipe or a device".into(),
            Self::Owner(uid) => format!("belongs to user {uid}, not to the user of this process"),
            Self::Mode(mode) => {
                format!("has mode {mode:03o}, which gives rights to other users; a board has mode 600")
            }
            Self::Links(0) => "was deleted while it was being opened".into(),
            Self::Links(links) => format!("has {links} names (hard links)"),
            Self::Replaced => "was replaced by another file after it was opened here".into(),
            Self::NoLockFile => "is missing, so the living sessions of the board cannot be determined".into(),
            Self::OtherBoot => {
                "was created before the machine was restarted, or on another machine: writes may be incomplete, and \
                 its times to live refer to another clock"
                    .into()
            }
            Self::FileSystem(name) => {
                format!("is on {name}, where processes may not see each other's stores to shared memory")
            }
            Self::TooShort(bytes) => {
                format!("is a truncated board: it has {bytes} bytes, fewer than a header")
            }
            Self::Foreign => "is not a slateboard file: its first bytes are not those of a board".into(),
            Self::Endianness => "was written on a machine of the other byte order".into(),
            Self::Format(version) => {
                format!("is a board of format version {version}, which is unknown to this build")
            }
            Self::Fingerprint(number) => {
                format!("was written by a build with another layout ({number:016x})")
            }
            Self::Checksum => "has a damaged header: its checksum is wrong".into(),
            Self::Geometry(reason) => format!("has an invalid header: {reason}"),
            Self::Size { expected, found } => {
                format!("is a board of {found} bytes, but its header gives a size of {expected} bytes")
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
