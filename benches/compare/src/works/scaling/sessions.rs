//! Reads, writes, attaching, beats and reaping over the number of sessions attached.

use super::{Points, over};
use crate::{
    Outcome,
    child::{self, Child, idle_ns_per_s},
    local::{Form, order},
    plan::Plan,
    row::{Row, Unit, median},
    works::Run,
};
use slateboard::{Board, Options};
use slateboard_micro::Filled;
use std::{
    path::Path,
    time::{Duration, Instant},
};

const COUNTS: [usize; 6] = [1, 4, 16, 64, 256, 1_024];
/// Most processes that share the sessions among them.
const PROCESSES_MAX: usize = 16;
/// Session records of the board: room for all of them, and for those that measure.
const RECORDS: u64 = 1_100;
const KEYS: usize = 1_000;
/// Puts that fill the history.
const HISTORY_FILLED: usize = 17_000;
/// Time between the beats that are measured.
pub const BEAT_MS: u64 = 20;
/// The same where all beat.
const ALL_BEAT_MS: u64 = 100;
/// The same where nobody beats within a run.
const NEVER_MS: u64 = 3_600_000;

pub fn run(run: &Run<'_>) -> Outcome<Vec<Row>> {
    over(run, &COUNTS, |run, count, points| {
        operations(run, count, points)?;
        beats(run, count, points)?;
        reaping(run, count, points)
    })
}

/// Processes that hold so many sessions together.
pub fn crowd(path: &Path, sessions: usize, processes: usize, beat_ms: u64) -> Outcome<Vec<Child>> {
    let start = |number: usize| {
        let share = sessions / processes + usize::from(number < sessions % processes);
        let path = path.to_string_lossy().into_owned();
        child::ready("crowd", [path, share.to_string(), beat_ms.to_string()])
    };
    (0..processes).map(start).collect()
}

/// A board with so many session records, whose sessions do not beat.
fn options(records: u64) -> Options {
    Board::options().sessions(records).beat(Duration::from_millis(NEVER_MS))
}

/// get, put, attach and detach beside sessions that do nothing; put again on a board with no more records than that.
fn operations(run: &Run<'_>, count: usize, points: &mut Points<'_>) -> Outcome<()> {
    let board = Filled::new(run.folder.path(), options(RECORDS), KEYS, 64, HISTORY_FILLED)?;
    let fitting = Filled::new(run.folder.path(), options(count as u64 + 2), KEYS, 64, HISTORY_FILLED)?;
    let visited = options(RECORDS).open(&board.path)?;
    let _crowd = crowd(&board.path, count, count.min(PROCESSES_MAX), NEVER_MS)?;
    let order = order(KEYS);
    let at = |number: usize| order[number % KEYS];
    let mut buffer = Vec::new();
    points.measure(
        count,
        vec![
            Form::new("get 64 B", |number| {
                board.keys[at(number)].get_into(&mut buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Form::new("put 64 B", |number| {
                board.keys[at(number)].put(&board.value)?;
                Ok(())
            }),
            Form::new("put 64 B, no spare records", |number| {
                fitting.keys[at(number)].put(&fitting.value)?;
                Ok(())
            }),
            Form::new("attach and detach", |_| {
                visited.attach("visitor")?.detach();
                Ok(())
            })
            .on_the_wall(true),
            Form::new("a thread started and joined", |_| {
                std::thread::Builder::new().spawn(|| {})?.join().map_err(|_| "the thread panicked".into())
            })
            .on_the_wall(true)
            .raw(),
        ],
    )
}

/// A board without keys, which the sessions attach to.
fn empty(run: &Run<'_>) -> Outcome<(tempfile::TempDir, std::path::PathBuf)> {
    let folder = tempfile::tempdir_in(run.folder.path())?;
    let path = folder.path().join("board");
    options(RECORDS).create(&path)?;
    Ok((folder, path))
}

/// Processor time of one beat, beside sessions of the same process and of others.
fn beats(run: &Run<'_>, count: usize, points: &mut Points<'_>) -> Outcome<()> {
    let (_folder, path) = empty(run)?;
    let plan = run.plan;
    let mut one = crowd(&path, count, 1, ALL_BEAT_MS)?;
    let beat_ns = ns_of_each(plan, &mut one, ALL_BEAT_MS)? / count as f64;
    points.add("beat, all in one process", count, beat_ns, Unit::Nanoseconds);
    drop(one);
    // Of those in other processes none beats but the two that are measured: the first one is elected.
    let others = crowd(&path, count - 1, (count - 1).min(PROCESSES_MAX), NEVER_MS)?;
    let mut elected = crowd(&path, 1, 1, BEAT_MS)?;
    let elected_ns = beat_ns_of(plan, &mut elected)?;
    points.add("beat, others in 16 processes", count, elected_ns, Unit::Nanoseconds);
    let other_ns = beat_ns_of(plan, &mut crowd(&path, 1, 1, BEAT_MS)?)?;
    points.add("the same, not elected", count, other_ns, Unit::Nanoseconds);
    let all_ns = elected_ns + other_ns * (count - 1) as f64;
    points.add("beats of all, others in 16 processes", count, all_ns / 1e7, Unit::Percent);
    drop((elected, others));
    let mut sleeper = [child::ready("sleepers", ["1", &BEAT_MS.to_string()])?];
    points.add_raw("a thread that wakes", count, beat_ns_of(plan, &mut sleeper)?, Unit::Nanoseconds);
    Ok(())
}

/// Processor time of a process in each period of its one session.
pub fn beat_ns_of(plan: &Plan, children: &mut [Child]) -> Outcome<f64> {
    ns_of_each(plan, children, BEAT_MS)
}

fn ns_of_each(plan: &Plan, children: &mut [Child], period_ms: u64) -> Outcome<f64> {
    Ok(idle_ns_per_s(children, plan.idle)? * period_ms as f64 / 1e3)
}

/// As [`reaping_ns`], on a board without keys.
fn reaping(run: &Run<'_>, count: usize, points: &mut Points<'_>) -> Outcome<()> {
    let (_folder, path) = empty(run)?;
    points.add("reaping all at once", count, reaping_ns(run.plan, &path, count, 1)?, Unit::Nanoseconds);
    Ok(())
}

/// From the death of a process with so many sessions until another session has reaped them all and only that one and the
/// others are `left`. That session beats every millisecond, so that its waiting is no part of the time.
pub fn reaping_ns(plan: &Plan, path: &Path, count: usize, left: usize) -> Outcome<f64> {
    let mut samples = Vec::new();
    for _ in 0..plan.turns_alone.div_ceil(5) {
        let dying = crowd(path, count, 1, NEVER_MS)?;
        let board = Board::options().beat(Duration::from_millis(1)).open(path)?;
        let reaper = board.attach("reaper")?;
        dying[0].kill();
        let died = Instant::now();
        while board.sessions()?.len() > left {
            if died.elapsed() > Duration::from_secs(60) {
                return Err("dead sessions are not reaped within a minute".into());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        samples.push(died.elapsed().as_nanos() as f64);
        drop(reaper);
    }
    Ok(median(&mut samples))
}
