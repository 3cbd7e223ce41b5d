//! Runs a command for `slate lock` and `slate run`: passes signals on to it, and ends as it ends.
//!
//! The command stays in the process group of `slate`, and has its standard input, output and error. Signals are blocked
//! and read from a descriptor, so that none arrives between two steps: one that is sent before the command runs is passed
//! on when it does. A signal of the terminal, such as that of Ctrl-C, reaches the whole process group, so it is not passed
//! on. The signals of job control are left alone: they stop `slate` together with the command.

use crate::{
    args::Exec,
    commands::Context,
    failure::{Failure, Status},
};
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{
        Pid, PidfdFlags, getpid, getppid, pidfd_open, pidfd_send_signal, set_parent_process_death_signal,
    },
};
use std::{
    ffi::OsString,
    io,
    os::{
        fd::OwnedFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitStatus},
};

/// The signals that are passed on to the command: those that would end `slate`, and the change of the terminal's size.
const PASSED_ON: [Signal; 12] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGTERM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGWINCH,
];
/// The code of a signal from the kernel, such as one from the terminal, in `siginfo_t`.
const FROM_THE_KERNEL: i32 = 0x80;
/// The time between two looks whether the command may go on.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The signals of this process, which do not end it from now on.
#[derive(Debug)]
pub(crate) struct Signals(SignalFd);

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    /// Its exit status; 128 and the number of the signal if a signal ended it.
    pub(crate) status: u8,
    /// Whether it was asked to end, because it could not go on.
    pub(crate) was_stopped: bool,
}

impl Signals {
    /// Holds the signals back, for the rest of the process. Must be called before anything is taken that a signal would leave
    /// behind.
    pub(crate) fn hold() -> Result<Self, Failure> {
        let failed = |error: nix::Error| Failure::io("cannot hold signals back", &error.into());
        let signals: SigSet = PASSED_ON.into_iter().collect();
        signals.thread_block().map_err(failed)?;
        SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map(Self)
            .map_err(failed)
    }

    /// The next signal that the command has not got itself.
    fn next(&self) -> Option<u32> {
        loop {
            let signal = self.0.read_signal().ok()??;
            if signal.ssi_code != FROM_THE_KERNEL {
                return Some(signal.ssi_signo);
            }
        }
    }
}

/// Runs the command with these environment variables, and waits for its end. While `may_go_on` is given, it is asked again
/// and again; when it says no, the command is asked to end by SIGTERM.
pub(crate) fn run(
    context: &Context,
    command: &[OsString],
    variables: &[(&str, String)],
    signals: &Signals,
    may_go_on: Option<&dyn Fn() -> bool>,
) -> Result<Ended, Failure> {
    // A child inherits the signals that are held back, so `slate exec` runs first, which lets them through.
    let mut child = Command::new("/proc/self/exe");
    child.arg0("slate").args(context.globals.json.then_some("--json"));
    child.args(["exec", "--parent", &getpid().to_string(), "--"]).args(command);
    let child = child.envs(variables.iter().map(|(name, value)| (name, value))).spawn();
    let child = child.map_err(|error| cannot_run(command, &error))?;
    let ended = Running::new(child).and_then(|running| running.finish(signals, may_go_on));
    ended.map_err(|error| Failure::io(format!("cannot wait for the command {}", shown(command)), &error))
}

/// Becomes the command: lets the signals through, and asks the kernel to send the command SIGTERM when its parent is killed.
pub(crate) fn become_command(args: &Exec) -> Failure {
    let _ = set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    let signals: SigSet = PASSED_ON.into_iter().chain([Signal::SIGXFSZ]).collect();
    let _ = signals.thread_unblock();
    // A parent that was killed before the call above sends no signal.
    if getppid().is_none_or(|parent| parent.as_raw_pid() != args.parent) {
        return Failure::failed(
            "the command was not run, because the process that holds its session has ended",
        );
    }
    let Some((program, arguments)) = args.command.split_first() else {
        return Failure::usage("there is no command to run");
    };
    cannot_run(&args.command, &Command::new(program).args(arguments).exec())
}

/// A command that runs.
struct Running {
    child: Child,
    /// The process, whatever becomes of its number.
    process: OwnedFd,
}

impl Running {
    fn new(child: Child) -> io::Result<Self> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        // The number is the child's until it is waited for.
        Ok(Self { process: pidfd_open(pid, PidfdFlags::empty())?, child })
    }

    fn finish(mut self, signals: &Signals, may_go_on: Option<&dyn Fn() -> bool>) -> io::Result<Ended> {
        let mut was_stopped = false;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Ended { status: number(status), was_stopped });
            }
            while let Some(signal) = signals.next() {
                self.send(signal);
            }
            if !was_stopped && may_go_on.is_some_and(|may_go_on| !may_go_on()) {
                was_stopped = true;
                self.send(Signal::SIGTERM as u32);
            }
            let mut events =
                [PollFd::new(&self.process, PollFlags::IN), PollFd::new(&signals.0, PollFlags::IN)];
            // An interrupted wait looks again.
            let _ = poll(&mut events, may_go_on.filter(|_| !was_stopped).map(|_| &LOOK));
        }
    }

    /// Sends the command a signal. If it has ended meanwhile, that is found next.
    fn send(&self, signal: u32) {
        let signal = i32::try_from(signal).ok().and_then(rustix::process::Signal::from_named_raw);
        let _ = signal.map(|signal| pidfd_send_signal(&self.process, signal));
    }
}

/// The status with which a shell reports how a command ended.
fn number(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn cannot_run(command: &[OsString], error: &io::Error) -> Failure {
    let status = match error.kind() {
        io::ErrorKind::NotFound => Status::NoCommand,
        _ => Status::CannotRun,
    };
    Failure::new(status, format!("cannot run the command {}: {error}", shown(command)))
}

fn shown(command: &[OsString]) -> String {
    command.first().map(|program| program.display().to_string()).unwrap_or_default()
}
