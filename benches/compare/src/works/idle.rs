//! Waiters for whom nothing happens: what they cost, and whether they wake when something does.

use super::Run;
use crate::{
    Outcome,
    folder::Folder,
    local::time,
    pair::{Partner, Role, Second},
    peers::{Peer, Place, Shape, WAITERS, name, value},
    row::{Row, Unit},
    wires::Wire,
};
use rustix::time::ClockId;
use serde_json::{Value, json};
use slateboard::Board;
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// What everybody waits for.
const KEY: usize = 0;

/// The first process keeps the store, and wakes them at the end.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let mut rows = vec![waiters::<P>(run, "idle", "each attached by itself")?];
    if P::NAME == "slateboard" {
        rows.push(waiters::<P>(run, "idle together", "threads of one session")?);
    }
    Ok(rows)
}

fn waiters<P: Peer>(run: &Run<'_>, role: &str, what: &str) -> Outcome<Row> {
    let shape = Shape::new(P::KEYS, run.size);
    let inner = Folder::new(Some(&run.folder.path().to_string_lossy()))?;
    let peer = P::create(Place { folder: &inner, part: "a" }, shape)?;
    let number = peer.server().map_or(0, |server| server as usize);
    let partner = Partner::start(run.plan, Role { peer: P::NAME, role, shape, folder: &inner, number })?;
    partner.go();
    while partner.wires.load(Wire::Counted) == 0 {
        if partner.is_lost() {
            return Err("the waiters ended early".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    peer.wake(&name(KEY), &value(1, run.size))?;
    let share = partner.finish()?.said["percent"].as_f64().ok_or("no share")?;
    Ok(Row::new(P::NAME, run.work, format!("{WAITERS} waiters, {what}"), Unit::Percent, share))
}

/// The second process is all of the waiters: threads, each attached by itself.
pub fn apart<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let (place, shape) = (second.place("a"), second.shape);
    watch(second, &|| P::open(place, shape)?.wait(&name(KEY)))
}

/// The same with a board of which all threads share one session.
pub fn together(second: &Second<'_>) -> Outcome<Value> {
    let session = Board::open(second.place("a").file(".board"))?.attach("waiters")?;
    watch(second, &|| {
        let key = session.key(&name(KEY))?;
        key.wait_newer(key.version()?, Duration::from_secs(30))?;
        Ok(())
    })
}

/// What they use while they sleep; then all must wake.
fn watch(second: &Second<'_>, wait: &(dyn Fn() -> Outcome<()> + Sync)) -> Outcome<Value> {
    thread::scope(|scope| {
        let one = move || wait().map_err(|error| error.to_string());
        let waiters: Vec<_> = (0..WAITERS).map(|_| scope.spawn(one)).collect();
        second.ready()?;
        // Until all are asleep.
        thread::sleep(Duration::from_millis(500));
        let (started, before) = (Instant::now(), used(second.number));
        thread::sleep(second.plan.idle);
        let share = (used(second.number) - before).as_secs_f64() / started.elapsed().as_secs_f64();
        second.wires.store(Wire::Counted, 1);
        for waiter in waiters {
            waiter.join().map_err(|_| "a waiter panicked")??;
        }
        Ok(json!({ "percent": share * 100.0 }))
    })
}

/// Time on any core of this process and of the peer's server.
fn used(server: usize) -> Duration {
    let of_server = |task: fs::DirEntry| {
        let times = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let first = times.split_whitespace().next().and_then(|time| time.parse().ok());
        Duration::from_nanos(first.unwrap_or(0))
    };
    let tasks = fs::read_dir(format!("/proc/{server}/task"));
    let server: Duration = tasks.into_iter().flatten().flatten().map(of_server).sum();
    time(ClockId::ProcessCPUTime) + server
}
