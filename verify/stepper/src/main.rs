//! `cargo stepper`: kills after every instruction. See the library's page.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use stepper::{
    child, kill,
    run::{self, Options, Tally},
    scenarios::{SCENARIOS, Scenario},
    second,
};

const HELP: &str = "\
Carries out each operation in a child process, and kills it after every instruction.

Usage: cargo stepper [-- [OPTION]... [OPERATION]]

OPERATION is the name of an operation, or a part of some names; without it all are stepped.

  --list           lists the operations
  --only TEXT      as OPERATION
  --second-order   kills the survivor after every instruction as well, at sampled deaths
  --points N       how many deaths of each operation that samples; 12
  --kill N         sends N real SIGKILLs to each operation instead, at instructions spread over it
  --seed S         where those begin; 0
  --keep FOLDER    keeps the images that fail

Exit status: 0 nothing found, 1 a failure, 2 usage.
";

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    only: Option<String>,
    list: bool,
    help: bool,
    second: bool,
    points: Option<usize>,
    kills: Option<u64>,
    seed: u64,
    keep: Option<PathBuf>,
}

fn parse(mut arguments: lexopt::Parser) -> Result<Asked, lexopt::Error> {
    use lexopt::prelude::*;
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("list") => asked.list = true,
            Long("second-order") => asked.second = true,
            Long("only") => asked.only = Some(arguments.value()?.string()?),
            Long("points") => asked.points = Some(arguments.value()?.parse()?),
            Long("kill") => asked.kills = Some(arguments.value()?.parse()?),
            Long("seed") => asked.seed = arguments.value()?.parse()?,
            Long("keep") => asked.keep = Some(arguments.value()?.into()),
            Long("help") | Short('h') => asked.help = true,
            Value(name) if asked.only.is_none() => asked.only = Some(name.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    match &asked.only {
        Some(name) if run::chosen(Some(name)).is_empty() => {
            Err(format!("no operation has {name:?} in its name: --list shows them").into())
        }
        _ => Ok(asked),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [mark, scenario, board] = arguments.as_slice()
        && mark == "--child"
    {
        child::play(scenario, Path::new(board));
        return ExitCode::SUCCESS;
    }
    let asked = match parse(lexopt::Parser::from_env()) {
        Ok(asked) => asked,
        Err(error) => {
            eprint!("stepper: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if asked.help || asked.list {
        let names: String = SCENARIOS.iter().map(|scenario| format!("{}\n", scenario.name)).collect();
        print!("{}", if asked.help { HELP } else { &names });
        return ExitCode::SUCCESS;
    }
    let program = std::env::current_exe().expect("the program knows where it is");
    let options = Options { keep: asked.keep.clone(), ..Options::new(program) };
    steps(&asked, &options)
}

fn steps(asked: &Asked, options: &Options) -> ExitCode {
    let (mut scenarios, mut instructions, mut images, mut failures) = (0, 0, 0, 0);
    for scenario in run::chosen(asked.only.as_deref()) {
        let tally = tally(scenario, asked, options);
        if tally.images == 0 && tally.failures.is_empty() {
            continue;
        }
        print(scenario, &tally);
        scenarios += 1;
        instructions += tally.instructions;
        images += tally.images;
        failures += tally.failures.len();
    }
    let what = if asked.kills.is_some() { "kills" } else { "images checked" };
    println!("{scenarios} operations: {instructions} instructions, {images} {what}, {failures} failures");
    if failures == 0 && scenarios > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tally(scenario: &Scenario, asked: &Asked, options: &Options) -> Tally {
    match asked.kills {
        Some(times) => kill::run(scenario, options, times, asked.seed),
        None if asked.second => second::run(scenario, options, asked.points.unwrap_or(12)),
        None => run::run(scenario, options),
    }
}

fn print(scenario: &Scenario, tally: &Tally) {
    let failures = tally.failures.len();
    println!(
        "{:44} {:8} instructions {:6} images {failures:4} failures",
        scenario.name, tally.instructions, tally.images
    );
    for what in tally.failures.iter().take(5) {
        println!("    {what}");
    }
}
