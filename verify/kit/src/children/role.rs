//! The child's side: which part it has, and how it talks to its parent.

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Environment variable that names the board of a role.
pub const ROLE: &str = "SLATEBOARD_TEST_BOARD";
const ARGUMENT: &str = "SLATEBOARD_TEST_ARGUMENT";
const PARENT: &str = "SLATEBOARD_TEST_PARENT";

/// Lets a test program run the test `name` alone, with this board and argument.
pub(super) fn assign(command: &mut Command, name: &str, board: &Path, argument: &str) {
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(ROLE, board).env(ARGUMENT, argument);
}

/// Tells the child which process starts it.
pub(super) fn note_parent(command: &mut Command) {
    command.env(PARENT, getpid().to_string());
}

/// The board that this process has a role on, and the role's argument; `None` in an ordinary test run. The process now
/// ends with its parent.
pub fn role() -> Option<(PathBuf, String)> {
    let board = std::env::var_os(ROLE).map(PathBuf::from)?;
    end_with_parent();
    Some((board, std::env::var(ARGUMENT).unwrap_or_default()))
}

/// Lets the kernel kill this process when the thread that started it ends, also when that was killed.
pub fn end_with_parent() {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // A parent that ended before the call sends no signal: the process has another parent by now.
    let parent = std::env::var(PARENT).ok();
    if parent.is_some_and(|parent| getppid().is_some_and(|now| now.to_string() != parent)) {
        std::process::exit(1);
    }
}

/// Writes a line to the standard output.
pub fn say(words: &str) {
    // One system call, so that a killed speaker never leaves half a line. The harness may have left one before it.
    rustix::io::write(std::io::stdout(), format!("\n{words}\n").as_bytes()).expect("the parent listens");
}

/// Returns at the end of the standard input: when the parent lets go, or is gone.
pub fn stay() {
    while rustix::io::read(std::io::stdin(), &mut [0; 16]) != Ok(0) {}
}
