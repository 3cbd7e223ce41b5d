//! What a caller asks for when a project's board is created.

use super::{
    Created, Placement, Scope,
    create::{Verb, Work},
    settings::Settings,
};
#[allow(unused_imports, reason = "the documentation names it")]
use crate::board::Options;
use crate::error::Result;
use std::path::Path;

/// How a project's board is created.
///
/// What is not set here comes from `slate.toml` in the project's folder, the settings that a team commits, and otherwise
/// from the defaults of [`Options`]. A number that is out of its range is an error, and is never replaced by another.
///
/// The board belongs to the project that a folder is in: to the git repository, whose worktrees share it, or to the folder
/// itself. If a board is found for the folder already, that is the project's board.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, project::{Placement, ProjectOptions}};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
/// let made = options.ensure(folder)?;
/// assert!(made.created && !options.ensure(folder)?.created);
/// let board = made.found.open(Board::options())?;
/// assert_eq!(board.metrics()?.capacity, 1 << 20);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ProjectOptions {
    pub(super) asked: Settings,
    here: bool,
    force: bool,
}

impl ProjectOptions {
    /// Nothing set.
    ///
    /// # Examples
    /// See [`ProjectOptions`].
    pub fn new() -> Self {
        Self::default()
    }
    /// Sets where the region lives: in memory unless set.
    ///
    /// # Examples
    /// See [`Placement`].
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.asked.placement = Some(placement);
        self
    }
    /// Sets who shares the board: all worktrees of the repository unless set.
    ///
    /// # Examples
    /// See [`Scope`].
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.asked.scope = Some(scope);
        self
    }
    /// Sets the space for values, as [`Options::capacity`].
    ///
    /// # Examples
    /// See [`ProjectOptions`].
    #[must_use]
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.asked.capacity = Some(bytes);
        self
    }
    /// Sets the number of keys that the table is made for, as [`Options::keys`].
    ///
    /// # Examples
    ///
    /// ```
    /// let options = slateboard::project::ProjectOptions::new().keys(1000);
    /// ```
    #[must_use]
    pub fn keys(mut self, keys: u64) -> Self {
        self.asked.keys = Some(keys);
        self
    }
    /// Sets the length of the history in events, as [`Options::history`].
    ///
    /// # Examples
    ///
    /// ```
    /// let options = slateboard::project::ProjectOptions::new().history(1024);
    /// ```
    #[must_use]
    pub fn history(mut self, events: u64) -> Self {
        self.asked.history = Some(events);
        self
    }
    /// Sets how many sessions may be attached at once, as [`Options::sessions`].
    ///
    /// # Examples
    ///
    /// ```
    /// let options = slateboard::project::ProjectOptions::new().sessions(256);
    /// ```
    #[must_use]
    pub fn sessions(mut self, sessions: u64) -> Self {
        self.asked.sessions = Some(sessions);
        self
    }
    /// Sets the first path segments that have a shard of their own, as [`Options::dedicated`].
    ///
    /// # Examples
    ///
    /// ```
    /// let options = slateboard::project::ProjectOptions::new().dedicated(["build", "test"]);
    /// ```
    #[must_use]
    pub fn dedicated<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.asked.dedicated = Some(names.into_iter().map(Into::into).collect());
        self
    }
    /// Sets the number of shards that all other keys are spread over, as [`Options::uniform_shards`].
    ///
    /// # Examples
    ///
    /// ```
    /// let options = slateboard::project::ProjectOptions::new().uniform_shards(4);
    /// ```
    #[must_use]
    pub fn uniform_shards(mut self, shards: u64) -> Self {
        self.asked.uniform_shards = Some(shards);
        self
    }
    /// Sets whether the folder itself becomes a project, although a folder above it is one or is a git repository; off
    /// unless set.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::project::{Placement, ProjectOptions};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
    /// options.create(folder)?;
    /// std::fs::create_dir(folder.join("part")).unwrap();
    /// let part = folder.join("part");
    /// assert!(!options.ensure(&part)?.created);
    /// assert!(options.here(true).ensure(&part)?.created);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn here(mut self, here: bool) -> Self {
        self.here = here;
        self
    }
    /// Sets whether [`ProjectOptions::replace`] replaces a board that is in use, or of which that cannot be known; off
    /// unless set. Sessions that see the file are told `Moved`.
    ///
    /// # Examples
    /// See [`ProjectOptions::replace`].
    #[must_use]
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Creates the project's board.
    ///
    /// # Errors
    /// `Exists` if there is one; `Unreachable` if one is recorded that this process does not see; those of
    /// [`Options::create`]; `Corrupt` for a `.slate/` that cannot be trusted or read.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{ErrorKind, project::{Placement, ProjectOptions}};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
    /// assert!(options.create(folder)?.created);
    /// assert_eq!(options.create(folder).unwrap_err().kind(), ErrorKind::Exists);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn create(&self, folder: impl AsRef<Path>) -> Result<Created> {
        self.work(folder.as_ref(), Verb::Create)
    }

    /// Creates the project's board unless there is one. Any number of processes may call it at once: all get the same
    /// board. A board that was lost is not replaced. [`Created::differs`] says how a board that existed already differs
    /// from what was asked for.
    ///
    /// # Errors
    /// Those of [`ProjectOptions::create`], but not `Exists`.
    ///
    /// # Examples
    /// See [`ProjectOptions`].
    pub fn ensure(&self, folder: impl AsRef<Path>) -> Result<Created> {
        self.work(folder.as_ref(), Verb::Ensure)
    }

    /// Creates a new, empty board in place of one that is lost or that no process has open.
    ///
    /// # Errors
    /// `InUse` if a process has the board open, or if that cannot be known, unless [`ProjectOptions::force`] is set; those
    /// of [`ProjectOptions::create`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, ErrorKind, project::{Placement, ProjectOptions}};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
    /// let board = options.create(folder)?.found.open(Board::options())?;
    /// assert_eq!(options.replace(folder).unwrap_err().kind(), ErrorKind::InUse);
    /// let new = options.force(true).replace(folder)?;
    /// assert_ne!(new.found.uuid(), board.uuid());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn replace(&self, folder: impl AsRef<Path>) -> Result<Created> {
        self.work(folder.as_ref(), Verb::Replace)
    }

    /// Accepts a copied or restored folder as a project of its own, and creates a new, empty board for it. The board of
    /// the original stays as it is.
    ///
    /// # Errors
    /// `Exists` if the folder is not a copy; those of [`ProjectOptions::create`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{ErrorKind, project::{Placement, ProjectOptions}};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
    /// options.create(folder)?;
    /// assert_eq!(options.adopt(folder).unwrap_err().kind(), ErrorKind::Exists);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn adopt(&self, folder: impl AsRef<Path>) -> Result<Created> {
        self.work(folder.as_ref(), Verb::Adopt)
    }

    fn work(&self, folder: &Path, verb: Verb) -> Result<Created> {
        Work::prepare(&self.asked, folder, verb, self.here, self.force)?.run()
    }
}
