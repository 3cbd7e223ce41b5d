//! The judge of a run: it compares the answers with each other, with the history, and with the board at the end.
//!
//! The `chronicle` is the history of each key, with the `times` between which each generation happened. There is one
//! judge for each kind of call: `reads` and views, `changes` and what they were made of, `lists`, `leases`,
//! `bulk` removals, and `lives`, what ends by itself. `facts` and `story` compare the answers and the events with
//! each other, `ends` compares both with the board at rest, and `windows` asks a checker of linearizability.

mod bulk;
mod changes;
mod chronicle;
mod ends;
mod facts;
mod leases;
mod lists;
mod lives;
mod reads;
mod story;
mod times;
pub mod windows;

use crate::{
    log::{Keys, Record},
    observer::Story,
};
use chronicle::Chronicle;
use slateboard_fsck::Summary;
use slateboard_kit::calls::{self, Answer, Call};
use std::collections::HashMap;

/// A key's newest change before the workers began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stood {
    /// Its version.
    pub version: u64,
    /// The generation that wrote it.
    pub generation: u64,
    /// Which value.
    pub value: u64,
    /// When it ends, nanoseconds of `CLOCK_BOOTTIME`; 0: never.
    pub deadline: u64,
}

/// One call of a worker, as its log tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Logged {
    /// The worker.
    pub worker: u64,
    /// The call's number.
    pub id: u64,
    /// The key.
    pub key: u64,
    /// What was asked for.
    pub asked: Call,
    /// When it began.
    pub start: u64,
    /// When it ended; `None` for a call under way at a kill.
    pub end: Option<u64>,
    /// What it was told.
    pub answer: Option<Answer>,
}

/// A list, as a worker's log tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// When it began and ended.
    pub span: [u64; 2],
    /// Whose generation it is, where it tells.
    pub generation: Option<u64>,
    /// Whether values are absent whose time to live was over.
    pub present: bool,
    /// The keys that it must have where they are present.
    pub wanted: Keys,
    /// The keys in it.
    pub found: Keys,
}

/// What a worker's log tells.
#[derive(Clone, Default, Debug)]
pub struct Heard {
    /// Its calls.
    pub calls: Vec<Logged>,
    /// Its lists.
    pub lists: Vec<Listed>,
}

/// Everything that is known about the time between two moments of rest.
pub struct Epoch {
    /// The generation at the beginning.
    pub since: u64,
    /// What stood at the beginning, by key.
    pub stood: HashMap<u64, Stood>,
    /// All calls.
    pub calls: Vec<Logged>,
    /// All lists.
    pub lists: Vec<Listed>,
    /// What the observer read.
    pub story: Story,
    /// What the independent check finds at the end.
    pub ended: Summary,
}

/// What was checked.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Calls.
    pub calls: u64,
    /// Calls under way at a kill.
    pub pending: u64,
    /// Events.
    pub events: u64,
    /// Windows that the linearizability checker took.
    pub windows: u64,
    /// Calls in these.
    pub window_calls: u64,
    /// Windows that were too long for it, or that a killed call left open.
    pub skipped: u64,
    /// Lists.
    pub lists: u64,
    /// Answers and events that were not judged by the history, because the observer missed a part of it.
    pub unknown: u64,
}

/// What a worker's log tells, or why it tells nothing.
pub fn heard(worker: u64, records: &[Record]) -> Result<Heard, String> {
    let mut heard = Heard::default();
    let mut under_way: HashMap<u64, usize> = HashMap::new();
    let mut list = None;
    for record in records {
        match *record {
            Record::Called { id, at, key, asked } => {
                if under_way.insert(id, heard.calls.len()).is_some() {
                    return Err(format!("worker {worker} calls twice under one number"));
                }
                heard.calls.push(Logged { worker, id, key, asked, start: at, end: None, answer: None });
            }
            Record::Answered { id, at, answer } => match under_way.remove(&id) {
                Some(index) => {
                    let call = &mut heard.calls[index];
                    (call.end, call.answer) = (Some(at), Some(answer));
                }
                None => return Err(format!("worker {worker} is told what it did not ask")),
            },
            Record::Asked { at, wanted } => list = Some((at, wanted)),
            Record::Listed { at, generation, present, found } => {
                let Some((start, wanted)) = list.take() else {
                    return Err(format!("worker {worker} has a list that it did not ask for"));
                };
                heard.lists.push(Listed { span: [start, at], generation, present, wanted, found });
            }
        }
    }
    Ok(heard)
}

