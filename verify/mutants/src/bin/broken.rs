//! `cargo broken [--only TEXT]...`: code that is broken on purpose is caught.
//!
//! A break is a textual replacement in a copy of the tree. Its checks are runs of the models, of the search and of
//! the stepper. Each runs over the copy as it is first, where it must pass: one that fails anyway sees nothing. Then
//! it runs over the broken copy, where it must find something. A check that does not is a failure, and so is a break
//! whose text is not found exactly once, or that does not compile. The last line is `N breaks caught, N failed`.

use slateboard_mutants::{
    table::{self, Check, Mutant, Tool},
    tree::Tree,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output, Stdio},
};

const HELP: &str = "\
cargo broken [--only TEXT]... [--list]: the protocol is broken on purpose, and the checks must see it

  --only TEXT  the breaks whose name holds the text
  --list       the breaks, and what is lost by each";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = match chosen(&arguments) {
        Ok(chosen) => chosen,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|broken| println!("{}: {}", broken.name, broken.lost));
        return ExitCode::SUCCESS;
    }
    match catch(&chosen) {
        Ok(failed) => {
            println!("{} breaks caught, {failed} failed", chosen.len() - failed);
            if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(text) => {
            eprintln!("broken: {text}");
            ExitCode::FAILURE
        }
    }
}

/// The breaks that the arguments ask for: at least one.
fn chosen(arguments: &[String]) -> Result<Vec<&'static Mutant>, String> {
    let (mut only, mut arguments) = (Vec::new(), arguments.iter());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => {}
            "--only" => only.push(arguments.next().ok_or("--only needs a part of a name")?),
            _ => return Err(HELP.into()),
        }
    }
    let wanted =
        |broken: &&Mutant| only.is_empty() || only.iter().any(|text| broken.name.contains(text.as_str()));
    let chosen: Vec<_> = table::all().filter(wanted).collect();
    if chosen.is_empty() { Err("no break has that name: see --list".into()) } else { Ok(chosen) }
}

/// Runs all checks; how many breaks were not caught by all of theirs.
fn catch(chosen: &[&Mutant]) -> Result<usize, String> {
    let target = build_folder()?;
    let bench = Bench { tree: Tree::copy(&workspace()?, &target.join("tree"))?, target };
    let mut sound = HashMap::new();
    for &check in chosen.iter().flat_map(|broken| broken.caught_by).filter(|check| !check.long) {
        sound.entry(check).or_insert_with(|| {
            let verdict = bench.run(check);
            println!("unbroken: {check:?}: {verdict}");
            matches!(verdict, Verdict::Passed(_))
        });
    }
    let mut failed = 0;
    for broken in chosen {
        println!("{}: {}", broken.name, broken.lost);
        match bench.catches(broken, &sound) {
            Ok(true) => {}
            Ok(false) => failed += 1,
            Err(text) => {
                println!("FAILED {}: {text}", broken.name);
                failed += 1;
            }
        }
    }
    Ok(failed)
}

/// The folder of the workspace: cargo tells where this package is.
fn workspace() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run this as `cargo broken`")?;
    let root = Path::new(&package).ancestors().nth(2).ok_or("the package has no workspace around it")?;
    Ok(root.to_path_buf())
}

/// A build folder of its own beside that of this program, so that neither undoes the other.
fn build_folder() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let target = program.ancestors().nth(2).ok_or("this program is not in a build folder")?;
    Ok(target.join("broken"))
}

/// A copy of the tree, and where it is built.
struct Bench {
    tree: Tree,
    target: PathBuf,
}

/// What came of a check.
enum Verdict {
    /// It found nothing, and said so.
    Passed(String),
    /// It found this.
    Found(String),
    /// It came to no verdict.
    None(String),
}

impl Bench {
    /// Breaks the copy, runs the break's checks, and mends it. Whether all of them caught it.
    fn catches(&self, broken: &Mutant, sound: &HashMap<Check, bool>) -> Result<bool, String> {
        let changed = self.tree.replace(broken.file, broken.search, broken.replace)?;
        let mut all = true;
        for check in broken.caught_by.iter().filter(|check| !check.long) {
            let verdict = self.run(*check);
            let caught = sound[check] && matches!(verdict, Verdict::Found(_));
            println!("{} {check:?}: {verdict}", if caught { "caught" } else { "FAILED" });
            all &= caught;
        }
        changed.restore()?;
        Ok(all)
    }

    fn run(&self, check: Check) -> Verdict {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(self.tree.root())
            .args([
                "run",
                "--quiet",
                "--release",
                "--package",
                check.tool.package(),
                "--bin",
                check.tool.program(),
            ])
            .arg("--")
            .args(check.tool.options())
            .args(["--only", check.what])
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null());
        match command.output() {
            Ok(output) => check.tool.verdict(&output),
            Err(error) => Verdict::None(format!("cannot run cargo: {error}")),
        }
    }
}

trait Run {
    fn package(self) -> &'static str;
    fn program(self) -> &'static str;
    fn options(self) -> &'static [&'static str];
    fn verdict(self, output: &Output) -> Verdict;
}

impl Run for Tool {
    fn package(self) -> &'static str {
        match self {
            Tool::Models => "slateboard-mutants",
            Tool::States => "slateboard-search",
            Tool::Schedules => "slateboard-schedules",
            Tool::Stepper => "stepper",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Tool::Models => "models",
            Tool::States => "states",
            Tool::Schedules => "schedules",
            Tool::Stepper => "stepper",
        }
    }

    /// Without the tools' own mutants.
    fn options(self) -> &'static [&'static str] {
        match self {
            Tool::Models | Tool::Schedules => &["--no-mutants"],
            Tool::States => &["--no-canaries"],
            Tool::Stepper => &[],
        }
    }

    /// What the tool said. A bad end alone is no finding: the tool may not have been built.
    fn verdict(self, output: &Output) -> Verdict {
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default().to_owned();
        let found = match self {
            Tool::Models | Tool::States | Tool::Schedules => {
                text.lines().find_map(|line| line.strip_prefix("FAILED "))
            }
            // Not that it saw less than it must: that is no harm done.
            Tool::Stepper => text
                .lines()
                .filter_map(|line| line.strip_prefix("    "))
                .find(|found| !found.starts_with("no image showed")),
        };
        match found {
            Some(found) if !output.status.success() => Verdict::Found(shortened(found)),
            None if output.status.success() => Verdict::Passed(last),
            _ => {
                let errors = String::from_utf8_lossy(&output.stderr);
                Verdict::None(format!("{}: {last} {}", output.status, errors.trim()))
            }
        }
    }
}

/// What fits a line or two.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Passed(text) => write!(f, "passed ({text})"),
            Verdict::Found(text) => f.write_str(text),
            Verdict::None(text) => write!(f, "no verdict: {text}"),
        }
    }
}
