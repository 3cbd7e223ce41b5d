//! Finds the board of a folder: from SLATE_BOARD, or from the project that the folder is in.

use super::{
    Placement, Scope, Unreachable,
    folder::{FOLDER, SlateFolder},
    git::repository_of,
    machine::Machine,
    place,
    record::{FILE, Record},
};
use crate::{
    board::{Board, Options, Reader},
    error::{Error, ErrorKind, Result},
    uuid::Uuid,
};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// The environment variable that names a board.
const VARIABLE: &str = "SLATE_BOARD";

/// How a board was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum FoundBy {
    /// The caller named the board's path.
    Argument,
    /// The environment variable `SLATE_BOARD` names the board's path.
    Environment,
    /// `.slate/` in the folder or in a folder above it.
    Project,
    /// `.slate/` in the repository that the worktree belongs to.
    Repository,
}

impl FoundBy {
    /// The name for programs in any language. It never changes.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::project::FoundBy::Repository.name(), "repository");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Argument => "flag",
            Self::Environment => "environment",
            Self::Project => "project",
            Self::Repository => "repository",
        }
    }
}

/// Which board belongs to a folder, how it was found, and whether this process can use it.
///
/// It says what was found at one moment. Nothing is created, and a board is opened only by [`Found::open`] and
/// [`Found::open_read_only`].
///
/// # Examples
///
/// ```
/// use slateboard::{Board, project::{Found, FoundBy, Placement, ProjectOptions}};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// ProjectOptions::new().placement(Placement::Project).capacity(1 << 20).create(folder)?;
/// std::fs::create_dir(folder.join("src")).unwrap();
/// let found = Found::in_project(folder.join("src"))?;
/// assert_eq!((found.found_by(), found.placement()), (FoundBy::Project, Some(Placement::Project)));
/// let board = found.open(Board::options())?;
/// assert_eq!(found.uuid(), board.uuid());
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Found {
    region: PathBuf,
    found_by: FoundBy,
    project: Option<Project>,
    unreachable: Option<Unreachable>,
}

/// A project's `.slate/` with its record.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) slate: SlateFolder,
    pub(super) record: Record,
}

/// A `.slate/` that stands for a folder's project, whether or not a board is recorded there.
#[derive(Debug)]
pub(super) struct Standing {
    /// The project's folder.
    pub(super) folder: PathBuf,
    pub(super) found_by: FoundBy,
    pub(super) slate: SlateFolder,
    /// An error if the record cannot be read.
    pub(super) record: Result<Option<Record>>,
}

impl Found {
    /// The board at this path. It need not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, project::Found};
    ///
    /// let found = Found::at("/nowhere/board");
    /// assert!(found.open(Board::options()).unwrap_err().is_not_found());
    /// ```
    pub fn at(region: impl Into<PathBuf>) -> Self {
        Self::named(region.into(), FoundBy::Argument)
    }

    /// The board that the environment variable `SLATE_BOARD` names, if it is set and not empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::project::Found;
    ///
    /// assert_eq!(Found::in_environment().is_some(), std::env::var_os("SLATE_BOARD").is_some());
    /// ```
    pub fn in_environment() -> Option<Self> {
        Self::in_variable(env::var_os(VARIABLE))
    }

    /// The board for this folder: the one that `SLATE_BOARD` names, otherwise that of the project that the folder is in.
    ///
    /// # Errors
    /// Those of [`Found::in_project`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// use slateboard::project::Found;
    ///
    /// if let Err(error) = Found::of(folder) {
    ///     assert!(error.is_not_found());
    /// }
    /// ```
    pub fn of(folder: impl AsRef<Path>) -> Result<Self> {
        match Self::in_environment() {
            Some(named) => Ok(named),
            None => Self::in_project(folder),
        }
    }

