//! Building the suite under loom, and running one model of it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A built suite of models.
pub struct Suite {
    program: PathBuf,
}

/// How a model ended.
pub enum Verdict {
    /// It held.
    Ok(String),
    /// An execution broke it.
    Failed(String),
    /// It held, but explored less than it must.
    Unseen(String),
    /// The suite itself did not end as it should.
    Broken(String),
}

impl Verdict {
    /// What the suite said.
    pub fn text(&self) -> &str {
        match self {
            Verdict::Ok(text) | Verdict::Failed(text) | Verdict::Unseen(text) | Verdict::Broken(text) => text,
        }
    }
}

impl Suite {
    /// Builds the suite of the workspace at `root`.
    pub fn build(root: &Path, target: &Path) -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let output = Command::new(cargo)
            .current_dir(root)
            .args(["build", "--quiet", "--profile", "models"])
            .args(["--package", "slateboard-models", "--bin", "suite"])
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTFLAGS", "--cfg loom --cap-lints allow")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        if output.status.success() {
            Ok(Self { program: target.join("models").join("suite") })
        } else {
            Err(format!("does not compile: {}", String::from_utf8_lossy(&output.stderr)))
        }
    }

    /// Moves the program aside, so that the next build does not replace it.
    pub fn kept_as(self, path: &Path) -> Result<Self, String> {
        fs::copy(&self.program, path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self { program: path.to_path_buf() })
    }

    /// Deletes the program.
    pub fn remove(&self) {
        // Left behind it costs disk space in the build folder only.
        let _ = fs::remove_file(&self.program);
    }

    /// The names of its models.
    pub fn list(&self) -> Result<Vec<String>, String> {
        let output = Command::new(&self.program)
            .arg("list")
            .output()
            .map_err(|error| format!("cannot run {}: {error}", self.program.display()))?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Runs one model.
    pub fn run(&self, name: &str, long: bool) -> Verdict {
        let mut command = Command::new(&self.program);
        command.args(["run", name]).args(long.then_some("--long"));
        Self::verdict(command)
    }

    /// Runs one model with these flaws of these accesses turned on, where the suite was built with flaws.
    pub fn run_with(&self, name: &str, flaws: &[(usize, String)]) -> Verdict {
        let mut command = Command::new(&self.program);
        let flaws: Vec<String> = flaws.iter().map(|(access, flaw)| format!("{access} {flaw}")).collect();
        command.args(["run", name]).env("SLATE_FLAW", flaws.join(";"));
        Self::verdict(command)
    }

    /// The numbers of the accesses that a model makes, where the suite was built with flaws.
    pub fn made_in(&self, name: &str) -> Vec<usize> {
        let mut command = Command::new(&self.program);
        command.args(["run", name]).env("SLATE_FLAW", "all made").stdin(Stdio::null());
        let output = command.output().map(|output| output.stdout).unwrap_or_default();
        let lines = String::from_utf8_lossy(&output);
        lines.lines().filter_map(|line| line.strip_prefix("made ")?.parse().ok()).collect()
    }

    fn verdict(mut command: Command) -> Verdict {
        command.stdin(Stdio::null());
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => return Verdict::Broken(format!("cannot run {command:?}: {error}")),
        };
        let stdout = String::from_utf8_lossy(&output.stdout);
        let line = stdout.lines().last().unwrap_or_default();
        match line.split_once(' ') {
            Some(("ok", text)) if output.status.success() => Verdict::Ok(text.into()),
            Some(("failed", text)) => Verdict::Failed(text.into()),
            Some(("unseen", text)) => Verdict::Unseen(text.into()),
            _ => {
                let stderr = String::from_utf8_lossy(&output.stderr);
                Verdict::Broken(format!("the suite ended with {}: {line} {stderr}", output.status))
            }
        }
    }
}
