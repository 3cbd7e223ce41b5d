//! `slate boards`: this user's boards in memory, and the project that each belongs to.

use super::{Context, r#where::digits};
use crate::{
    args::Boards,
    failure::{Failure, Status, say},
    print::{ErrorDoc, printable},
    units,
};
use serde::Serialize;
use slateboard::project::{self, Ownership, ProjectBoard};

/// One board of `boards --json`.
#[derive(Serialize)]
struct BoardDoc<'a> {
    path: String,
    uuid: Option<String>,
    /// The project's `.slate` folder, as it was last known.
    project: Option<String>,
    /// `owned`, `orphaned`, or `unknown` if the project cannot be seen from here.
    ownership: &'static str,
    /// Null if that cannot be known.
    in_use: Option<bool>,
    bytes: u64,
    /// With `--remove`: whether the board was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDoc<'a>>,
}

#[derive(Serialize)]
struct BoardsDoc<'a> {
    boards: Vec<BoardDoc<'a>>,
}

/// A board, and what came of its removal, if that was asked for.
struct Row {
    board: ProjectBoard,
    removal: Option<Result<(), Failure>>,
}

pub(crate) fn run(context: &Context, args: &Boards) -> Result<Status, Failure> {
    if context.globals.board.is_some() {
        return Err(Failure::usage(
            "--board does not apply to `boards`, which lists all boards; leave it out",
        ));
    }
    if args.remove && !args.orphaned && args.uuids.is_empty() {
        return Err(Failure::usage("--remove needs --orphaned, or the uuids of the boards to remove"));
    }
    let mut boards = project::boards()?;
    if args.orphaned {
        boards.retain(|board| board.ownership == Ownership::Orphaned);
    }
    if !args.uuids.is_empty() {
        boards = named(boards, &args.uuids)?;
    }
    let remove = |board: &ProjectBoard| args.remove.then(|| board.remove().map_err(Failure::from));
    let rows: Vec<_> = boards.into_iter().map(|board| Row { removal: remove(&board), board }).collect();
    print(context, &rows)?;
    let mut status = Status::Done;
    for failure in rows.iter().filter_map(|row| row.removal.as_ref()?.as_ref().err()) {
        say(format_args!("slate: {}", failure.text));
        status = failure.status;
    }
    Ok(status)
}

/// The boards whose uuids begin with these digits: exactly one board for each.
fn named(boards: Vec<ProjectBoard>, uuids: &[String]) -> Result<Vec<ProjectBoard>, Failure> {
    let begins =
        |board: &ProjectBoard, digits: &str| folder_name(board).is_some_and(|name| name.starts_with(digits));
    for uuid in uuids {
        let wanted = uuid.replace('-', "").to_lowercase();
        let count = boards.iter().filter(|board| begins(board, &wanted)).count();
        if count != 1 || wanted.is_empty() {
            let text =
                format!("{count} boards have a uuid that begins with {uuid:?}; `slate boards` lists them");
            return Err(if count == 0 { Failure::new(Status::NoBoard, text) } else { Failure::usage(text) });
        }
    }
    let is_wanted =
        |board: &ProjectBoard| uuids.iter().any(|uuid| begins(board, &uuid.replace('-', "").to_lowercase()));
    Ok(boards.into_iter().filter(is_wanted).collect())
}

impl<'a> BoardDoc<'a> {
    fn new(row: &'a Row) -> Self {
        let board = &row.board;
        Self {
            path: board.path.display().to_string(),
            uuid: board.uuid.map(digits),
            project: board.project.as_ref().map(|project| project.display().to_string()),
            ownership: board.ownership.name(),
            in_use: board.in_use,
            bytes: board.bytes,
            removed: row.removal.as_ref().map(Result::is_ok),
            error: row.removal.as_ref().and_then(|removal| removal.as_ref().err()).map(ErrorDoc::of),
        }
    }
}

fn print(context: &Context, rows: &[Row]) -> Result<(), Failure> {
    if context.globals.json {
        return context.out.document(&BoardsDoc { boards: rows.iter().map(BoardDoc::new).collect() });
    }
    if rows.is_empty() {
        context.out.remark("no board in memory");
        return Ok(());
    }
    let shown: Vec<_> = rows.iter().map(shown).collect();
    context.out.table(&["UUID", "OWNERSHIP", "USE", ">SIZE", "PROJECT"], &shown)
}

fn shown(row: &Row) -> Vec<String> {
    let board = &row.board;
    let removed = row.removal.as_ref().is_some_and(Result::is_ok);
    let used = match (removed, board.in_use) {
        (true, _) => "removed",
        (_, Some(true)) => "in use",
        (_, Some(false)) => "unused",
        (_, None) => "unknown",
    };
    let name = folder_name(board).unwrap_or_default();
    let project = board.project.as_ref().map_or_else(|| "-".into(), |path| path.display().to_string());
    vec![
        printable(&name),
        board.ownership.name().into(),
        used.into(),
        units::size(board.bytes),
        printable(&project),
    ]
}

/// The name of the folder of its region: its uuid.
fn folder_name(board: &ProjectBoard) -> Option<String> {
    Some(board.path.parent()?.file_name()?.to_string_lossy().into_owned())
}
