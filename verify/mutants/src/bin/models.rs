//! `cargo models [--long] [--only TEXT]... [--no-mutants] [--find TEXT]`: every model must pass, every mutant must
//! fail, and so must every flaw of a single access that `docs/atomics.md` gives to a model.
//!
//! A mutant is a textual replacement in a copy of the tree, after which the models named beside it must
//! fail in an execution. One whose text is not found exactly once, that does not compile, or that survives
//! is a failure. The flaws of single accesses are in one copy, and a run turns one on. `--find` says of accesses
//! whose names have the text which models fall to their flaws. The last line is `N passed, N failed`.

#[path = "../accesses.rs"]
mod accesses;
#[path = "../cargo.rs"]
mod cargo;
#[path = "../each.rs"]
mod each;
#[path = "../list.rs"]
mod list;
#[path = "../../../../tests/tidy/text.rs"]
#[cfg_attr(not(test), expect(dead_code, reason = "the rules of the repository use the rest"))]
mod text;

use cargo::{Suite, Verdict};
use each::Flaw;
use slateboard_mutants::{
    table::{self, Mutant, Tool},
    tree::Tree,
};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
};

/// What to do, from the command line.
#[derive(Default)]
struct Options {
    long: bool,
    no_mutants: bool,
    only: Vec<String>,
    find: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--long" => options.long = true,
                "--no-mutants" => options.no_mutants = true,
                "--only" => options.only.push(arguments.next().ok_or("--only needs a part of a name")?),
                "--find" => options.find = Some(arguments.next().ok_or("--find needs a part of a name")?),
                _ => {
                    let known = "--long, --only TEXT, --no-mutants, --find TEXT";
                    return Err(format!("{argument} is no option: {known}"));
                }
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }
}

/// How many passed and how many failed.
#[derive(Default)]
struct Score {
    passed: u32,
    failed: u32,
}

impl Score {
    /// Prints one line and counts it.
    fn line(&mut self, passed: bool, kind: &str, name: &str, text: &str) {
        println!("{} {kind} {name}: {text}", if passed { "ok    " } else { "FAILED" });
        *if passed { &mut self.passed } else { &mut self.failed } += 1;
    }
}

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| check(&options)) {
        Ok(score) => {
            println!("{} passed, {} failed", score.passed, score.failed);
            if score.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(text) => {
            eprintln!("models: {text}");
            ExitCode::FAILURE
        }
    }
}

fn check(options: &Options) -> Result<Score, String> {
    let root = root()?;
    let target = target()?;
    let suite = Suite::build(&root, &target)?.kept_as(&target.join("suite"))?;
    let models = suite.list()?;
    let mut score = Score::default();
    if let Some(text) = &options.find {
        find(text, &root, &target, &models)?;
        return Ok(score);
    }
    check_models(options, &suite, &models, &mut score);
    if !options.no_mutants {
        let tree = Tree::copy(&root, &target.join("tree"))?;
        check_each(options, &tree, &target, &models, &mut score)?;
        check_mutants(options, &tree, &target, &models, &mut score)?;
    }
    Ok(score)
}

/// The folder of the workspace: cargo tells where this package is.
fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run this as `cargo models`")?;
    let root = Path::new(&package).ancestors().nth(2).ok_or("the package has no workspace around it")?;
    Ok(root.to_path_buf())
}

/// A build folder of its own beside that of this program: other flags would rebuild everything.
fn target() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let target = program.ancestors().nth(2).ok_or("this program is not in a build folder")?;
    Ok(target.join("models"))
}

fn check_models(options: &Options, suite: &Suite, models: &[String], score: &mut Score) {
    let wanted: Vec<&String> = models.iter().filter(|name| options.wants(name)).collect();
    in_parallel(wanted, score, |name| {
        let verdict = suite.run(name, options.long);
        (matches!(verdict, Verdict::Ok(_)), "model", name.clone(), verdict.text().to_owned())
    });
}

