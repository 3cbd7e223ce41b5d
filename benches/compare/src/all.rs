//! Everything: peers take turns with every work, for several rounds, each in a process of its own.

use crate::{
    Outcome,
    folder::Folder,
    peers::{self, NAMES},
    plan::{Plan, option},
    report,
    row::{Placement, Row},
    works::{WORKS, cannot},
};
use signal_hook::{consts::TERM_SIGNALS, iterator::Signals};
use std::{
    collections::HashSet,
    fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A work of a peer that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(180);
/// A run during which the cores moved is made again, so often.
const REPEATS: usize = 2;

/// What went wrong where.
pub struct Failure {
    /// The peer.
    pub peer: String,
    /// The work.
    pub work: String,
    /// What it said.
    pub text: String,
}

/// All results of a run.
#[derive(Default)]
pub struct Results {
    /// In the order in which they came.
    pub rows: Vec<Row>,
    /// Works that ended with an error.
    pub failures: Vec<Failure>,
    /// Peers that are not on this machine, and what to do about it.
    pub absent: Vec<(String, String)>,
    /// How long it took.
    pub time: Duration,
}

/// `peers all`, or the tables of a run that was saved.
pub fn run(options: &[&str]) -> Outcome<()> {
    let plan = Plan::of(options)?;
    let results = match option(options, "--from") {
        Some(file) => read(file)?,
        None => measure(&plan, options)?,
    };
    if let Some(file) = option(options, "--save") {
        let lines: Vec<String> = results.rows.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        fs::write(file, lines.join("\n"))?;
    }
    let write = options.contains(&"--write") || (plan.flag.is_none() && option(options, "--from").is_none());
    let complete = option(options, "--only").is_none() && option(options, "--peers").is_none();
    report::publish(&results, &plan, write && complete)?;
    match results.failures.iter().find(|failure| failure.peer.starts_with("slateboard")) {
        Some(failure) => Err(format!("{}, {}: {}", failure.peer, failure.work, failure.text).into()),
        None => Ok(()),
    }
}

fn read(file: &str) -> Outcome<Results> {
    let rows = fs::read_to_string(file)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok(Results { rows, ..Results::default() })
}

fn measure(plan: &Plan, options: &[&str]) -> Outcome<Results> {
    build_the_command();
    let folder = Folder::new(None)?;
    clean_up_when_interrupted(folder.path())?;
    let mut results = Results::default();
    let jobs = jobs(options, &mut results);
    let (started, mut slow) = (Instant::now(), HashSet::new());
    for round in 0..plan.rounds {
        eprintln!("round {} of {}, after {} s", round + 1, plan.rounds, started.elapsed().as_secs());
        for job @ (peer, work) in &jobs {
            // What fails once is not tried again, and what takes long is done once.
            let failed = results.failures.iter().any(|known| known.peer == *peer && known.work == *work);
            if failed || slow.contains(job) {
                continue;
            }
            let began = Instant::now();
            match settled(peer, work, plan, &folder) {
                Ok(rows) => results.rows.extend(rows),
                Err(error) => {
                    eprintln!("  {peer}, {work}: {error}");
                    let (peer, work) = (peer.to_string(), work.to_string());
                    results.failures.push(Failure { peer, work, text: error.to_string() });
                }
            }
            if began.elapsed() > plan.patience {
                slow.insert(*job);
            }
        }
    }
    top_up(&jobs, &slow, plan, &folder, &mut results);
    results.time = started.elapsed();
    Ok(results)
}

/// Runs works of two processes once more for peers that had no run with near cores while others had: without one they
/// could not be compared.
fn top_up(jobs: &[Job], slow: &HashSet<Job>, plan: &Plan, folder: &Folder, results: &mut Results) {
    let near = |row: &Row| row.placement() == Some(Placement::Near);
    for job @ (peer, work) in jobs.iter().filter(|job| !slow.contains(*job)) {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.work == *work).collect();
        let own: Vec<&&Row> = rows.iter().filter(|row| row.peer == job.0).collect();
        if rows.iter().any(|row| near(row)) && !own.is_empty() && !own.iter().any(|row| near(row)) {
            results.rows.extend(settled(peer, work, plan, folder).unwrap_or_default());
        }
    }
}

/// A peer and a work.
type Job = (&'static str, &'static str);

/// Which peer does which work, one work after the other: peers take turns.
fn jobs(options: &[&str], results: &mut Results) -> Vec<Job> {
    let wanted = |name: &str| {
        let named = option(options, "--peers");
        named.is_none_or(|list| list.split(',').any(|wanted| wanted.trim().eq_ignore_ascii_case(name)))
    };
    let only = option(options, "--only");
    let mut names: Vec<&'static str> = NAMES.into_iter().filter(|name| wanted(name)).collect();
    if names.contains(&"Redis") && !peers::redis::is_installed() {
        let advice = "there is no redis-server here: apt-get install redis-server";
        eprintln!("Redis is left out: {advice}");
        results.absent.push(("Redis".into(), advice.into()));
        names.retain(|name| *name != "Redis");
    }
    let works = WORKS.iter().filter(|work| only.is_none_or(|only| work.name == only));
    works
        .flat_map(|work| names.iter().map(move |peer| (*peer, work.name)))
        .filter(|(peer, work)| cannot(peer, work).is_none())
        .collect()
}

/// A work of a peer; again while the cores move under it.
fn settled(peer: &str, work: &str, plan: &Plan, folder: &Folder) -> Outcome<Vec<Row>> {
    let mut kept = Vec::<Row>::new();
    for _ in 0..=REPEATS {
        let rows = single(peer, work, plan, folder)?;
        let moved = rows.iter().any(|row| row.placement() == Some(Placement::Moved));
        kept.extend(rows.into_iter().filter(|row| row.placement() != Some(Placement::Moved)));
        if !moved {
            break;
        }
    }
    Ok(kept)
}

/// A work of a peer, in a process of its own.
fn single(peer: &str, work: &str, plan: &Plan, folder: &Folder) -> Outcome<Vec<Row>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([peer, work, "--folder"])
        .arg(folder.path())
        .args(plan.flag)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = |mut pipe: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        })
    };
    let out = read(Box::new(out.ok_or("no pipe")?));
    let err = read(Box::new(err.ok_or("no pipe")?));
    let deadline = Instant::now() + LONGEST;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill()?;
                child.wait()?;
                return Err(format!("hangs, ended after {} s", LONGEST.as_secs()).into());
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let said = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (out, err) = (said(out), said(err));
    if !status.success() {
        let last = err.lines().last().unwrap_or("no word").trim_start_matches("peers: ").to_owned();
        return Err(if err.is_empty() { status.to_string() } else { last }.into());
    }
    Ok(out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// The command `slate` beside this program, as the source has it now.
fn build_the_command() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "slateboard-cli"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("`slate` could not be built: if there is one beside this program, that is measured");
    }
}

/// Takes the folder away and ends when the run is interrupted. Processes that it started end by themselves.
fn clean_up_when_interrupted(folder: &Path) -> Outcome<()> {
    let mut signals = Signals::new(TERM_SIGNALS)?;
    let folder = folder.to_owned();
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            Folder::clean(&folder);
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}
