//! `slate where`: which board is used, and whether this process can reach it.

use super::{Context, named_by};
use crate::{
    failure::{Failure, Status, say},
    print::ErrorDoc,
};
use serde::Serialize;
use slateboard::{Board, Uuid, project::Found};

/// `where --json`.
#[derive(Serialize)]
struct WhereDoc<'a> {
    path: String,
    uuid: Option<String>,
    placement: Option<String>,
    scope: Option<String>,
    found_by: &'static str,
    /// The same for people.
    #[serde(skip)]
    named_by: &'static str,
    /// The project's `.slate` folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// The folder of what is kept for the board on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    durable: Option<String>,
    /// Whether this process can use the board, and sees what the others see.
    reachable: bool,
    /// Whether it may write to the board.
    writable: bool,
    /// The reason, if it is not reachable: a name, and a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDoc<'a>>,
}

pub(crate) fn run(context: &Context) -> Result<Status, Failure> {
    let found = context.locate()?;
    // Opens the board, as any other command does.
    let opened = found.check().and_then(|()| found.open_read_only(Board::options()));
    let uuid = opened.as_ref().ok().and_then(|reader| reader.uuid()).or(found.uuid());
    let failure = opened.err().map(Failure::from);
    let doc = WhereDoc {
        reachable: failure.is_none(),
        writable: failure.is_none() && found.is_writable(),
        why: failure.as_ref().map(|why| why.text.clone()),
        error: failure.as_ref().map(ErrorDoc::of),
        ..WhereDoc::new(&found, uuid)
    };
    print(context, &doc)?;
    Ok(failure.map_or(Status::Done, |failure| {
        say(format_args!("slate: {}", failure.text));
        failure.status
    }))
}

impl WhereDoc<'_> {
    fn new(found: &Found, uuid: Option<Uuid>) -> Self {
        let region = std::path::absolute(found.path()).unwrap_or_else(|_| found.path().to_owned());
        let project = found.project().map(|project| project.display().to_string());
        Self {
            path: region.display().to_string(),
            uuid: uuid.map(digits),
            placement: found.placement().map(|placement| placement.to_string()),
            scope: found.scope().map(|scope| scope.to_string()),
            found_by: found.found_by().name(),
            named_by: named_by(found),
            durable: project.clone(),
            project,
            reachable: false,
            writable: false,
            reason: found.unreachable().map(|reason| reason.name()),
            why: None,
            error: None,
        }
    }
}

/// A board's uuid in the form in which it is printed: without hyphens, as the folder of its region is named.
pub(super) fn digits(uuid: Uuid) -> String {
    format!("{:032x}", uuid.as_u128())
}

fn print(context: &Context, doc: &WhereDoc<'_>) -> Result<(), Failure> {
    if context.globals.json {
        return context.out.document(doc);
    }
    context.out.line(format!("board      {} (from {})", doc.path, doc.named_by))?;
    for (name, value) in [
        ("project  ", &doc.project),
        ("placement", &doc.placement),
        ("scope    ", &doc.scope),
        ("uuid     ", &doc.uuid),
    ] {
        if let Some(value) = value {
            context.out.line(format!("{name}  {value}"))?;
        }
    }
    let reachable = match (doc.reachable, doc.writable) {
        (true, true) => "yes",
        (true, false) => "yes, for reading only",
        (false, _) => "no",
    };
    context.out.line(format!("reachable  {reachable}"))
}
