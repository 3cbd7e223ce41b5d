//! How long a put takes to reach those who wait for it, and what waiting takes while nothing comes.

use super::{Points, over};
use crate::{
    Outcome,
    child::{self, Child, idle_ns_per_s},
    local::now_ns,
    plan::Plan,
    row::{Row, Unit, median, percentile},
    works::Run,
};
use slateboard::{Board, Session};
use std::{
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

const COUNTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const PROCESSES_MAX: usize = 8;
/// Time between two puts, after which all are asleep again.
const PAUSE: Duration = Duration::from_millis(4);

pub fn run(run: &Run<'_>) -> Outcome<Vec<Row>> {
    over(run, &COUNTS, |run, count, points| {
        for wait in ["Sleep", "Adaptive"] {
            woken(run, count, wait, points)?;
        }
        raw(run.plan, count, points)
    })
}

fn woken(run: &Run<'_>, count: usize, wait: &str, points: &mut Points<'_>) -> Outcome<()> {
    let plan = run.plan;
    let folder = tempfile::tempdir_in(run.folder.path())?;
    let path = folder.path().join("board");
    let session = Board::create(&path)?.attach("waker")?;
    let processes = count.min(PROCESSES_MAX);
    let start = |number: usize| {
        let share = count / processes + usize::from(number < count % processes);
        child::ready("waiters", [&*path.to_string_lossy(), &share.to_string(), wait])
    };
    let mut waiters = (0..processes).map(start).collect::<Outcome<Vec<Child>>>()?;
    thread::sleep(10 * PAUSE);
    let idle_ns = idle_ns_per_s(&mut waiters, plan.idle)?;
    let mut puts = puts(plan, &session)?;
    let mut latencies = Vec::new();
    for waiter in &mut waiters {
        for latency in waiter.ask("latencies")?.split(' ') {
            latencies.push(latency.parse().map_err(|_| "a waiter has seen no put")?);
        }
    }
    if latencies.len() != count * plan.wakes {
        return Err(format!("{} of {} waits ended", latencies.len(), count * plan.wakes).into());
    }
    points.add(&format!("{wait}, half of all awake"), count, median(&mut latencies), Unit::Nanoseconds);
    points.add(&format!("{wait}, 99 % awake"), count, percentile(&latencies, 0.99), Unit::Nanoseconds);
    points.add(&format!("the put that wakes, {wait}"), count, median(&mut puts), Unit::Nanoseconds);
    points.add(&format!("idle, {wait}"), count, idle_ns / 1e7, Unit::Percent);
    if waiters.iter_mut().all(Child::ends_well) { Ok(()) } else { Err("a waiter failed".into()) }
}

/// Puts the time, again and again, and returns how long each put took.
fn puts(plan: &Plan, session: &Session) -> Outcome<Vec<f64>> {
    let mut took = Vec::new();
    for _ in 0..plan.wakes {
        let started_ns = now_ns();
        session.put("wake/1", started_ns.to_le_bytes())?;
        took.push((now_ns() - started_ns) as f64);
        thread::sleep(PAUSE);
    }
    // The last are on their way.
    thread::sleep(25 * PAUSE);
    Ok(took)
}

/// A word, and threads that sleep until it changes.
#[derive(Default)]
struct Bell {
    time_ns: Mutex<u64>,
    rung: Condvar,
    seen: Mutex<Vec<f64>>,
}

impl Bell {
    /// Until the time is 0.
    fn wait(&self) -> Option<()> {
        let mut last_ns = 1;
        loop {
            let time_ns = self.time_ns.lock().ok()?;
            let time_ns = *self.rung.wait_while(time_ns, |time_ns| *time_ns == last_ns).ok()?;
            if time_ns == 0 {
                return Some(());
            }
            self.seen.lock().ok()?.push((now_ns() - time_ns) as f64);
            last_ns = time_ns;
        }
    }

    fn ring(&self, time_ns: u64) -> Outcome<()> {
        *self.time_ns.lock().map_err(|_| "a thread panicked")? = time_ns;
        self.rung.notify_all();
        Ok(())
    }
}

/// As many threads of one process on a condition variable, and as many that wake once a second.
fn raw(plan: &Plan, count: usize, points: &mut Points<'_>) -> Outcome<()> {
    let bell = Arc::new(Bell { time_ns: Mutex::new(1), ..Bell::default() });
    let threads: Vec<_> = (0..count)
        .map(|_| {
            thread::spawn({
                let bell = Arc::clone(&bell);
                move || bell.wait()
            })
        })
        .collect();
    for _ in 0..plan.wakes {
        thread::sleep(PAUSE);
        bell.ring(now_ns())?;
    }
    thread::sleep(25 * PAUSE);
    bell.ring(0)?;
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")?;
    }
    let mut seen = std::mem::take(&mut *bell.seen.lock().map_err(|_| "a thread panicked")?);
    points.add_raw("condition variable, half of all awake", count, median(&mut seen), Unit::Nanoseconds);
    points.add_raw("condition variable, 99 % awake", count, percentile(&seen, 0.99), Unit::Nanoseconds);
    let mut sleepers = [child::ready("sleepers", [&*count.to_string(), "1000"])?];
    points.add_raw(
        "threads that wake once a second",
        count,
        idle_ns_per_s(&mut sleepers, plan.idle)? / 1e7,
        Unit::Percent,
    );
    Ok(())
}
