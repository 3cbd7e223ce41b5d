//! Runs the demo: board, tasks, team, kills, comparison, baselines.

use super::{
    audit::Audit,
    baseline, index, latency,
    plan::{GO, Task, agent_key, encode, task_key},
    report::Report,
    scratch::Scratch,
    team::{Fate, Orders, Team},
    tree::{self, Skipped},
    verdict,
};
use crate::{
    args::{Demo, StoreArg},
    commands::Context,
    failure::Failure,
    units::grouped,
};
use slateboard::{Board, Session, Watch};
use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Name of the coordinator's session.
pub(crate) const PLANNER: &str = "planner";
/// Events of one task: put, claim, file, progress, done, and one more to allow for takeovers.
const EVENTS_PER_TASK: u64 = 6;
/// The maximum length of the history. The coordinator reads the history as it happens, so it need not hold the whole job.
const LONGEST_HISTORY: u64 = 1 << 18;
const SHORTEST_HISTORY: u64 = 1 << 14;
/// The maximum capacity of a board, in bytes.
const LARGEST_CAPACITY: u64 = 16 << 30;
/// Number of tasks that are put between two reads of the history.
const BATCH: usize = 1_024;

/// The result of the sequential pass, which the team's result is compared with.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) folder: PathBuf,
    /// Path and summary of each file, in the order of the tasks.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) skipped: Skipped,
    pub(crate) took: Duration,
}

/// The board, and the coordinator's session, watch and audit of it.
pub(crate) struct Desk {
    pub(crate) board: Board,
    pub(crate) planner: Session,
    pub(crate) audit: Audit,
    /// Generations of the coordinator's own acknowledged writes.
    pub(crate) written: Vec<u64>,
    watch: Watch,
}

/// The planned kills, and the tasks that are held back for them.
struct Kills {
    wanted: u64,
    done: u64,
    fed: u64,
    tasks: u64,
}

pub(crate) fn run(context: &Context, args: &Demo) -> Result<Report, Failure> {
    let mut line = Line::new(context);
    let expected = sequential_pass(&args.folder, &mut line)?;
    let scratch = Scratch::new()?;
    let region = scratch.path("region");
    let mut desk = Desk::new(&region, expected.files.len() as u64, args.agents)?;
    let mut kills = Kills::new(u64::from(args.kill), expected.files.len() as u64);
    desk.feed(&expected, 0..kills.fed, 0)?;
    let orders = Orders {
        store: StoreArg::Board,
        at: &region,
        folder: &expected.folder,
        agents: args.agents,
        tasks: kills.tasks,
    };
    let mut team = Team::start(&orders)?;
    team.0.iter_mut().for_each(super::team::Member::collect);
    desk.wait_for_team(&mut team)?;
    let began = Instant::now();
    desk.put(GO, &encode(&kills.tasks)?)?;
    while desk.audit.tasks_done < kills.tasks {
        desk.step(&mut team, &mut kills, &expected)?;
        line.show(|| desk.progress(&kills, &team));
    }
    let took = began.elapsed();
    team.wait()?;
    desk.read_all()?;
    let conflicts = desk.board.metrics()?.totals.conflicts;
    let verdict = verdict::examine(&mut desk, &mut team, &expected)?;
    line.clear();
    drop((team, desk));
    let mut report = Report::new(&expected, args, took, verdict, latency::measure(&scratch)?);
    report.conflicts = conflicts;
    for layout in [baseline::Layout::OneFile, baseline::Layout::Shards] {
        line.show(|| format!("the same job with {}", layout.name()));
        report.baselines.push(baseline::run(layout, &scratch, &expected, args.agents)?);
    }
    line.clear();
    Ok(report)
}

