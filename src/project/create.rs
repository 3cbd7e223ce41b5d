//! Creates a project's board where all its processes find it.
//!
//! A project never gets two boards, whatever other processes do at the same time, and wherever one of them is killed. The
//! region is complete before it is recorded, and the record is complete before it gets its name. A region that was not
//! recorded is adopted by the next call.

use super::{
    Difference, Found, FoundBy, Placement, Scope, Unreachable,
    find::{Standing, absolute, standing},
    folder::{FOLDER, SlateFolder},
    git::repository_of,
    machine::Machine,
    place::{self, Made, uuid},
    record::{LockId, Record, file_system_of},
    settings::Settings,
};
use crate::{
    board::{Board, Liveness, Metrics, Options, Reader},
    error::{Error, ErrorKind, Result},
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long to wait for processes that are about to close the board.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);
/// Maximum number of retries, because other processes may create or remove the board between two checks.
const ATTEMPTS: u32 = 4;

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
    asked: Settings,
    here: bool,
    force: bool,
}

/// A project's board after it was created or found.
///
/// # Examples
/// See [`ProjectOptions`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Created {
    /// Where the board is.
    pub found: Found,
    /// False if the board existed already.
    pub created: bool,
    /// The project's folder.
    pub folder: PathBuf,
    /// Why the board belongs to this folder.
    pub why: &'static str,
    /// The `slate.toml` whose settings were used.
    pub settings: Option<PathBuf>,
    /// How a board that existed already differs from what was asked for, by the call or by `slate.toml`.
    pub differs: Vec<Difference>,
    /// The sizes of the board, and what it held.
    pub metrics: Metrics,
}

/// What to do with a board that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verb {
    Create,
    Ensure,
    Replace,
    Adopt,
}

/// Where a project's board belongs, and the reason for it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Root {
    folder: PathBuf,
    /// The worktree at hand, if it shares the board of another folder.
    worktree: Option<PathBuf>,
    found_by: FoundBy,
    scope: Option<Scope>,
    why: &'static str,
}

/// One call that creates or finds a board.
struct Work {
    verb: Verb,
    force: bool,
    asked: Settings,
    settings: Option<PathBuf>,
    root: Root,
    slate: SlateFolder,
    machine: Machine,
    /// Whether this process holds the folder's lock, so that no other call changes the folder.
    is_locked: bool,
}

/// What to do.
enum Plan {
    /// Use the recorded board.
    Use(Record),
    /// Create a new board, in place of the one in this record.
    Make(Option<Record>),
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
        let folder = absolute(folder)?;
        let mut root = Root::of(&folder, self.asked.scope, verb, self.here)?;
        let (settings, path) = Settings::read(&root.folders())?;
        let asked = self.asked.clone().or(settings);
        if asked.scope != self.asked.scope {
            root = Root::of(&folder, asked.scope, verb, self.here)?;
        }
        // Before anything is made.
        asked.apply(Options::default()).shape()?;
        let slate = SlateFolder::make(&root.folder.join(FOLDER))?;
        // Held until this call has closed the board. Otherwise the next replacement would find the board in use.
        let lock = slate.lock();
        if matches!(lock, Ok(None)) && verb == Verb::Replace {
            return Err(Error::new(
                ErrorKind::Contended,
                "timeout: another `slate init` keeps the folder locked",
            )
            .hint("resume or end that process, and try again")
            .at_path(&slate.path));
        }
        // On a file system without locks, only the record decides which board is used, and nothing is cleaned up.
        let is_locked = matches!(lock, Ok(Some(_)));
        let machine = Machine::current();
        Work { verb, force: self.force, asked, settings: path, root, slate, machine, is_locked }.run()
    }
}

/// The top of the worktree that a folder is in.
struct Top {
    folder: PathBuf,
    /// What all worktrees of the repository share.
    shared: PathBuf,
}

fn top_of(folder: &Path) -> Result<Option<Top>> {
    for above in folder.ancestors() {
        if let Some(shared) = repository_of(above)? {
            return Ok(Some(Top { folder: above.to_owned(), shared }));
        }
    }
    Ok(None)
}

