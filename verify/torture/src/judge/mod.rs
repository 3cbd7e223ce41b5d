//! The judge of a run: it compares the answers with each other, with the history, and with the board at the end.

mod ends;
mod facts;
mod story;
pub mod windows;

use crate::{log::Record, observer::Story};
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
    /// Which call's value.
    pub value: u64,
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

/// Everything that is known about the time between two moments of rest.
pub struct Epoch {
    /// The generation at the beginning.
    pub since: u64,
    /// What stood at the beginning, by key.
    pub stood: HashMap<u64, Stood>,
    /// All calls.
    pub calls: Vec<Logged>,
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
}

/// The calls in a worker's log, or why they are no calls.
pub fn calls(worker: u64, records: &[Record]) -> Result<Vec<Logged>, String> {
    let mut calls: Vec<Logged> = Vec::with_capacity(records.len() / 2);
    for record in records {
        match *record {
            Record::Called { id, at, key, asked } => {
                if calls.last().is_some_and(|last| last.end.is_none()) {
                    return Err(format!("worker {worker} calls while a call is under way"));
                }
                calls.push(Logged { worker, id, key, asked, start: at, end: None, answer: None });
            }
            Record::Answered { at, answer } => match calls.last_mut() {
                Some(last) if last.end.is_none() => (last.end, last.answer) = (Some(at), Some(answer)),
                _ => return Err(format!("worker {worker} is told what it did not ask")),
            },
        }
    }
    Ok(calls)
}

/// The value of each key.
pub fn stood(summary: &Summary) -> Result<HashMap<u64, Stood>, String> {
    let mut stood = HashMap::new();
    for key in &summary.keys {
        let name = String::from_utf8_lossy(&key.key);
        let index = calls::index(&key.key).ok_or_else(|| format!("a key that nobody wrote: {name}"))?;
        let value = calls::identify(&key.value, index)
            .ok_or_else(|| format!("{name} has a value that nobody wrote"))?;
        stood.insert(index, Stood { version: key.version, generation: key.generation, value });
    }
    Ok(stood)
}

impl Epoch {
    /// Judges everything. Returns the violations, and what was checked.
    pub fn judge(&self) -> (Vec<String>, Checked) {
        let mut violations = self.story.wrong.clone();
        let written: HashMap<u64, &Logged> =
            self.calls.iter().filter(|call| call.asked.puts()).map(|call| (call.id, call)).collect();
        facts::check(self, &written, &mut violations);
        story::check(self, &written, &mut violations);
        ends::check(self, &written, &mut violations);
        let mut checked = windows::check(self, &mut violations);
        checked.calls = self.calls.len() as u64;
        checked.pending = self.calls.iter().filter(|call| call.end.is_none()).count() as u64;
        checked.events = self.story.events.len() as u64;
        (violations, checked)
    }

    /// The changes that were acknowledged: call, version, generation.
    fn done(&self) -> impl Iterator<Item = (&Logged, u64, u64)> {
        self.calls.iter().filter_map(|call| match call.answer {
            Some(Answer::Done { version, generation }) => Some((call, version, generation)),
            _ => None,
        })
    }
}
