//! The agent processes: started together, stopped and killed one by one, never left behind.

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

/// How an agent is doing, as far as its coordinator knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Working,
    /// By the coordinator.
    Killed,
    Ended(ExitStatus),
}

/// One process of the team.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) fate: Fate,
    child: Child,
    /// Its end is the coordinator's end, for the agent. Apart from the child, because waiting for that
    /// would close it.
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

/// What every member is told.
pub(crate) struct Orders<'a> {
    pub(crate) store: StoreArg,
    /// The region, or the folder of the JSON files.
    pub(crate) at: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) agents: u32,
    pub(crate) tasks: u64,
}

impl Team {
    /// Starts all members; each begins to look for work at another place.
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

    /// Notes who ended without being killed.
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
            // An error means that it has ended already, which is what is wanted.
            let _ = member.child.kill();
            let _ = member.child.wait();
            drop(member.lifeline.take());
        }
    }
}

impl Member {
    fn start(orders: &Orders<'_>, name: String, first: u64) -> Result<Self, Failure> {
        let starting = |error: &std::io::Error| Failure::io(format!("starting {name}"), error);
        let program = env::current_exe().map_err(|error| starting(&error))?;
        let mut child = Command::new(program)
            .arg("demo-agent")
            .args([orders.at, orders.folder])
            .args(["--name", &name, "--store", orders.store.flag(), "--first", &first.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the coordinator, whose end ends the agents.
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

    /// Collects what the member writes, beside everything else.
    pub(crate) fn collect(&mut self) {
        self.output = match std::mem::replace(&mut self.output, Output::Taken) {
            Output::Unread(mut output) => Output::Read(thread::spawn(move || {
                let mut bytes = Vec::new();
                // What arrived before an error counts.
                let _ = output.read_to_end(&mut bytes);
                bytes
            })),
            other => other,
        };
    }

    /// All that the member has written until its end: one 64-bit number after another. What is cut off at
    /// the end was never told.
    pub(crate) fn numbers(&mut self) -> Vec<u64> {
        let bytes = match std::mem::replace(&mut self.output, Output::Taken) {
            Output::Read(collector) => collector.join().unwrap_or_default(),
            _ => Vec::new(),
        };
        let (whole, _) = bytes.as_chunks::<8>();
        whole.iter().map(|number| u64::from_le_bytes(*number)).collect()
    }

    /// Stops the process, whatever it is doing, and returns when it stands still. False: it had ended.
    pub(crate) fn stop(&mut self) -> Result<bool, Failure> {
        let pid = self.pid()?;
        self.signal(pid, Signal::STOP)?;
        let how = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let state = waitid(WaitId::Pid(pid), how)
            .map_err(|error| Failure::io(format!("waiting for {} to stop", self.name), &error.into()))?;
        Ok(state.is_some_and(|state| state.stopped()))
    }

    /// Lets a stopped process go on.
    pub(crate) fn resume(&mut self) -> Result<(), Failure> {
        let pid = self.pid()?;
        self.signal(pid, Signal::CONT)
    }

    /// SIGKILL; returns when the process is gone.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        let killing = |error: &std::io::Error| Failure::io(format!("killing {}", self.name), error);
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
        let ended = ended.map_err(|error| Failure::io(format!("looking after {}", self.name), &error))?;
        self.fate = ended.map_or(Fate::Working, Fate::Ended);
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let ended = self.child.wait();
        let ended = ended.map_err(|error| Failure::io(format!("waiting for {}", self.name), &error))?;
        if self.fate == Fate::Working {
            self.fate = Fate::Ended(ended);
        }
        Ok(())
    }

    fn signal(&self, pid: Pid, signal: Signal) -> Result<(), Failure> {
        kill_process(pid, signal)
            .map_err(|error| Failure::io(format!("sending a signal to {}", self.name), &error.into()))
    }

    /// Of a child that nobody has waited for, so the number is still its own.
    fn pid(&self) -> Result<Pid, Failure> {
        let number = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        number.ok_or_else(|| Failure::failed(format!("{} has no process number", self.name)))
    }
}
