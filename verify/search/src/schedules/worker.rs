//! The program that the runner builds: runs schedules of one family, or one schedule again with every access
//! noted.

use super::{
    actor,
    family::{self, Family},
    table::{Driver, Table, Tally},
};
use shuttle::{
    Config, FailurePersistence, Runner,
    scheduler::{PctScheduler, RandomScheduler},
};
use slateboard::sync::search::stepped;
use std::{
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Schedules from which on a run must have seen deaths of all kinds.
const ENOUGH: u64 = 400;
/// Schedules of one scheduler: a schedule is found again by running those before it.
const BATCH: u64 = 500;

/// Who decides who moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Anybody, at any time.
    Random,
    /// The one of the highest priority; priorities change at few random points.
    Pct,
}

/// Schedules of one family.
struct Job {
    family: &'static Family,
    order: Order,
    actors: usize,
    seed: u64,
    count: u64,
}

/// A schedule that failed: which of the job's it was, and why.
struct Found {
    index: u64,
    reason: String,
}

/// `list` names the families. `run FAMILY ORDER ACTORS SEED COUNT` runs schedules and prints a line, and the
/// accesses of the one that failed; `replay FAMILY ORDER ACTORS SEED INDEX` prints the accesses of one.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let good = match words.as_slice() {
        ["list"] => {
            family::ALL.iter().for_each(|family| println!("{} {}", family.name, family.about));
            Some(true)
        }
        ["run", rest @ ..] => job(rest).map(|job| report(&job)),
        ["replay", rest @ ..] => job(rest).map(|job| replay(&Job { count: job.count + 1, ..job })),
        _ => None,
    };
    match good {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => {
            eprintln!("this program is run by `cargo schedules`");
            ExitCode::from(2)
        }
    }
}

fn job(words: &[&str]) -> Option<Job> {
    let [family, order, actors, seed, count] = *words else { return None };
    let order = match order {
        "random" => Order::Random,
        "pct" => Order::Pct,
        _ => return None,
    };
    let (actors, seed, count) = (actors.parse().ok()?, seed.parse().ok()?, count.parse().ok()?);
    Some(Job { family: family::named(family)?, order, actors, seed, count })
}

/// Runs the job in batches, of four to eight actors where it says no number; whether it passed.
fn report(job: &Job) -> bool {
    let name = format!("{} {}", job.family.name, job.order.name());
    let mut tally = Tally::default();
    for batch in 0..job.count.div_ceil(BATCH) {
        let actors = if job.actors == 0 { 4 + batch as usize % 5 } else { job.actors };
        let (seed, count) = (job.seed.wrapping_add(batch), BATCH.min(job.count - batch * BATCH));
        let found = match run(&Job { actors, seed, count, ..*job }, None) {
            Ok((seen, found, _)) => {
                tally.add(&seen);
                found
            }
            Err(reason) => Some(Found { index: 0, reason }),
        };
        if let Some(Found { index, reason }) = found {
            println!("FAILED {name}, schedule {}: {reason}", batch * BATCH + index);
            println!("    again: cargo schedules --replay {name} {actors} {seed} {index}");
            return false;
        }
    }
    if let Some(unseen) = unseen(&tally).filter(|_| job.count >= ENOUGH) {
        println!("UNSEEN {name}: {} schedules saw {unseen}: {tally:?}", job.count);
        return false;
    }
    println!("ok {name}: {}", line(&tally));
    true
}

/// Runs the job up to its last schedule, and prints what happened in that one; whether it passed.
fn replay(job: &Job) -> bool {
    let ran = run(job, Some(job.count - 1));
    match ran {
        Ok((_, found, trace)) => {
            trace.iter().for_each(|line| println!("{line}"));
            match &found {
                Some(found) => println!("FAILED schedule {}: {}", found.index, found.reason),
                None => println!("ok schedule {}", job.count - 1),
            }
            found.is_none()
        }
        Err(reason) => {
            println!("FAILED {reason}");
            false
        }
    }
}

/// What enough schedules must have shown, and did not.
fn unseen(tally: &Tally) -> Option<&'static str> {
    let seen = [
        (tally.kills, "no kill"),
        (tally.reaped, "no reap"),
        (tally.reapers_killed, "no reaper killed"),
        (tally.returns, "no record used again"),
        (tally.events, "no event"),
    ];
    seen.into_iter().find(|(count, _)| *count == 0).map(|(_, unseen)| unseen)
}

fn line(tally: &Tally) -> String {
    let Tally { schedules, accesses, events, answers, conflicts, full, lagged, .. } = tally;
    let Tally { kills, reapers_killed, reaped, returns, .. } = tally;
    format!(
        "{schedules} schedules, {accesses} accesses, {events} events, {kills} kills ({reapers_killed} of reapers), \
         {reaped} reaps, {returns} returns, {answers} answers ({conflicts} conflicts, {full} full, {lagged} lagged)"
    )
}

/// The tally, the failed schedule, and the accesses of the one that was to be traced.
type Ran = (Tally, Option<Found>, Vec<String>);

/// Runs the schedules until one fails.
fn run(job: &Job, traced: Option<u64>) -> Result<Ran, String> {
    let table = Arc::new(Table::new(job.family, job.actors, job.order == Order::Pct)?);
    let ended = Arc::new(Mutex::new((None, Vec::new())));
    let (body_table, body_ended, index) = (table.clone(), ended.clone(), AtomicU64::new(0));
    let body = move || {
        let mut ended = body_ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.0.is_some() {
            return;
        }
        let index = index.fetch_add(1, Relaxed);
        if let Some(reason) = one(&body_table, traced == Some(index)) {
            ended.0 = Some(Found { index, reason });
        }
        if traced == Some(index) {
            ended.1 = body_table.trace();
        }
    };
    let count = usize::try_from(job.count).map_err(|_| "too many schedules")?;
    match job.order {
        Order::Random => Runner::new(RandomScheduler::new_from_seed(job.seed, count), config()).run(body),
        Order::Pct => {
            let depth = 2 + job.seed as usize % 5;
            Runner::new(PctScheduler::new_from_seed(job.seed, depth, count), config()).run(body)
        }
    };
    let (found, trace) = std::mem::take(&mut *ended.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((table.tally(), found, trace))
}

fn config() -> Config {
    let mut config = Config::new();
    // A schedule is found again by its seed and its number.
    config.failure_persistence = FailurePersistence::None;
    // That orderings are not modelled is said where schedules are described.
    config.silence_warnings = true;
    config
}

/// One schedule, to its end and the checks there; why it failed.
fn one(table: &Arc<Table>, traced: bool) -> Option<String> {
    table.begin(traced);
    stepped(Rc::new(Driver::new(table.clone())), || {
        actor::prepare(table);
        let spawn = |seat| {
            let table = table.clone();
            shuttle::thread::spawn(move || actor::live(&table, seat))
        };
        let actors: Vec<_> = (0..table.actors).map(spawn).collect();
        for actor in actors {
            if actor.join().is_err() {
                table.fail("ended by a panic".into());
            }
        }
        actor::clean_up(table);
    });
    table.count();
    table.failure()
}

impl Order {
    fn name(self) -> &'static str {
        match self {
            Order::Random => "random",
            Order::Pct => "pct",
        }
    }
}
