//! The agent processes. They are started together and killed one by one, and none of them outlives the demo.

use crate::{args::StoreArg, failure::Failure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::{
    env,
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

/// The state of an agent, as far as the coordinator knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Working,
    /// Killed by the coordinator.
    Killed,
    Ended(ExitStatus),
}

/// One process of the team.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) fate: Fate,
    child: Child,
    /// A pipe whose end of file shows the agent that the coordinator has ended. It is kept apart from `child`, because
    /// `Child::wait` would close it.
    lifeline: Option<ChildStdin>,
    output: Output,
}

#[derive(Debug)]
enum Output {
    Unread(ChildStdout),
    Read(JoinHandle<Vec<u8>>),
    Taken,
}

/// The processes. Dropping the team ends all of them.
#[derive(Debug)]
pub(crate) struct Team(pub(crate) Vec<Member>);

/// The arguments of all members.
pub(crate) struct Orders<'a> {
    pub(crate) store: StoreArg,
    /// The region, or the folder of the JSON files.
    pub(crate) at: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) agents: u32,
    pub(crate) tasks: u64,
}

impl Team {
    /// Starts all members; each starts its search for work at another task.
    pub(crate) fn start(orders: &Orders<'_>) -> Result<Self, Failure> {
        let mut team = Self(Vec::new());
        for number in 0..orders.agents {
            let first = orders.tasks / u64::from(orders.agents.max(1)) * u64::from(number);
            team.0.push(Member::start(orders, format!("agent-{}", number + 1), first)?);
        }
        Ok(team)
    }

    pub(crate) fn member(&mut self, name: &str) -> Option<&mut Member> {
        self.0.iter_mut().find(|member| member.name == name)
    }

    pub(crate) fn working(&self) -> usize {
        self.0.iter().filter(|member| member.fate == Fate::Working).count()
    }

    /// Records which members have ended without being killed.
    pub(crate) fn look(&mut self) -> Result<(), Failure> {
        self.0.iter_mut().try_for_each(Member::look)
    }

    /// Waits until every member has ended.
    pub(crate) fn wait(&mut self) -> Result<(), Failure> {
        self.0.iter_mut().try_for_each(Member::wait)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for member in &mut self.0 {
            // An error means that the process has ended already.
            let _ = member.child.kill();
            let _ = member.child.wait();
            drop(member.lifeline.take());
        }
    }
}

impl Member {
    fn start(orders: &Orders<'_>, name: String, first: u64) -> Result<Self, Failure> {
        let starting = |error: &std::io::Error| Failure::io(format!("cannot start {name}"), error);
        let program = env::current_exe().map_err(|error| starting(&error))?;
        let mut child = Command::new(program)
            .arg("demo-agent")
            .args([orders.at, orders.folder])
            .args(["--name", &name, "--store", orders.store.flag(), "--first", &first.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C must reach only the coordinator; the agents end when it has ended.
            .process_group(0)
            .spawn()
            .map_err(|error| starting(&error))?;
        let output = child.stdout.take().map_or(Output::Taken, Output::Unread);
        let lifeline = child.stdin.take();
        Ok(Self { name, fate: Fate::Working, child, lifeline, output })
    }

    /// Blocks until the member has written its first byte.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let Output::Unread(output) = &mut self.output else { return Ok(()) };
        output
            .read_exact(&mut [0])
            .map_err(|error| Failure::io(format!("{} ended before it was ready", self.name), &error))
    }

    /// Collects the output of the member in the background.
    pub(crate) fn collect(&mut self) {
        self.output = match std::mem::replace(&mut self.output, Output::Taken) {
            Output::Unread(mut output) => Output::Read(thread::spawn(move || {
                let mut bytes = Vec::new();
                // Output that arrived before an error still counts.
                let _ = output.read_to_end(&mut bytes);
                bytes
            })),
            other => other,
        };
    }

    /// The complete output of the member: a sequence of 64-bit numbers. An incomplete number at the end is ignored, because its
    /// update was not reported.
    pub(crate) fn numbers(&mut self) -> Vec<u64> {
        let bytes = match std::mem::replace(&mut self.output, Output::Taken) {
            Output::Read(collector) => collector.join().unwrap_or_default(),
            _ => Vec::new(),
        };
        let (whole, _) = bytes.as_chunks::<8>();
        whole.iter().map(|number| u64::from_le_bytes(*number)).collect()
    }

    /// Stops the process at an arbitrary point, and returns when it is stopped. `false` means that it had ended.
    pub(crate) fn stop(&mut self) -> Result<bool, Failure> {
        let pid = self.pid()?;
        self.signal(pid, Signal::STOP)?;
        let how = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let state = waitid(WaitId::Pid(pid), how)
            .map_err(|error| Failure::io(format!("cannot wait for {} to stop", self.name), &error.into()))?;
        Ok(state.is_some_and(|state| state.stopped()))
    }

    /// Resumes a stopped process.
    pub(crate) fn resume(&mut self) -> Result<(), Failure> {
        let pid = self.pid()?;
        self.signal(pid, Signal::CONT)
    }

    /// Sends SIGKILL, and returns when the process has ended.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        let killing = |error: &std::io::Error| Failure::io(format!("cannot kill {}", self.name), error);
        self.child.kill().map_err(|error| killing(&error))?;
        self.child.wait().map_err(|error| killing(&error))?;
        self.fate = Fate::Killed;
        Ok(())
    }

    fn look(&mut self) -> Result<(), Failure> {
        if self.fate != Fate::Working {
            return Ok(());
        }
        let ended = self.child.try_wait();
        let ended = ended.map_err(|error| {
            Failure::io(format!("cannot determine whether {} is running", self.name), &error)
        })?;
        self.fate = ended.map_or(Fate::Working, Fate::Ended);
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let ended = self.child.wait();
        let ended = ended.map_err(|error| Failure::io(format!("cannot wait for {}", self.name), &error))?;
        if self.fate == Fate::Working {
            self.fate = Fate::Ended(ended);
        }
        Ok(())
    }

    fn signal(&self, pid: Pid, signal: Signal) -> Result<(), Failure> {
        kill_process(pid, signal)
            .map_err(|error| Failure::io(format!("cannot send a signal to {}", self.name), &error.into()))
    }

    /// The process id. The child has not been waited for, so the id is not reused.
    fn pid(&self) -> Result<Pid, Failure> {
        let number = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        number.ok_or_else(|| Failure::failed(format!("{} has no process id", self.name)))
    }
}
