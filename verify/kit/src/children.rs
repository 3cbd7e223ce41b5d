//! What the tests with several processes share: actors, roles, folders, the check of a board at rest.
#![allow(unsafe_code, reason = "fork is what is tested")]

pub use crate::{doing, judge as audit};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use slateboard::{Board, Options};
use std::{
    cell::Cell,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Environment variable that names the board of a role.
pub const ROLE: &str = "SLATEBOARD_TEST_BOARD";
const ARGUMENT: &str = "SLATEBOARD_TEST_ARGUMENT";

/// Long enough for whatever must come; only a failing test waits for it.
pub const SOON: Duration = Duration::from_secs(120);

/// A folder of the test's own, and the path of a board in it.
pub fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    (folder, path)
}

/// A board that is soon full, with a history that is soon over.
pub fn small() -> Options {
    Board::options().capacity(1 << 20).keys(512).history(64).sessions(8)
}

/// How many rounds a test of random moments makes: more where `SLATE_TEST_ROUNDS` says so.
pub fn rounds(usual: u32) -> u32 {
    std::env::var("SLATE_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Numbers that look random and are the same in every run (SplitMix64, Steele et al. 2014).
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// Another process in a role: this test program again, running the test of that name. Killed and waited for
/// at drop.
pub struct Actor {
    child: Child,
    output: ChildStdout,
    /// What it said and nobody heard yet.
    said: Vec<u8>,
    /// Whether the test ended it: its children may speak on.
    killed: Cell<bool>,
}

impl Actor {
    pub fn start(role: &str, board: &Path, argument: &str) -> Self {
        Self::start_by(Command::new(std::env::current_exe().unwrap()), role, board, argument)
    }

    /// Starts it by a command that runs this test program.
    pub fn start_by(mut command: Command, role: &str, board: &Path, argument: &str) -> Self {
        command.args(["--exact", role, "--nocapture", "--test-threads=1"]);
        command.env(ROLE, board).env(ARGUMENT, argument);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        Self { child, output, said: Vec::new(), killed: Cell::new(false) }
    }

    /// The rest of the next line that holds `word`; `None` at the end of the output.
    pub fn hear(&mut self, word: &str) -> Option<String> {
        loop {
            while let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.said.drain(..=end).collect();
                if let Some((_, rest)) = String::from_utf8_lossy(&line).split_once(word) {
                    return Some(rest.trim().to_owned());
                }
            }
            if !self.listen() {
                return None;
            }
        }
    }

    /// Waits for it to say something; false where nothing comes any more. An actor that ended by itself, because
    /// it failed, may have left children that keep its output open and wait for the test.
    fn listen(&mut self) -> bool {
        loop {
            let over = !self.killed.get() && self.has_ended();
            let mut output = [PollFd::new(&self.output, PollFlags::IN)];
            let patience = Timespec { tv_sec: 0, tv_nsec: if over { 0 } else { 50_000_000 } };
            if poll(&mut output, Some(&patience)).unwrap() > 0 {
                let mut some = [0; 4096];
                let count = self.output.read(&mut some).unwrap();
                self.said.extend_from_slice(&some[..count]);
                return count > 0;
            }
            if over {
                return false;
            }
        }
    }

    /// Whether the process has ended; it stays a zombie.
    fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        waitid(Id::Pid(self.pid()), flags).unwrap() != WaitStatus::StillAlive
    }

    /// Whether a line with `word` comes.
    pub fn says(&mut self, word: &str) -> bool {
        self.hear(word).is_some()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Returns when the process is dead; it stays a zombie.
    pub fn kill(&self) {
        self.killed.set(true);
        self.signal(Signal::SIGKILL, WaitPidFlag::WEXITED);
    }

    /// Asks the process to end, by a signal, and returns how it did.
    pub fn ask_to_end(&self, signal: Signal) -> WaitStatus {
        self.killed.set(true);
        kill(self.pid(), signal).unwrap();
        waitid(Id::Pid(self.pid()), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap()
    }

    /// Returns when the process is stopped.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP, WaitPidFlag::WSTOPPED);
    }

    pub fn go_on(&self) {
        kill(self.pid(), Signal::SIGCONT).unwrap();
    }

    fn signal(&self, signal: Signal, effect: WaitPidFlag) {
        kill(self.pid(), signal).unwrap();
        waitid(Id::Pid(self.pid()), effect | WaitPidFlag::WNOWAIT).unwrap();
    }

    /// Ends the actor's `stay`.
    pub fn let_go(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Closes the standard input of the actor and its children, and returns when all of them have ended.
    pub fn end_family(&mut self) {
        drop(self.child.stdin.take());
        self.output.read_to_end(&mut Vec::new()).unwrap();
    }

    /// Lets the actor go on to its end, and says whether that was a good one.
    pub fn ends_well(&mut self) -> bool {
        self.end_family();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.child.stdin.take());
        let _ = self.output.read_to_end(&mut Vec::new());
    }
}

/// The board that this process has a role on, and the role's argument; `None` in an ordinary test run.
pub fn role() -> Option<(PathBuf, String)> {
    let board = std::env::var_os(ROLE).map(PathBuf::from)?;
    Some((board, std::env::var(ARGUMENT).unwrap_or_default()))
}

pub fn say(words: &str) {
    // One system call, so that a killed speaker never leaves half a line.
    rustix::io::write(std::io::stdout(), format!("\n{words}\n").as_bytes()).unwrap();
}

/// Returns at the end of the standard input: when the test lets go, or is gone itself.
pub fn stay() {
    while rustix::io::read(std::io::stdin(), &mut [0; 16]) != Ok(0) {}
}

/// Waits for a child to end; false where it does not, and had to be killed.
pub fn ends(child: Pid) -> bool {
    let started = Instant::now();
    while waitpid(child, Some(WaitPidFlag::WNOHANG)).unwrap() == WaitStatus::StillAlive {
        if started.elapsed() > SOON {
            kill(child, Signal::SIGKILL).unwrap();
            waitpid(child, None).unwrap();
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Runs `child` in a forked child, which then ends without running anything of the parent's.
pub fn forked(child: impl FnOnce()) -> Pid {
    // SAFETY: glibc makes its allocator usable in the child; the parent's other threads hold no lock that
    // `child` takes, since every handle they use refuses before it takes one.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            if outcome.is_err() {
                say("child panicked");
            }
            loop {
                let _ = kill(Pid::this(), Signal::SIGKILL);
            }
        }
    }
}
