//! The board of a project: where it is, how it is found, and how it is created.
//!
//! A project is a folder, usually a git repository. All its processes share one board, which they find from any folder of
//! the project: [`Board::for_project`], and every command of `slate`. In this order, the board is
//!
//! 1. the one at the path that the caller names ([`Found::at`], `--board`);
//! 2. the one that the environment variable `SLATE_BOARD` names;
//! 3. the one that `.slate/board.toml` records in the folder or in the nearest folder above it. At the top of a git worktree,
//!    the `.slate/` of its repository comes before the folders above, so all worktrees of a repository share its board,
//!    unless that is for one worktree alone ([`Scope::Worktree`]).
//!
//! ```text
//! slate.toml            the settings that a team commits                     ProjectOptions
//! .slate/               this machine's own, ignored by git
//!   board.toml          which region is the board, and how to recognize it   Found · Unreachable
//!   region              the region itself, with its lock and bell            Placement::Project
//! /dev/shm/slate-UID/
//!   UUID/region         or here                                              Placement::Memory
//!   UUID/project.toml   which project it belongs to                          boards
//! ```
//!
//! A `.slate/` that is found and cannot be used is an error and never leads to the folder above. Neither does a recorded
//! board that this process does not see as the others do: see [`Unreachable`]. Only [`ProjectOptions`] creates a board.

mod boards;
mod create;
mod find;
mod folder;
mod git;
mod machine;
mod options;
mod place;
mod record;
mod root;
mod settings;
#[cfg(all(test, not(miri)))]
mod tree;
mod unreachable;
mod whole;

pub use boards::{Ownership, ProjectBoard, boards};
pub use create::Created;
pub use find::{Found, FoundBy};
pub use options::ProjectOptions;
pub use settings::Difference;
pub use unreachable::Unreachable;

use crate::{
    board::{Board, Options},
    error::Result,
};
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

/// Where the region of a project's board lives.
///
/// # Examples
///
/// ```
/// use slateboard::project::{Placement, ProjectOptions};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let made = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20).create(folder)?;
/// assert!(made.found.path().ends_with(".slate/region"));
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Placement {
    /// Shared memory, `/dev/shm`: fast, and lost when the machine restarts.
    #[default]
    Memory,
    /// The project's `.slate/`, which processes with a private `/dev/shm` see, too.
    Project,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "memory",
            Self::Project => "project",
        })
    }
}

/// Who shares a project's board.
///
/// # Examples
///
/// ```
/// use slateboard::project::{Placement, ProjectOptions, Scope};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
/// let made = options.scope(Scope::Worktree).create(folder)?;
/// assert_eq!(made.found.scope(), Some(Scope::Worktree));
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Scope {
    /// All worktrees of the repository.
    #[default]
    Project,
    /// One worktree only.
    Worktree,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Project => "project",
            Self::Worktree => "worktree",
        })
    }
}

impl Board {
    /// Opens the board of the project that this folder is in, or the one that the environment variable `SLATE_BOARD`
    /// names. Never creates one: [`ProjectOptions`] does, and `slate init`.
    ///
    /// # Errors
    /// `NotFound` if there is no board; `Unreachable` if there is one and this process does not see it as the others do; those
    /// of [`Found::of`] and [`Board::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, project::{Placement, ProjectOptions}};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// # if std::env::var_os("SLATE_BOARD").is_some() { return Ok(()) }
    /// ProjectOptions::new().placement(Placement::Project).capacity(1 << 20).ensure(folder)?;
    /// let session = Board::for_project(folder)?.attach("planner")?;
    /// session.put("plan", "paint")?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn for_project(folder: impl AsRef<Path>) -> Result<Self> {
        Self::options().for_project(folder)
    }
}

impl Options {
    /// Opens the board of a project, as [`Board::for_project`].
    ///
    /// # Errors
    /// Those of [`Board::for_project`]; `InvalidArgument` for a beat that is out of its range.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Verify};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// # if std::env::var_os("SLATE_BOARD").is_some() { return Ok(()) }
    /// let error = Board::options().verify(Verify::Scrub).for_project(folder).unwrap_err();
    /// assert!(error.is_not_found());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn for_project(self, folder: impl AsRef<Path>) -> Result<Board> {
        Found::of(folder)?.open(self)
    }
}
