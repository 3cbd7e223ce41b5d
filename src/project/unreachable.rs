//! Why a recorded board cannot be used, in words.

use super::{
    Placement,
    folder::SlateFolder,
    record::{FILE, Record},
};
use crate::error::{Error, ErrorKind};

/// Why a process cannot use the board that a project records.
///
/// None of these is a reason to make a second board in silence: [`ErrorKind::Unreachable`] says what to do instead.
///
/// # Examples
///
/// ```
/// use slateboard::project::{Found, Placement, ProjectOptions, Unreachable};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let made = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20).create(folder)?;
/// std::fs::remove_file(made.found.path()).unwrap();
/// assert_eq!(Found::in_project(folder)?.unreachable(), Some(Unreachable::Removed));
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Unreachable {
    /// The record belongs to another folder: this folder is a copy of it, or was restored or moved from another file system.
    Copied,
    /// This folder is a layer over the recorded one, as in a container with an overlay: writes would stay in the layer.
    Layered,
    /// The machine restarted. Shared memory was lost, and a file may be older than what was acknowledged.
    Restarted,
    /// Another machine wrote the record.
    OtherMachine,
    /// Another boot wrote the record. Whether of this machine or of another one cannot be known.
    OtherBoot,
    /// This process sees another file system where the region is: a private `/dev/shm`, for example.
    Hidden,
    /// This process cannot find out what is at the path of the region.
    Unseen,
    /// The file system is the same, but the region's file is missing.
    Removed,
    /// Another file, or another board, is at the path of the region.
    Replaced,
    /// The board's lock file is not the one that was made with it, so nobody can tell which sessions are alive. The board
    /// can be read.
    LockReplaced,
}

impl Unreachable {
    /// The reason's name, for programs in any language: lower-case words with `_` between them. It never changes.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::project::Unreachable::OtherMachine.name(), "other_machine");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Layered => "layered",
            Self::Restarted => "restarted",
            Self::OtherMachine => "other_machine",
            Self::OtherBoot => "other_boot",
            Self::Hidden => "hidden",
            Self::Unseen => "unseen",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::LockReplaced => "lock_replaced",
        }
    }

    /// Whether other processes may be using the recorded board, which this process cannot ask.
    pub(super) fn hides_users(self) -> bool {
        matches!(
            self,
            Self::OtherMachine | Self::OtherBoot | Self::Hidden | Self::Unseen | Self::LockReplaced
        )
    }

    /// Whether the recorded board belongs to another folder, which keeps it.
    pub(super) fn is_of_another_folder(self) -> bool {
        matches!(self, Self::Copied | Self::Layered)
    }

    /// What happened, to what, and what to do next.
    pub(super) fn error(self, record: &Record, slate: &SlateFolder) -> Error {
        let region = record.region(&slate.path);
        let (what, next) = self.words(record, &region.display().to_string());
        Error::new(ErrorKind::Unreachable, what).hint(next).at_path(&slate.path.join(FILE))
    }

    fn words(self, record: &Record, region: &str) -> (String, &'static str) {
        match self {
            Self::Copied => (
                format!(
                    "it belongs to another folder{}: this folder is a copy of it, or was restored or moved from another \
                     file system. The board {region} still belongs to the other folder",
                    record.origin()
                ),
                "create a new, empty board for this folder with `slate init --adopt`",
            ),
            Self::Layered => (
                format!(
                    "it belongs to a folder{} in a lower layer of this overlay: what this process writes to {region} \
                     would stay in the upper layer, where no process outside sees it",
                    record.origin()
                ),
                "share the project's folder with a bind mount or a volume, or create a new, empty board for this layer \
                 alone with `slate init --adopt`",
            ),
            Self::Restarted => restarted(record, region),
            Self::OtherMachine => (
                format!(
                    "it was written on another machine{}, whose processes may be using the board {region}; a board is for \
                     one machine",
                    record.host()
                ),
                "copy the project to this machine and run `slate init --adopt` in the copy, or, if no process of the other \
                 machine uses the board any more, replace it with `slate init --replace --force`",
            ),
            Self::OtherBoot => (
                format!(
                    "it was written before this machine restarted, or on another machine{}: which of the two cannot be \
                     determined, because the machine has no id here. The board is {region}",
                    record.host()
                ),
                "if no process of another machine uses the board, replace it by a new, empty one with \
                 `slate init --replace --force`",
            ),
            Self::Hidden => (
                format!(
                    "it names the region {region}, but this process sees another file system there, although the machine \
                     did not restart. The process probably runs in a sandbox with a private /dev/shm"
                ),
                "run the command outside the sandbox; or end the processes that use the board, and create a new, empty one \
                 in the project, for all processes, with `slate init --replace --force --placement project`",
            ),
            Self::Unseen => (
                format!(
                    "it names the region {region}, but this process cannot access that path, so it cannot determine \
                     whether the board exists and is in use"
                ),
                "make the folders above the region accessible to the user who created it",
            ),
            Self::Removed => (
                format!("it names the region {region}, but that file was removed"),
                "create a new, empty board with `slate init --replace`",
            ),
            Self::Replaced => (
                format!("it names the region {region}, but another file is at that path"),
                "restore the region, or create a new, empty board with `slate init --replace`",
            ),
            Self::LockReplaced => (
                format!(
                    "the lock file {region}.lock is not the one that was made with the board, so nobody can \
                     tell which sessions are alive"
                ),
                "put the old lock file back; or end all processes that use the board, and replace it by a new, empty one \
                 with `slate init --replace --force`",
            ),
        }
    }
}

fn restarted(record: &Record, region: &str) -> (String, &'static str) {
    match record.placement {
        Placement::Memory => (
            format!(
                "the machine restarted since it was written, so the board in memory ({region}) and its content are lost"
            ),
            "create a new board with `slate init --replace`",
        ),
        Placement::Project => (
            format!(
                "the machine restarted since it was written: writers of the region {region} were interrupted, and its \
                 times to live refer to another clock"
            ),
            "create a new, empty board with `slate init --replace`",
        ),
    }
}
