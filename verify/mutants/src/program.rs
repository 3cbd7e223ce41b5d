//! The tools of the table as programs: how each is built over a tree, and what it says of one check.

use crate::{
    table::{Check, Tool},
    together::SWITCH,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// How long a check goes on, in the tools that could go on for ever.
pub struct Bounds {
    /// States of a scenario.
    states: &'static str,
    /// Schedules of a family, in each order.
    schedules: &'static str,
}

/// The bounds of a quick run of the tool, in which the code as it is must pass.
pub const QUICK: Bounds = Bounds { states: "400000", schedules: "4000" };
/// Ten times as much, within which a mutant must be found.
pub const MUTATED: Bounds = Bounds { states: "4000000", schedules: "40000" };
/// Where the random numbers of schedules come from, so that a check ends in the same way each time.
const SEED: &str = "1";
/// Four to eight.
const ANY_ACTORS: &str = "0";

/// What came of a check.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The tool found nothing, and said this.
    Passed(String),
    /// The tool found this.
    Found(String),
    /// The check came to no verdict: it did not compile, ended in another way, or saw too little.
    None(String),
}

/// A tool, built over a tree.
#[derive(Clone)]
pub struct Program {
    tool: Tool,
    path: PathBuf,
    tree: PathBuf,
    target: PathBuf,
    /// The number of the mutant that is on, of those that are in the tree together.
    on: Option<usize>,
}

/// How a tool is built: package, binary, profile, and flags of the compiler.
struct Recipe(&'static str, &'static str, &'static str, &'static str);

impl Tool {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Models, Self::States, Self::Schedules, Self::Stepper, Self::Torture, Self::Test];

    /// Its name, which is also that of the cargo command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::States => "states",
            Self::Schedules => "schedules",
            Self::Stepper => "stepper",
            Self::Torture => "torture",
            Self::Test => "test",
        }
    }

    /// The folder where the tool is built over changed trees. Tools that are built alike share one.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Stepper | Self::Torture => "release",
            tool => tool.name(),
        }
    }

    /// `None` for tests: cargo builds and runs them in one.
    fn recipe(self) -> Option<Recipe> {
        match self {
            Self::Models => Some(Recipe("slateboard-models", "suite", "models", "--cfg loom")),
            Self::States => Some(Recipe("slateboard-search", "states", "models", "--cfg slate_search")),
            Self::Schedules => Some(Recipe(
                "slateboard-search",
                "schedules",
                "models",
                "--cfg slate_search --cfg slate_whole",
            )),
            Self::Stepper => Some(Recipe("stepper", "stepper", "release", "")),
            Self::Torture => Some(Recipe("torture", "torture", "release", "")),
            Self::Test => None,
        }
    }
}

impl Program {
    /// Builds the tool over the tree. Different flags would rebuild everything, so `target` is the tool's own.
    pub fn build(tool: Tool, tree: &Path, target: &Path) -> Result<Self, String> {
        let mut path = PathBuf::new();
        if let Some(Recipe(package, binary, profile, flags)) = tool.recipe() {
            let mut command = cargo(tree, target);
            command.args(["build", "--quiet", "--profile", profile, "--package", package, "--bin", binary]);
            if !flags.is_empty() {
                command.env("RUSTFLAGS", format!("{flags} --cap-lints allow"));
            }
            let built = output(&mut command)?;
            if !built.status.success() {
                return Err(format!("does not compile: {}", String::from_utf8_lossy(&built.stderr)));
            }
            path = target.join(profile).join(binary);
        }
        Ok(Self { tool, path, tree: tree.to_path_buf(), target: target.to_path_buf(), on: None })
    }

    /// The program, with one of the mutants turned on that are in its tree together.
    pub fn turning_on(&self, number: usize) -> Self {
        Self { on: Some(number), ..self.clone() }
    }

    /// Copies the program, so that the next build does not replace it.
    pub fn kept_as(self, path: &Path) -> Result<Self, String> {
        let explain = |error| format!("cannot write {}: {error}", path.display());
        std::fs::copy(&self.path, path).map_err(explain)?;
        Ok(Self { path: path.to_path_buf(), ..self })
    }