impl Root {
    /// The folder to which the board belongs.
    fn of(folder: &Path, scope: Option<Scope>, verb: Verb, here: bool) -> Result<Self> {
        let at = |folder: &Path, why| Self::new(folder, FoundBy::Project, scope, why);
        if here {
            return Ok(at(folder, "it was asked for in this folder"));
        }
        let top = top_of(folder)?;
        match (standing(folder)?, &top) {
            (Some(standing), Some(top))
                if scope == Some(Scope::Worktree) && standing.found_by == FoundBy::Repository =>
            {
                Ok(at(&top.folder, "the current folder is in this worktree"))
            }
            // A repository below a project is a project of its own, if a board for it is asked for.
            (Some(standing), Some(top)) if verb == Verb::Create && !standing.is_of(top) => {
                of_repository(top, scope)
            }
            (Some(standing), top) => of_standing(standing, top.as_ref(), scope),
            (None, Some(top)) => of_repository(top, scope),
            (None, None) => Ok(at(folder, "the current folder is not in a git repository")),
        }
    }

    fn new(folder: &Path, found_by: FoundBy, scope: Option<Scope>, why: &'static str) -> Self {
        Self { folder: folder.to_owned(), worktree: None, found_by, scope, why }
    }

    /// The folders that may have the settings: the project's, and the worktree at hand, because a repository without a
    /// working tree of its own has no settings.
    fn folders(&self) -> Vec<&Path> {
        std::iter::once(self.folder.as_path()).chain(self.worktree.as_deref()).collect()
    }
}

impl Standing {
    /// Whether it belongs to the repository, or to a part of it.
    fn is_of(&self, top: &Top) -> bool {
        self.folder.starts_with(&top.folder) || self.folder == top.shared
    }
}

/// The folder whose `.slate/` the other calls find, too.
fn of_standing(standing: Standing, top: Option<&Top>, scope: Option<Scope>) -> Result<Root> {
    let is_linked = top.is_some_and(|top| top.shared != top.folder && top.folder == standing.folder);
    if is_linked && scope == Some(Scope::Project) && standing.is_for_one_worktree() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "this worktree has a board of its own, which it would go on using",
        )
        .hint("remove this folder to share the board of the repository")
        .at_path(&standing.slate.path));
    }
    let why = match (standing.found_by, top) {
        (FoundBy::Repository, _) => "the current worktree belongs to this repository",
        (_, Some(top)) if top.folder == standing.folder && is_linked => {
            "the current folder is in this worktree"
        }
        (_, Some(top)) if top.folder == standing.folder => "the current folder is in this git repository",
        _ => "the current folder is in this project",
    };
    // A linked worktree's own board is for that worktree.
    let scope = scope.or((is_linked && matches!(standing.record, Ok(None))).then_some(Scope::Worktree));
    let worktree =
        top.filter(|top| standing.found_by == FoundBy::Repository && top.folder != standing.folder);
    let worktree = worktree.map(|top| top.folder.clone());
    Ok(Root { folder: standing.folder, worktree, found_by: standing.found_by, scope, why })
}

/// The folder of a repository in which no board is found.
fn of_repository(top: &Top, scope: Option<Scope>) -> Result<Root> {
    let own = |why| Ok(Root::new(&top.folder, FoundBy::Project, Some(Scope::Worktree), why));
    if scope == Some(Scope::Worktree) {
        return own("the current folder is in this worktree");
    }
    if top.shared == top.folder {
        return Ok(Root::new(
            &top.folder,
            FoundBy::Project,
            scope,
            "the current folder is in this git repository",
        ));
    }
    let shared = SlateFolder::find(&top.shared.join(FOLDER))?;
    let record = shared.and_then(|slate| Record::read(&slate.path).ok().flatten());
    // Another worktree keeps the board of the repository's folder to itself, so this one needs its own.
    match (record.map(|record| record.scope), scope) {
        (Some(Scope::Worktree), None) => own("the board of the repository's folder is for another worktree"),
        (Some(Scope::Worktree), Some(_)) => Err(Error::new(
            ErrorKind::InvalidArgument,
            "the board of the repository's folder is for its own worktree only, so it cannot be shared",
        )
        .hint("replace it there with `slate init --replace --scope project`, or leave --scope out")
        .at_path(&top.shared)),
        _ => Ok(Root {
            worktree: Some(top.folder.clone()),
            ..Root::new(
                &top.shared,
                FoundBy::Repository,
                scope,
                "the current worktree belongs to this repository",
            )
        }),
    }
}

impl Work {
    fn run(mut self) -> Result<Created> {
        for _ in 0..=ATTEMPTS {
            match self.plan()? {
                Plan::Use(record) => {
                    let found = self.found(record);
                    // For reading only: that is possible on a file system that is mounted read-only, too.
                    let reader = found.open_read_only(Board::options())?;
                    return self.created(false, found, &reader);
                }
                Plan::Make(old) => {
                    if let Some((board, record)) = self.make(old)? {
                        let found = self.found(record);
                        return self.created(true, found, &board.reader());
                    }
                }
            }
            // Another process was faster: use what it created.
        }
        Err(Error::new(
            ErrorKind::Contended,
            "other processes keep creating and removing this project's board",
        )
        .hint("stop them, and try again")
        .at_path(&self.slate.path))
    }

