//! All works of all peers. Peers take turns with every work, for several rounds, each in its own process.

use crate::{
    Options, Outcome,
    folder::Folder,
    peers::{self, NAMES},
    plan::Plan,
    report::{self, Book},
    row::{Placement, Row},
    works::{WORKS, Work, cannot},
};
use std::{
    collections::HashSet,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A work of a peer that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(180);
/// The same of a work of the board alone, which has many points.
const LONGEST_ALONE: Duration = Duration::from_secs(1_800);
/// A run during which the cores moved is made again, so often.
const REPEATS: usize = 2;

/// A work that failed.
pub struct Failure {
    /// The peer.
    pub peer: String,
    /// The work.
    pub work: String,
    /// Its error.
    pub text: String,
}

/// All results of a run.
#[derive(Default)]
pub struct Results {
    /// In the order in which they came.
    pub rows: Vec<Row>,
    /// Works that ended with an error.
    pub failures: Vec<Failure>,
    /// Peers that are not installed on this machine, and how to install them.
    pub absent: Vec<(String, String)>,
    /// How long it took.
    pub time: Duration,
}

/// `peers all`: measures, or reads what was measured; then prints, saves and writes what the options say.
pub fn run(options: &Options) -> Outcome<()> {
    if options.write && options.peers.is_some() {
        return Err("docs/ has every peer of a work: use --write without --peers".into());
    }
    let (book, failure) = match &options.from {
        Some(file) => (Book::read(file)?, None),
        None => {
            let results = measure(options)?;
            let failure = results.failures.iter().find(|failure| failure.peer.starts_with(peers::OURS));
            let text = failure.map(|failure| format!("{}, {}: {}", failure.peer, failure.work, failure.text));
            (Book::of(&results, &options.plan), text)
        }
    };
    report::print(&book);
    if let Some(file) = &options.save {
        Book::read_or_new(file)?.replaced_by(book.clone()).write(file)?;
    }
    let full = options.plan.flag.is_none() && options.peers.is_none() && options.from.is_none();
    if options.write || full {
        report::write(book)?;
    }
    failure.map_or(Ok(()), |text| Err(text.into()))
}

fn measure(options: &Options) -> Outcome<Results> {
    build_the_command();
    let folder = Folder::new(None)?;
    let _janitor = folder.have_janitor()?;
    let plan = &options.plan;
    let mut results = Results::default();
    let jobs = jobs(options, &mut results)?;
    let (started, mut slow) = (Instant::now(), HashSet::new());
    for round in 0..plan.rounds {
        eprintln!("round {} of {}, after {} s", round + 1, plan.rounds, started.elapsed().as_secs());
        for job @ (peer, work) in &jobs {
            // A work that failed is not tried again, and one that takes long is done once.
            let failed = results.failures.iter().any(|known| known.peer == *peer && known.work == work.name);
            if failed || slow.contains(job) {
                continue;
            }
            let began = Instant::now();
            match settled(peer, work, plan, &folder) {
                Ok(rows) => results.rows.extend(rows),
                Err(error) => {
                    eprintln!("  {peer}, {}: {error}", work.name);
                    let (peer, work) = (peer.to_string(), work.name.to_owned());
                    results.failures.push(Failure { peer, work, text: error.to_string() });
                }
            }
            if work.alone || began.elapsed() > plan.patience {
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
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.work == work.name).collect();
        let own: Vec<&&Row> = rows.iter().filter(|row| row.peer == job.0).collect();
        if rows.iter().any(|row| near(row)) && !own.is_empty() && !own.iter().any(|row| near(row)) {
            results.rows.extend(settled(peer, work, plan, folder).unwrap_or_default());
        }
    }
}

/// A peer and a work.
type Job = (&'static str, &'static Work);

/// Which peer does which work, one work after the other: peers take turns.
fn jobs(options: &Options, results: &mut Results) -> Outcome<Vec<Job>> {
    let has = |list: &Option<String>, is: &dyn Fn(&str) -> bool| {
        list.as_ref().is_none_or(|list| list.split(',').any(|wanted| is(wanted.trim())))
    };
    let bare = |name: &str| name.replace(',', "");
    let wanted = |name: &&str| has(&options.peers, &|wanted| bare(name).eq_ignore_ascii_case(wanted));
    let mut names: Vec<&'static str> = NAMES.into_iter().filter(wanted).collect();
    if names.contains(&"Redis") && !peers::redis::is_installed() {
        let advice = "there is no redis-server here: apt-get install redis-server";
        eprintln!("Redis is left out: {advice}");
        results.absent.push(("Redis".into(), advice.into()));
        names.retain(|name| *name != "Redis");
    }
    let works = WORKS.iter().filter(|work| has(&options.only, &|text| work.name.contains(text)));
    let jobs: Vec<Job> = works
        .flat_map(|work| names.iter().map(move |peer| (*peer, work)))
        .filter(|(peer, work)| cannot(peer, work).is_none())
        .collect();
    if jobs.is_empty() { Err("no such peer, or no such work; see `peers list`".into()) } else { Ok(jobs) }
}

/// A work of a peer; again while the cores move under it.
fn settled(peer: &str, work: &Work, plan: &Plan, folder: &Folder) -> Outcome<Vec<Row>> {
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
fn single(peer: &str, work: &Work, plan: &Plan, folder: &Folder) -> Outcome<Vec<Row>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([peer, work.name, "--folder"])
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
    let longest = if work.alone { LONGEST_ALONE } else { LONGEST };
    let deadline = Instant::now() + longest;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill()?;
                child.wait()?;
                return Err(format!("hangs, ended after {} s", longest.as_secs()).into());
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
