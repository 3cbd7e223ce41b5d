//! `slate init`: makes a board where the other commands will find it.
//!
//! Whatever happens at the same moment, and wherever a process is killed, there is one board in the end: the region is
//! whole before it is recorded, the record before it has its name, and a region that nobody recorded is taken up by the
//! next that comes.

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
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Commands that just end have the board open for so long.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);
/// Others may make the board, or remove it, between two looks.
const ATTEMPTS: u32 = 4;

/// `init --json`.
#[derive(Serialize)]
struct InitDoc {
    /// False when there was a board already (`--ensure`).
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
    /// That it was made for.
    keys: u64,
    /// As many of them as `capacity` has blocks for.
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
    /// Whether no other `init` changes the folder meanwhile.
    is_locked: bool,
}

/// What is to be done.
enum Plan {
    /// The recorded board is what was asked for.
    Use(Record),
    /// A new one, in place of the one of this record.
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
            "--placement, --scope, --replace and --adopt are for a project's board, and {} names a region file",
            named.found_by.words()
        )));
    }
    let path = &named.region;
    let (created, board) = match shaped(args).create(path) {
        Err(error) if error.kind() == ErrorKind::Exists && args.ensure => (false, Board::open(path)?),
        other => (true, other?),
    };
    let why = format!("{} names it", named.found_by.words());
    print(context, &InitDoc::new(created, path, why, &board)?)
}