    /// The board of the project that the folder is in. The search goes upwards folder by folder to the first `.slate/`; at
    /// the top of a git worktree, the `.slate/` of its repository comes before the folders above.
    ///
    /// # Errors
    /// `NotFound` if there is no board, or if the repository of a worktree is missing; `Corrupt` for a `.slate/` that
    /// cannot be trusted or read; `Io`. A recorded board that this process cannot use is found, and
    /// [`Found::unreachable`] says why.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// use slateboard::project::Found;
    ///
    /// assert!(Found::in_project(folder).unwrap_err().is_not_found());
    /// ```
    pub fn in_project(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = absolute(folder.as_ref())?;
        let Some(standing) = standing(&folder)? else { return Err(no_board(&folder)) };
        let Some(record) = standing.record? else { return Err(no_record(&standing.slate)) };
        Ok(Self::of_record(standing.slate, record, standing.found_by, &Machine::current()))
    }

    pub(super) fn of_record(
        slate: SlateFolder,
        record: Record,
        found_by: FoundBy,
        machine: &Machine,
    ) -> Self {
        let region = record.region(&slate.path);
        let unreachable = record.check(&slate, machine);
        Self { region, found_by, project: Some(Project { slate, record }), unreachable }
    }

    fn in_variable(variable: Option<OsString>) -> Option<Self> {
        let region = variable.filter(|value| !value.is_empty())?;
        Some(Self::named(region.into(), FoundBy::Environment))
    }

    fn named(region: PathBuf, found_by: FoundBy) -> Self {
        Self { region, found_by, project: None, unreachable: None }
    }

    /// The path of the region.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::project::Found;
    ///
    /// assert_eq!(Found::at("/a/board").path().to_str(), Some("/a/board"));
    /// ```
    pub fn path(&self) -> &Path {
        &self.region
    }

    /// How the board was found.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::project::{Found, FoundBy};
    ///
    /// assert_eq!(Found::at("/a/board").found_by(), FoundBy::Argument);
    /// ```
    pub fn found_by(&self) -> FoundBy {
        self.found_by
    }

    /// The project's `.slate/`, which has the record of the board; `None` for a board that was named by its path. What
    /// is kept for the board on disk is in this folder, too.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::project::Found::at("/a/board").project(), None);
    /// ```
    pub fn project(&self) -> Option<&Path> {
        self.project.as_ref().map(|project| project.slate.path.as_path())
    }

    /// The recorded identifier of the board; `None` for a board that was named by its path.
    ///
    /// # Examples
    /// See [`Found`].
    pub fn uuid(&self) -> Option<Uuid> {
        u128::from_str_radix(&self.project.as_ref()?.record.uuid, 16).ok().map(Uuid::of_number)
    }

    /// Where the region lives; `None` for a board that was named by its path.
    ///
    /// # Examples
    /// See [`Found`].
    pub fn placement(&self) -> Option<Placement> {
        self.project.as_ref().map(|project| project.record.placement)
    }

    /// Who shares the board; `None` for a board that was named by its path.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::project::Found::at("/a/board").scope(), None);
    /// ```
    pub fn scope(&self) -> Option<Scope> {
        self.project.as_ref().map(|project| project.record.scope)
    }

    /// Why this process cannot use the board that the project records; `None` if nothing speaks against it. Whether the
    /// region can be opened is not looked at.
    ///
    /// # Examples
    /// See [`Unreachable`].
    pub fn unreachable(&self) -> Option<Unreachable> {
        self.unreachable
    }

