//! Child processes: started, listened to, stopped and killed by a test or a tool.
//!
//! A child is this program again in another part. A tool starts its own binary with arguments ([`Child::spawn`]); a test
//! starts its own test program, which then runs one of the tests named `as_…` ([`Child::start`], [`role`]). Parent and
//! child talk by lines over the child's standard input and output. A child ends when its parent ends ([`end_with_parent`])
//! and when its [`Child`] is dropped.

mod fork;
mod role;
pub mod watchdog;

pub use fork::{ends, forked, try_forked};
pub use role::{ROLE, end_with_parent, role, say, stay};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    cell::Cell,
    io::{self, Read, Write},
    path::Path,
    process::{self, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

/// Long enough for whatever must come. Only a failing test waits that long.
pub const SOON: Duration = Duration::from_secs(120);

/// A child process with pipes to its standard input and from its standard output. Dropping it kills the process and
/// waits for it.
pub struct Child {
    process: process::Child,
    output: ChildStdout,
    /// Output that was read and not yet returned.
    said: Vec<u8>,
    /// Whether the parent ended the process. Its own children may then go on speaking.
    killed: Cell<bool>,
}

impl Child {
    /// Starts the command with pipes to and from it.
    ///
    /// Call it from a thread that lives as long as the child shall: the kernel ends the child with that thread, where
    /// the child calls [`end_with_parent`].
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn spawn(mut command: Command) -> io::Result<Self> {
        role::note_parent(&mut command);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { process, output, said: Vec::new(), killed: Cell::new(false) })
    }

    /// Starts this test program in a role: it runs the test of that name, which gets the board and the argument from
    /// [`role`].
    pub fn start(name: &str, board: &Path, argument: &str) -> Self {
        let program = std::env::current_exe().expect("the test program knows its path");
        Self::start_by(Command::new(program), name, board, argument)
    }

    /// As [`Child::start`], by a command that runs this test program with the arguments that follow.
    pub fn start_by(mut command: Command, name: &str, board: &Path, argument: &str) -> Self {
        role::assign(&mut command, name, board, argument);
        Self::spawn(command).expect("the test program starts")
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().try_into().expect("a process id"))
    }

    /// Writes a line to the child's standard input.
    ///
    /// # Errors
    /// The child has closed its standard input, or [`Child::let_go`] has.
    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        let input = self.process.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(input, "{line}")?;
        input.flush()
    }

    /// Writes a line, and returns the line that the child answers.
    ///
    /// # Errors
    /// The child has ended.
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.tell(line)?;
        self.line().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The next line that is not empty; `None` at the end of the output.
    pub fn line(&mut self) -> Option<String> {
        loop {
            while let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.said.drain(..=end).collect();
                let line = String::from_utf8_lossy(line.trim_ascii());
                if !line.is_empty() {
                    return Some(line.into_owned());
                }
            }
            if !self.listen() {
                return None;
            }
        }
    }

    /// The rest of the next line that contains `word`; `None` at the end of the output.
    pub fn hear(&mut self, word: &str) -> Option<String> {
        loop {
            // A word that ends with a space is found at the end of a line, too.
            let line = self.line()? + " ";
            if let Some((_, rest)) = line.split_once(word) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    /// Whether a line with `word` comes.
    pub fn says(&mut self, word: &str) -> bool {
        self.hear(word).is_some()
    }

    /// Waits for output; false at its end. A child that failed may have left children of its own, which keep the output
    /// open and wait for the parent: the output also ends with the child.
    fn listen(&mut self) -> bool {
        loop {
            let over = !self.killed.get() && self.has_ended();
            let mut output = [PollFd::new(&self.output, PollFlags::IN)];
            let patience = Timespec { tv_sec: 0, tv_nsec: if over { 0 } else { 50_000_000 } };
            if poll(&mut output, Some(&patience)).expect("a pipe can be polled") > 0 {
                let mut some = [0; 4096];
                let count = self.output.read(&mut some).expect("a pipe can be read");
                self.said.extend_from_slice(&some[..count]);
                return count > 0;
            }
            if over {
                return false;
            }
        }
    }

    /// Whether the process has ended. It stays a zombie.
    pub fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        match waitid(Id::Pid(self.pid()), flags) {
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => true,
            Ok(_) => false,
            // A tracer has waited for it already.
            Err(_) => true,
        }
    }

    /// How the process ended; `None` while it lives.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// Kills the process, and returns when it is dead. It stays a zombie.
    pub fn kill(&self) {
        self.killed.set(true);
        if !self.has_ended() {
            self.signal(Signal::SIGKILL, WaitPidFlag::WEXITED);
        }
    }

    /// Asks the process to end, by a signal, and returns how it did.
    pub fn ask_to_end(&self, signal: Signal) -> WaitStatus {
        self.killed.set(true);
        self.signal(signal, WaitPidFlag::WEXITED)
    }

    /// Stops the process, and returns when it is stopped, or has ended instead.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP, WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED);
    }

    /// Continues a stopped process.
    pub fn go_on(&self) {
        kill(self.pid(), Signal::SIGCONT).expect("the child can be signalled");
    }

    fn signal(&self, signal: Signal, effect: WaitPidFlag) -> WaitStatus {
        kill(self.pid(), signal).expect("the child can be signalled");
        waitid(Id::Pid(self.pid()), effect | WaitPidFlag::WNOWAIT).expect("the child can be waited for")
    }

    /// Closes the child's standard input, which ends its [`stay`].
    pub fn let_go(&mut self) {
        drop(self.process.stdin.take());
    }

    /// Closes the standard input of the child and of its own children, and returns when all of them have ended.
    pub fn end_family(&mut self) {
        self.let_go();
        // An error: the output is at its end, too.
        let _ = self.output.read_to_end(&mut Vec::new());
    }

    /// Lets the child go on to its end, and says whether it ended with status 0.
    pub fn ends_well(&mut self) -> bool {
        self.end_family();
        self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A process id that was waited for may be another process's by now.
        if !self.has_ended() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
        self.end_family();
    }
}