    /// The program with arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).stdin(Stdio::null());
        self.turn_on(&mut command);
        command
    }

    fn turn_on(&self, command: &mut Command) {
        if let Some(number) = self.on {
            command.env(SWITCH, number.to_string());
        }
    }

    /// The lines that it prints of what it can run.
    pub fn list(&self) -> Result<Vec<String>, String> {
        let output = output(&mut self.command(&["list"]))?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Runs one check of the tool.
    pub fn check(&self, what: &str, bounds: &Bounds) -> Verdict {
        match self.tool {
            Tool::Models => self.model(what, false, ""),
            Tool::States => self.scenario(what, [bounds.states, "false", "quick"]),
            Tool::Schedules => {
                let numbers = [ANY_ACTORS, SEED, bounds.schedules];
                match self.schedules(what, "random", numbers) {
                    Verdict::Passed(_) => self.schedules(what, "pct", numbers),
                    verdict => verdict,
                }
            }
            Tool::Stepper => self.run(self.command(&["--only", what]), stepper_verdict),
            Tool::Torture => {
                let arguments: Vec<&str> = what.split(' ').collect();
                self.run(self.command(&arguments), torture_verdict)
            }
            Tool::Test => {
                let mut command = cargo(&self.tree, &self.target);
                command.args(["test", "--quiet"]).args(what.split(' ')).args(["--", "--exact"]);
                self.turn_on(&mut command);
                self.run(command, test_verdict)
            }
        }
    }

    /// Runs one model, with these switches of access mutants on.
    pub fn model(&self, model: &str, long: bool, switches: &str) -> Verdict {
        let mut command = self.command(&["run", model]);
        command.args(long.then_some("--long")).env("SLATE_MUTANT", switches);
        self.run(command, |output| {
            let (line, text) = (last_line(output), String::from_utf8_lossy(&output.stdout));
            match line.split_once(' ') {
                Some(("ok", text)) if output.status.success() => Verdict::Passed(text.into()),
                Some(("failed", found)) => Verdict::Found(found.into()),
                _ => none(output, &text),
            }
        })
    }

    /// Searches one scenario, within states, exactly or not, within preemptions.
    pub fn scenario(&self, scenario: &str, limits: [&str; 3]) -> Verdict {
        let mut command = self.command(&["search"]);
        command.args(limits).arg(scenario);
        self.run(command, first_word_verdict)
    }

    /// Runs schedules of a family in an order; of so many actors, from a seed, so many.
    pub fn schedules(&self, family: &str, order: &str, numbers: [&str; 3]) -> Verdict {
        let mut command = self.command(&["run", family, order]);
        command.args(numbers);
        self.run(command, first_word_verdict)
    }

    fn run(&self, mut command: Command, verdict: impl Fn(&Output) -> Verdict) -> Verdict {
        match output(&mut command) {
            Ok(output) => verdict(&output),
            Err(text) => Verdict::None(text),
        }
    }
}

/// `ok ...` or `FAILED ...`; what saw too little says `UNSEEN ...`.
fn first_word_verdict(output: &Output) -> Verdict {
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    match text.split_once(' ') {
        Some(("ok", said)) if output.status.success() => Verdict::Passed(said.trim_start().into()),
        Some(("FAILED", found)) if !output.status.success() => Verdict::Found(found.into()),
        _ => none(output, &text),
    }
}

/// Failures are indented. That an image showed too little is no finding.
fn stepper_verdict(output: &Output) -> Verdict {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    match lines.clone().find(|found| !found.starts_with("no image showed")) {
        Some(found) if !output.status.success() => Verdict::Found(found.into()),
        None if output.status.success() => Verdict::Passed(last_line(output)),
        _ => none(output, &text),
    }
}

fn torture_verdict(output: &Output) -> Verdict {
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().find_map(|line| line.strip_prefix("VIOLATION ")) {
        Some(found) if !output.status.success() => Verdict::Found(found.into()),
        None if output.status.success() => Verdict::Passed(last_line(output)),
        _ => none(output, &text),
    }
}

/// A test that was run and failed; one that no longer exists passes nothing.
fn test_verdict(output: &Output) -> Verdict {
    let text = String::from_utf8_lossy(&output.stdout);
    let result = |start: &str| text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
    let passed = result("test result: ok. ").filter(|line| !line.contains("ok. 0 passed"));
    match (result("test result: FAILED"), passed) {
        (Some(result), _) => {
            let panic = text.lines().skip_while(|line| !line.contains(" panicked at ")).nth(1);
            Verdict::Found(panic.map_or(result, str::to_owned))
        }
        (None, Some(result)) if output.status.success() => Verdict::Passed(result),
        _ => none(output, &text),
    }
}

fn none(output: &Output, text: &str) -> Verdict {
    let errors = String::from_utf8_lossy(&output.stderr);
    Verdict::None(format!("{}: {} {}", output.status, text.trim_end(), errors.trim_end()))
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

/// Cargo in a tree, with a build folder.
fn cargo(tree: &Path, target: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(tree).env("CARGO_TARGET_DIR", target).env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

fn output(command: &mut Command) -> Result<Output, String> {
    command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {command:?}: {error}"))
}

/// The folder of the workspace: cargo tells where the running package is.
pub fn workspace() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run this through its cargo command")?;
    let root = Path::new(&package).ancestors().nth(2).ok_or("the package has no workspace around it")?;
    Ok(root.to_path_buf())
}

/// A build folder of its own beside that of this program.
pub fn build_folder(name: &str) -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let target = program.ancestors().nth(2).ok_or("this program is not in a build folder")?;
    Ok(target.join(name))
}

impl Verdict {
    /// Whether the tool found nothing.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }

    /// Whether the tool found something.
    pub fn found(&self) -> bool {
        matches!(self, Self::Found(_))
    }

    /// Everything that it said.
    pub fn text(&self) -> &str {
        match self {
            Self::Passed(text) | Self::Found(text) | Self::None(text) => text,
        }
    }

    /// What fits a line or two.
    pub fn shortened(&self) -> String {
        let line = match self {
            Self::Found(text) => text.lines().next().unwrap_or_default(),
            _ => self.text(),
        };
        match line.char_indices().nth(300) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line.to_owned(),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.tool.name(), self.what)
    }
}
