//! Checks the result: acknowledgements against the history, counters against tasks, files against the sequential pass.

use super::{
    audit::Trail,
    coordinator::{Desk, Expected, PLANNER},
    index,
    plan::{
        AgentReport, FILES, PROGRESS, Progress, State, TASKS, Task, agent_key, decode, file_key, task_key,
    },
    team::{Fate, Member, Team},
};
use crate::failure::Failure;
use slateboard::Entry;
use std::collections::HashMap;

/// The result of the checks.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) updates: u64,
    pub(crate) kills: u64,
    pub(crate) takeovers: u64,
    /// Number of attempts that surviving agents repeated because another agent was faster.
    pub(crate) retries: u64,
    /// Number of acknowledged updates that are not in the history under the name of their writer, and of finished tasks that
    /// are missing in the counter.
    pub(crate) lost: u64,
    /// Number of updates of killed agents that happened but were not acknowledged.
    pub(crate) in_flight: u64,
    /// Whether the board equals the result of the sequential pass, and no check found a problem.
    pub(crate) equal: bool,
    /// Number of files that other programs changed while the demo ran.
    pub(crate) changed: u64,
    /// Events that left the history before they were checked.
    pub(crate) missed: u64,
    pub(crate) problems: Vec<String>,
}

pub(crate) fn examine(desk: &mut Desk, team: &mut Team, expected: &Expected) -> Result<Verdict, Failure> {
    let mut verdict =
        Verdict { updates: desk.audit.events, takeovers: desk.audit.takeovers, ..Verdict::default() };
    verdict.missed = desk.audit.missed;
    verdict.problems = std::mem::take(&mut desk.audit.problems);
    if verdict.missed > 0 {
        verdict.problem(format!("{} events left the history before they could be checked", verdict.missed));
    }
    let planner = desk.audit.trails.get(PLANNER);
    verdict.acknowledged(PLANNER, &desk.written, planner, true);
    for member in &mut team.0 {
        let numbers = member.numbers();
        verdict.member(desk, member, &numbers)?;
    }
    verdict.counter(desk, expected)?;
    let view = desk.planner.view()?;
    let tasks = by_key(view.list(TASKS).into_vec()?);
    let files = by_key(view.list(FILES).into_vec()?);
    verdict.tasks(&tasks, expected);
    verdict.files(&files, expected);
    verdict.versions(desk, tasks.values().chain(files.values()));
    verdict.equal = verdict.problems.is_empty() && verdict.lost == 0;
    Ok(verdict)
}

fn by_key(entries: Vec<Entry>) -> HashMap<String, Entry> {
    entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect()
}

impl Verdict {
    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    /// Checks that the history has exactly the updates that were acknowledged to a writer. A killed writer may have one more
    /// update, whose acknowledgement it did not report.
    fn acknowledged(&mut self, name: &str, told: &[u64], trail: Option<&Trail>, survived: bool) {
        let recorded = trail.map(|trail| trail.generations.as_slice()).unwrap_or_default();
        let (lost, unheard) = compare(told, recorded);
        if lost > 0 {
            self.problem(format!("{name}: {lost} acknowledged updates are not in the history"));
        }
        if unheard > u64::from(!survived) {
            self.problem(format!("{name}: {unheard} updates in the history were not acknowledged"));
        }
        self.lost += lost;
        self.in_flight += unheard;
    }

    fn member(&mut self, desk: &Desk, member: &Member, told: &[u64]) -> Result<(), Failure> {
        let survived = match member.fate {
            Fate::Killed => false,
            Fate::Ended(status) if status.success() => true,
            Fate::Ended(status) => {
                self.problem(format!("{} ended with {status}", member.name));
                false
            }
            Fate::Working => true,
        };
        self.kills += u64::from(member.fate == Fate::Killed);
        let trail = desk.audit.trails.get(&member.name);
        self.acknowledged(&member.name, told, trail, survived);
        let report = desk.planner.get(&agent_key(&member.name))?;
        let report: AgentReport = report.as_ref().map(decode).transpose()?.unwrap_or_default();
        self.retries += report.retries;
        let tasks = trail.map_or(0, |trail| trail.tasks_done);
        if survived && (!report.finished || report.tasks != tasks) {
            let name = &member.name;
            self.problem(format!("{name}: reports {} tasks, but the history has {tasks}", report.tasks));
        }
        Ok(())
    }