    /// Whether this process may write to the region's file. Its file system may be mounted read-only.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!slateboard::project::Found::at("/nowhere/board").is_writable());
    /// ```
    pub fn is_writable(&self) -> bool {
        accessat(CWD, &self.region, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
    }

    /// Opens the board.
    ///
    /// # Errors
    /// `Unreachable` if this process does not see the board that the others see, or if its lock file was replaced; those of
    /// [`Board::open`].
    ///
    /// # Examples
    /// See [`Found`].
    pub fn open(&self, options: Options) -> Result<Board> {
        self.check()?;
        let board = options.open(&self.region)?;
        self.check_uuid(board.uuid())?;
        Ok(board)
    }

    /// Opens the board for reading only. That is possible even if its lock file was replaced.
    ///
    /// # Errors
    /// `Unreachable` if this process does not see the board that the others see; those of [`Board::open_read_only`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// use slateboard::{Board, project::{Found, Placement, ProjectOptions}};
    ///
    /// ProjectOptions::new().placement(Placement::Project).capacity(1 << 20).create(folder)?;
    /// let reader = Found::in_project(folder)?.open_read_only(Board::options())?;
    /// assert_eq!(reader.get("plan")?, None);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn open_read_only(&self, options: Options) -> Result<Reader> {
        if self.unreachable != Some(Unreachable::LockReplaced) {
            self.check()?;
        }
        let reader = options.open_read_only(&self.region)?;
        self.check_uuid(reader.uuid())?;
        Ok(reader)
    }

    /// Checks that this process sees the board that the others see, as far as the record tells.
    ///
    /// # Errors
    /// `Unreachable`, with the reason and with what to do.
    ///
    /// # Examples
    ///
    /// ```
    /// slateboard::project::Found::at("/a/board").check()?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn check(&self) -> Result<()> {
        match (&self.project, self.unreachable) {
            (Some(project), Some(why)) => Err(why.error(&project.record, &project.slate)),
            _ => Ok(()),
        }
    }

    /// Checks that the board that was opened is the recorded one: another board's file may have taken its place.
    fn check_uuid(&self, opened: Option<Uuid>) -> Result<()> {
        let Some(project) = &self.project else { return Ok(()) };
        if project.record.uuid != place::uuid(opened) {
            return Err(Unreachable::Replaced.error(&project.record, &project.slate));
        }
        if project.record.slate.as_ref() != Some(&project.slate.path) {
            place::note_path(&self.region, &project.slate);
        }
        Ok(())
    }
}

/// The nearest `.slate/`. The search goes upwards folder by folder; at the top of a linked worktree, the folder of its
/// repository comes before the folders above, unless its board is for its own worktree only.
pub(super) fn standing(folder: &Path) -> Result<Option<Standing>> {
    for folder in folder.ancestors() {
        if let Some(standing) = standing_at(folder, FoundBy::Project)? {
            return Ok(Some(standing));
        }
        let Some(shared) = repository_of(folder)?.filter(|shared| shared != folder) else { continue };
        if let Some(standing) = standing_at(&shared, FoundBy::Repository)?
            && !standing.is_for_one_worktree()
        {
            return Ok(Some(standing));
        }
    }
    Ok(None)
}

impl Standing {
    /// Whether a board is recorded that other worktrees do not share.
    pub(super) fn is_for_one_worktree(&self) -> bool {
        matches!(&self.record, Ok(Some(record)) if record.scope == Scope::Worktree)
    }
}

fn standing_at(folder: &Path, found_by: FoundBy) -> Result<Option<Standing>> {
    let Some(slate) = SlateFolder::find(&folder.join(FOLDER))? else { return Ok(None) };
    let record = Record::read(&slate.path);
    Ok(Some(Standing { folder: folder.to_owned(), found_by, slate, record }))
}

/// The folder without links on the way, as the current folder is, so that the folders above it are the real ones.
pub(super) fn absolute(folder: &Path) -> Result<PathBuf> {
    fs::canonicalize(folder).map_err(|error| {
        let what = match folder.is_relative() {
            true => "the current folder cannot be determined, and the search for a project starts there",
            false => "the folder cannot be found, and the search for a project starts there",
        };
        Error::new(ErrorKind::NotFound, format!("{what} ({error})"))
            .caused_by(error)
            .hint(
                "start in a folder that exists, or specify a board by its path, with --board or SLATE_BOARD",
            )
            .at_path(folder)
    })
}

