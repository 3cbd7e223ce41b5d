//! The boards of this user in memory, and the projects that they belong to.

use super::{
    create::{cannot_ask, in_use},
    place::{self, Owned, Owner},
    record::{Record, lock_of},
};
use crate::{
    board::Board,
    error::{Error, ErrorKind, Result},
    uuid::Uuid,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What is known about the project of a board.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Ownership {
    /// The project is there, and records the board.
    Owned,
    /// The project was removed, or records another board. A project that was renamed and not used since then seems to be
    /// removed.
    Orphaned,
    /// The project cannot be seen from here, so nothing is known about it.
    Unknown,
}

impl Ownership {
    /// The name for programs in any language. It never changes.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::project::Ownership::Orphaned.name(), "orphaned");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Orphaned => "orphaned",
            Self::Unknown => "unknown",
        }
    }
}

/// A board of this user in memory: [`boards`].
///
/// # Examples
/// See [`boards`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProjectBoard {
    /// The path of the region.
    pub path: PathBuf,
    /// The board's identifier; `None` if the region cannot be read.
    pub uuid: Option<Uuid>,
    /// The newest known path of the project's `.slate/`.
    pub project: Option<PathBuf>,
    /// What is known about the project.
    pub ownership: Ownership,
    /// Whether a process has the board open; `None` if that cannot be known.
    pub in_use: Option<bool>,
    /// The memory that the board takes, in bytes.
    pub bytes: u64,
}

/// Lists the boards of this user in memory, by path. Boards in a project's folder are removed together with it, and are not
/// listed.
///
/// # Errors
/// `Io` if the folder that has them cannot be read.
///
/// # Examples
///
/// ```
/// use slateboard::project::{Ownership, boards};
///
/// for board in boards()?.iter().filter(|board| board.ownership == Ownership::Orphaned) {
///     println!("{} belonged to {:?}", board.path.display(), board.project);
/// }
/// # Ok::<_, slateboard::Error>(())
/// ```
pub fn boards() -> Result<Vec<ProjectBoard>> {
    let mut boards: Vec<_> =
        place::folders_in_memory()?.iter().map(|folder| ProjectBoard::of(folder)).collect();
    boards.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(boards)
}

impl ProjectBoard {
    fn of(folder: &Path) -> Self {
        let path = place::region_in(folder);
        let owner = Owner::read(folder).ok().flatten();
        let ownership = owner.as_ref().map_or(Ownership::Unknown, |owner| match owner.look() {
            Owned::ByNobody => Ownership::Orphaned,
            Owned::Unknown => Ownership::Unknown,
            Owned::By(slate) => match Record::read(&slate.path) {
                Ok(Some(record)) if record.region(&slate.path) == path => Ownership::Owned,
                // The next `init` takes it up.
                Ok(None) => Ownership::Owned,
                Ok(Some(_)) => Ownership::Orphaned,
                Err(_) => Ownership::Unknown,
            },
        });
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let bytes = entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.blocks() * 512).sum();
        Self {
            uuid: Board::open_read_only(&path).ok().and_then(|reader| reader.uuid()),
            project: owner.as_ref().and_then(Owner::path).map(Path::to_owned),
            ownership,
            in_use: Board::is_in_use(&path).ok(),
            path,
            bytes,
        }
    }

    /// Removes the board with everything on it.
    ///
    /// # Errors
    /// `InUse` if a process has it open, or if that cannot be known; `Exists` if its project is there and records it: a
    /// project's board is replaced by [`ProjectOptions::replace`](super::ProjectOptions::replace); `Io`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use slateboard::project::{Ownership, boards};
    ///
    /// for board in boards()?.iter().filter(|board| board.ownership == Ownership::Orphaned) {
    ///     board.remove()?;
    /// }
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn remove(&self) -> Result<()> {
        if self.ownership == Ownership::Owned {
            return Err(Error::new(ErrorKind::Exists, "the board belongs to a project that is there")
                .hint("remove the project's .slate first, or replace its board with `slate init --replace`")
                .at_path(&self.path));
        }
        match Board::is_in_use(&self.path) {
            Ok(false) => {}
            Ok(true) => return Err(in_use(&self.path)),
            // There is neither a region nor a lock file: these are remains, which nobody can open.
            Err(_) if place::is_missing(&self.path) && place::is_missing(&lock_of(&self.path)) => {}
            Err(error) => return Err(cannot_ask(&self.path, &error)),
        }
        place::remove_unasked(&self.path);
        match self.path.parent().is_some_and(Path::exists) {
            false => Ok(()),
            true => Err(Error::new(ErrorKind::Io, "the board's folder could not be removed")
                .hint("remove it by hand")
                .at_path(&self.path)),
        }
    }
}
