//! One agent: claims tasks, performs them, and takes over the claims of dead agents.

use super::{
    index,
    plan::{
        AgentReport, GO, Holder, PROGRESS, Progress, State, TASKS, Task, agent_key, decode, encode, file_key,
        task_key,
    },
};
use crate::{args::DemoAgent, failure::Failure};
use slateboard::{Board, Entry, Expect, Liveness, Newer, Receipt, Replacement, Retry, Session};
use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    path::PathBuf,
    time::Duration,
};

/// The longest time of one blocking call. The board reports work and deaths; this only limits a sleep.
const SLICE: Duration = Duration::from_millis(20);
/// Joins the team, works until every task is done, and reports.
pub(crate) fn run(args: &DemoAgent) -> Result<(), Failure> {
    let session = Board::open(&args.at)?.attach(&args.name)?;
    let mut agent = Agent::new(session, args)?;
    agent.say(&AgentReport::default())?;
    let tasks = agent.wait_for_go()?;
    agent.work(tasks, args.first)?;
    agent.report.finished = true;
    let report = agent.report.clone();
    agent.say(&report)
}

struct Agent {
    session: Session,
    board: Board,
    me: Holder,
    folder: PathBuf,
    acknowledgements: File,
    report: AgentReport,
}

/// The outcome of checking a task.
enum Looked {
    /// Done by some agent; not to be checked again.
    Done,
    /// This agent has just done it.
    Worked,
    /// Not on the board yet, or claimed by another agent.
    Later,
}

impl Agent {
    fn new(session: Session, args: &DemoAgent) -> Result<Self, Failure> {
        let me =
            Holder { name: args.name.clone(), session: session.index(), incarnation: session.incarnation() };
        let output = io::stdout().as_fd().try_clone_to_owned();
        let output =
            output.map_err(|error| Failure::io("cannot open the pipe to the coordinator", &error))?;
        Ok(Self {
            board: Board::open(&args.at)?,
            session,
            me,
            folder: args.folder.clone(),
            acknowledgements: File::from(output),
            report: AgentReport::default(),
        })
    }

    /// Reports to the coordinator, outside the board, which update the board has acknowledged. Data in the pipe outlives
    /// this process, so a lost update is found even if its writer was killed.
    fn acknowledge(&mut self, receipt: Receipt) -> Result<Receipt, Failure> {
        self.report.retries += u64::from(receipt.retries);
        self.acknowledgements
            .write_all(&receipt.generation.to_le_bytes())
            .map_err(|error| Failure::io("cannot report to the coordinator", &error))?;
        Ok(receipt)
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), Failure> {
        let receipt = self.session.put(key, value)?;
        self.acknowledge(receipt).map(drop)
    }

    fn say(&mut self, report: &AgentReport) -> Result<(), Failure> {
        self.put(&agent_key(&self.me.name), &encode(report)?)
    }

    /// Waits until the coordinator starts the work, and returns the number of tasks.
    fn wait_for_go(&self) -> Result<u64, Failure> {
        loop {
            if let Some(Newer::Value(entry)) = self.session.wait_newer(GO, 0, SLICE)? {
                return decode(&entry);
            }
        }
    }

    fn work(&mut self, tasks: u64, first: u64) -> Result<(), Failure> {
        let mut left: Vec<u64> = (first..tasks).chain(0..first.min(tasks)).collect();
        let mut idle = false;
        while !left.is_empty() {
            // Starts before the tasks are checked, so that no change is missed between a check and the wait.
            let mut watch = self.session.watch(TASKS);
            let mut later = Vec::new();
            let mut worked = false;
            for &task in &left {
                match self.look(task, idle)? {
                    Looked::Done => {}
                    Looked::Worked => worked = true,
                    Looked::Later => later.push(task),
                }
            }
            idle = !worked;
            left = later;
            if idle && !left.is_empty() {
                match watch.next_timeout(SLICE) {
                    Err(error) if error.missed().is_none() => return Err(error.into()),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Checks a task. Only an idle agent checks whether other agents are alive, because open tasks come first.
    fn look(&mut self, number: u64, idle: bool) -> Result<Looked, Failure> {
        let Some(entry) = self.session.get(&task_key(number))? else { return Ok(Looked::Later) };
        let task: Task = decode(&entry)?;
        let claimed = match (task.state, &task.by) {
            (State::Done, _) => return Ok(Looked::Done),
            (State::Open, _) | (State::Claimed, None) => task.claimed(self.me.clone()),
            (State::Claimed, Some(holder)) if idle && self.has_ended(holder)? => {
                task.taken_over(self.me.clone())
            }
            (State::Claimed, Some(_)) => return Ok(Looked::Later),
        };
        match self.session.put_if(&entry.key, encode(&claimed)?, Expect::Version(entry.version)) {
            Ok(receipt) => {
                let claim = self.acknowledge(receipt)?;
                self.perform(number, claimed, claim)?;
                Ok(Looked::Worked)
            }
            Err(error) if error.is_conflict() => {
                self.report.conflicts += 1;
                Ok(Looked::Later)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the holder is dead, or its session record belongs to another session by now. Called after the claim was read,
    /// at which time its holder was attached.
    fn has_ended(&self, holder: &Holder) -> Result<bool, Failure> {
        let sessions = self.board.sessions()?;
        let record = sessions
            .iter()
            .find(|session| session.index == holder.session && session.incarnation == holder.incarnation);
        Ok(record.is_none_or(|session| session.liveness == Liveness::Dead))
    }

    /// This process may be killed after any step; the agent that takes over repeats the steps, which are idempotent.
    fn perform(&mut self, number: u64, task: Task, claim: Receipt) -> Result<(), Failure> {
        if task.hold {
            self.hold(number, claim.version)?;
        }
        let summary = index::summary_of(&self.folder.join(&task.path));
        let key =
            file_key(&task.path).ok_or_else(|| Failure::failed("the path of a task is not a valid key"))?;
        self.put(&key, &summary)?;
        self.count(number, &task.before)?;
        let before = claim.version;
        match self.session.put_if(&task_key(number), encode(&task.done())?, Expect::Version(before)) {
            Ok(receipt) => self.acknowledge(receipt)?,
            Err(error) if error.is_conflict() => {
                let text =
                    format!("task {number} was taken over from {} while that agent was alive", self.me.name);
                return Err(Failure::failed(text));
            }
            Err(error) => return Err(error.into()),
        };
        self.report.tasks += 1;
        Ok(())
    }

    /// Waits while it holds the claim.
    fn hold(&self, number: u64, version: u64) -> Result<(), Failure> {
        while self.session.wait_newer(&task_key(number), version, Duration::from_secs(1))?.is_none() {}
        Ok(())
    }

    fn count(&mut self, number: u64, before: &[String]) -> Result<(), Failure> {
        let name = self.me.name.clone();
        let counted = self.session.try_update(PROGRESS, Retry::UNLIMITED, |old: Option<&Entry>| {
            let mut progress: Progress = old.map(decode).transpose()?.unwrap_or_default();
            progress.count(&name, number, before).then(|| encode(&progress).map(Replacement::new)).transpose()
        })?;
        match counted {
            Some(receipt) => self.acknowledge(receipt).map(drop),
            None => Ok(()),
        }
    }
}
