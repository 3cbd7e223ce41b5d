//! A child that is traced: run to a marker, stepped by one instruction, killed.

use nix::{
    sys::{
        ptrace,
        signal::Signal,
        wait::{WaitStatus, waitpid},
    },
    unistd::Pid,
};
use slateboard_kit::children::Child;
use std::{path::Path, process::Command};

/// What a child did when it was let go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Did {
    /// One instruction, or one system call.
    Step,
    /// It came to a marker.
    Marker,
    /// It ended.
    Ended,
}

/// A traced child. Killed and waited for at drop.
pub struct Traced {
    child: Child,
}

impl Traced {
    /// Starts this program, or `program`, in a scenario's role, up to its first stop. All calls must come from the
    /// thread that made this one: to the kernel that thread is the tracer.
    pub fn start(program: &Path, scenario: &str, board: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg("--child").arg(scenario).arg(board);
        let child = Child::spawn(command).expect("the child starts");
        let mut traced = Self { child };
        assert_eq!(traced.wait(), Did::Marker, "the child stops at its start");
        ptrace::setoptions(traced.child.pid(), ptrace::Options::PTRACE_O_EXITKILL)
            .expect("the child is traced");
        traced
    }

    fn wait(&mut self) -> Did {
        match waitpid(self.child.pid(), None).expect("the child is ours") {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => Did::Step,
            WaitStatus::Stopped(_, Signal::SIGSTOP) => Did::Marker,
            WaitStatus::Stopped(_, signal) => panic!("the child got {signal}"),
            WaitStatus::Exited(_, 0) | WaitStatus::Signaled(..) => Did::Ended,
            other => panic!("the child came to {other:?}"),
        }
    }

    /// Lets it run to the next marker, or to its end.
    pub fn run(&mut self) -> Did {
        ptrace::cont(self.child.pid(), None).expect("the child is stopped");
        self.wait()
    }

    /// Lets it take one instruction.
    pub fn step(&mut self) -> Did {
        ptrace::step(self.child.pid(), None).expect("the child is stopped");
        self.wait()
    }

    /// Address of the next instruction, as `addr2line -e PROGRAM` wants it, where this machine tells. Lines take a
    /// program that was built with CARGO_PROFILE_RELEASE_DEBUG=1.
    pub fn at(&self) -> Option<u64> {
        let pid = self.child.pid();
        let base = procfs_base(pid)?;
        instruction(pid).map(|at| at.wrapping_sub(base))
    }

    /// Kills it, and returns when it is dead and the kernel has let go of its locks.
    pub fn kill(&mut self) {
        self.child.kill();
    }
}

#[cfg(target_arch = "x86_64")]
fn instruction(pid: Pid) -> Option<u64> {
    ptrace::getregs(pid).ok().map(|registers| registers.rip)
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction(_pid: Pid) -> Option<u64> {
    None
}

/// Where the program's first page is mapped.
fn procfs_base(pid: Pid) -> Option<u64> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    u64::from_str_radix(maps.split('-').next()?, 16).ok()
}
