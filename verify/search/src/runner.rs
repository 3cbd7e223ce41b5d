//! The runner: builds the searching program, runs every scenario, then every canary.

use slateboard_mutants::table::{self, Mutant, Tool};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output},
    sync::{
        Mutex,
        mpsc::{Sender, channel},
    },
    thread,
};

const HELP: &str = "\
Every interleaving of a few parties over slateboard's protocol code, a kill at every access, on small boards.

usage: cargo states [--long] [--only NAME] [--no-canaries] [--no-scenarios] [--random PARTIES SEED COUNT]

  --long          all interleavings and every store a step of its own, instead of those with few preemptions
  --only NAME     this scenario or canary alone
  --no-canaries   leave the mutants of the protocol out
  --no-scenarios  the mutants alone
  --random P S N  N random schedules of P parties (1 to 8) with kills, from seed S, instead of the rest

Each scenario says whether its states were all seen (complete) or the limit ended it (cut). The last line is
`N passed, N failed`; the exit status is 1 when one failed.";

/// States after which a scenario is cut: in a quick run, and in a long one.
const STATES: [&str; 2] = ["400000", "60000000"];
/// States within which a canary must be caught.
const CANARY_STATES: &str = "4000000";

struct Options {
    long: bool,
    only: Option<String>,
    canaries: bool,
    scenarios: bool,
    random: Option<[String; 3]>,
}

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprintln!("{reason}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { long: false, only: None, canaries: true, scenarios: true, random: None };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--long" => options.long = true,
            "--no-canaries" => options.canaries = false,
            "--no-scenarios" => options.scenarios = false,
            "--only" => options.only = Some(arguments.next().ok_or("--only needs a name")?),
            "--random" => {
                let mut number = || {
                    let number = arguments.next().filter(|number| number.parse::<u64>().is_ok());
                    number.ok_or("--random needs three numbers: parties, seed, count")
                };
                options.random = Some([number()?, number()?, number()?]);
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(Some(options))
}

/// Runs everything asked for; how many failed.
fn run(options: &Options) -> Result<usize, String> {
    let root = root()?;
    let target = target(&root);
    let program = build(&root, &target, "3")?;
    if let Some(random) = &options.random {
        let status = Command::new(&program).arg("random").args(random).status();
        let good = status.map_err(|error| format!("running the search: {error}"))?.success();
        println!("{} passed, {} failed", u8::from(good), u8::from(!good));
        return Ok(usize::from(!good));
    }
    let listed = output(Command::new(&program).arg("list"))?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let chosen = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    let mut jobs: Vec<Job> = names
        .lines()
        .filter(|name| options.scenarios && chosen(name))
        .map(|name| Job::Scenario(name.to_owned()))
        .collect();
    if options.canaries {
        jobs.extend(mutants().filter(|canary| chosen(canary.name)).map(Job::Canary));
    }
    if jobs.is_empty() {
        return Err(format!("no scenario and no canary has that name; scenarios are\n{names}"));
    }
    let (passed, failed) =
        work(&Runner { root, target, program, long: options.long, building: Mutex::new(()) }, jobs);
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

/// The workspace's folder: this package's parent.
fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run this as `cargo states`")?;
    Path::new(&package)
        .ancestors()
        .nth(2)
        .map(Path::to_owned)
        .ok_or_else(|| "this package has no parent folder".into())
}

/// Where the searching program is built: not where everything else is, so that neither undoes the other.
fn target(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    root.join(target).join("states")
}

fn output(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("running {command:?}: {error}"))
}

/// Builds the searching program of the tree at `root`.
fn build(root: &Path, target: &Path, optimised: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = output(
        Command::new(cargo)
            .args(["build", "--release", "--quiet", "-p", "slateboard-search"])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTFLAGS", "--cfg slate_search")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", optimised)
            .env_remove("CARGO_ENCODED_RUSTFLAGS"),
    )?;
    if built.status.success() {
        Ok(target.join("release").join(format!("states{}", std::env::consts::EXE_SUFFIX)))
    } else {
        Err(format!("the search does not build:\n{}", String::from_utf8_lossy(&built.stderr)))
    }
}

/// The mutants that a scenario must find.
fn mutants() -> impl Iterator<Item = &'static Mutant> {
    table::all().filter(|mutant| mutant.checks_of(Tool::States).next().is_some())
}

