//! The runner: builds the searching program, and runs every scenario.

use slateboard_mutants::{
    program::{Program, build_folder, workspace},
    score::{Portion, Score, in_parallel, workers},
    table::Tool,
};
use std::process::ExitCode;

const HELP: &str = "\
Interleavings of two or three parties over slateboard's protocol code, a kill before every access, on small boards.

usage: cargo states [--only TEXT]... [--part N/M] [--long [--for SECONDS] [--memory GIB]]

  --only TEXT    the scenarios whose name contains the text
  --part N/M     the Nth of M parts of the scenarios
  --long         the short run of each scenario, and then all its interleavings
  --for SECONDS  cuts the long form of each scenario after this time
  --memory GIB   cuts scenarios so that all processes together stay below this, 16 unless said; counted is what the
                 kernel has resident for each process (VmRSS), with the growth of its table of states ahead

A short run searches each scenario within its own number of preemptions: 0 to 4 times on a path a party that could go on
waits for others. Kills do not count. Several stores into a block that nobody else knows yet are one step. Each scenario
says whether all states within these bounds were seen (complete) or its budget of states ended it (cut). A long run bounds
neither preemptions nor states, and makes each store a step of its own.

A scenario fails if it found a fault, or if its short run saw fewer states or outcomes than it must have seen, also where it
was cut. The last line is `N passed, N failed`; the exit status is 1 when one failed.";

/// Memory of a long run, unless said.
const MEMORY_GIB: usize = 16;

#[derive(Default)]
struct Options {
    long: bool,
    only: Vec<String>,
    portion: Portion,
    memory_gib: Option<usize>,
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
            Long("memory") => options.memory_gib = Some(parser.value()?.parse()?),
            Long("help") | Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    match (options.long, options.portion.seconds, options.memory_gib) {
        (false, Some(_), _) | (false, _, Some(_)) => Err("--for and --memory are for --long".into()),
        _ => Ok(options),
    }
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
    let wants = |name: &&str| options.only.is_empty() || options.only.iter().any(|text| name.contains(text));
    let wanted = options.portion.of(names.iter().map(String::as_str).filter(wants).collect());
    if wanted.is_empty() {
        return Err(format!("no scenario has that name; scenarios are\n{}", names.join("\n")));
    }
    let seconds = options.portion.seconds.unwrap_or(u64::MAX).to_string();
    let bytes = ((options.memory_gib.unwrap_or(MEMORY_GIB) << 30) / workers()).to_string();
    let score = Score::default();
    in_parallel(wanted, |name| {
        let verdict = match options.long {
            true => search.scenario(&["long", &seconds, &bytes, name]),
            false => search.scenario(&["quick", name]),
        };
        let word = if verdict.passed() { "ok    " } else { "FAILED" };
        score.line(verdict.passed(), &format!("{word} {}", verdict.text()));
    });
    let (passed, failed) = score.counts();
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}
