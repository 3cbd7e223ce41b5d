//! `cargo models`: every model of memory orderings must pass.

use slateboard_mutants::{
    access,
    program::{Program, build_folder, workspace},
    score::{Score, in_parallel},
    table::Tool,
    tree::Tree,
};
use std::process::ExitCode;

const HELP: &str = "\
cargo models [--long] [--only TEXT]... [--find TEXT]: models of memory orderings over slateboard's protocol code

  --long       without the bounds of a short run
  --only TEXT  the models whose name contains the text
  --find TEXT  which models find the mutants of the accesses whose names contain the text; see docs/atomics.md

For each model it says how many executions were explored, and whether these were all within three preemptions (complete)
or the model's budget ended the exploration (cut). The last line is `N passed, N failed`; the exit status is 1 when one
failed.";

/// What to do, from the command line.
#[derive(Default)]
struct Options {
    long: bool,
    only: Vec<String>,
    find: Option<String>,
    help: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("long") => options.long = true,
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("find") => options.find = Some(parser.value()?.string()?),
            Long("help") | Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) if options.help => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("models: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let done = match &options.find {
        Some(text) => find(text).map(|()| 0),
        None => check(&options),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("models: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the models; how many failed.
fn check(options: &Options) -> Result<usize, String> {
    let models = Program::build(Tool::Models, &workspace()?, &build_folder("models")?)?;
    let wants = |name: &str| options.only.is_empty() || options.only.iter().any(|text| name.contains(text));
    let wanted: Vec<String> = models.list()?.into_iter().filter(|name| wants(name)).collect();
    if wanted.is_empty() {
        return Err("no model has that name".into());
    }
    let score = Score::default();
    in_parallel(wanted, |_, name| {
        let verdict = models.model(&name, options.long, "");
        let word = if verdict.passed() { "ok    " } else { "FAILED" };
        score.line(verdict.passed(), &format!("{word} {name}: {}", verdict.text()));
    });
    let (passed, failed) = score.counts();
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

/// Prints which models find the mutants of the accesses whose names contain the text.
fn find(text: &str) -> Result<(), String> {
    let folder = build_folder("broken")?;
    let tree = Tree::copy(&workspace()?, &folder.join("0").join("tree"))?;
    let models = access::build(&tree, &folder.join(Tool::Models.folder()))?;
    let names = models.list()?;
    for (at, access) in access::all(tree.root())?.iter().enumerate() {
        let name = access.name();
        if name.contains(text) {
            for (wrong, model) in access::find(&models, &names, access, at + 1) {
                println!("{name}, {wrong}: {}", model.as_deref().unwrap_or("no model finds it"));
            }
        }
    }
    Ok(())
}
