//! `slate where`: which board is used, and whether this process can reach it.

use super::Context;
use crate::{
    failure::{Failure, Status, say},
    locate::{self, Located},
    place::uuid,
    print::ErrorDoc,
    record::{FILE, Placement},
};
use serde::Serialize;
use slateboard::Board;

/// `where --json`.
#[derive(Serialize)]
struct WhereDoc<'a> {
    path: String,
    uuid: Option<String>,
    placement: Option<Placement>,
    found_by: &'static str,
    /// The same for people.
    #[serde(skip)]
    named_by: &'static str,
    /// The project's `.slate` folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// Whether this process can use the board.
    reachable: bool,
    /// The reason, if it is not reachable.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDoc<'a>>,
}

pub(crate) fn run(context: &Context) -> Result<Status, Failure> {
    let surroundings = context.surroundings()?;
    let (doc, failure) = match surroundings.named() {
        Some(named) => examine(&named, None),
        None => {
            let project = locate::the_project(&surroundings)?;
            let located = Located::in_project(&project);
            match project.check(&surroundings.boot_id) {
                Ok(()) => examine(&located, Some(&project)),
                Err(failure) => (WhereDoc::new(&located, Some(&project)), Some(failure)),
            }
        }
    };
    let doc = WhereDoc {
        reachable: failure.is_none(),
        why: failure.as_ref().map(|why| why.text.clone()),
        error: failure.as_ref().map(ErrorDoc::of),
        ..doc
    };
    print(context, &doc)?;
    Ok(failure.map_or(Status::Done, |failure| {
        say(format_args!("slate: {}", failure.text));
        failure.status
    }))
}

/// Opens the board, as any other command does.
fn examine(located: &Located, project: Option<&locate::Project>) -> (WhereDoc<'static>, Option<Failure>) {
    let mut doc = WhereDoc::new(located, project);
    let failure = match Board::options().open_read_only(&located.region) {
        Ok(reader) => {
            let recorded = doc.uuid.replace(uuid(reader.uuid()));
            recorded.filter(|recorded| Some(recorded) != doc.uuid.as_ref()).map(|recorded| {
                let text = format!(
                    "another board is at the recorded path: {FILE} expects uuid {recorded}; restore the region, \
                     or create a new, empty board with `slate init --replace`"
                );
                Failure::new(Status::NoBoard, text)
            })
        }
        Err(error) => Some(error.into()),
    };
    (doc, failure)
}

impl WhereDoc<'_> {
    fn new(located: &Located, project: Option<&locate::Project>) -> Self {
        let region = std::path::absolute(&located.region).unwrap_or_else(|_| located.region.clone());
        Self {
            path: region.display().to_string(),
            uuid: project.map(|project| project.record.uuid.clone()),
            placement: project.map(|project| project.record.placement),
            found_by: located.found_by.name(),
            named_by: located.found_by.words(),
            project: project.map(|project| project.slate.path.display().to_string()),
            reachable: false,
            why: None,
            error: None,
        }
    }
}

fn print(context: &Context, doc: &WhereDoc<'_>) -> Result<(), Failure> {
    if context.globals.json {
        return context.out.document(doc);
    }
    context.out.line(format!("board      {} (from {})", doc.path, doc.named_by))?;
    if let Some(project) = &doc.project {
        context.out.line(format!("project    {project}"))?;
    }
    if let Some(placement) = doc.placement {
        context.out.line(format!("placement  {placement}"))?;
    }
    if let Some(uuid) = &doc.uuid {
        context.out.line(format!("uuid       {uuid}"))?;
    }
    context.out.line(format!("reachable  {}", if doc.reachable { "yes" } else { "no" }))
}
