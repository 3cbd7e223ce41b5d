//! Figures of two processes, each on a core of its own.

use crate::{
    Outcome,
    fixture::folder,
    measure::{Plan, median, percentile},
    report::{Figure, Report, Unit},
    roles::{Role, Wire, Wires, pin, poll, raw_increment, raw_trip, read_raw, value_is_whole},
};
use slateboard::{Board, Retry, Session};
use std::{
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Round trips before the first that is timed.
const WARM_UP: usize = 2_000;
/// Repetitions between two looks at the clock.
const STRIDE: u64 = 64;

/// A folder with a board and the wires of the raw limits.
struct Scene {
    session: Session,
    wires: Wires,
    folder: TempDir,
}

impl Scene {
    fn new() -> Outcome<Self> {
        let folder = folder()?;
        let session = Board::create(folder.path().join("board"))?.attach("first")?;
        Ok(Self { session, wires: Wires::create(&folder.path().join("wires"))?, folder })
    }
}

/// The other process. It ends with this value, whatever happens.
struct Partner<'s> {
    child: Child,
    wires: &'s Wires,
}

impl<'s> Partner<'s> {
    /// Starts the role and returns when it is ready.
    fn start(scene: &'s Scene, role: Role, size: usize) -> Outcome<Self> {
        pin(0)?;
        scene.wires.reset();
        let child = Command::new(std::env::current_exe()?)
            .args(["--role", role.name()])
            .arg(scene.folder.path())
            .arg(size.to_string())
            .spawn()?;
        let mut partner = Self { child, wires: &scene.wires };
        while partner.wires.load(Wire::Ready) == 0 {
            partner.still_there()?;
            std::thread::yield_now();
        }
        Ok(partner)
    }

    fn still_there(&mut self) -> Outcome<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the other process ended early: {status}").into()),
        }
    }

    /// Polls until there is an answer, and fails when the partner has ended.
    fn wait<T>(&mut self, mut answer: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
        loop {
            match poll(&mut answer)? {
                Some(answer) => return Ok(answer),
                None => self.still_there()?,
            }
        }
    }

    /// Stops it, and returns what it counted.
    fn stop(mut self) -> Outcome<u64> {
        self.wires.store(Wire::Stop, 1);
        let status = self.child.wait()?;
        let counted = self.wires.load(Wire::Counted);
        if status.success() { Ok(counted) } else { Err(format!("the other process failed: {status}").into()) }
    }
}