fn in_project(context: &Context, args: &Init) -> Result<Status, Failure> {
    let surroundings = context.surroundings()?;
    let root = locate::project_root(&surroundings.folder, scope(args, None))?;
    let slate = SlateFolder::make(&root.folder.join(FOLDER))?;
    // Until this command ends: its own look at the board is not to keep the next `init --replace` from replacing it.
    let lock = slate.lock();
    if matches!(lock, Ok(None)) && args.replace {
        return Err(Failure::failed(format!(
            "another `slate init` is at work in {} and does not end; look for one that is stopped, and try again",
            slate.path.display()
        )));
    }
    // On a file system without locks the record decides alone, and nothing is tidied away.
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
                // Another was first: look at what it made.
                None if attempts < ATTEMPTS => {
                    attempts += 1;
                    continue;
                }
                None => Err(Failure::failed("others make and remove this project's board all the time")),
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
            // A record that cannot be read is what `--replace` is for.
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
                "{} is no copy: its board is {}; use it, or make a new, empty one in its place with --replace",
                self.slate.path.display(),
                record.region(&self.slate.path).display()
            ))),
            Ok(()) if !args.replace => Err(Failure::failed(format!(
                "there is a board already: {}; use it, or make a new, empty one in its place with --replace",
                record.region(&self.slate.path).display()
            ))),
            Ok(()) => {
                self.nobody_uses(&record.region(&self.slate.path))?;
                Ok(Plan::Make(Some(record)))
            }
            // What the record names belongs to another folder, and stays.
            Err(Unreachable::Copied) if args.adopt || args.replace => {
                self.nobody_uses_any()?;
                Ok(Plan::Make(Some(record)))
            }
            Err(why) if !args.replace => Err(told(why)),
            // Others still share the board that we cannot see; a second one in memory would part us silently.
            Err(Unreachable::Hidden) if args.placement != Some(PlacementArg::Project) => {
                Err(told(Unreachable::Hidden))
            }
            Err(_) => {
                self.nobody_uses_any()?;
                Ok(Plan::Make(Some(record)))
            }
        }
    }

    /// Whether a board may give way: certainly nobody has it open, or nobody is to be asked.
    fn nobody_uses(&self, region: &Path) -> Result<(), Failure> {
        if self.args.force { Ok(()) } else { nobody_uses(region) }
    }

    /// The same of every region that was made for this folder, where the record does not say which is its board.
    fn nobody_uses_any(&self) -> Result<(), Failure> {
        let regions = place::regions_of(&self.slate, None);
        regions.iter().filter(|region| region.exists()).try_for_each(|region| self.nobody_uses(region))
    }

    /// Without a record: a region of this folder that is whole, from an `init` that was killed before it recorded it,
    /// or of a record that was removed. Its keys are there, and sessions may be. Not where an `init` may be at work
    /// that is about to record it.
    fn take_up(&self) -> Result<Plan, Failure> {
        if !self.is_locked {
            return Ok(Plan::Make(None));
        }
        let placement = self.args.placement.map(placement_of);
        for region in place::regions_of(&self.slate, placement) {
            let Ok(board) = Board::open(&region) else { continue };
            let record = self.describe(&region, &board, None)?;
            if record.create(&self.slate.path, self.is_locked)? {
                return Ok(Plan::Use(record));
            }
        }
        Ok(Plan::Make(None))
    }

    /// Makes and records a board; none when another has recorded one meanwhile.
    fn make(&self, old: Option<Record>) -> Result<Option<(Board, Record)>, Failure> {
        let kept = old.as_ref().map(|record| record.placement);
        let placement = self.args.placement.map(placement_of).or(kept).unwrap_or(Placement::Memory);
        let made = place::make(&shaped(self.args), placement, &self.slate)?;
        let region = self.slate.path.join(&made.path);
        let recorded = self.describe(&region, &made.board, old.as_ref()).and_then(|record| {
            let is_recorded = match self.args.replace || old.is_some() {
                true => record.replace(&self.slate.path).and_then(|()| {
                    // Without a lock another may have replaced it by its own.
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

    fn describe(&self, region: &Path, board: &Board, old: Option<&Record>) -> Result<Record, Failure> {
        let found = fs::metadata(region)
            .map_err(|error| Failure::io(format!("looking at the region {}", region.display()), &error))?;
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

    /// Removes the replaced region, unless it is another folder's or where we cannot see it, and what killed
    /// processes left.
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

/// The scope that was asked for, or that of the board that is replaced.
fn scope(args: &Init, old: Option<&Record>) -> Scope {
    match args.scope {
        Some(ScopeArg::Worktree) => Scope::Worktree,
        Some(ScopeArg::Project) => Scope::Project,
        None => old.map_or(Scope::Project, |old| old.scope),
    }
}

/// Waits a little for commands that just end.
fn nobody_uses(region: &Path) -> Result<(), Failure> {
    let started = Instant::now();
    while Board::is_in_use(region).map_err(|error| cannot_ask(region, &error))? {
        if started.elapsed() > PATIENCE {
            return Err(in_use(region));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn cannot_ask(region: &Path, error: &slateboard::Error) -> Failure {
    Failure::failed(format!(
        "whether anybody uses the board {} cannot be told ({error}); it stays. End whoever uses it, and then replace \
         it all the same with --replace --force",
        region.display()
    ))
}

fn in_use(region: &Path) -> Failure {
    let sessions =
        Board::options().open_read_only(region).and_then(|reader| reader.sessions()).unwrap_or_default();
    let alive = sessions.iter().find(|session| session.liveness != Liveness::Dead);
    let by = alive.map_or_else(
        || "a process that reads it, as `slate watch` does".to_owned(),
        |session| format!("session {:?} (process {})", session.name, session.pid),
    );
    Failure::failed(format!(
        "the board {} is in use by {by}; end it first, see `slate sessions`, or replace it all the same with \
         --replace --force: whoever uses it is told that it moved",
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
            Placement::Memory => "in memory for speed, gone when the machine restarts",
            Placement::Project => "in the project, also seen from sandboxes with a /dev/shm of their own",
        };
        let doc = Self::new(created, &record.region(slate), format!("{}; {placed}", root.why), board)?;
        let project = Some(root.folder.display().to_string());
        Ok(Self { placement: Some(record.placement), project, ..doc })
    }
}

fn keys(doc: &InitDoc) -> String {
    let made_for = format!("made for {}", grouped(doc.keys));
    if doc.keys_fit == doc.keys {
        return made_for;
    }
    format!("{made_for}; the room for values holds {} at most", grouped(doc.keys_fit))
}

fn print(context: &Context, doc: &InitDoc) -> Result<Status, Failure> {
    if context.globals.quiet {
        return Ok(Status::Done);
    }
    if context.globals.json {
        context.out.document(doc)?;
    } else {
        let head = if doc.created { "made     " } else { "present  " };
        context.out.line(format!("{head} {}", doc.path))?;
        if let Some(project) = &doc.project {
            context.out.line(format!("project   {project}"))?;
        }
        context.out.line(format!("because   {}", doc.why))?;
        context.out.line(format!("room      {} for values", units::exact_size(doc.capacity)))?;
        context.out.line(format!("keys      {}", keys(doc)))?;
        context.out.line(format!("history   {} events", grouped(doc.history)))?;
        context.out.line(format!("sessions  {}", grouped(doc.sessions)))?;
        context.out.line(format!("file      {}", doc.file))?;
    }
    Ok(Status::Done)
}