    fn found(&self, record: Record) -> Found {
        Found::of_record(self.slate.clone(), record, self.root.found_by, &self.machine)
    }

    fn created(self, created: bool, found: Found, reader: &Reader) -> Result<Created> {
        let (placement, scope) = (found.placement().unwrap_or_default(), found.scope().unwrap_or_default());
        let differs = match created {
            true => Vec::new(),
            false => self.asked.differences(reader.shape(), placement, scope)?,
        };
        let metrics = reader.metrics()?;
        let Root { folder, why, .. } = self.root;
        Ok(Created { found, created, folder, why, settings: self.settings, differs, metrics })
    }

    fn plan(&self) -> Result<Plan> {
        let replaces = self.verb == Verb::Replace;
        let standing = match Record::read(&self.slate.path) {
            // A record that cannot be read is replaced, too.
            Err(error) if error.is_corrupt() && replaces => None,
            other => match other? {
                None if !replaces && self.verb != Verb::Adopt => return self.take_up(),
                standing => standing,
            },
        };
        let Some(record) = standing else {
            self.nobody_uses_any()?;
            return Ok(Plan::Make(None));
        };
        let region = record.region(&self.slate.path);
        let Some(why) = record.check(&self.slate, &self.machine) else {
            match self.verb {
                Verb::Ensure => return Ok(Plan::Use(record)),
                Verb::Create => return Err(exists(&region)),
                Verb::Adopt => return Err(not_a_copy(&self.slate.path, &region)),
                Verb::Replace => self.nobody_uses(&region)?,
            }
            return Ok(Plan::Make(Some(record)));
        };
        if self.may_succeed(why) {
            self.nobody_uses_any()?;
            return Ok(Plan::Make(Some(record)));
        }
        Err(why.error(&record, &self.slate))
    }

    /// Whether a new board may take the place of a recorded one that this process cannot use.
    fn may_succeed(&self, why: Unreachable) -> bool {
        match self.verb {
            Verb::Create | Verb::Ensure => false,
            // The recorded region belongs to another folder, and is kept.
            Verb::Adopt => why.is_of_another_folder(),
            // Other processes still share a board that this one cannot see. A second one in memory would separate this
            // process from them, and the next one that sees their memory from it.
            Verb::Replace if why == Unreachable::Hidden => {
                self.force && self.asked.placement == Some(Placement::Project)
            }
            Verb::Replace => self.force || !why.hides_users(),
        }
    }

    /// Checks that a board may be replaced: either no process has it open, or `force` skips this check.
    fn nobody_uses(&self, region: &Path) -> Result<()> {
        if self.force { Ok(()) } else { nobody_uses(region) }
    }

    /// The same check for every region that was created for this folder, if the record does not say which one is the board.
    fn nobody_uses_any(&self) -> Result<()> {
        let regions = place::regions_of(&self.slate, None);
        regions.iter().filter(|region| region.exists()).try_for_each(|region| self.nobody_uses(region))
    }

    /// Without a record, adopts a complete region of this folder: another call was killed before it recorded the region, or
    /// the record was removed. The region may have keys and attached sessions. Without the lock, no region is adopted,
    /// because another call may be about to record it.
    fn take_up(&self) -> Result<Plan> {
        if !self.is_locked {
            return Ok(Plan::Make(None));
        }
        for region in place::regions_of(&self.slate, self.asked.placement) {
            let Ok(board) = Board::open(&region) else { continue };
            let record = self.describe(&region, &board, None)?;
            if record.create(&self.slate.path, self.is_locked)? {
                return Ok(Plan::Use(record));
            }
        }
        Ok(Plan::Make(None))
    }

    /// Creates and records a board; `None` if another process has recorded one meanwhile.
    fn make(&mut self, old: Option<Record>) -> Result<Option<(Board, Record)>> {
        self.slate.settle()?;
        let kept = old.as_ref().map(|record| record.placement);
        let placement = self.asked.placement.or(kept).unwrap_or_default();
        let made = place::make(&self.asked.apply(Options::default()), placement, &self.slate)?;
        let region = self.slate.path.join(&made.path);
        let recorded = self.describe(&region, &made.board, old.as_ref()).and_then(|record| {
            let is_recorded = match self.verb == Verb::Replace || old.is_some() {
                true => record.replace(&self.slate.path).and_then(|()| {
                    // Without a lock, another process may have replaced the record.
                    Ok(Record::read(&self.slate.path)?.as_ref() == Some(&record))
                }),
                false => record.create(&self.slate.path, self.is_locked),
            };
            Ok(is_recorded?.then_some(record))
        });
        let Made { board, .. } = made;
        match recorded {
            Ok(Some(record)) => {
                self.discard(old, &region);
                Ok(Some((board, record)))
            }
            other => {
                drop(board);
                let standing = Record::read(&self.slate.path).ok().flatten();
                if standing.is_none_or(|record| record.region(&self.slate.path) != region) {
                    place::remove_region(&region);
                }
                other.map(|_| None)
            }
        }
    }