/// Indexes every file once, one after another, without a board. The team's result is compared with this.
fn sequential_pass(folder: &Path, line: &mut Line) -> Result<Expected, Failure> {
    let folder = fs::canonicalize(folder)
        .map_err(|error| Failure::io(format!("cannot find the folder {}", folder.display()), &error))?;
    let tree::Survey { paths, mut skipped } = tree::survey(&folder)?;
    let began = Instant::now();
    let (total, mut files) = (paths.len(), Vec::with_capacity(paths.len()));
    for path in paths {
        match index::summarize(&folder.join(&path)) {
            Ok(summary) => files.push((path, encode(&summary)?)),
            Err(_) => skipped.unreadable += 1,
        }
        line.show(|| {
            format!("sequential pass: {} of {} files", grouped(files.len() as u64), grouped(total as u64))
        });
    }
    if files.is_empty() {
        let text = format!("{} has no files to index; give another folder", folder.display());
        return Err(Failure::failed(text));
    }
    Ok(Expected { folder, files, skipped, took: began.elapsed() })
}

impl Desk {
    fn new(region: &Path, tasks: u64, agents: u32) -> Result<Self, Failure> {
        let agents = u64::from(agents);
        let history = (tasks * EVENTS_PER_TASK).next_power_of_two().clamp(SHORTEST_HISTORY, LONGEST_HISTORY);
        // Estimated sizes of an event and of a finished task. The progress value has an entry for every agent.
        let (event_bytes, task_bytes) = (512 + 16 * agents, 2_048);
        // The history may take at most a quarter of the data area.
        let capacity = (4 * history * event_bytes + 2 * tasks * task_bytes).clamp(64 << 20, LARGEST_CAPACITY);
        // Each of the three prefixes has a shard of its own, which is a quarter of the table.
        let keys = (tasks * 6 + 1_024).next_power_of_two().min(4 << 20);
        let board = Board::options()
            .capacity(capacity.next_multiple_of(1 << 20))
            .keys(keys)
            .history(history)
            .sessions(agents + 8)
            .create(region)?;
        let planner = board.attach(PLANNER)?;
        let watch = planner.watch("").since(0);
        Ok(Self { board, planner, audit: Audit::default(), written: Vec::new(), watch })
    }

    pub(crate) fn put(&mut self, key: &str, value: &[u8]) -> Result<(), Failure> {
        self.written.push(self.planner.put(key, value)?.generation);
        Ok(())
    }

    /// Puts tasks on the board. Agents that claim one of the first `held` tasks wait with it.
    fn feed(&mut self, expected: &Expected, tasks: std::ops::Range<u64>, held: u64) -> Result<(), Failure> {
        let first = tasks.start;
        let paths = expected.files.iter().zip(0u64..).filter(|(_, number)| tasks.contains(number));
        for (position, ((path, _), number)) in paths.enumerate() {
            self.put(&task_key(number), &encode(&Task::open(path, number - first < held))?)?;
            if position % BATCH == BATCH - 1 {
                self.read_all()?;
            }
        }
        Ok(())
    }

    /// Waits until every agent has put its first report.
    fn wait_for_team(&mut self, team: &mut Team) -> Result<(), Failure> {
        while team.0.iter().any(|member| self.audit.version(&agent_key(&member.name)).is_none()) {
            self.audit.follow(&mut self.watch)?;
            team.look()?;
            let ended = team.0.iter().find(|member| matches!(member.fate, Fate::Ended(_)));
            if let Some(member) = ended {
                return Err(Failure::failed(format!(
                    "{} ended before the work began; its error is above",
                    member.name
                )));
            }
        }
        Ok(())
    }

    /// Reads the history up to the present.
    pub(crate) fn read_all(&mut self) -> Result<(), Failure> {
        self.audit.catch_up(&mut self.watch, self.board.generation())
    }

    /// Reads one event, if one comes soon; kills an agent and adds tasks if that is due.
    fn step(&mut self, team: &mut Team, kills: &mut Kills, expected: &Expected) -> Result<(), Failure> {
        let happened = self.audit.follow(&mut self.watch)?;
        if !happened {
            team.look()?;
            if team.working() == 0 {
                return Err(Failure::failed(
                    "every agent has ended, but tasks are left; the agents' errors are above",
                ));
            }
        }
        if let Some(name) = kills.candidate(&self.audit, team) {
            self.kill_if_claiming(team, &name, kills)?;
        }
        if let Some((tasks, held)) = kills.feed(self.audit.tasks_done) {
            self.feed(expected, tasks, held)?;
        }
        Ok(())
    }

