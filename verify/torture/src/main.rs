//! `cargo run --release -p torture`: see the library's page.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};
use torture::{
    nemesis::{self, Options, Tally},
    soak,
    worker::{self, Task},
};

const HELP: &str = "\
torture [OPTION]...: processes at work on one board are killed and stopped, and what they were told is judged

  --kills N      300
  --stops N      as many as kills
  --workers N    4
  --epoch N      kills between two moments of rest, at which everything is judged; 100
  --capacity B   bytes of the board's data area; 4194304
  --history N    events of its history; 4096
  --seed S       of the random numbers; from the clock. The same seed gives the same blows and the same operations;
                 when they meet is up to the machine
  --json         one JSON object instead of lines

torture soak [--keys N]: so many keys that never repeat (100000) are removed, expire and end with their sessions, on a
board for 4,096, with a keeper and without: none may be refused, nothing may grow
";

struct Asked {
    options: Options,
    json: bool,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let clock =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let mut options = Options {
        program: std::env::current_exe().map_err(|error| error.to_string())?,
        kills: 300,
        stops: 300,
        epoch: 100,
        workers: 4,
        seed: clock as u64,
        capacity: 4 << 20,
        history: 4_096,
    };
    let (mut json, mut stops) = (false, None);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or_else(|| format!("{argument} needs a number\n\n{HELP}"))?;
            text.parse::<u64>().map_err(|_| format!("{text} is no number"))
        };
        match argument.as_str() {
            "--kills" => options.kills = number()?,
            "--stops" => stops = Some(number()?),
            "--workers" => options.workers = number()?.clamp(2, 32) as usize,
            "--epoch" => options.epoch = number()?.max(1),
            "--capacity" => options.capacity = number()?,
            "--history" => options.history = number()?,
            "--seed" => options.seed = number()?,
            "--json" => json = true,
            _ => return Err(HELP.to_owned()),
        }
    }
    options.stops = stops.unwrap_or(options.kills);
    Ok(Asked { options, json })
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
    if arguments.first().is_some_and(|first| first == "soak") {
        return soak(&arguments[1..]);
    }
    match parse(arguments.into_iter()) {
        Ok(asked) => torture(&asked),
        Err(text) => {
            eprint!("{text}");
            ExitCode::from(2)
        }
    }
}

fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

fn soak(arguments: &[String]) -> ExitCode {
    let keys = match arguments {
        [] => Ok(100_000),
        [option, keys] if option == "--keys" => keys.parse().map_err(|_| format!("{keys} is no number")),
        _ => Err(HELP.to_owned()),
    };
    let keys = match keys {
        Ok(keys) => keys,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    let folder = folder();
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

fn torture(asked: &Asked) -> ExitCode {
    let folder = folder();
    let started = Instant::now();
    let tally = nemesis::run(&asked.options, folder.path());
    let seconds = started.elapsed().as_secs();
    if asked.json {
        println!("{}", json(&tally, asked.options.seed, seconds));
    } else {
        print(&tally, asked.options.seed, seconds);
    }
    if tally.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn json(tally: &Tally, seed: u64, seconds: u64) -> serde_json::Value {
    let checked = tally.checked;
    serde_json::json!({
        "seed": seed, "seconds": seconds, "kills": tally.kills, "stops": tally.stops, "processes": tally.started,
        "rests": tally.rests, "calls": checked.calls, "calls_under_way_at_a_kill": checked.pending,
        "events": checked.events, "events_missed": tally.missed, "windows": checked.windows,
        "window_calls": checked.window_calls, "windows_skipped": checked.skipped, "violations": tally.violations,
    })
}

fn print(tally: &Tally, seed: u64, seconds: u64) {
    let checked = tally.checked;
    println!(
        "seed {seed}, {seconds} s, {} processes, judged at {} moments of rest",
        tally.started, tally.rests
    );
    println!("{} calls, {} of them under way at a kill", checked.calls, checked.pending);
    println!("{} events read as they happened, {} missed", checked.events, tally.missed);
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