    fn describe(&self, region: &Path, board: &Board, old: Option<&Record>) -> Result<Record> {
        let found = fs::metadata(region)
            .map_err(|error| Error::io("the region cannot be examined", error).at_path(region))?;
        let inside = region.strip_prefix(&self.slate.path);
        let scope = self.root.scope.or(old.map(|old| old.scope)).unwrap_or_default();
        Ok(Record {
            placement: if inside.is_ok() { Placement::Project } else { Placement::Memory },
            scope,
            folder: self.slate.id.clone(),
            path: inside.unwrap_or(region).to_owned(),
            device: found.dev().cast_signed(),
            inode: found.ino().cast_signed(),
            file_system: file_system_of(region),
            lock: LockId::beside(region),
            uuid: uuid(board.uuid()),
            slate: Some(self.slate.path.clone()),
            machine: self.machine.clone(),
        })
    }

    /// Removes the replaced region, unless it belongs to another folder or cannot be reached, and what killed processes
    /// left behind.
    fn discard(&self, old: Option<Record>, new: &Path) {
        if let Some(old) = old.filter(|old| old.check(&self.slate, &self.machine).is_none()) {
            let region = old.region(&self.slate.path);
            let is_ours = match old.placement {
                Placement::Memory => place::is_in_memory(&region),
                Placement::Project => region.parent() == Some(&self.slate.path),
            };
            if is_ours && region != new {
                match self.force {
                    true => place::remove_unasked(&region),
                    false => place::remove_region(&region),
                }
            }
        }
        if self.is_locked {
            place::tidy(&self.slate, new);
        }
    }
}

