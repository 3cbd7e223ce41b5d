//! Runs the built program in a temporary folder.
#![allow(dead_code, reason = "each test file uses some of it")]

use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// Lets a command find the built `slate` by its name: its path may have spaces.
pub(crate) fn with_slate(command: &mut Command) -> &mut Command {
    let program = Path::new(env!("CARGO_BIN_EXE_slate")).parent().expect("folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(program.to_owned()).chain(std::env::split_paths(&others));
    command.env("PATH", std::env::join_paths(folders).expect("no folder has a colon"))
}

/// A temporary folder, without a board or repository in the folders above.
pub(crate) struct Place(tempfile::TempDir);

/// The result of a run of the program.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) err: String,
}

impl Place {
    /// Changes one byte of this text in the region.
    pub(crate) fn damage(&self, text: &[u8]) {
        let bytes = fs::read(self.region()).expect("region");
        let at = bytes.windows(text.len()).position(|window| window == text).expect("the text");
        let file = fs::File::options().write(true).open(self.region()).expect("region");
        file.write_all_at(&[text[0] ^ 1], at as u64).expect("written");
    }

    /// A folder without a board.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("folder"))
    }

    /// A project with a board in it, created with these additional arguments.
    pub(crate) fn with_board_of(args: &[&str]) -> Self {
        let place = Self::empty();
        place.run([&["init", "--placement", "project", "--capacity", "8M"], args].concat()).ok();
        place
    }

    pub(crate) fn with_board() -> Self {
        Self::with_board_of(&[])
    }

    pub(crate) fn folder(&self) -> PathBuf {
        fs::canonicalize(self.0.path()).expect("folder")
    }

    pub(crate) fn region(&self) -> PathBuf {
        self.folder().join(".slate/region")
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        command_in(&self.folder(), args)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Done {
        Done::from(self.command(args).stdin(Stdio::null()).output().expect("run"))
    }

    /// Runs the program with arguments that are separated by spaces.
    pub(crate) fn slate(&self, line: &str) -> Done {
        self.run(line.split(' '))
    }

    pub(crate) fn with_input(&self, line: &str, input: &[u8]) -> Done {
        let mut child = self
            .command(line.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run");
        // A command that does not read its input may have ended already.
        let _ = child.stdin.take().expect("input").write_all(input);
        Done::from(child.wait_with_output().expect("run"))
    }

    pub(crate) fn background(&self, line: &str) -> Background {
        Background::of(self.command(line.split(' ')))
    }
}

pub(crate) fn command_in<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slate"));
    command.args(args).current_dir(folder).env_remove("SLATE_BOARD").env_remove("SLATE_SESSION");
    command.env("NO_COLOR", "1");
    command
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("no signal"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            raw: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Done {
    /// Checks that the command succeeded without a message, and returns its output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.status, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).expect("one document")
    }

    #[track_caller]
    pub(crate) fn lines(self) -> Vec<Value> {
        self.ok().lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
    }

    /// Checks the exit status and that the message contains these words.
    #[track_caller]
    pub(crate) fn fails(self, status: i32, words: &[&str]) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {:?}", self.err);
        }
        self
    }
}

/// A program that runs in the background, and is killed at the end of the test.
pub(crate) struct Background(Child);

impl Background {
    pub(crate) fn of(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("run"))
    }

    /// The first lines of its output.
    pub(crate) fn read_lines(&mut self, count: usize) -> Vec<String> {
        let output = self.0.stdout.as_mut().expect("output");
        BufReader::new(output).lines().take(count).map(|line| line.expect("line")).collect()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("state").is_none()
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }

    pub(crate) fn finish(mut self) -> Done {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        std::io::Read::read_to_end(self.0.stdout.as_mut().expect("output"), &mut out).expect("read");
        std::io::Read::read_to_end(self.0.stderr.as_mut().expect("errors"), &mut err).expect("read");
        let status = self.0.wait().expect("ended");
        Done::from(Output { status, stdout: out, stderr: err })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A project with a board in shared memory, which is removed with it.
pub(crate) struct InMemory {
    pub(crate) place: Place,
    pub(crate) region: PathBuf,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        let place = Place::empty();
        let document = place.slate("init --capacity 8M --json").json();
        let region = PathBuf::from(document["path"].as_str().expect("path"));
        Self { place, region }
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.place.folder().join(".slate/board.toml")
    }

    pub(crate) fn edit(&self, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.record()).expect("record");
        fs::write(self.record(), change(text)).expect("record");
    }

    pub(crate) fn remove_region(&self) {
        remove(&self.region);
    }
}

/// Removes a region in memory, with its folder.
pub(crate) fn remove(region: &Path) {
    if let Some(folder) = region.parent() {
        let _ = fs::remove_dir_all(folder);
        // Succeeds only if it is empty, so that other boards are kept.
        let _ = folder.parent().map(fs::remove_dir);
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        self.remove_region();
    }
}
