//! For those who count microseconds: two processes answer each other through two keys, and the round trips
//! are sorted.
//!
//! `cargo run --release --example latency [ROUNDS]`

use slateboard::{Board, KeyHandle, Newer};
use std::{
    env,
    process::{Child, Command},
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [role, path, rounds] if role == "answer" => answer(path, rounds.parse()?),
        [] => ask(20_000),
        [rounds] => ask(rounds.parse()?),
        _ => Err("usage: latency [ROUNDS]".into()),
    }
}

/// The process that is started first: puts `ping`, waits for `pong`, notes how long that took.
fn ask(rounds: u32) -> Outcome<()> {
    let folder = tempfile::Builder::new().prefix("slate-latency-").tempdir_in(shared_memory())?;
    let path = folder.path().join("board");
    let session = Board::create(&path)?.attach("asking")?;
    let (ping, pong) = (session.key("ping")?, session.key("pong")?);
    let other = Command::new(env::current_exe()?).arg("answer").arg(&path).arg(rounds.to_string()).spawn()?;
    let times = time_rounds(&ping, &pong, rounds);
    let ended = end(other, times.is_ok());
    let mut times = times?;
    ended?;
    times.sort();
    println!("{rounds} round trips between two processes, each two puts and two wakes or polls:");
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("longest", 1.0)] {
        let rank = (times.len() as f64 * share).ceil() as usize;
        if let Some(time) = times.get(rank.saturating_sub(1)) {
            println!("{name:>8}  {:>9.2} µs", time.as_nanos() as f64 / 1000.0);
        }
    }
    Ok(())
}

fn time_rounds(ping: &KeyHandle, pong: &KeyHandle, rounds: u32) -> Outcome<Vec<Duration>> {
    let mut times = Vec::new();
    let mut seen = 0;
    for round in 0..rounds {
        let start = Instant::now();
        ping.put(round.to_le_bytes())?;
        seen = pong.wait_newer(seen, PATIENCE)?.and_then(Newer::entry).ok_or("no answer came")?.version;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// The other process: a `pong` for every `ping`.
fn answer(path: &str, rounds: u32) -> Outcome<()> {
    let session = Board::open(path)?.attach("answering")?;
    let (ping, pong) = (session.key("ping")?, session.key("pong")?);
    let mut seen = 0;
    for _ in 0..rounds {
        let asked = ping.wait_newer(seen, PATIENCE)?.and_then(Newer::entry).ok_or("no question came")?;
        seen = asked.version;
        pong.put(asked.value)?;
    }
    Ok(())
}

fn end(mut other: Child, well: bool) -> Outcome<()> {
    if !well {
        other.kill()?;
    }
    other.wait()?;
    Ok(())
}

/// Where a board is memory and nothing else; the folder for temporary files where there is no such place.
fn shared_memory() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.into() } else { env::temp_dir() }
}