impl Drop for Partner<'_> {
    fn drop(&mut self) {
        // Does nothing to one that has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How an update of the board is noticed.
#[derive(Clone, Copy)]
enum Notice {
    Key,
    Generation,
}

/// One way from a put to the other process having the value, as half of a round trip, between two raw
/// ping-pongs of one cache line.
pub fn sync_latency(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let scene = Scene::new()?;
    let mut raw = Vec::new();
    let (mut key, mut generation) = (Vec::new(), Vec::new());
    for _ in 0..plan.pair_rounds {
        raw.push(raw_ping_pong(plan, &scene)?);
        key.push(ping_pong(plan, &scene, Notice::Key)?);
        generation.push(ping_pong(plan, &scene, Notice::Generation)?);
        raw.push(raw_ping_pong(plan, &scene)?);
    }
    let [limit, limit_p99, limit_p999] = medians(&raw);
    for (work, samples) in [("polling a key handle", key), ("polling the generation", generation)] {
        let [value, p99, p999] = medians(&samples);
        report.add(Figure {
            section: "sync",
            work: format!("put 64 B to the value read, {work}"),
            unit: Unit::Nanoseconds,
            value,
            limit_work: "raw ping-pong of a cache line".into(),
            limit,
            tails: Some([p99, p999, limit_p99, limit_p999]),
        });
    }
    Ok(())
}

fn medians(runs: &[[f64; 3]]) -> [f64; 3] {
    [0, 1, 2].map(|at| median(&mut runs.iter().map(|run| run[at]).collect::<Vec<_>>()))
}

fn raw_ping_pong(plan: &Plan, scene: &Scene) -> Outcome<[f64; 3]> {
    let mut partner = Partner::start(scene, Role::RawEcho, 0)?;
    let mut number = 0;
    let times = time_trips(plan, || {
        number += 1;
        scene.wires.store(Wire::Ping, number);
        partner.wait(|| raw_trip(&scene.wires, Wire::Pong, number))
    })?;
    partner.stop()?;
    Ok(times)
}

fn ping_pong(plan: &Plan, scene: &Scene, notice: Notice) -> Outcome<[f64; 3]> {
    let (ping, pong) = (scene.session.key("sync/ping")?, scene.session.key("sync/pong")?);
    let value = [7_u8; 64];
    let mut buffer = Vec::new();
    ping.put(value)?;
    pong.put(value)?;
    let role = match notice {
        Notice::Key => Role::KeyEcho,
        Notice::Generation => Role::GenerationEcho,
    };
    let mut partner = Partner::start(scene, role, value.len())?;
    let mut seen = pong.version()?;
    let times = time_trips(plan, || {
        let own = ping.put(value)?.generation;
        match notice {
            Notice::Key => {
                partner.wait(|| Ok(pong.get_newer_into(seen, &mut buffer)?))?;
                seen += 1;
            }
            Notice::Generation => {
                partner.wait(|| Ok((scene.session.generation() > own).then_some(())))?;
                pong.get_into(&mut buffer)?.ok_or("the answer is gone")?;
            }
        }
        Ok(())
    })?;
    partner.stop()?;
    Ok(times)
}

/// Half of a round trip in nanoseconds: median, 99th and 99.9th percentile. One reading of the clock in each.
fn time_trips(plan: &Plan, mut trip: impl FnMut() -> Outcome<()>) -> Outcome<[f64; 3]> {
    for _ in 0..WARM_UP {
        trip()?;
    }
    let mut times = Vec::with_capacity(plan.trips);
    let mut last = Instant::now();
    for _ in 0..plan.trips {
        trip()?;
        let now = Instant::now();
        times.push((now - last).as_nanos() as u64);
        last = now;
    }
    times.sort_unstable();
    Ok([0.5, 0.99, 0.999].map(|share| percentile(&times, share) / 2.0))
}

/// Two processes raise one counter, through `update` and by a compare-and-swap loop. The sum must be exact.
pub fn contended_increments(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let scene = Scene::new()?;
    let (mut raw, mut board) = (Vec::new(), Vec::new());
    for _ in 0..plan.pair_rounds {
        raw.push(raw_increments(plan, &scene)?);
        board.push(increments(plan, &scene)?);
    }
    report.add(Figure {
        section: "contend",
        work: "increments of one key by two processes, exact".into(),
        unit: Unit::PerSecond,
        value: median(&mut board),
        limit_work: "compare-and-swap loop on one word".into(),
        limit: median(&mut raw),
        tails: None,
    });
    Ok(())
}

fn raw_increments(plan: &Plan, scene: &Scene) -> Outcome<f64> {
    let partner = Partner::start(scene, Role::RawAdder, 0)?;
    let (own, time) = repeat_for(plan, scene, || {
        raw_increment(&scene.wires);
        Ok(())
    })?;
    let all = own + partner.stop()?;
    exact(all, scene.wires.load(Wire::Counter))?;
    Ok(all as f64 / time.as_secs_f64())
}

fn increments(plan: &Plan, scene: &Scene) -> Outcome<f64> {
    let key = "contended/counter";
    scene.session.put(key, 0_u64.to_le_bytes())?;
    let partner = Partner::start(scene, Role::Adder, 0)?;
    let (own, time) = repeat_for(plan, scene, || {
        scene.session.update_with(key, Retry::UNLIMITED, crate::roles::one_more)?;
        Ok(())
    })?;
    let all = own + partner.stop()?;
    let entry = scene.session.get(key)?.ok_or("the counter is gone")?;
    exact(all, u64::from_le_bytes(entry.value.as_slice().try_into()?))?;
    Ok(all as f64 / time.as_secs_f64())
}

fn exact(added: u64, counted: u64) -> Outcome<()> {
    if added == counted { Ok(()) } else { Err(format!("{added} increments counted {counted}").into()) }
}

/// Lets the partner go, repeats for the length of a turn, and returns how often and how long.
fn repeat_for(plan: &Plan, scene: &Scene, mut once: impl FnMut() -> Outcome<()>) -> Outcome<(u64, Duration)> {
    scene.wires.store(Wire::Go, 1);
    let started = Instant::now();
    let mut times = 0;
    while started.elapsed() < plan.pair_turn {
        for _ in 0..STRIDE {
            once()?;
        }
        times += STRIDE;
    }
    Ok((times, started.elapsed()))
}

/// Reads of a key that another process writes without a pause. Every value must be whole.
pub fn reads_beside_a_writer(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let scene = Scene::new()?;
    for (size, label) in [(64, "64 B"), (1 << 10, "1 KiB")] {
        let (mut raw, mut board) = (Vec::new(), Vec::new());
        for _ in 0..plan.pair_rounds {
            raw.push(raw_reads(plan, &scene, size)?);
            board.push(reads(plan, &scene, size)?);
        }
        report.add(Figure {
            section: "beside",
            work: format!("reads of {label} beside a nonstop writer, all whole"),
            unit: Unit::PerSecond,
            value: median(&mut board),
            limit_work: "unprotected copy beside a nonstop writer, many torn".into(),
            limit: median(&mut raw),
            tails: None,
        });
    }
    Ok(())
}

fn raw_reads(plan: &Plan, scene: &Scene, size: usize) -> Outcome<f64> {
    let partner = Partner::start(scene, Role::RawWriter, size)?;
    let mut buffer = Vec::new();
    let mut torn = 0_u64;
    let (times, time) = repeat_for(plan, scene, || {
        read_raw(&scene.wires, size, &mut buffer);
        torn += u64::from(!value_is_whole(&buffer));
        Ok(())
    })?;
    partner.stop()?;
    std::hint::black_box(torn);
    Ok(times as f64 / time.as_secs_f64())
}

fn reads(plan: &Plan, scene: &Scene, size: usize) -> Outcome<f64> {
    let key = scene.session.key("beside/value")?;
    key.put(vec![0; size])?;
    let partner = Partner::start(scene, Role::Writer, size)?;
    let mut buffer = Vec::new();
    let (times, time) = repeat_for(plan, scene, || {
        key.get_into(&mut buffer)?.ok_or("the value is gone")?;
        if value_is_whole(&buffer) { Ok(()) } else { Err("a value is torn".into()) }
    })?;
    partner.stop()?;
    Ok(times as f64 / time.as_secs_f64())
}

/// Where the board of a scene is.
pub fn board_of(folder: &Path) -> Outcome<Session> {
    Ok(Board::open(folder.join("board"))?.attach("second")?)
}
