//! `slate init`: creates a board where the other commands find it.
//!
//! A project never gets two boards, whatever other processes do at the same time, and wherever one of them is killed. The
//! region is complete before it is recorded, and the record is complete before it gets its name. A region that was not
//! recorded is adopted by the next `init`.

use super::{Context, status::FileDoc};
use crate::{
    args::{Init, PlacementArg, ScopeArg},
    failure::{Failure, Status},
    folder::{FOLDER, SlateFolder},
    locate::{self, Located, Root},
    place::{self, Made, uuid},
    record::{Placement, Record, Scope, Unreachable},
    units::{self, grouped},
};
use serde::Serialize;
use slateboard::{Board, ErrorKind, Liveness, Options};
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How long to wait for processes that are about to close the board.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);
/// Maximum number of retries, because other processes may create or remove the board between two checks.
const ATTEMPTS: u32 = 4;

/// `init --json`.
#[derive(Serialize)]
struct InitDoc {
    /// False if the board existed already (`--ensure`).
    created: bool,
    path: String,
    uuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    placement: Option<Placement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    why: String,
    /// Bytes for values.
    capacity: u64,
    /// Number of keys that the table is sized for.
    keys: u64,
    /// How many of these keys `capacity` has space for.
    keys_fit: u64,
    history: u64,
    sessions: u64,
    file: FileDoc,
}

/// The project that `init` works for.
struct Project<'a> {
    context: &'a Context,
    args: &'a Init,
    root: Root,
    slate: SlateFolder,
    boot_id: String,
    /// Whether this process holds the folder's lock, so that no other `init` changes the folder.
    is_locked: bool,
}

/// What to do.
enum Plan {
    /// Use the recorded board.
    Use(Record),
    /// Create a new board, in place of the one in this record.
    Make(Option<Record>),
}

pub(crate) fn run(context: &Context, args: &Init) -> Result<Status, Failure> {
    match context.surroundings()?.named() {
        Some(named) => at_path(context, args, &named),
        None => in_project(context, args),
    }
}

fn at_path(context: &Context, args: &Init, named: &Located) -> Result<Status, Failure> {
    if args.placement.is_some() || args.scope.is_some() || args.replace || args.adopt {
        return Err(Failure::usage(format!(
            "--placement, --scope, --replace and --adopt apply to a project's board, but {} specifies a region file",
            named.found_by.words()
        )));
    }
    let path = &named.region;
    let (created, board) = match shaped(args).create(path) {
        Err(error) if error.kind() == ErrorKind::Exists && args.ensure => (false, Board::open(path)?),
        other => (true, other?),
    };
    let why = format!("specified by {}", named.found_by.words());
    print(context, &InitDoc::new(created, path, why, &board)?)
}

fn in_project(context: &Context, args: &Init) -> Result<Status, Failure> {
    let surroundings = context.surroundings()?;
    let root = locate::project_root(&surroundings.folder, scope(args, None))?;
    let slate = SlateFolder::make(&root.folder.join(FOLDER))?;
    // Held until this command has closed the board. Otherwise the next `init --replace` would find the board in use.
    let lock = slate.lock();
    if matches!(lock, Ok(None)) && args.replace {
        return Err(Failure::failed(format!(
            "timeout: another `slate init` keeps {} locked; resume or end that process, and try again",
            slate.path.display()
        )));
    }
    if let Err(error) = &lock
        && !has_no_locks(error)
    {
        return Err(Failure::io(format!("cannot lock {}", slate.path.display()), error));
    }
    // On a file system without locks, only the record decides which board is used, and nothing is cleaned up.
    let is_locked = matches!(lock, Ok(Some(_)));
    let project = Project { context, args, root, slate, boot_id: surroundings.boot_id, is_locked };
    let mut attempts = 0;
    loop {
        let ended = match project.plan()? {
            Plan::Use(record) => {
                project.show(false, &record, &Board::open(record.region(&project.slate.path))?)
            }
            Plan::Make(old) => match project.make(old)? {
                Some((board, record)) => project.show(true, &record, &board),
                // Another process was faster: use what it created.
                None if attempts < ATTEMPTS => {
                    attempts += 1;
                    continue;
                }
                None => Err(Failure::failed(
                    "other processes keep creating and removing this project's board; stop them, and try again",
                )),
            },
        };
        drop(lock);
        return ended;
    }
}

