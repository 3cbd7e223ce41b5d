//! `slate man`.

use super::Context;
use crate::{
    args::{self, Man},
    failure::{Failure, Status},
};
use std::{fs, io, path::Path};

/// A manual page.
struct Page {
    /// The name of its file, such as `slate-put.1`.
    name: String,
    text: Vec<u8>,
}

pub(crate) fn run(context: &Context, args: &Man) -> Result<Status, Failure> {
    let mut definition = args::definition();
    definition.build();
    match (&args.to, &args.command) {
        (Some(folder), _) => write_all(context, &definition, folder)?,
        (None, None) => show(context, &page(&definition)?)?,
        (None, Some(name)) => {
            let found = definition
                .get_subcommands()
                .find(|command| command.get_name() == name && !command.is_hide_set());
            let command = found.ok_or_else(|| {
                Failure::usage(format!(
                    "slate has no command {name:?}, so there is no page of it; `slate --help` lists them"
                ))
            })?;
            show(context, &page(command)?)?;
        }
    }
    Ok(Status::Done)
}

fn show(context: &Context, page: &Page) -> Result<(), Failure> {
    if !context.globals.json {
        return context.out.bytes(&page.text);
    }
    let text = String::from_utf8_lossy(&page.text);
    context.out.document(&serde_json::json!({ "page": page.name, "text": text }))
}

fn write_all(context: &Context, definition: &clap::Command, folder: &Path) -> Result<(), Failure> {
    let failed =
        |path: &Path, error: &io::Error| Failure::io(format!("cannot write {}", path.display()), error);
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let shown = definition.get_subcommands().filter(|command| !command.is_hide_set());
    let mut paths = Vec::new();
    for command in [definition].into_iter().chain(shown) {
        let page = page(command)?;
        let path = folder.join(&page.name);
        fs::write(&path, &page.text).map_err(|error| failed(&path, &error))?;
        paths.push(path.display().to_string());
    }
    match (context.globals.quiet, context.globals.json) {
        (true, _) => Ok(()),
        (false, true) => context
            .out
            .document(&serde_json::json!({ "folder": folder.display().to_string(), "pages": paths })),
        (false, false) => context.out.line(paths.join("\n")),
    }
}

/// The page of a built definition, whose names are like `slate-put`.
fn page(command: &clap::Command) -> Result<Page, Failure> {
    let man = clap_mangen::Man::new(command.clone())
        .source(concat!("slate ", env!("CARGO_PKG_VERSION")))
        .manual("Slate Manual");
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error| Failure::io("cannot make the page", &error))?;
    Ok(Page { name: man.get_filename(), text })
}
