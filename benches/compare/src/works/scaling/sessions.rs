//! Reads, writes, attaching, beats and reaping over the number of sessions attached.

use crate::{
    Outcome, boards,
    child::{Child, idle_ns_per_s},
    measure::{Plan, Work, interleave, median, shuffled},
    point::Points,
};
use slateboard::{Board, Session};
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
/// Between the beats that are measured.
pub const BEAT_MS: u64 = 20;
/// The same where all beat.
const ALL_BEAT_MS: u64 = 100;
/// No beat within a run.
const NEVER_MS: u64 = 3_600_000;

pub fn measure(plan: &Plan, points: &mut Points) -> Outcome<()> {
    for count in COUNTS {
        operations(plan, count, points)?;
        beats(plan, count, points)?;
        reaping(plan, count, points)?;
    }
    Ok(())
}

/// Processes that hold so many sessions together.
fn crowd(path: &Path, sessions: usize, processes: usize, beat_ms: u64) -> Outcome<Vec<Child>> {
    let start = |number: usize| {
        let share = sessions / processes + usize::from(number < sessions % processes);
        let path = path.to_string_lossy().into_owned();
        Child::start("crowd", &[path, share.to_string(), beat_ms.to_string()])
    };
    (0..processes).map(start).collect()
}

fn board(folder: &Path, records: u64, beat_ms: u64) -> Outcome<(Board, std::path::PathBuf)> {
    let path = folder.join("board");
    let options = Board::options().sessions(records).beat(Duration::from_millis(beat_ms));
    Ok((options.create(&path)?, path))
}

/// A thousand keys and a full history.
fn filled(session: &Session) -> Outcome<Vec<slateboard::KeyHandle>> {
    let names: Vec<String> = (0..KEYS).map(|number| format!("many/{number:04}")).collect();
    for number in 0..17_000 {
        session.put(&names[number % KEYS], [b'v'; 64])?;
    }
    Ok(names.iter().map(|name| session.key(name)).collect::<slateboard::Result<Vec<_>>>()?)
}

/// get, put, attach and detach beside sessions that do nothing; put again on a board with no more records than that.
fn operations(plan: &Plan, count: usize, points: &mut Points) -> Outcome<()> {
    let (folder, small) = (boards::folder()?, boards::folder()?);
    let (board, path) = board(folder.path(), RECORDS, NEVER_MS)?;
    let session = board.attach("measures")?;
    let keys = filled(&session)?;
    let (fitting, _) = self::board(small.path(), count as u64 + 2, NEVER_MS)?;
    let fitting = fitting.attach("measures")?;
    let fitting_keys = filled(&fitting)?;
    let _crowd = crowd(&path, count, count.min(PROCESSES_MAX), NEVER_MS)?;
    let order = shuffled(KEYS);
    let at = |number: usize| order[number % KEYS] as usize;
    let mut buffer = Vec::new();
    let figures = interleave(
        plan,
        [
            Work::new(|number| {
                keys[at(number)].get_into(&mut buffer)?.ok_or("a key is gone")?;
                Ok(())
            }),
            Work::new(|number| {
                keys[at(number)].put([b'v'; 64])?;
                Ok(())
            }),
            Work::new(|number| {
                fitting_keys[at(number)].put([b'v'; 64])?;
                Ok(())
            }),
            Work::on_the_wall(|_| {
                board.attach("visitor")?.detach();
                Ok(())
            }),
            Work::on_the_wall(|_| {
                std::thread::Builder::new().spawn(|| {})?.join().map_err(|_| "the thread panicked")?;
                Ok(())
            }),
        ],
    )?;
    points.add("get 64 B", count, figures[0], "ns");
    points.add("put 64 B", count, figures[1], "ns");
    points.add("put 64 B, no spare records", count, figures[2], "ns");
    points.add("attach and detach", count, figures[3], "ns");
    points.add_raw("a thread started and joined", count, figures[4], "ns");
    Ok(())
}

/// Processor time of one beat, beside sessions of the same process and of others.
fn beats(plan: &Plan, count: usize, points: &mut Points) -> Outcome<()> {
    let folder = boards::folder()?;
    let (_board, path) = board(folder.path(), RECORDS, NEVER_MS)?;
    let mut one = crowd(&path, count, 1, ALL_BEAT_MS)?;
    let beat_ns = ns_of_each(plan, &mut one, ALL_BEAT_MS)? / count as f64;
    points.add("beat, all in one process", count, beat_ns, "ns");
    drop(one);
    // Of those in other processes none beats but the two that are measured: the first one is elected.
    let others = crowd(&path, count - 1, (count - 1).min(PROCESSES_MAX), NEVER_MS)?;
    let mut elected = crowd(&path, 1, 1, BEAT_MS)?;
    let elected_ns = beat_ns_of(plan, &mut elected)?;
    points.add("beat, others in 16 processes", count, elected_ns, "ns");
    let other_ns = beat_ns_of(plan, &mut crowd(&path, 1, 1, BEAT_MS)?)?;
    points.add("the same, not elected", count, other_ns, "ns");
    let all_ns = elected_ns + other_ns * (count - 1) as f64;
    points.add("beats of all, others in 16 processes", count, all_ns / 1e7, "%");
    drop((elected, others));
    let mut sleeper = [Child::start("sleepers", &["1".into(), BEAT_MS.to_string()])?];
    points.add_raw("a thread that wakes", count, beat_ns_of(plan, &mut sleeper)?, "ns");
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
fn reaping(plan: &Plan, count: usize, points: &mut Points) -> Outcome<()> {
    let folder = boards::folder()?;
    let (_board, path) = board(folder.path(), RECORDS, NEVER_MS)?;
    points.add("reaping all at once", count, reaping_ns(plan, &path, count, 1)?, "ns");
    Ok(())
}

/// From the death of a process with so many sessions until a session that beats every millisecond, so that its waiting
/// is no part of it, has reaped them all and only it and the others are `left`.
pub fn reaping_ns(plan: &Plan, path: &Path, count: usize, left: usize) -> Outcome<f64> {
    let mut samples = Vec::new();
    for _ in 0..if plan.quick { 1 } else { 5 } {
        let mut dying = crowd(path, count, 1, NEVER_MS)?;
        let board = Board::options().beat(Duration::from_millis(1)).open(path)?;
        let reaper = board.attach("reaper")?;
        dying[0].kill()?;
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
