//! The runner: builds the searching program, and runs every scenario.

use slateboard_mutants::{
    program::{Program, build_folder, workspace},
    score::{Score, in_parallel},
    table::Tool,
};
use std::process::ExitCode;

const HELP: &str = "\
Every interleaving of a few parties over slateboard's protocol code, a kill at every access, on small boards.

usage: cargo states [--long] [--only TEXT]...

  --long       all interleavings and every store a step of its own, instead of those with few preemptions
  --only TEXT  the scenarios whose name contains the text

Each scenario says whether its states were all seen (complete) or the limit ended it (cut). The last line is
`N passed, N failed`; the exit status is 1 when one failed.";

/// States after which a scenario is cut, whether every store is a step, and preemptions.
const QUICK: [&str; 3] = ["400000", "false", "quick"];
const LONG: [&str; 3] = ["60000000", "true", "all"];

#[derive(Default)]
struct Options {
    long: bool,
    only: Vec<String>,
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
            Long("help") | Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    let options = match options() {
        Ok(options) if options.help => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("states: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("states: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything asked for; how many failed.
fn run(options: &Options) -> Result<usize, String> {
    let search = Program::build(Tool::States, &workspace()?, &build_folder("states")?)?;
    let names = search.list()?;
    let wants =
        |name: &&String| options.only.is_empty() || options.only.iter().any(|text| name.contains(text));
    let wanted: Vec<&String> = names.iter().filter(wants).collect();
    if wanted.is_empty() {
        return Err(format!("no scenario has that name; scenarios are\n{}", names.join("\n")));
    }
    let score = Score::default();
    in_parallel(wanted, |_, name| {
        let verdict = search.scenario(name, if options.long { LONG } else { QUICK });
        let word = if verdict.passed() { "ok    " } else { "FAILED" };
        score.line(verdict.passed(), &format!("{word} {}", verdict.text()));
    });
    let (passed, failed) = score.counts();
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}