fn no_board(folder: &Path) -> Error {
    let text = format!(
        "no board for {}: there is no .slate/{FILE} in this folder, in a folder above it, or in the git repository of its \
         worktree",
        folder.display()
    );
    Error::new(ErrorKind::NotFound, text)
        .hint("create a board with `slate init`, or specify one by its path, with --board or SLATE_BOARD")
}

fn no_record(slate: &SlateFolder) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no {FILE} here, so this project has no board yet"))
        .hint("create a board with `slate init`")
        .at_path(&slate.path)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::project::{
        record::{LockId, file_system_of},
        tree::Tree,
    };
    use std::os::unix::fs::{MetadataExt, symlink};

    impl Tree {
        fn board(&self, path: &str, scope: Scope) -> PathBuf {
            let slate = SlateFolder::make(&self.folder(path).join(FOLDER)).expect("slate");
            let region = slate.path.join("region");
            fs::write(&region, "").expect("region");
            let found = fs::metadata(&region).expect("region");
            let record = Record {
                placement: Placement::Project,
                scope,
                folder: slate.id,
                path: "region".into(),
                device: found.dev().cast_signed(),
                inode: found.ino().cast_signed(),
                file_system: file_system_of(&region),
                lock: LockId::default(),
                uuid: String::new(),
                slate: None,
                machine: Machine::current(),
            };
            record.replace(&slate.path).expect("record");
            slate.path.join("region")
        }
        fn found(&self, folder: &str) -> Option<(PathBuf, FoundBy)> {
            let found = Found::in_project(self.folder(folder)).ok()?;
            found.check().expect("reachable");
            Some((found.region, found.found_by))
        }
        fn refused(&self, folder: &str) -> Error {
            Found::in_project(self.folder(folder)).expect_err(folder)
        }
    }

    #[test]
    fn the_variable_names_a_board_unless_it_is_empty() {
        let named = Found::in_variable(Some("/variable".into())).expect("named");
        assert_eq!((named.path(), named.found_by()), (Path::new("/variable"), FoundBy::Environment));
        assert!(Found::in_variable(Some("".into())).is_none() && Found::in_variable(None).is_none());
    }

    #[test]
    fn a_project_is_found_upwards() {
        let tree = Tree::new();
        let region = tree.board("p", Scope::Project);
        assert_eq!(tree.found("p/a/b"), Some((region, FoundBy::Project)));
    }

    #[test]
    fn no_board_is_told_with_what_to_do() {
        let tree = Tree::new();
        let error = tree.refused("empty");
        assert!(error.is_not_found() && error.to_string().contains("slate init"), "{error}");
    }

    #[test]
    fn a_worktree_shares_its_repository_board_unless_told_otherwise() {
        let tree = Tree::new();
        tree.repository("main", "elsewhere/wt");
        tree.folder("elsewhere/wt/src");
        assert_eq!(tree.found("elsewhere/wt/src"), None);
        let region = tree.board("main", Scope::Project);
        assert_eq!(tree.found("elsewhere/wt/src"), Some((region, FoundBy::Repository)));
        let own = tree.board("elsewhere/wt", Scope::Worktree);
        assert_eq!(tree.found("elsewhere/wt/src"), Some((own, FoundBy::Project)));
    }

    #[test]
    fn a_worktree_without_its_repository_never_takes_the_board_above() {
        let tree = Tree::new();
        tree.board("", Scope::Project);
        tree.repository("main", "wt");
        fs::write(tree.folder("main/.git/worktrees/w").join("commondir"), "../../../gone\n").expect("link");
        let error = tree.refused("wt/src");
        assert!(error.is_not_found() && error.to_string().contains("git worktree"), "{error}");
    }

    #[test]
    fn a_board_for_one_worktree_is_not_shared() {
        let tree = Tree::new();
        tree.repository("main", "wt");
        tree.board("main", Scope::Worktree);
        assert_eq!(tree.found("wt"), None);
        assert!(tree.found("main").is_some());
    }

    #[test]
    fn a_worktree_prefers_its_repository_to_an_unrelated_project_above() {
        let tree = Tree::new();
        tree.repository("main", "other/wt");
        tree.board("other", Scope::Project);
        let region = tree.board("main", Scope::Project);
        assert_eq!(tree.found("other/wt"), Some((region, FoundBy::Repository)));
    }

    #[test]
    fn what_stands_for_a_project_and_cannot_be_used_never_leads_to_the_one_above() {
        let tree = Tree::new();
        let region = tree.board("above", Scope::Project);
        let slate = tree.folder("above/p").join(FOLDER);
        let refused = || tree.refused("above/p/src");
        assert_eq!(tree.found("above/p/src"), Some((region.clone(), FoundBy::Project)));
        fs::create_dir(&slate).expect("folder");
        let error = refused();
        assert!(error.is_not_found() && error.to_string().contains("slate init"), "{error}");
        fs::remove_dir(&slate).expect("removed");
        fs::write(&slate, "").expect("file");
        let error = refused();
        assert!(error.is_corrupt() && error.to_string().contains("is not a folder"), "{error}");
        fs::remove_file(&slate).expect("removed");
        for (target, word) in [(tree.folder("nowhere").join("deep"), "dangling"), (region, "not a folder")] {
            symlink(&target, &slate).expect("link");
            let error = refused();
            assert!(error.is_corrupt() && error.to_string().contains(word), "{error}");
            fs::remove_file(&slate).expect("removed");
        }
        tree.board("elsewhere", Scope::Project);
        symlink(tree.folder("elsewhere").join(FOLDER), &slate).expect("link");
        assert_eq!(tree.found("above/p/src"), Some((slate.join("region"), FoundBy::Project)));
    }

    #[test]
    fn a_folder_behind_a_link_is_where_it_really_is() {
        let tree = Tree::new();
        let region = tree.board("real", Scope::Project);
        tree.board("other", Scope::Project);
        symlink(tree.folder("real/src"), tree.folder("other").join("src")).expect("link");
        assert_eq!(tree.found("other/src"), Some((region, FoundBy::Project)));
    }

    #[test]
    fn a_damaged_record_is_an_error_and_not_no_board() {
        let tree = Tree::new();
        tree.board("p", Scope::Project);
        fs::write(tree.folder("p/.slate").join(FILE), "placement = \"moon\"").expect("written");
        let error = tree.refused("p");
        assert!(error.is_corrupt() && error.to_string().contains(FILE), "{error}");
    }

    #[test]
    fn a_repository_that_is_kept_apart_is_shared_by_all_its_worktrees() {
        let tree = Tree::new();
        let apart = tree.folder("apart");
        fs::write(tree.folder("main").join(".git"), format!("gitdir: {}\n", apart.display())).expect("link");
        let private = tree.folder("apart/worktrees/w");
        fs::write(private.join("commondir"), "../..\n").expect("commondir");
        fs::write(tree.folder("wt").join(".git"), format!("gitdir: {}\n", private.display())).expect("link");
        let shared = |folder: &str| repository_of(&tree.folder(folder)).expect("found");
        assert_eq!((shared("main"), shared("wt")), (Some(apart.clone()), Some(apart.clone())));
        // A submodule's repository knows its working tree.
        fs::write(apart.join("config"), "[core]\n\tworktree = ../main\n").expect("config");
        assert_eq!((shared("main"), shared("wt")), (Some(tree.folder("main")), Some(tree.folder("main"))));
        // It is not the working tree that the configuration names, but has only its place.
        fs::write(tree.folder("main").join(".git"), "gitdir: ../elsewhere\n").expect("link");
        assert_eq!(shared("wt"), Some(apart));
    }
}