/// Fails if the board is in use. Waits up to [`PATIENCE`] for processes that are about to close it.
fn nobody_uses(region: &Path) -> Result<()> {
    let started = Instant::now();
    while Board::is_in_use(region).map_err(|error| cannot_ask(region, &error))? {
        if started.elapsed() > PATIENCE {
            return Err(in_use(region));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn exists(region: &Path) -> Error {
    Error::new(ErrorKind::Exists, "a board already exists")
        .hint("use it, or replace it by a new, empty one with `slate init --replace`; for a board of this folder alone, use --here")
        .at_path(region)
}

fn not_a_copy(slate: &Path, region: &Path) -> Error {
    let text = format!("this folder is not a copy: its board is {}", region.display());
    Error::new(ErrorKind::Exists, text)
        .hint("use that board, or replace it by a new, empty one with `slate init --replace`")
        .at_path(slate)
}

pub(super) fn cannot_ask(region: &Path, error: &Error) -> Error {
    let text = format!("cannot determine whether the board is in use ({error}), so it was left as it is");
    Error::new(ErrorKind::InUse, text)
        .hint("end the processes that use it, and then replace it with `slate init --replace --force`")
        .at_path(region)
}

pub(super) fn in_use(region: &Path) -> Error {
    let sessions =
        Board::options().open_read_only(region).and_then(|reader| reader.sessions()).unwrap_or_default();
    let alive = sessions.iter().find(|session| session.liveness != Liveness::Dead);
    let by = alive.map_or_else(
        || "a process that reads it, such as `slate watch`".to_owned(),
        |session| format!("session {:?} (process {}, see `slate sessions`)", session.name, session.pid),
    );
    Error::new(ErrorKind::InUse, format!("the board is in use by {by}"))
        .hint("end that process first, or replace the board anyway with --replace --force: its users then get the error `moved`")
        .at_path(region)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("folder"))
        }
        fn folder(&self, path: &str) -> PathBuf {
            let folder = fs::canonicalize(self.0.path()).expect("root").join(path);
            fs::create_dir_all(&folder).expect("folder");
            folder
        }
        /// A repository at `main` with a linked worktree at `wt`.
        fn with_worktree() -> Self {
            let tree = Self::new();
            let private = tree.folder("main/.git/worktrees/w");
            fs::write(private.join("commondir"), "../..\n").expect("commondir");
            fs::write(tree.folder("wt").join(".git"), format!("gitdir: {}\n", private.display()))
                .expect("link");
            tree
        }
        fn root(&self, folder: &str, scope: Option<Scope>, verb: Verb) -> Root {
            Root::of(&self.folder(folder), scope, verb, false).expect("root")
        }
        fn make(&self, folder: &str, scope: Option<Scope>) -> Created {
            let mut options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
            options.asked.scope = scope;
            options.ensure(self.folder(folder)).expect("made")
        }
    }

    #[test]
    fn a_board_goes_to_the_repository() {
        let tree = Tree::with_worktree();
        let main = tree.folder("main");
        let root = |folder, scope| tree.root(folder, scope, Verb::Create).folder;
        assert_eq!(root("main/src", None), main);
        assert_eq!(root("wt/src", Some(Scope::Project)), main);
        assert_eq!(root("wt/src", Some(Scope::Worktree)), tree.folder("wt"));
        assert_eq!(root("elsewhere", None), tree.folder("elsewhere"));
    }

    #[test]
    fn a_submodule_is_its_own_project() {
        let tree = Tree::new();
        let private = tree.folder("main/.git/modules/sub");
        fs::write(private.join("config"), "[core]\n\tworktree = ../../../sub\n").expect("config");
        fs::write(tree.folder("main/sub").join(".git"), "gitdir: ../.git/modules/sub\n").expect("link");
        assert_eq!(tree.root("main/sub", None, Verb::Create).folder, tree.folder("main/sub"));
    }

    #[test]
    fn a_board_that_the_others_find_is_the_project_s() {
        let tree = Tree::new();
        let made = tree.make("p", None);
        for verb in [Verb::Create, Verb::Ensure, Verb::Replace] {
            assert_eq!(tree.root("p/a/b", None, verb).folder, tree.folder("p"), "{verb:?}");
        }
        let again = tree.make("p/a/b", None);
        assert!(!again.created && again.found.uuid() == made.found.uuid());
        // A repository below shares it too, unless a board of its own is asked for.
        tree.folder("p/repository/.git");
        assert_eq!(tree.root("p/repository", None, Verb::Ensure).folder, tree.folder("p"));
        assert_eq!(tree.root("p/repository", None, Verb::Create).folder, tree.folder("p/repository"));
        // A part of a repository that has a board of its own.
        let part = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20).here(true);
        assert!(part.create(tree.folder("p/repository/part")).expect("made").created);
        assert_eq!(
            tree.root("p/repository/part/a", None, Verb::Ensure).folder,
            tree.folder("p/repository/part")
        );
    }

    #[test]
    fn a_worktree_gets_a_board_of_its_own_if_the_repository_s_is_for_one_worktree() {
        let tree = Tree::with_worktree();
        let main = tree.make("main", Some(Scope::Worktree));
        let own = tree.make("wt", None);
        assert!(own.created && own.found.uuid() != main.found.uuid());
        assert_eq!(own.found.scope(), Some(Scope::Worktree));
        let found = Found::in_project(tree.folder("wt")).expect("found");
        assert_eq!(found.uuid(), own.found.uuid(), "the other calls use it");
        let refused =
            ProjectOptions::new().scope(Scope::Project).ensure(tree.folder("wt")).expect_err("own board");
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        fs::remove_dir_all(tree.folder("wt/.slate")).expect("removed");
        let refused =
            ProjectOptions::new().scope(Scope::Project).ensure(tree.folder("wt")).expect_err("not shared");
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_worktree_that_wants_a_board_of_its_own_gets_it() {
        let tree = Tree::with_worktree();
        let main = tree.make("main", None);
        assert_eq!(tree.make("wt", None).found.uuid(), main.found.uuid());
        let own = tree.make("wt", Some(Scope::Worktree));
        assert!(own.created && own.found.uuid() != main.found.uuid());
        assert_eq!(Found::in_project(tree.folder("main")).expect("found").uuid(), main.found.uuid());
    }

    #[test]
    fn settings_are_those_of_the_project_or_else_of_the_worktree() {
        let tree = Tree::with_worktree();
        fs::write(tree.folder("wt").join("slate.toml"), "sessions = 7\n").expect("settings");
        let made = tree.make("wt/src", None);
        assert_eq!(
            (made.metrics.sessions_max, made.settings),
            (7, Some(tree.folder("wt").join("slate.toml")))
        );
        assert_eq!(made.folder, tree.folder("main"));
        fs::write(tree.folder("main").join("slate.toml"), "sessions = 9\n").expect("settings");
        let again = tree.make("main", None);
        assert_eq!(again.differs[0].to_string(), "sessions is 7, and 9 was asked for");
    }
}
