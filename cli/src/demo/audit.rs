//! Reads the whole history as it happens, and collects what the verdict needs.

use super::plan::{State, Task, task_number};
use crate::failure::Failure;
use slateboard::{Event, Mutation, Watch};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// The maximum number of problems that are kept.
const MOST_PROBLEMS: usize = 20;
/// The longest time of one blocking call.
const SLICE: Duration = Duration::from_millis(50);

/// What was read from the history.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Generation of the newest event that was read.
    pub(crate) at: u64,
    /// Events that left the history before they were read.
    pub(crate) missed: u64,
    pub(crate) events: u64,
    pub(crate) tasks_done: u64,
    pub(crate) takeovers: u64,
    /// Keyed by the name of the writer.
    pub(crate) trails: BTreeMap<String, Trail>,
    pub(crate) problems: Vec<String>,
    /// Version and generation of the newest change of every key.
    keys: HashMap<String, (u64, u64)>,
}

/// What one session did.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// Generations of its events, in order.
    pub(crate) generations: Vec<u64>,
    pub(crate) tasks_done: u64,
    pub(crate) claim: Option<Claim>,
}

/// A claim that is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim {
    pub(crate) task: u64,
    pub(crate) generation: u64,
    /// Whether the holder waits before it does the task.
    pub(crate) hold: bool,
}

impl Audit {
    /// Reads the next event, if one comes soon.
    pub(crate) fn follow(&mut self, watch: &mut Watch) -> Result<bool, Failure> {
        match watch.next_timeout(SLICE) {
            Ok(Some(event)) => {
                self.record(&event);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => match error.missed() {
                Some(lagged) => {
                    self.missed += lagged.missed;
                    self.at = self.at.max(lagged.resume_at);
                    Ok(true)
                }
                None => Err(error.into()),
            },
        }
    }

    /// Reads everything up to this past generation.
    pub(crate) fn catch_up(&mut self, watch: &mut Watch, generation: u64) -> Result<(), Failure> {
        while self.at < generation {
            self.follow(watch)?;
        }
        Ok(())
    }

    /// Version of the newest change of a key.
    pub(crate) fn version(&self, key: &str) -> Option<u64> {
        self.keys.get(key).map(|&(version, _)| version)
    }

    pub(crate) fn claim_of(&self, name: &str) -> Option<Claim> {
        self.trails.get(name)?.claim
    }

    /// Records a problem, as a sentence.
    pub(crate) fn problem(&mut self, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(text);
        }
    }

    pub(crate) fn record(&mut self, event: &Event) {
        if event.generation != self.at + 1 {
            self.problem(format!(
                "event {} follows event {}, so events are missing or out of order",
                event.generation, self.at
            ));
        }
        self.at = event.generation;
        self.events += 1;
        let writer = &event.session.name;
        if !self.trails.contains_key(writer) {
            self.trails.insert(writer.clone(), Trail::default());
        }
        if let Some(trail) = self.trails.get_mut(writer) {
            trail.generations.push(event.generation);
        }
        for mutation in &event.mutations {
            self.chain(mutation, event.generation);
            if let Some(number) = task_number(&mutation.key) {
                self.task(number, mutation, event);
            }
        }
    }

    /// Checks that each change of a key follows the previous change: no version is skipped, and the previous entry matches.
    fn chain(&mut self, mutation: &Mutation, generation: u64) {
        let before = self.keys.insert(mutation.key.clone(), (mutation.version, generation));
        let claimed = mutation.previous.as_ref().map(|previous| (previous.version, previous.generation));
        let expected = before.map_or(1, |(version, _)| version + 1);
        // After missed events, no comparison is possible. Missed events are reported separately.
        if self.missed == 0 && (mutation.version != expected || claimed != before) {
            self.problem(format!(
                "key {:?}: version {} at generation {generation} does not follow version {}",
                mutation.key,
                mutation.version,
                expected - 1
            ));
        }
    }

    fn task(&mut self, number: u64, mutation: &Mutation, event: &Event) {
        let task = mutation.value.as_deref().and_then(|value| serde_json::from_slice::<Task>(value).ok());
        let Some(task) = task else {
            return self
                .problem(format!("task {number} is not a valid task at generation {}", event.generation));
        };
        let Some(trail) = self.trails.get_mut(&event.session.name) else { return };
        match task.state {
            State::Open => {}
            State::Claimed => {
                trail.claim = Some(Claim { task: number, generation: event.generation, hold: task.hold });
                // A claim that names a previous holder was taken over from it, so that holder has no claim any more.
                let taken_over = task.before.last().and_then(|dead| self.trails.get_mut(dead));
                if let Some(dead) = taken_over {
                    dead.claim = None;
                    self.takeovers += 1;
                }
            }
            State::Done => {
                trail.claim = None;
                trail.tasks_done += 1;
                self.tasks_done += 1;
            }
        }
    }
}
