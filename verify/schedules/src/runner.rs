//! The runner: builds the program of the schedules, runs every family in every order, then every mutant.

use crate::options::{HELP, Options};
use slateboard_mutants::{
    table::{self, Mutant, Tool},
    tree::Tree,
};
use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Who decides who moves.
const ORDERS: [&str; 2] = ["random", "pct"];
/// Four to eight actors.
const ANY_ACTORS: u64 = 0;
/// Schedules of a family in an order within which a mutant must be caught.
const MUTANT_SCHEDULES: u64 = 40_000;
/// Where a mutant's random numbers come from: it must be caught every time.
const MUTANT_SEED: u64 = 1;

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    let fresh = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64 >> 10);
    let options = match Options::parse(std::env::args().skip(1), fresh) {
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
            eprintln!("schedules: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// How many passed and how many failed.
#[derive(Default)]
struct Score {
    passed: usize,
    failed: usize,
}

impl Score {
    fn line(&mut self, passed: bool, text: &str) {
        println!("{text}");
        *if passed { &mut self.passed } else { &mut self.failed } += 1;
    }
}

/// Runs everything asked for; how many failed.
fn run(options: &Options) -> Result<usize, String> {
    let (root, target) = (root()?, target()?);
    let program = Program::build(&root, &target)?.kept_as(&target.join("schedules"))?;
    if let Some(words) = &options.replay {
        let status = Command::new(&program.0).arg("replay").args(words).status();
        return Ok(usize::from(
            !status.map_err(|error| format!("cannot run the schedules: {error}"))?.success(),
        ));
    }
    let score = Mutex::new(Score::default());
    let line = |passed: bool, text: &str| {
        score.lock().unwrap_or_else(PoisonError::into_inner).line(passed, text);
    };
    run_families(options, &program, &line)?;
    if options.mutants {
        run_mutants(options, &root, &target, &line)?;
    }
    let Score { passed, failed } = *score.lock().unwrap_or_else(PoisonError::into_inner);
    if passed + failed == 0 {
        return Err("no family and no mutant has that name".into());
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

/// The folder of the workspace: cargo tells where this package is.
fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run this as `cargo schedules`")?;
    let root = Path::new(&package).ancestors().nth(2).ok_or("the package has no workspace around it")?;
    Ok(root.to_path_buf())
}

/// A build folder of its own beside that of this program: other flags would rebuild everything.
fn target() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let target = program.ancestors().nth(2).ok_or("this program is not in a build folder")?;
    Ok(target.join("schedules"))
}

/// The built program of the schedules.
struct Program(PathBuf);

impl Program {
    fn build(root: &Path, target: &Path) -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(root)
            .args(["build", "--quiet", "--profile", "models", "--package", "slateboard-schedules"])
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTFLAGS", "--cfg slate_search --cfg slate_whole --cap-lints allow")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        let built = output(&mut command)?;
        if built.status.success() {
            Ok(Self(target.join("models").join("schedules")))
        } else {
            Err(format!("does not compile:\n{}", String::from_utf8_lossy(&built.stderr)))
        }
    }

    /// Copies the program, so that the next build does not replace it.
    fn kept_as(self, path: &Path) -> Result<Self, String> {
        fs::copy(&self.0, path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self(path.to_path_buf()))
    }

    /// Runs schedules until one fails; whether all passed, and what was printed.
    fn schedules(
        &self,
        family: &str,
        order: &str,
        actors: u64,
        seed: u64,
        count: u64,
    ) -> Result<(bool, String), String> {
        let mut command = Command::new(&self.0);
        command.args(["run", family, order]).args([actors, seed, count].map(|number| number.to_string()));
        let ran = output(&mut command)?;
        let text = String::from_utf8_lossy(&ran.stdout).trim_end().to_owned();
        if text.starts_with(if ran.status.success() { "ok " } else { "FAILED " }) {
            return Ok((ran.status.success(), text));
        }
        Err(format!("ended with {}: {text} {}", ran.status, String::from_utf8_lossy(&ran.stderr)))
    }
}

fn output(command: &mut Command) -> Result<Output, String> {
    command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {command:?}: {error}"))
}

fn run_families(
    options: &Options,
    program: &Program,
    line: &(impl Fn(bool, &str) + Sync),
) -> Result<(), String> {
    let listed = output(Command::new(&program.0).arg("list"))?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let families =
        listed.lines().filter_map(|line| line.split(' ').next()).filter(|name| options.wants(name));
    let jobs: VecDeque<(&str, &str)> =
        families.flat_map(|family| ORDERS.map(|order| (family, order))).collect();
    if !jobs.is_empty() {
        println!("seed {}", options.seed);
    }
    let queue = Mutex::new(jobs);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        while let Some((family, order)) = next() {
            match program.schedules(family, order, options.actors, options.seed, options.schedules) {
                Ok((good, text)) => line(good, &text),
                Err(text) => line(false, &format!("FAILED {family} {order}: {text}")),
            }
        }
    };
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..lanes).for_each(|_| drop(scope.spawn(work))));
    Ok(())
}

/// Builds mutants one after the other, and runs each while the next is built.
fn run_mutants(
    options: &Options,
    root: &Path,
    target: &Path,
    line: &(impl Fn(bool, &str) + Sync),
) -> Result<(), String> {
    let asked = |mutant: &&Mutant| {
        let named = !options.only.is_empty() || options.long;
        options.wants(mutant.name) && mutant.checks_of(Tool::Schedules).any(|check| !check.long || named)
    };
    let wanted: Vec<&Mutant> = table::all().filter(asked).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let tree = Tree::copy(root, &target.join("tree"))?;
    thread::scope(|scope| {
        for mutant in wanted {
            match build_mutant(&tree, target, mutant) {
                Err(text) => line(false, &format!("FAILED mutant {}: {text}", mutant.name)),
                Ok(program) => drop(scope.spawn(move || {
                    let judged = judge(&program, mutant);
                    // Left behind it costs disk space in the build folder only.
                    let _ = fs::remove_file(&program.0);
                    match judged {
                        Ok(text) => line(true, &format!("caught mutant {}: {text}", mutant.name)),
                        Err(text) => line(false, &format!("FAILED mutant {}: {text}", mutant.name)),
                    }
                })),
            }
        }
    });
    Ok(())
}

fn build_mutant(tree: &Tree, target: &Path, mutant: &Mutant) -> Result<Program, String> {
    let changed = tree.replace(mutant.file, mutant.search, mutant.replace)?;
    let built = Program::build(tree.root(), target);
    changed.restore()?;
    let name = mutant.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    built?.kept_as(&target.join(format!("schedules-{name}")))
}

/// Runs the mutant's families until a schedule fails, and says which.
fn judge(program: &Program, mutant: &Mutant) -> Result<String, String> {
    let families: Vec<&str> = mutant.checks_of(Tool::Schedules).map(|check| check.what).collect();
    for family in &families {
        for order in ORDERS {
            let (good, text) = program.schedules(family, order, ANY_ACTORS, MUTANT_SEED, MUTANT_SCHEDULES)?;
            if !good {
                let first = text.lines().next().unwrap_or_default().trim_start_matches("FAILED ");
                return Ok(shortened(first));
            }
        }
    }
    Err(format!("survived {MUTANT_SCHEDULES} schedules of {families:?} in each order"))
}

/// What fits a line or two.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