impl Project<'_> {
    fn plan(&self) -> Result<Plan, Failure> {
        let args = self.args;
        let standing = match Record::read(&self.slate.path) {
            // `--replace` also replaces a record that cannot be read.
            Err(failure) if failure.status == Status::Corrupt && args.replace => None,
            other => match other? {
                None if !args.replace && !args.adopt => return self.take_up(),
                standing => standing,
            },
        };
        let Some(record) = standing else {
            self.nobody_uses_any()?;
            return Ok(Plan::Make(None));
        };
        let told = |why: Unreachable| Failure::new(Status::NoBoard, why.text(&record, &self.slate.path));
        match record.check(&self.slate, &self.boot_id) {
            Ok(()) if args.ensure => Ok(Plan::Use(record)),
            Ok(()) if args.adopt => Err(Failure::failed(format!(
                "{} is not a copy: its board is {}; use that board, or replace it by a new, empty one with \
                 `slate init --replace`",
                self.slate.path.display(),
                record.region(&self.slate.path).display()
            ))),
            Ok(()) if !args.replace => Err(Failure::failed(format!(
                "a board already exists: {}; use it, or replace it by a new, empty one with `slate init --replace`",
                record.region(&self.slate.path).display()
            ))),
            Ok(()) => {
                self.nobody_uses(&record.region(&self.slate.path))?;
                Ok(Plan::Make(Some(record)))
            }
            // The recorded region belongs to another folder, and is kept.
            Err(Unreachable::Copied) if args.adopt || args.replace => {
                self.nobody_uses_any()?;
                Ok(Plan::Make(Some(record)))
            }
            Err(why) if !args.replace => Err(told(why)),
            Err(Unreachable::Unseen) if !args.force => Err(told(Unreachable::Unseen)),
            // Other processes still share the board that this process cannot see. A second one in memory would silently separate
            // this process from them.
            Err(Unreachable::Hidden) if args.placement != Some(PlacementArg::Project) => {
                Err(told(Unreachable::Hidden))
            }
            Err(_) => {
                self.nobody_uses_any()?;
                Ok(Plan::Make(Some(record)))
            }
        }
    }

    /// Checks that a board may be replaced: either no process has it open, or `--force` skips this check.
    fn nobody_uses(&self, region: &Path) -> Result<(), Failure> {
        if self.args.force { Ok(()) } else { nobody_uses(region) }
    }

    /// The same check for every region that was created for this folder, if the record does not say which one is the board.
    fn nobody_uses_any(&self) -> Result<(), Failure> {
        if self.args.force {
            return Ok(());
        }
        let regions = place::regions_of(&self.slate, None)?;
        regions.iter().filter(|region| !place::is_missing(region)).try_for_each(|region| nobody_uses(region))
    }

    /// Without a record, adopts a complete region of this folder: an `init` was killed before it recorded the region, or
    /// the record was removed. The region may have keys and attached sessions. Without the lock, no region is adopted,
    /// because another `init` may be about to record it.
    fn take_up(&self) -> Result<Plan, Failure> {
        if !self.is_locked {
            return Ok(Plan::Make(None));
        }
        let placement = self.args.placement.map(placement_of);
        for region in place::regions_of(&self.slate, placement)? {
            let Ok(board) = Board::open(&region) else {
                // Its users, if there are any, would not be found by those of a new board.
                nobody_uses(&region)?;
                continue;
            };
            let record = self.describe(&region, &board, None)?;
            if record.create(&self.slate.path, self.is_locked)? {
                return Ok(Plan::Use(record));
            }
        }
        Ok(Plan::Make(None))
    }

    /// Creates and records a board; `None` if another process has recorded one meanwhile.
    fn make(&self, old: Option<Record>) -> Result<Option<(Board, Record)>, Failure> {
        let kept = old.as_ref().map(|record| record.placement);
        let placement = self.args.placement.map(placement_of).or(kept).unwrap_or(Placement::Memory);
        let made = place::make(&shaped(self.args), placement, &self.slate)?;
        let region = self.slate.path.join(&made.path);
        let recorded = self.describe(&region, &made.board, old.as_ref()).and_then(|record| {
            let is_recorded = match self.args.replace || old.is_some() {
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

    fn describe(&self, region: &Path, board: &Board, old: Option<&Record>) -> Result<Record, Failure> {
        let found = fs::metadata(region).map_err(|error| {
            Failure::io(format!("cannot examine the region {}", region.display()), &error)
        })?;
        let inside = region.strip_prefix(&self.slate.path);
        Ok(Record {
            placement: if inside.is_ok() { Placement::Project } else { Placement::Memory },
            scope: scope(self.args, old),
            folder: self.slate.id.clone(),
            path: inside.unwrap_or(region).to_owned(),
            device: found.dev().cast_signed(),
            inode: found.ino().cast_signed(),
            uuid: uuid(board.uuid()),
            boot_id: self.boot_id.clone(),
        })
    }

    /// Removes the replaced region, unless it belongs to another folder or cannot be reached, and what killed processes
    /// left behind.
    fn discard(&self, old: Option<Record>, new: &Path) {
        if let Some(old) = old.filter(|old| old.check(&self.slate, &self.boot_id).is_ok()) {
            let region = old.region(&self.slate.path);
            let is_ours = match old.placement {
                Placement::Memory => region.starts_with(place::own_memory()),
                Placement::Project => region.parent() == Some(&self.slate.path),
            };
            if is_ours && region != new {
                match self.args.force {
                    true => place::remove_unasked(&region),
                    false => place::remove_region(&region),
                }
            }
        }
        if self.is_locked {
            place::tidy(&self.slate, new);
        }
    }

    fn show(&self, created: bool, record: &Record, board: &Board) -> Result<Status, Failure> {
        print(self.context, &InitDoc::of_project(created, &self.root, record, &self.slate.path, board)?)
    }
}

fn placement_of(arg: PlacementArg) -> Placement {
    match arg {
        PlacementArg::Project => Placement::Project,
        PlacementArg::Memory => Placement::Memory,
    }
}

/// The requested scope, or the scope of the board that is replaced.
fn scope(args: &Init, old: Option<&Record>) -> Scope {
    match args.scope {
        Some(ScopeArg::Worktree) => Scope::Worktree,
        Some(ScopeArg::Project) => Scope::Project,
        None => old.map_or(Scope::Project, |old| old.scope),
    }
}

/// Fails if the board is in use. Waits up to [`PATIENCE`] for processes that are about to close it.
fn nobody_uses(region: &Path) -> Result<(), Failure> {
    let started = Instant::now();
    while Board::is_in_use(region).map_err(|error| cannot_ask(region, error))? {
        if started.elapsed() > PATIENCE {
            return Err(in_use(region));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn cannot_ask(region: &Path, error: slateboard::Error) -> Failure {
    Failure::failed(format!(
        "cannot determine whether the board {} is in use ({}), so it was not replaced. End the processes that \
         use it, and then replace it with --replace --force",
        region.display(),
        Failure::from(error).text
    ))
}

/// Whether a lock failed because the file system has none. For another reason, another `init` may hold the lock.
fn has_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| [Errno::OPNOTSUPP, Errno::NOLCK, Errno::NOSYS, Errno::INVAL].contains(&errno))
}

fn in_use(region: &Path) -> Failure {
    let sessions = Board::options().open_read_only(region).and_then(|reader| reader.sessions());
    let by = match sessions.as_ref().map(|all| all.iter().find(|one| one.liveness != Liveness::Dead)) {
        Ok(Some(session)) => {
            format!("session {:?} (process {}, see `slate sessions`)", session.name, session.pid)
        }
        Ok(None) => "a process that reads it, such as `slate watch`".to_owned(),
        Err(_) => "a process that cannot be named, because the board cannot be read from here".to_owned(),
    };
    Failure::failed(format!(
        "the board {} is in use by {by}; end that process first, or replace the board anyway with \
         --replace --force: its users then get the error `moved`",
        region.display()
    ))
}

fn shaped(args: &Init) -> Options {
    let mut options = Board::options();
    if let Some(bytes) = args.capacity {
        options = options.capacity(bytes);
    }
    if let Some(keys) = args.keys {
        options = options.keys(keys);
    }
    if let Some(events) = args.history {
        options = options.history(events);
    }
    if let Some(sessions) = args.sessions {
        options = options.sessions(sessions);
    }
    options
}

impl InitDoc {
    fn new(created: bool, path: &Path, why: String, board: &Board) -> Result<Self, Failure> {
        let metrics = board.metrics()?;
        Ok(Self {
            created,
            path: path.display().to_string(),
            uuid: uuid(board.uuid()),
            placement: None,
            project: None,
            why,
            capacity: metrics.capacity,
            keys: metrics.keys_made_for,
            keys_fit: metrics.keys_fit,
            history: metrics.history,
            sessions: metrics.sessions_max,
            file: FileDoc::new(path, &metrics),
        })
    }

    fn of_project(
        created: bool,
        root: &Root,
        record: &Record,
        slate: &Path,
        board: &Board,
    ) -> Result<Self, Failure> {
        let placed = match record.placement {
            Placement::Memory => "in memory for speed, lost when the machine restarts",
            Placement::Project => "in the project, reachable from sandboxes with a private /dev/shm",
        };
        let doc = Self::new(created, &record.region(slate), format!("{}; {placed}", root.why), board)?;
        let project = Some(root.folder.display().to_string());
        Ok(Self { placement: Some(record.placement), project, ..doc })
    }
}

fn keys(doc: &InitDoc) -> String {
    let sized_for = format!("sized for {}", grouped(doc.keys));
    if doc.keys_fit == doc.keys {
        return sized_for;
    }
    format!("{sized_for}; the space for values holds at most {}", grouped(doc.keys_fit))
}

fn print(context: &Context, doc: &InitDoc) -> Result<Status, Failure> {
    if context.globals.quiet {
        return Ok(Status::Done);
    }
    if context.globals.json {
        context.out.document(doc)?;
    } else {
        let head = if doc.created { "created  " } else { "existing " };
        context.out.line(format!("{head} {}", doc.path))?;
        if let Some(project) = &doc.project {
            context.out.line(format!("project   {project}"))?;
        }
        context.out.line(format!("reason    {}", doc.why))?;
        context.out.line(format!("capacity  {} for values", units::exact_size(doc.capacity)))?;
        context.out.line(format!("keys      {}", keys(doc)))?;
        context.out.line(format!("history   {} events", grouped(doc.history)))?;
        context.out.line(format!("sessions  {}", grouped(doc.sessions)))?;
        context.out.line(format!("file      {}", doc.file))?;
    }
    Ok(Status::Done)
}
