//! `slate completions`.

use super::Context;
use crate::{
    args::{self, Completions},
    failure::{Failure, Status},
};

pub(crate) fn run(context: &Context, args: &Completions) -> Result<Status, Failure> {
    let mut script = Vec::new();
    let mut definition = visible(&args::definition());
    clap_complete::generate(args.shell, &mut definition, "slate", &mut script);
    if context.globals.json {
        let script = String::from_utf8_lossy(&script);
        context.out.document(&serde_json::json!({ "shell": args.shell.to_string(), "script": script }))?;
    } else {
        context.out.bytes(&script)?;
    }
    Ok(Status::Done)
}

/// The definition without what help hides, because the scripts would offer it.
fn visible(command: &clap::Command) -> clap::Command {
    let mut shown = clap::Command::new(command.get_name().to_owned())
        .disable_help_subcommand(true)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(visible));
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    match command.get_version() {
        Some(version) => shown.version(version.to_owned()),
        None => shown,
    }
}
