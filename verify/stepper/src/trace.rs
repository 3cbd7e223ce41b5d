//! A traced child: it runs to a marker, is stepped by one instruction, and is killed.

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

/// What a child did after it was continued.
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
    /// Starts `program` as the child of a scenario, and returns at its first stop. All calls must come from the thread
    /// that made this one: for the kernel, that thread is the tracer.
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

    /// Lets it run to the beginning or the end of its next system call, or to the next marker.
    pub fn to_system_call(&mut self) -> Did {
        ptrace::syscall(self.child.pid(), None).expect("the child is stopped");
        self.wait()
    }

    /// Address of the next instruction, as `addr2line -e PROGRAM` takes it; `None` on machines that do not tell it. The
    /// lines need a program that was built with CARGO_PROFILE_RELEASE_DEBUG=1.
    pub fn at(&self) -> Option<u64> {
        let pid = self.child.pid();
        let base = procfs_base(pid)?;
        instruction(pid).map(|at| at.wrapping_sub(base))
    }

    /// Kills the child, and returns when it is dead and the kernel has released its locks.
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
