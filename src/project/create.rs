//! Creates a project's board where all its processes find it.
//!
//! A project never gets two boards, whatever other processes do at the same time, and wherever one of them is killed. The
//! region is complete before it is recorded, and the record is complete before it gets its name. A region that was not
//! recorded is adopted by the next call.

use super::{
    Difference, Found, Placement, Unreachable,
    find::absolute,
    folder::{FOLDER, FolderLock, SlateFolder},
    machine::Machine,
    place::{self, Made, uuid},
    record::{LockId, Record, file_system_of},
    root::Root,
    settings::Settings,
};
use crate::{
    board::{Board, Liveness, Metrics, Options, Reader},
    error::{Error, ErrorKind, Result},
};
use rustix::io::Errno;
use std::{
    fs, io,
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

/// A project's board after it was created or found.
///
/// # Examples
/// See [`ProjectOptions`](super::ProjectOptions).
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
pub(super) enum Verb {
    Create,
    Ensure,
    Replace,
    Adopt,
}

/// One call that creates or finds a board.
pub(super) struct Work {
    verb: Verb,
    force: bool,
    asked: Settings,
    settings: Option<PathBuf>,
    root: Root,
    slate: SlateFolder,
    machine: Machine,
    /// While it is held, no other call changes the folder. It is held until this call has closed the board. Otherwise the
    /// next replacement would find the board in use. On a file system without locks, only the record decides which board
    /// is used, and nothing is cleaned up.
    lock: Option<FolderLock>,
}

/// What to do.
enum Plan {
    /// Use the recorded board.
    Use(Record),
    /// Create a new board, in place of the one in this record.
    Make(Option<Record>),
}

impl Work {
    /// Finds out where the board belongs and with which settings, and takes the folder's lock.
    pub(super) fn prepare(
        options: &Settings,
        folder: &Path,
        verb: Verb,
        here: bool,
        force: bool,
    ) -> Result<Self> {
        let folder = absolute(folder)?;
        let mut root = Root::of(&folder, options.scope, verb, here)?;
        let (settings, path) = Settings::read(&root.folders())?;
        let asked = options.clone().or(settings);
        if asked.scope != options.scope {
            root = Root::of(&folder, asked.scope, verb, here)?;
        }
        // Before anything is made.
        asked.apply(Options::default()).shape()?;
        let slate = SlateFolder::make(&root.folder.join(FOLDER))?;
        let lock = slate.lock();
        if matches!(lock, Ok(None)) && verb == Verb::Replace {
            return Err(Error::new(
                ErrorKind::Contended,
                "timeout: another `slate init` keeps the folder locked",
            )
            .hint("resume or end that process, and try again")
            .at_path(&slate.path));
        }
        let lock = match lock {
            Err(error) if !has_no_locks(&error) => {
                return Err(Error::io("the folder cannot be locked", error).at_path(&slate.path));
            }
            lock => lock.ok().flatten(),
        };
        let machine = Machine::current();
        Ok(Self { verb, force, asked, settings: path, root, slate, machine, lock })
    }

    pub(super) fn run(mut self) -> Result<Created> {
        for _ in 0..=ATTEMPTS {
            match self.plan()? {
                Plan::Use(record) => {
                    let found = self.found(record);
                    self.tidy(found.path());
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

    fn created(&self, created: bool, found: Found, reader: &Reader) -> Result<Created> {
        let (placement, scope) = (found.placement().unwrap_or_default(), found.scope().unwrap_or_default());
        let differs = match created {
            true => Vec::new(),
            false => self.asked.differences(reader.shape(), placement, scope)?,
        };
        let metrics = reader.metrics()?;
        let (folder, why) = (self.root.folder.clone(), self.root.why);
        Ok(Created { found, created, folder, why, settings: self.settings.clone(), differs, metrics })
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
                Verb::Create => {
                    self.tidy(&region);
                    return Err(exists(&region));
                }
                Verb::Adopt => return Err(not_a_copy(&self.slate.path, &region)),
                Verb::Replace => self.nobody_uses(&region)?,
            }
            return Ok(Plan::Make(Some(record)));
        };
        if self.verb == Verb::Replace && why == Unreachable::LockReplaced && !self.force {
            // Its users hold the old lock file.
            let why = "the lock file was replaced, and its users may hold the old one";
            return Err(cannot_ask(&region, &Error::new(ErrorKind::Unreachable, why)));
        }
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
        if self.force {
            return Ok(());
        }
        let regions = place::regions_of(&self.slate, None)?;
        regions.iter().filter(|region| !place::is_missing(region)).try_for_each(|region| nobody_uses(region))
    }

    /// Without a record, adopts a complete region of this folder: another call was killed before it recorded the region, or
    /// the record was removed. The region may have keys and attached sessions. Without the lock, no region is adopted,
    /// because another call may be about to record it.
    fn take_up(&self) -> Result<Plan> {
        if self.lock.is_none() {
            return Ok(Plan::Make(None));
        }
        for region in place::regions_of(&self.slate, self.asked.placement)? {
            let Ok(board) = Board::open(&region) else {
                // Its users, if there are any, would not be found by those of a new board.
                nobody_uses(&region)?;
                continue;
            };
            let record = self.describe(&region, &board, None)?;
            if record.create(&self.slate.path, self.lock.is_some())? {
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
        let made =
            place::make(&self.asked.apply(Options::default()), placement, &self.slate, self.lock.is_some())?;
        let region = self.slate.path.join(&made.path);
        let recorded = self.describe(&region, &made.board, old.as_ref()).and_then(|record| {
            let is_recorded = match self.verb == Verb::Replace || old.is_some() {
                true => record.replace(&self.slate.path).and_then(|()| {
                    // Without a lock, another process may have replaced the record.
                    Ok(Record::read(&self.slate.path)?.as_ref() == Some(&record))
                }),
                false => record.create(&self.slate.path, self.lock.is_some()),
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
                // A record that cannot be read may name the region.
                if let Ok(standing) = Record::read(&self.slate.path)
                    && standing.is_none_or(|record| record.region(&self.slate.path) != region)
                {
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
        self.tidy(new);
    }

    /// Removes what killed processes left behind. Without the lock, another call may be using it.
    fn tidy(&self, recorded: &Path) {
        if self.lock.is_some() {
            place::tidy(&self.slate, recorded);
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

/// Whether a lock failed because the file system has none. For another reason, another call may hold the lock.
fn has_no_locks(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| [Errno::OPNOTSUPP, Errno::NOLCK, Errno::NOSYS, Errno::INVAL].contains(&errno))
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
    let why = error.again();
    let text = format!("cannot determine whether the board is in use ({why}), so it was left as it is");
    Error::new(ErrorKind::InUse, text)
        .hint("end the processes that use it, and then replace it with `slate init --replace --force`")
        .at_path(region)
}

pub(super) fn in_use(region: &Path) -> Error {
    let sessions = Board::options().open_read_only(region).and_then(|reader| reader.sessions());
    let by = match sessions.as_ref().map(|all| all.iter().find(|one| one.liveness != Liveness::Dead)) {
        Ok(Some(session)) => {
            format!("session {:?} (process {}, see `slate sessions`)", session.name, session.pid)
        }
        Ok(None) => "a process that reads it, such as `slate watch`".to_owned(),
        Err(_) => "a process that cannot be named, because the board cannot be read from here".to_owned(),
    };
    Error::new(ErrorKind::InUse, format!("the board is in use by {by}"))
        .hint("end that process first, or replace the board anyway with --replace --force: its users then get the error `moved`")
        .at_path(region)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::project::{ProjectOptions, Scope, tree::Tree};

    impl Tree {
        fn with_worktree() -> Self {
            let tree = Self::new();
            tree.repository("main", "wt");
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