/// Turns the flaws of single accesses on, one after the other.
fn check_each(
    options: &Options,
    tree: &Tree,
    target: &Path,
    models: &[String],
    score: &mut Score,
) -> Result<(), String> {
    let accesses = each::all(tree.root())?;
    let listed = each::listed(tree.root(), &accesses)?;
    let wanted: Vec<Flaw> = listed.into_iter().filter(|flaw| options.wants(&flaw.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let suite = each::build(tree, target)?;
    if options.only.is_empty() {
        let not_made = each::not_made(tree.root(), &suite, models, &accesses)?;
        let text =
            if not_made.is_empty() { "each is made where the list says".into() } else { not_made.join("; ") };
        score.line(not_made.is_empty(), "list", "accesses that no model falls to", &text);
    }
    in_parallel(wanted, score, |flaw| {
        let (caught, text) = match suite.run_with(&flaw.model, &flaw.on) {
            Verdict::Failed(text) => (true, format!("caught by {}, {text}", flaw.model)),
            Verdict::Ok(text) | Verdict::Unseen(text) | Verdict::Broken(text) => {
                (false, format!("survived {}: {text}", flaw.model))
            }
        };
        (caught, "flaw", flaw.name, text)
    });
    Ok(())
}

/// Prints which models fall to the flaws of the accesses whose names have the text.
fn find(text: &str, root: &Path, target: &Path, models: &[String]) -> Result<(), String> {
    let tree = Tree::copy(root, &target.join("tree"))?;
    let suite = each::build(&tree, target)?;
    for (at, access) in each::all(root)?.iter().enumerate() {
        let name = access.name();
        if name.contains(text) {
            for (flaw, model) in each::find(&suite, models, access, at + 1) {
                println!("{name}, {flaw}: {}", model.as_deref().unwrap_or("no model falls"));
            }
        }
    }
    Ok(())
}

/// Does the work as many at a time as there are processors, and counts how it ended.
fn in_parallel<T: Send>(
    work: Vec<T>,
    score: &mut Score,
    run: impl Fn(T) -> (bool, &'static str, String, String) + Sync,
) {
    let (queue, score) = (Mutex::new(VecDeque::from(work)), Mutex::new(score));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        while let Some(item) = next() {
            let (passed, kind, name, text) = run(item);
            score.lock().unwrap_or_else(PoisonError::into_inner).line(passed, kind, &name, &text);
        }
    };
    thread::scope(|scope| (0..workers()).for_each(|_| drop(scope.spawn(work))));
}

fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Builds mutants one after the other, and runs each while the next is built.
fn check_mutants(
    options: &Options,
    tree: &Tree,
    target: &Path,
    models: &[String],
    score: &mut Score,
) -> Result<(), String> {
    let ours = table::all().filter(|mutant| mutant.checks_of(Tool::Models).next().is_some());
    let wanted: Vec<&Mutant> = ours.filter(|mutant| options.wants(mutant.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let score = Mutex::new(score);
    let report = |passed: bool, mutant: &Mutant, text: &str| {
        score.lock().unwrap_or_else(PoisonError::into_inner).line(passed, "mutant", mutant.name, text);
    };
    thread::scope(|scope| {
        for mutant in wanted {
            let report = &report;
            match build_mutant(tree, target, models, mutant) {
                Err(text) => report(false, mutant, &text),
                Ok(suite) => drop(scope.spawn(move || {
                    let (caught, text) = judge(&suite, mutant);
                    report(caught, mutant, &text);
                })),
            }
        }
    });
    Ok(())
}

fn build_mutant(tree: &Tree, target: &Path, models: &[String], mutant: &Mutant) -> Result<Suite, String> {
    if let Some(unknown) =
        mutant.checks_of(Tool::Models).find(|check| !models.iter().any(|model| model == check.what))
    {
        return Err(format!("no model is called {}", unknown.what));
    }
    let changed = tree.replace(mutant.file, mutant.search, mutant.replace)?;
    let built = Suite::build(tree.root(), &target.join("mutants"));
    changed.restore()?;
    let name = mutant.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    built?.kept_as(&target.join(format!("suite-{name}")))
}

/// Whether each of the mutant's models fails in an execution, and how that went.
fn judge(suite: &Suite, mutant: &Mutant) -> (bool, String) {
    let (mut caught, mut survived) = (Vec::new(), Vec::new());
    for check in mutant.checks_of(Tool::Models) {
        let model = check.what;
        match suite.run(model, false) {
            Verdict::Failed(text) => caught.push(format!("caught by {model}, {text}")),
            Verdict::Ok(text) | Verdict::Unseen(text) | Verdict::Broken(text) => {
                survived.push(format!("{model}: {text}"));
            }
        }
    }
    suite.remove();
    match survived.is_empty() {
        true => (true, caught.join("; ")),
        false => (false, format!("survived {}", survived.join("; "))),
    }
}