enum Job {
    Scenario(String),
    Canary(&'static Mutant),
}

struct Runner {
    root: PathBuf,
    target: PathBuf,
    program: PathBuf,
    long: bool,
    /// One build at a time: they share a target folder.
    building: Mutex<()>,
}

/// Does the jobs, as many at a time as there are processors; counts those that passed and failed.
fn work(runner: &Runner, jobs: Vec<Job>) -> (usize, usize) {
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    let jobs = Mutex::new(jobs.into_iter());
    let (told, tells) = channel();
    thread::scope(|scope| {
        for lane in 0..lanes {
            let (jobs, told) = (&jobs, told.clone());
            scope.spawn(move || lane_of(runner, lane, jobs, &told));
        }
        drop(told);
        let (mut passed, mut failed) = (0, 0);
        for (good, text) in tells {
            println!("{text}");
            *(if good { &mut passed } else { &mut failed }) += 1;
        }
        (passed, failed)
    })
}

fn lane_of(
    runner: &Runner,
    lane: usize,
    jobs: &Mutex<impl Iterator<Item = Job>>,
    told: &Sender<(bool, String)>,
) {
    let mut copy = None;
    loop {
        let job = jobs.lock().ok().and_then(|mut jobs| jobs.next());
        let answer = match job {
            Some(Job::Scenario(name)) => runner.scenario(&name),
            Some(Job::Canary(canary)) => runner.canary(canary, lane, &mut copy),
            None => return,
        };
        let line = match answer {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        if told.send(line).is_err() {
            return;
        }
    }
}

impl Runner {
    fn search(program: &Path, name: &str, limits: [&str; 3]) -> Result<(bool, String), String> {
        let ran = output(Command::new(program).arg("search").args(limits).arg(name))?;
        Ok((ran.status.success(), String::from_utf8_lossy(&ran.stdout).trim_end().to_owned()))
    }

    fn scenario(&self, name: &str) -> Result<String, String> {
        let limits = if self.long { [STATES[1], "true", "all"] } else { [STATES[0], "false", "quick"] };
        let (good, text) = Self::search(&self.program, name, limits)?;
        if good { Ok(text) } else { Err(text) }
    }

    /// Applies the canary to a copy of the tree, and searches until a scenario fails.
    fn canary(
        &self,
        canary: &Mutant,
        lane: usize,
        copy: &mut Option<tempfile::TempDir>,
    ) -> Result<String, String> {
        let name = canary.name;
        let failed = |reason: String| format!("FAILED canary {name}: {reason}");
        let copy = match copy {
            Some(copy) => copy,
            None => {
                copy.insert(copied(&self.root).map_err(|error| failed(format!("copying the tree: {error}")))?)
            }
        };
        let program = self.mutated(canary, lane, copy.path()).map_err(failed)?;
        let mut caught = String::new();
        for scenario in canary.checks_of(Tool::States).map(|check| check.what) {
            let (good, text) =
                Self::search(&program, scenario, [CANARY_STATES, "false", "quick"]).map_err(failed)?;
            if good {
                return Err(failed(format!("survived {scenario}")));
            }
            caught = text.lines().next().unwrap_or_default().trim_start_matches("FAILED ").into();
        }
        Ok(format!("caught canary {name}: {caught}"))
    }

    fn mutated(&self, canary: &Mutant, lane: usize, copy: &Path) -> Result<PathBuf, String> {
        let file = copy.join(canary.file);
        let whole = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", canary.file))?;
        let found = whole.matches(canary.search).count();
        if found != 1 {
            return Err(format!("does not apply: {} has its text {found} times, not once", canary.file));
        }
        let write = |text: &str| fs::write(&file, text).map_err(|error| format!("{}: {error}", canary.file));
        let _one = self.building.lock();
        write(&whole.replace(canary.search, canary.replace))?;
        let built = build(copy, &self.target.join("canaries"), "1");
        write(&whole)?;
        let program = self.target.join(format!("canary-{lane}"));
        fs::copy(built?, &program).map_err(|error| format!("keeping the built program: {error}"))?;
        Ok(program)
    }
}

/// A copy of the sources in a temporary folder.
fn copied(root: &Path) -> io::Result<tempfile::TempDir> {
    let copy = tempfile::tempdir()?;
    copy_folder(root, copy.path())?;
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let skipped = name.to_string_lossy();
        if skipped.starts_with("target") || skipped == ".git" || skipped == ".slate" {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy_folder(&from, &to)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}