    /// Stops the agent at an arbitrary point; kills it if the board shows that it holds a claim, otherwise resumes it.
    fn kill_if_claiming(&mut self, team: &mut Team, name: &str, kills: &mut Kills) -> Result<(), Failure> {
        let Some(member) = team.member(name) else { return Ok(()) };
        if !member.stop()? {
            return member_ended(team);
        }
        let generation = self.board.generation();
        self.audit.catch_up(&mut self.watch, generation)?;
        if self.audit.claim_of(name).is_some() {
            kills.done += 1;
            member.kill()
        } else {
            member.resume()
        }
    }

    fn progress(&self, kills: &Kills, team: &Team) -> String {
        format!(
            "{} of {} tasks, {} updates, {} agents at work, {} killed, {} takeovers",
            grouped(self.audit.tasks_done),
            grouped(kills.tasks),
            grouped(self.audit.events),
            team.working(),
            kills.done,
            self.audit.takeovers
        )
    }
}

fn member_ended(team: &mut Team) -> Result<(), Failure> {
    team.look()
}

impl Kills {
    /// Holds back as many tasks as kills are requested.
    fn new(wanted: u64, tasks: u64) -> Self {
        let wanted = wanted.min(tasks);
        Self { wanted, done: 0, fed: tasks - wanted, tasks }
    }

    fn pending(&self) -> u64 {
        self.wanted.saturating_sub(self.done)
    }

    /// The agent to kill now: one that waits with a claim or, if the share of the work before this kill is done, the agent
    /// that has finished some work and has the newest claim.
    fn candidate(&self, audit: &Audit, team: &Team) -> Option<String> {
        if self.pending() == 0 {
            return None;
        }
        let is_due = audit.tasks_done >= (self.tasks * (self.done + 1) / (self.wanted + 2)).max(1);
        let working = team.0.iter().filter(|member| member.fate == Fate::Working);
        let claiming = working.filter_map(|member| {
            let trail = audit.trails.get(&member.name)?;
            let claim = trail.claim?;
            (claim.hold || (is_due && trail.tasks_done > 0)).then_some((claim.hold, claim.generation, member))
        });
        claiming
            .max_by_key(|&(hold, generation, _)| (hold, generation))
            .map(|(.., member)| member.name.clone())
    }

    /// The tasks that were held back, as soon as all kills are done or all other tasks are done. In the latter case, agents
    /// that claim the first of these tasks, one for each pending kill, wait to be killed.
    fn feed(&mut self, tasks_done: u64) -> Option<(std::ops::Range<u64>, u64)> {
        if self.fed == self.tasks || (self.pending() > 0 && tasks_done < self.fed) {
            return None;
        }
        let tasks = self.fed..self.tasks;
        self.fed = self.tasks;
        Some((tasks, self.pending()))
    }
}

/// A progress line on standard error, which is overwritten. Shown only on a terminal.
pub(crate) struct Line {
    is_shown: bool,
    last: Option<Instant>,
}

impl Line {
    const PERIOD: Duration = Duration::from_millis(100);

    fn new(context: &Context) -> Self {
        Self { is_shown: !context.globals.quiet && io::stderr().is_terminal(), last: None }
    }

    fn show(&mut self, text: impl FnOnce() -> String) {
        if self.is_shown && self.last.is_none_or(|last| last.elapsed() >= Self::PERIOD) {
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", text());
            self.last = Some(Instant::now());
        }
    }

    fn clear(&mut self) {
        if self.last.take().is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_back_comes_when_all_kills_are_done() {
        let mut kills = Kills::new(2, 10);
        assert_eq!(kills.fed, 8);
        assert_eq!(kills.feed(3), None, "kills are pending and there is other work");
        kills.done = 2;
        assert_eq!(kills.feed(3), Some((8..10, 0)));
        assert_eq!(kills.feed(3), None, "once");
    }

    #[test]
    fn what_was_held_back_catches_who_could_not_be_caught() {
        let mut kills = Kills::new(2, 10);
        kills.done = 1;
        assert_eq!(kills.feed(8), Some((8..10, 1)));
    }

    #[test]
    fn no_more_kills_than_tasks() {
        let mut kills = Kills::new(3, 1);
        assert_eq!((kills.pending(), kills.feed(0)), (1, Some((0..1, 1))));
    }
}
