//! The runner: builds the program of the schedules, and runs every family in every order.

use slateboard_mutants::{
    program::{Program, build_folder, workspace},
    score::{Score, in_parallel},
    table::Tool,
};
use std::{
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

const HELP: &str = "\
Random schedules of many actors over slateboard's protocol code, each of which may be killed at any access.

usage: cargo schedules [--long] [--schedules N] [--actors N] [--seed S] [--only TEXT]...
       cargo schedules --replay FAMILY ORDER ACTORS SEED INDEX

  --long         a hundred times as many schedules
  --schedules N  so many of each family in each order
  --actors N     2 to 32 instead of 4 to 8
  --seed S       instead of one that is new in each run
  --only TEXT    the families whose name contains the text
  --replay ...   one schedule again, with every access; a failed schedule prints the command

The last line is `N passed, N failed`; the exit status is 1 when one failed.";

/// Who decides who moves.
const ORDERS: [&str; 2] = ["random", "pct"];
/// Schedules of each family in each order: in a quick run, and in a long one.
const SCHEDULES: [u64; 2] = [4_000, 400_000];

#[derive(Default)]
struct Options {
    long: bool,
    /// Of each family in each order.
    schedules: Option<u64>,
    /// 0 for four to eight.
    actors: u64,
    seed: u64,
    only: Vec<String>,
    /// A schedule to run again: family, order, actors, seed, index.
    replay: Option<Vec<String>>,
    help: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64 >> 10);
    let mut options = Options { seed: clock, ..Options::default() };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("long") => options.long = true,
            Long("schedules") => options.schedules = Some(parser.value()?.parse()?),
            Long("actors") => options.actors = parser.value()?.parse_with(actors)?,
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("replay") => {
                let words: Result<Vec<_>, _> = (0..5).map(|_| parser.value()?.string()).collect();
                options.replay = Some(words?);
            }
            Long("help") | Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn actors(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (2..=32).contains(number));
    number.ok_or("actors are 2 to 32".into())
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
            eprintln!("schedules: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("schedules: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything asked for; how many failed.
fn run(options: &Options) -> Result<usize, String> {
    let program = Program::build(Tool::Schedules, &workspace()?, &build_folder("schedules")?)?;
    if let Some(words) = &options.replay {
        let status = program.command(&["replay"]).args(words).status();
        let status = status.map_err(|error| format!("cannot run the schedules: {error}"))?;
        return Ok(usize::from(!status.success()));
    }
    let listed = program.list()?;
    let families = listed.iter().filter_map(|line| line.split(' ').next());
    let wants = |name: &str| options.only.is_empty() || options.only.iter().any(|text| name.contains(text));
    let jobs: Vec<(&str, &str)> =
        families.filter(|name| wants(name)).flat_map(|family| ORDERS.map(|order| (family, order))).collect();
    if jobs.is_empty() {
        return Err(format!("no family has that name; families are\n{}", listed.join("\n")));
    }
    println!("seed {}", options.seed);
    let count = options.schedules.unwrap_or(SCHEDULES[usize::from(options.long)]);
    let [actors, seed, count] = [options.actors, options.seed, count].map(|number| number.to_string());
    let score = Score::default();
    in_parallel(jobs, |(family, order)| {
        let verdict = program.schedules(family, order, [&actors, &seed, &count]);
        let word = if verdict.passed() { "ok" } else { "FAILED" };
        score.line(verdict.passed(), &format!("{word} {}", verdict.text()));
    });
    let (passed, failed) = score.counts();
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}
