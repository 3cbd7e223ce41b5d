//! `cargo models`: every model of memory orderings must pass.

use slateboard_mutants::{
    access,
    program::{Program, build_folder, workspace},
    score::{Portion, Score, in_parallel},
    table::Tool,
    tree::Tree,
};
use std::process::ExitCode;

const HELP: &str = "\
cargo models [--only TEXT]... [--part N/M] [--long [--for SECONDS]]: models of memory orderings over slateboard's protocol code
cargo models --find TEXT

  --only TEXT    the models whose name contains the text
  --part N/M     the Nth of M parts of the models
  --long         after the short run, a hundred times the budget: within one preemption, within three, within any number
  --for SECONDS  cuts the long form of each model after this time
  --find TEXT    which models find the mutants of the accesses whose names contain the text; see docs/atomics.md

A short run explores the executions of a model with at most one preemption, and then those with at most three, until the
model's budget ends it: 4,000 executions unless the model says otherwise, for each role that begins and for each place
where a role is killed or stands still. For each model it says how many executions were explored, and whether these were
all within three preemptions (complete) or a budget ended an exploration (cut). A model fails if an execution failed, or
if it explored fewer executions or saw less than it must have seen, also where it was cut. The last line is `N passed, N
failed`; the exit status is 1 when one failed.";

/// What to do, from the command line.
#[derive(Default)]
struct Options {
    long: bool,
    only: Vec<String>,
    portion: Portion,
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
            Long("part") => options.portion.set_part(&parser.value()?.string()?)?,
            Long("for") => options.portion.seconds = Some(parser.value()?.parse()?),
            Long("find") => options.find = Some(parser.value()?.string()?),
            Long("help") | Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    if options.portion.seconds.is_some() && !options.long {
        return Err("--for is for --long".into());
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
    let wanted = options.portion.of(models.list()?.into_iter().filter(|name| wants(name)).collect());
    if wanted.is_empty() {
        return Err("no model has that name".into());
    }
    let score = Score::default();
    in_parallel(wanted, |name| {
        let verdict = match options.long {
            true => models.long_model(&name, options.portion.seconds),
            false => models.model(&name, ""),
        };
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
    let tree = Tree::copy(&workspace()?, &folder.join("alone").join("tree"))?;
    let models = access::build(&tree, &folder.join("alone").join(Tool::Models.folder()))?;
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
