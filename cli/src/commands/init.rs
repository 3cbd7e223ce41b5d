//! `slate init`: creates a board where the other commands find it.

use super::{Context, HERE, named_by, status::FileDoc, r#where::digits};
use crate::{
    args::{Init, PlacementArg, ScopeArg},
    failure::{Failure, Status, say},
    units::{self, grouped},
};
use serde::Serialize;
use slateboard::{
    Board, ErrorKind, Metrics, Options, Uuid,
    project::{Created, Difference, Found, Placement, ProjectOptions, Scope},
};
use std::path::Path;

/// `init --json`.
#[derive(Serialize)]
struct InitDoc {
    /// False if the board existed already (`--ensure`).
    created: bool,
    path: String,
    uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    placement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    why: String,
    /// The slate.toml whose settings were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<String>,
    /// How a board that existed already differs from what was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<DiffersDoc>,
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

#[derive(Serialize)]
struct DiffersDoc {
    name: &'static str,
    has: String,
    asked: String,
}

pub(crate) fn run(context: &Context, args: &Init) -> Result<Status, Failure> {
    match context.named() {
        Some(named) => at_path(context, args, &named),
        None => in_project(context, args),
    }
}

fn at_path(context: &Context, args: &Init, named: &Found) -> Result<Status, Failure> {
    if args.placement.is_some() || args.scope.is_some() || args.replace || args.adopt || args.here {
        return Err(Failure::usage(format!(
            "--placement, --scope, --replace, --adopt and --here apply to a project's board, but {} specifies a region file",
            named_by(named)
        )));
    }
    let (created, board) = match shaped(args).create(named.path()) {
        Err(error) if error.kind() == ErrorKind::Exists && args.ensure => {
            (false, named.open(Board::options())?)
        }
        other => (true, other?),
    };
    let why = format!("specified by {}", named_by(named));
    print(context, InitDoc::new(created, named.path(), board.uuid(), why, &board.metrics()?))
}

fn in_project(context: &Context, args: &Init) -> Result<Status, Failure> {
    let options = asked(args);
    let created = match args {
        Init { replace: true, .. } => options.replace(HERE)?,
        Init { adopt: true, .. } => options.adopt(HERE)?,
        Init { ensure: true, .. } => options.ensure(HERE)?,
        _ => options.create(HERE)?,
    };
    print(context, InitDoc::of_project(&created))
}

fn asked(args: &Init) -> ProjectOptions {
    let mut options = ProjectOptions::new().here(args.here).force(args.force);
    if let Some(placement) = args.placement {
        options = options.placement(match placement {
            PlacementArg::Project => Placement::Project,
            PlacementArg::Memory => Placement::Memory,
        });
    }
    if let Some(scope) = args.scope {
        options = options.scope(match scope {
            ScopeArg::Worktree => Scope::Worktree,
            ScopeArg::Project => Scope::Project,
        });
    }
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
    fn new(created: bool, path: &Path, uuid: Option<Uuid>, why: String, metrics: &Metrics) -> Self {
        Self {
            created,
            path: path.display().to_string(),
            uuid: uuid.map(digits),
            placement: None,
            scope: None,
            project: None,
            why,
            settings: None,
            differs: Vec::new(),
            capacity: metrics.capacity,
            keys: metrics.keys_made_for,
            keys_fit: metrics.keys_fit,
            history: metrics.history,
            sessions: metrics.sessions_max,
            file: FileDoc::new(path, metrics),
        }
    }

    fn of_project(made: &Created) -> Self {
        let found = &made.found;
        let placed = match found.placement() {
            Some(Placement::Project) => "in the project, reachable from sandboxes with a private /dev/shm",
            _ => "in memory for speed, lost when the machine restarts",
        };
        let why = format!("{}; {placed}", made.why);
        Self {
            placement: found.placement().map(|placement| placement.to_string()),
            scope: found.scope().map(|scope| scope.to_string()),
            project: Some(made.folder.display().to_string()),
            settings: made.settings.as_ref().map(|path| path.display().to_string()),
            differs: made.differs.iter().map(DiffersDoc::new).collect(),
            ..Self::new(made.created, found.path(), found.uuid(), why, &made.metrics)
        }
    }
}

impl DiffersDoc {
    fn new(difference: &Difference) -> Self {
        let shown = |value: &str| match value.parse() {
            Ok(bytes) if difference.name == "capacity" => units::exact_size(bytes),
            _ => value.to_owned(),
        };
        Self { name: difference.name, has: shown(&difference.has), asked: shown(&difference.asked) }
    }
}

fn keys(doc: &InitDoc) -> String {
    let sized_for = format!("sized for {}", grouped(doc.keys));
    if doc.keys_fit == doc.keys {
        return sized_for;
    }
    format!("{sized_for}; the space for values holds at most {}", grouped(doc.keys_fit))
}

fn print(context: &Context, doc: InitDoc) -> Result<Status, Failure> {
    if context.globals.quiet {
        return Ok(Status::Done);
    }
    for DiffersDoc { name, has, asked } in &doc.differs {
        say(format_args!(
            "slate: the board existed already: its {name} is {has}, and {asked} was asked for; \
             `slate init --replace` makes a new, empty board"
        ));
    }
    if context.globals.json {
        context.out.document(&doc)?;
        return Ok(Status::Done);
    }
    let head = if doc.created { "created  " } else { "existing " };
    context.out.line(format!("{head} {}", doc.path))?;
    if let Some(project) = &doc.project {
        context.out.line(format!("project   {project}"))?;
    }
    context.out.line(format!("reason    {}", doc.why))?;
    if let Some(settings) = &doc.settings {
        context.out.line(format!("settings  {settings}"))?;
    }
    context.out.line(format!("capacity  {} for values", units::exact_size(doc.capacity)))?;
    context.out.line(format!("keys      {}", keys(&doc)))?;
    context.out.line(format!("history   {} events", grouped(doc.history)))?;
    context.out.line(format!("sessions  {}", grouped(doc.sessions)))?;
    context.out.line(format!("file      {}", doc.file))?;
    Ok(Status::Done)
}
