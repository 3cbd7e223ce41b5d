//! `slate init`: makes a board where the other commands will find it.

use super::{Context, status::FileDoc};
use crate::{
    args::{Init, PlacementArg, ScopeArg},
    failure::{Failure, Status},
    locate::{self, Located, Root},
    record::{self, FOLDER, Placement, Record, Scope, Unreachable},
    units::{self, grouped},
};
use serde::Serialize;
use slateboard::{Board, Options};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process,
    time::{SystemTime, UNIX_EPOCH},
};

/// Where boards in memory live.
const SHARED_MEMORY: &str = "/dev/shm";
const REGION: &str = "region";

/// `init --json`.
#[derive(Serialize)]
struct InitDoc {
    /// False when there was a board already (`--if-missing`).
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

/// A region that was made for a project and is not yet recorded.
struct Made {
    board: Board,
    path: PathBuf,
    /// What to remove when recording it fails.
    rubbish: PathBuf,
}

pub(crate) fn run(context: &Context, args: &Init) -> Result<Status, Failure> {
    match context.surroundings()?.named() {
        Some(named) => at_path(context, args, &named),
        None => in_project(context, args),
    }
}

fn at_path(context: &Context, args: &Init, named: &Located) -> Result<Status, Failure> {
    if args.placement.is_some() || args.scope.is_some() || args.replace {
        return Err(Failure::usage(format!(
            "--placement, --scope and --replace are for a project's board, and {} names a region file",
            named.found_by.name()
        )));
    }
    let path = &named.region;
    let present = fs::symlink_metadata(path).is_ok();
    let board = if present && args.if_missing { Board::open(path)? } else { shaped(args).create(path)? };
    let why = format!("named by {}", named.found_by.name());
    print(context, &InitDoc::new(!present, path, why, &board)?)
}

fn in_project(context: &Context, args: &Init) -> Result<Status, Failure> {
    let surroundings = context.surroundings()?;
    let scope = match args.scope {
        Some(ScopeArg::Worktree) => Scope::Worktree,
        Some(ScopeArg::Project) | None => Scope::Project,
    };
    let root = locate::project_root(&surroundings.folder, scope);
    let slate = root.folder.join(FOLDER);
    record::make_folder(&slate)?;
    let standing = match Record::read(&slate) {
        // A record that cannot be read is what `--replace` is for.
        Err(failure) if failure.status == Status::Corrupt && args.replace => None,
        other => other?,
    };
    if let Some(standing) = &standing {
        let reachable = standing.check(&slate, &surroundings.boot_id);
        if reachable.is_ok() && args.if_missing {
            let board = Board::open(standing.region(&slate))?;
            let doc = InitDoc::of_project(false, &root, standing, &slate, &board)?;
            return print(context, &doc);
        }
        may_replace(args, standing, &slate, reachable)?;
    }
    let (board, record) = make(args, scope, &slate, &surroundings.boot_id)?;
    if let Some(old) = standing {
        discard(&old, &record, &slate);
    }
    let doc = InitDoc::of_project(true, &root, &record, &slate, &board)?;
    print(context, &doc)
}

/// Whether the standing board may give way to a new one.
fn may_replace(
    args: &Init,
    standing: &Record,
    slate: &Path,
    reachable: Result<(), Unreachable>,
) -> Result<(), Failure> {
    let region = standing.region(slate);
    match reachable {
        Err(why) if !args.replace => Err(Failure::new(Status::NoBoard, why.text(standing, slate))),
        // Others still share the board that we cannot see; a second one in memory would part us silently.
        Err(Unreachable::Hidden) if args.placement != Some(PlacementArg::Project) => {
            Err(Failure::new(Status::NoBoard, Unreachable::Hidden.text(standing, slate)))
        }
        Err(_) => Ok(()),
        Ok(()) if !args.replace => Err(Failure::failed(format!(
            "there is a board already: {}; use it, or make a new, empty one in its place with --replace",
            region.display()
        ))),
        Ok(()) => nobody_attached(&region),
    }
}

fn nobody_attached(region: &Path) -> Result<(), Failure> {
    // A region too damaged to be read has nobody who could be asked.
    let Ok(reader) = Board::options().observe(region) else { return Ok(()) };
    let sessions = reader.sessions()?;
    let alive = sessions.iter().find(|session| session.liveness != slateboard::Liveness::Dead);
    match alive {
        None => Ok(()),
        Some(session) => Err(Failure::failed(format!(
            "the board {} is in use by session {:?} (process {}); end it first, see `slate sessions`",
            region.display(),
            session.name,
            session.pid
        ))),
    }
}

fn make(args: &Init, scope: Scope, slate: &Path, boot_id: &str) -> Result<(Board, Record), Failure> {
    let placement = match args.placement {
        Some(PlacementArg::Project) => Placement::Project,
        Some(PlacementArg::Memory) | None => Placement::Memory,
    };
    let made = match placement {
        Placement::Memory => in_memory(args, &Path::new(SHARED_MEMORY).join(own_folder()))?,
        Placement::Project => in_slate(args, slate)?,
    };
    let recorded = describe(&made, placement, scope, slate, boot_id)
        .and_then(|record| record.write(slate, args.replace).map(|()| record));
    match recorded {
        Ok(record) => Ok((made.board, record)),
        Err(failure) => {
            drop(made.board);
            remove_region(&made.rubbish);
            Err(failure)
        }
    }
}

/// Tells apart drafts of processes that have the same number in different namespaces.
fn nanoseconds_now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

fn own_folder() -> String {
    format!("slate-{}", record::own_uid())
}

/// A region in a folder of its own under `base`. The folder gets its name when the region has its uuid.
fn in_memory(args: &Init, base: &Path) -> Result<Made, Failure> {
    let draft = record::make_folder_in(base, &format!(".new-{}-{}", process::id(), nanoseconds_now()))?;
    let moved = shaped(args).create(draft.join(REGION)).map_err(Failure::from).and_then(|board| {
        let folder = base.join(uuid(&board));
        drop(board);
        fs::rename(&draft, &folder)
            .map_err(|error| Failure::io(format!("moving the region to {}", folder.display()), &error))?;
        Ok(folder)
    });
    let folder = match moved {
        Ok(folder) => folder,
        Err(failure) => {
            remove_region(&draft);
            return Err(failure);
        }
    };
    let path = folder.join(REGION);
    match Board::open(&path) {
        Ok(board) => Ok(Made { board, path, rubbish: folder }),
        Err(error) => {
            remove_region(&folder);
            Err(error.into())
        }
    }
}

/// A region in the project's own folder. A board that it replaces keeps its file until the new one is recorded.
fn in_slate(args: &Init, slate: &Path) -> Result<Made, Failure> {
    let mut path = slate.join(REGION);
    if args.replace && fs::symlink_metadata(&path).is_ok() {
        path = slate.join(format!("{REGION}-{}", process::id()));
    }
    let board = shaped(args).create(&path)?;
    let path = path.strip_prefix(slate).map(Path::to_owned).unwrap_or(path);
    Ok(Made { board, rubbish: slate.join(&path), path })
}

fn describe(
    made: &Made,
    placement: Placement,
    scope: Scope,
    slate: &Path,
    boot_id: &str,
) -> Result<Record, Failure> {
    let region = slate.join(&made.path);
    let found = fs::metadata(&region)
        .map_err(|error| Failure::io(format!("looking at the new region {}", region.display()), &error))?;
    Ok(Record {
        placement,
        scope,
        path: made.path.clone(),
        device: found.dev().cast_signed(),
        inode: found.ino().cast_signed(),
        uuid: uuid(&made.board),
        boot_id: boot_id.to_owned(),
    })
}

/// Removes a replaced region, unless it is where we cannot see it or where others may have put something else.
fn discard(old: &Record, new: &Record, slate: &Path) {
    let region = old.region(slate);
    let is_ours = old.check(slate, &new.boot_id).is_ok() && region != new.region(slate);
    let own_memory = Path::new(SHARED_MEMORY).join(own_folder());
    match old.placement {
        Placement::Memory if is_ours && region.starts_with(own_memory) => {
            if let Some(folder) = region.parent() {
                remove_region(folder);
            }
        }
        Placement::Project if is_ours && region.parent() == Some(slate) => remove_region(&region),
        _ => {}
    }
}

/// Removes a region's folder, or a region file with the lock and doorbell beside it. What cannot be removed
/// stays as an unused file, which harms nobody.
fn remove_region(path: &Path) {
    if path.is_dir() {
        let _ = fs::remove_dir_all(path);
        return;
    }
    for suffix in ["", ".lock", ".bell"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
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

fn uuid(board: &Board) -> String {
    let [high, low] = board.uuid();
    format!("{high:016x}{low:016x}")
}

impl InitDoc {
    fn new(created: bool, path: &Path, why: String, board: &Board) -> Result<Self, Failure> {
        let metrics = board.metrics()?;
        Ok(Self {
            created,
            path: path.display().to_string(),
            uuid: uuid(board),
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
    if context.globals.json {
        context.out.document(doc)?;
    } else if !context.globals.quiet {
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
