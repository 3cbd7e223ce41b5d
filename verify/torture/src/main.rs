//! `cargo torture`: see the library's page.

use slateboard_kit::{places::memory_folder, random};
use std::{path::Path, process::ExitCode, time::Instant};
use torture::{
    nemesis::{self, Options, Tally},
    soak,
    worker::{self, Task},
};

const HELP: &str = "\
Kills and stops the processes that work on one board, and judges what they were told.

Usage: cargo torture -- [OPTION]...
       cargo torture -- soak [--keys N]

  --kills N      how many processes are killed; 300
  --stops N      how many are stopped and continued; as many as kills
  --workers N    how many work at a time; 4
  --epoch N      kills between two moments of rest, at which everything is judged; 100
  --capacity B   bytes of the board's data area; 4194304
  --history N    events of its history; 4096
  --seed S       seed of the random numbers; from the clock. The same seed gives the same blows and the same
                 operations; when they meet is up to the machine
  --json         prints one JSON object instead of lines

soak puts N keys (100000) that never repeat, each removed, expired or ended with its session, on a board for 4,096
keys, with a keeper and without. No put may be refused, and nothing may grow.

Exit status: 0 nothing found, 1 a violation, 2 usage.
";

/// What the command line asks for.
enum Asked {
    Torture { options: Options, json: bool },
    Soak { keys: u64 },
    Help,
}

fn parse(mut arguments: lexopt::Parser) -> Result<Asked, lexopt::Error> {
    use lexopt::prelude::*;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut options = Options { program, seed: random::seed(), ..Options::default() };
    let (mut json, mut stops, mut soak, mut keys) = (false, None, false, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("kills") => options.kills = arguments.value()?.parse()?,
            Long("stops") => stops = Some(arguments.value()?.parse()?),
            Long("workers") => options.workers = arguments.value()?.parse::<usize>()?.clamp(2, 32),
            Long("epoch") => options.epoch = arguments.value()?.parse::<u64>()?.max(1),
            Long("capacity") => options.capacity = arguments.value()?.parse()?,
            Long("history") => options.history = arguments.value()?.parse()?,
            Long("seed") => options.seed = arguments.value()?.parse()?,
            Long("json") => json = true,
            Long("keys") if soak => keys = Some(arguments.value()?.parse()?),
            Long("help") | Short('h') => return Ok(Asked::Help),
            Value(word) if word == "soak" => soak = true,
            _ => return Err(argument.unexpected()),
        }
    }
    options.stops = stops.unwrap_or(options.kills);
    Ok(if soak { Asked::Soak { keys: keys.unwrap_or(100_000) } } else { Asked::Torture { options, json } })
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [mark, board, log, number, seed, beat, stop] = arguments.as_slice()
        && mark == "--worker"
    {
        let read = |text: &str| text.parse().expect("a number");
        let task = Task {
            board: Path::new(board),
            log: Path::new(log),
            number: read(number),
            seed: read(seed),
            beat_ms: read(beat),
            stop: Path::new(stop),
        };
        return if worker::work(&task) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match parse(lexopt::Parser::from_env()) {
        Ok(Asked::Torture { options, json }) => torture(&options, json),
        Ok(Asked::Soak { keys }) => soak(keys),
        Ok(Asked::Help) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprint!("torture: {error}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn soak(keys: u64) -> ExitCode {
    let folder = memory_folder();
    for (keeper, name) in [(true, "with a keeper"), (false, "without")] {
        let soaked = soak::run(keys, keeper, folder.path()).and_then(|figures| {
            figures.iter().for_each(|figures| println!("{name}: {figures:?}"));
            soak::judge(&figures)
        });
        if let Err(text) = soaked {
            println!("soak: {name}: {text}");
            return ExitCode::FAILURE;
        }
    }
    println!("soak: {keys} keys with a keeper and without, none refused, nothing grew");
    ExitCode::SUCCESS
}

fn torture(options: &Options, as_json: bool) -> ExitCode {
    let folder = memory_folder();
    let started = Instant::now();
    let tally = nemesis::run(options, folder.path());
    let seconds = started.elapsed().as_secs();
    if as_json {
        println!("{}", json(&tally, options.seed, seconds));
    } else {
        print(&tally, options.seed, seconds);
    }
    if tally.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn json(tally: &Tally, seed: u64, seconds: u64) -> serde_json::Value {
    let checked = tally.checked;
    serde_json::json!({
        "seed": seed, "seconds": seconds, "kills": tally.kills, "stops": tally.stops, "processes": tally.started,
        "rests": tally.rests, "calls": checked.calls, "calls_under_way_at_a_kill": checked.pending,
        "events": checked.events, "events_missed": tally.missed, "windows": checked.windows,
        "window_calls": checked.window_calls, "windows_skipped": checked.skipped, "lists": checked.lists,
        "not_known": checked.unknown, "violations": tally.violations,
    })
}

fn print(tally: &Tally, seed: u64, seconds: u64) {
    let checked = tally.checked;
    println!(
        "seed {seed}, {seconds} s, {} processes, judged at {} moments of rest",
        tally.started, tally.rests
    );
    println!(
        "{} calls, {} of them under way at a kill; {} lists",
        checked.calls, checked.pending, checked.lists
    );
    println!(
        "{} events read as they happened, {} missed: {} answers and events are not judged by the history",
        checked.events, tally.missed, checked.unknown
    );
    println!(
        "{} windows of {} calls linearizable, {} not looked at",
        checked.windows, checked.window_calls, checked.skipped
    );
    tally.violations.iter().take(20).for_each(|violation| println!("VIOLATION {violation}"));
    let violations = tally.violations.len();
    println!(
        "torture: {} kills, {} stops, {} operations, {violations} violations",
        tally.kills, tally.stops, checked.calls
    );
}
