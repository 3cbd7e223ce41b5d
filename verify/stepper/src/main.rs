//! `cargo run --release -p stepper`: kills after every instruction. See the library's page.

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
stepper [OPTION]...: carries out each operation in a child, and kills it after every instruction

  --list           the operations
  --only TEXT      those whose name holds the text
  --quick          those for a quick look
  --second-order   the survivor is killed after every instruction as well, at sampled deaths
  --points N       how many deaths of each operation that samples; 12
  --kill N         N real SIGKILLs for each operation instead, at instructions spread over it
  --seed S         where those begin; 0
  --keep FOLDER    keeps the images that fail
";

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    only: Option<String>,
    quick: bool,
    list: bool,
    second: bool,
    points: Option<usize>,
    kills: Option<u64>,
    seed: u64,
    keep: Option<PathBuf>,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n\n{HELP}"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is no number"));
        match argument.as_str() {
            "--list" => asked.list = true,
            "--quick" => asked.quick = true,
            "--second-order" => asked.second = true,
            "--only" => asked.only = Some(value()?),
            "--points" => asked.points = Some(number(value()?)? as usize),
            "--kill" => asked.kills = Some(number(value()?)?),
            "--seed" => asked.seed = number(value()?)?,
            "--keep" => asked.keep = Some(PathBuf::from(value()?)),
            _ => return Err(HELP.to_owned()),
        }
    }
    Ok(asked)
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [mark, scenario, board] = arguments.as_slice()
        && mark == "--child"
    {
        child::play(scenario, Path::new(board));
        return ExitCode::SUCCESS;
    }
    let asked = match parse(arguments.into_iter()) {
        Ok(asked) => asked,
        Err(text) => {
            eprint!("{text}");
            return ExitCode::from(2);
        }
    };
    if asked.list {
        SCENARIOS.iter().for_each(|scenario| println!("{}", scenario.name));
        return ExitCode::SUCCESS;
    }
    let program = std::env::current_exe().expect("the program knows where it is");
    let options = Options { keep: asked.keep.clone(), ..Options::new(program) };
    steps(&asked, &options)
}

fn steps(asked: &Asked, options: &Options) -> ExitCode {
    let (mut scenarios, mut instructions, mut images, mut failures) = (0, 0, 0, 0);
    for scenario in run::chosen(asked.only.as_deref(), asked.quick) {
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
