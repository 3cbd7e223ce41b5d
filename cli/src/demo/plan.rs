//! The keys and documents that the team writes on the board.

use crate::failure::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use slateboard::Entry;
use std::collections::BTreeMap;

pub(crate) const TASKS: &str = "task/";
pub(crate) const FILES: &str = "file/";
/// Counts finished tasks; see [`Progress`].
pub(crate) const PROGRESS: &str = "team/progress";
/// Number of tasks, as decimal text. The first put of this key starts the work.
pub(crate) const GO: &str = "team/go";

/// Maximum length of a key, in bytes.
const LONGEST_KEY: usize = 1_024;

pub(crate) fn task_key(task: u64) -> String {
    format!("{TASKS}{task}")
}

/// The key of a file's summary; `None` if the path is too long for a key.
pub(crate) fn file_key(path: &str) -> Option<String> {
    let key = format!("{FILES}{path}");
    (key.len() <= LONGEST_KEY).then_some(key)
}

pub(crate) fn agent_key(name: &str) -> String {
    format!("team/agent/{name}")
}

/// The task that a key names.
pub(crate) fn task_number(key: &str) -> Option<u64> {
    key.strip_prefix(TASKS)?.parse().ok()
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Open,
    Claimed,
    Done,
}

/// The session that holds a claim.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Holder {
    pub(crate) name: String,
    pub(crate) session: u16,
    pub(crate) incarnation: u32,
}

/// Value of `task/<n>`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Task {
    pub(crate) path: String,
    pub(crate) state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<Holder>,
    /// Names of the dead agents that held the task before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) before: Vec<String>,
    /// Whether the agent that claims it waits. For the last tasks of a tree that is too small to catch an agent at work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) hold: bool,
}

impl Task {
    pub(crate) fn open(path: &str, hold: bool) -> Self {
        Self { path: path.to_owned(), state: State::Open, by: None, before: Vec::new(), hold }
    }

    pub(crate) fn claimed(self, by: Holder) -> Self {
        Self { state: State::Claimed, by: Some(by), ..self }
    }

    /// The task, claimed by another agent after its holder died.
    pub(crate) fn taken_over(mut self, by: Holder) -> Self {
        self.before.extend(self.by.take().map(|dead| dead.name));
        Self { hold: false, ..self.claimed(by) }
    }

    pub(crate) fn done(self) -> Self {
        Self { state: State::Done, ..self }
    }
}

/// Value of `team/progress`: the tasks that each agent has finished. An agent finishes one task at a time, so its last
/// task shows whether it had counted the task that it held when it died. This way every task is counted exactly once.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) agents: BTreeMap<String, Count>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub(crate) struct Count {
    pub(crate) done: u64,
    pub(crate) last: u64,
}

impl Progress {
    /// Counts a task, unless a dead agent that held it before has counted it already.
    pub(crate) fn count(&mut self, name: &str, task: u64, before: &[String]) -> bool {
        let counted = |dead: &String| self.agents.get(dead).is_some_and(|count| count.last == task);
        if before.iter().any(counted) {
            return false;
        }
        self.done += 1;
        let count = self.agents.entry(name.to_owned()).or_default();
        *count = Count { done: count.done + 1, last: task };
        true
    }
}

/// Value of `team/agent/<name>`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub(crate) struct AgentReport {
    pub(crate) finished: bool,
    pub(crate) tasks: u64,
    pub(crate) conflicts: u64,
    pub(crate) retries: u64,
}

/// Encodes a document of the team.
pub(crate) fn encode(document: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(document)
        .map_err(|error| Failure::failed(format!("cannot encode a document: {error}")))
}

/// Decodes a document of the team from an entry.
pub(crate) fn decode<T: DeserializeOwned>(entry: &Entry) -> Result<T, Failure> {
    serde_json::from_slice(&entry.value)
        .map_err(|error| Failure::failed(format!("key {:?} holds an unexpected value: {error}", entry.key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_counted_once_whoever_died_when() {
        let mut progress = Progress::default();
        assert!(progress.count("a", 7, &[]));
        assert!(!progress.count("b", 7, &["a".into()]), "a had counted it");
        assert!(!progress.count("c", 7, &["a".into(), "b".into()]), "also after two deaths");
        assert!(progress.count("b", 8, &["a".into()]), "a had not come to count it");
        assert_eq!(progress.done, 2);
    }

    #[test]
    fn taking_over_remembers_the_dead_and_holds_no_more() {
        let holder = |name: &str| Holder { name: name.into(), session: 1, incarnation: 1 };
        let task = Task::open("p", true).claimed(holder("a")).taken_over(holder("b")).taken_over(holder("c"));
        assert_eq!(task.before, ["a", "b"]);
        assert!(!task.hold && task.by.is_some_and(|by| by.name == "c"));
    }

    #[test]
    fn long_paths_are_no_keys() {
        assert!(file_key(&"x".repeat(1_019)).is_some());
        assert!(file_key(&"x".repeat(1_020)).is_none());
    }
}