/// The value of each key.
pub fn stood(summary: &Summary) -> Result<HashMap<u64, Stood>, String> {
    let mut stood = HashMap::new();
    for key in &summary.keys {
        let name = String::from_utf8_lossy(&key.key);
        let index = calls::index(&key.key).ok_or_else(|| format!("a key that nobody wrote: {name}"))?;
        let value = calls::identify(&key.value, index)
            .ok_or_else(|| format!("{name} has a value that nobody wrote"))?;
        let (version, generation, deadline) = (key.version, key.generation, key.deadline);
        stood.insert(index, Stood { version, generation, value, deadline });
    }
    Ok(stood)
}

impl Epoch {
    /// Judges everything. Returns the violations, and what was checked.
    pub fn judge(&mut self) -> (Vec<String>, Checked) {
        let mut violations = std::mem::take(&mut self.story.wrong);
        let mut checked = Checked {
            calls: self.calls.len() as u64,
            pending: self.calls.iter().filter(|call| call.end.is_none()).count() as u64,
            events: self.story.events.len() as u64,
            lists: self.lists.len() as u64,
            ..Checked::default()
        };
        bulk::attribute(self, &mut violations);
        let chronicle = Chronicle::of(self);
        let mut case = Case { epoch: self, chronicle: &chronicle, violations: &mut violations, unknown: 0 };
        for judge in [
            facts::check,
            story::check,
            changes::check,
            reads::check,
            lists::check,
            leases::check,
            lives::check,
            bulk::check,
            ends::check,
        ] {
            judge(&mut case);
        }
        checked.unknown = case.unknown;
        windows::check(self, &mut checked, &mut violations);
        (violations, checked)
    }

    /// The changes that were acknowledged: call, version, generation.
    fn done(&self) -> impl Iterator<Item = (&Logged, u64, u64)> {
        self.calls
            .iter()
            .filter_map(|call| call.change().map(|(version, generation)| (call, version, generation)))
    }

    /// The calls whose values are known by their numbers.
    fn written(&self) -> HashMap<u64, &Logged> {
        self.calls.iter().filter(|call| call.asked.puts()).map(|call| (call.id, call)).collect()
    }
}

/// What the judges look at, and what they found.
struct Case<'c> {
    epoch: &'c Epoch,
    chronicle: &'c Chronicle,
    violations: &'c mut Vec<String>,
    /// What could not be judged, because a part of the history was missed.
    unknown: u64,
}

impl Case<'_> {
    fn violated(&mut self, what: &str, whose: &impl std::fmt::Debug) {
        self.violations.push(format!("{what}: {whose:?}"));
    }

    /// What is known; counts what is not.
    fn known<T>(&mut self, known: Option<T>) -> Option<T> {
        self.unknown += u64::from(known.is_none());
        known
    }
}

impl Logged {
    /// When it began and ended.
    pub fn span(&self) -> [u64; 2] {
        [self.start, self.end.unwrap_or(u64::MAX)]
    }

    /// Version and generation of its change.
    pub fn change(&self) -> Option<(u64, u64)> {
        match self.answer? {
            Answer::Done { version, generation } | Answer::Updated { version, generation, .. } => {
                Some((version, generation))
            }
            _ => None,
        }
    }

    /// The generation that it was told.
    pub fn generation(&self) -> Option<u64> {
        match self.answer? {
            Answer::Value { generation, .. } | Answer::Generation(generation) => Some(generation),
            _ => self.change().map(|(_, generation)| generation),
        }
    }

    /// The generation that it made.
    pub fn caused(&self) -> Option<u64> {
        self.generation().filter(|_| self.asked.changes() || self.asked == Call::Take)
    }
}