    fn counter(&mut self, desk: &Desk, expected: &Expected) -> Result<(), Failure> {
        let entry = desk.planner.get(PROGRESS)?;
        let progress: Progress = entry.as_ref().map(decode).transpose()?.unwrap_or_default();
        let tasks = expected.files.len() as u64;
        let sum: u64 = progress.agents.values().map(|count| count.done).sum();
        if progress.done != tasks || progress.done != sum {
            self.lost += tasks.saturating_sub(progress.done);
            self.problem(format!(
                "{PROGRESS} counts {} of {tasks} tasks; the sum over all agents is {sum}",
                progress.done
            ));
        }
        // Each count creates one version, and nothing else changes the key.
        let version = entry.map_or(0, |entry| entry.version);
        if version != progress.done {
            self.problem(format!("{PROGRESS} has version {version} after {} counts", progress.done));
        }
        Ok(())
    }

    fn tasks(&mut self, tasks: &HashMap<String, Entry>, expected: &Expected) {
        let is_done = |entry: &Entry| decode::<Task>(entry).is_ok_and(|task| task.state == State::Done);
        let open = (0..expected.files.len() as u64)
            .filter(|&number| !tasks.get(&task_key(number)).is_some_and(is_done))
            .count();
        if open > 0 || tasks.len() != expected.files.len() {
            self.problem(format!(
                "{open} of {} tasks are not done; {} tasks are on the board",
                expected.files.len(),
                tasks.len()
            ));
        }
    }

    fn files(&mut self, files: &HashMap<String, Entry>, expected: &Expected) {
        if files.len() != expected.files.len() {
            self.problem(format!(
                "{} files are on the board, but {} are in the tree",
                files.len(),
                expected.files.len()
            ));
        }
        let mut different = Vec::new();
        for (path, summary) in &expected.files {
            let found = file_key(path).and_then(|key| files.get(&key));
            match found {
                Some(entry) if entry.value == *summary => {}
                // The file has changed since the sequential pass, so another program changed it during the demo.
                Some(_) if index::summary_of(&expected.folder.join(path)) != *summary => self.changed += 1,
                _ => different.push(path.as_str()),
            }
        }
        if let Some(first) = different.first() {
            let text =
                format!("{} files differ from the sequential pass, for example {first:?}", different.len());
            self.problem(text);
        }
    }

    /// Checks that the version of each key is the newest one in the history.
    fn versions<'a>(&mut self, desk: &Desk, entries: impl Iterator<Item = &'a Entry>) {
        let astray = entries.filter(|entry| desk.audit.version(&entry.key) != Some(entry.version)).count();
        if astray > 0 && self.missed == 0 {
            self.problem(format!("{astray} keys have a version that is not the newest one in the history"));
        }
    }
}

/// How many numbers of `told` are not in `recorded`, and the reverse. Both are sorted.
fn compare(told: &[u64], recorded: &[u64]) -> (u64, u64) {
    let (mut told, mut recorded) = (told.iter().peekable(), recorded.iter().peekable());
    let (mut lost, mut unheard) = (0, 0);
    loop {
        match (told.peek(), recorded.peek()) {
            (None, None) => return (lost, unheard),
            (Some(a), Some(b)) if a == b => {
                told.next();
                recorded.next();
            }
            (Some(a), Some(b)) if a < b => {
                lost += 1;
                told.next();
            }
            (Some(_), None) => {
                lost += 1;
                told.next();
            }
            (_, Some(_)) => {
                unheard += 1;
                recorded.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_and_unheard_are_told_apart() {
        assert_eq!(compare(&[1, 2, 3], &[1, 2, 3]), (0, 0));
        assert_eq!(compare(&[1, 2, 3], &[1, 3]), (1, 0));
        assert_eq!(compare(&[1, 2], &[1, 2, 5]), (0, 1));
        assert_eq!(compare(&[2, 4], &[1, 3]), (2, 2));
        assert_eq!(compare(&[], &[]), (0, 0));
    }

    #[test]
    fn a_lost_acknowledgement_is_a_lost_update() {
        let trail = |generations: &[u64]| Trail { generations: generations.to_vec(), ..Trail::default() };
        let mut verdict = Verdict::default();
        verdict.acknowledged("a", &[1, 2], Some(&trail(&[1, 2])), true);
        verdict.acknowledged("b", &[3], Some(&trail(&[3, 4])), false);
        assert_eq!((verdict.lost, verdict.in_flight, verdict.problems.len()), (0, 1, 0));
        verdict.acknowledged("c", &[5, 6], Some(&trail(&[5])), true);
        assert_eq!((verdict.lost, verdict.problems.len()), (1, 1));
        verdict.acknowledged("d", &[7], Some(&trail(&[7, 8])), true);
        assert_eq!((verdict.lost, verdict.problems.len()), (1, 2));
    }
}
