//! Gives windows of calls on one key to a linearizability checker that was not written here. A window lies between two
//! moments when no call on the key is under way.

use super::{Checked, Epoch, Logged, story::unlearned};
use slateboard::MutationKind;
use slateboard_kit::calls::{Answer, Call, Family, KEYS, family};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use std::collections::HashSet;

/// Calls of one window, at most. The checker tries every order of overlapping calls.
const LONGEST: usize = 14;

/// One key of a board.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cell {
    /// The newest version.
    pub version: u64,
    /// Which call's value it has.
    pub value: Option<u64>,
}

/// A call, with its number.
pub type Asked = (Call, u64);

impl SequentialSpec for Cell {
    type Op = Asked;
    type Ret = Answer;

    /// Never called: calls without an answer are left out, or their answers were found elsewhere.
    fn invoke(&mut self, _: &Asked) -> Answer {
        Answer::Wrong
    }

    fn is_valid_step(&mut self, &(call, id): &Asked, answer: &Answer) -> bool {
        // No worker expects a generation, and the cell does not know it.
        let meets = call.is_met(self.value.map(|_| (self.version, 0)));
        match *answer {
            Answer::Done { version, .. } | Answer::Updated { version, .. } => {
                // The slot of a key without a value may have been another key's meanwhile. Its versions then continue from higher up.
                let follows = version == self.version + 1 || (self.value.is_none() && version > self.version);
                let read = match *answer {
                    Answer::Updated { saw, .. } => saw == self.value.unwrap_or(0),
                    _ => true,
                };
                *self = Self { version, value: call.effect(id, self.value) };
                meets && follows && read && call.changes()
            }
            Answer::Conflict { .. } => !meets,
            Answer::Absent => match call {
                Call::Newer(known) => self.value.is_none() || self.version <= known,
                _ => self.value.is_none() && !call.puts(),
            },
            Answer::Value { version, value, .. } => {
                let newer = !matches!(call, Call::Newer(known) if version <= known);
                newer && !call.changes() && (self.version, self.value) == (version, Some(value))
            }
            Answer::Stands { version } => self.value.is_some() && self.version == version,
            Answer::Full => true,
            _ => false,
        }
    }
}

/// Whether answered calls on one key can have happened one after the other, each between its beginning and its end.
pub fn is_linearizable(cell: &Cell, calls: &[Logged]) -> bool {
    let mut moments: Vec<(u64, bool, usize)> = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        // Of equal times, beginnings come first: the calls then overlap, which allows more orders.
        moments.push((call.start, false, number));
        moments.push((call.end.unwrap_or(u64::MAX), true, number));
    }
    moments.sort_unstable();
    let mut tester = LinearizabilityTester::new(cell.clone());
    for (_, ends, number) in moments {
        let call = &calls[number];
        let noted = if ends {
            tester.on_return(call.worker, call.answer.unwrap_or(Answer::Wrong)).map(drop)
        } else {
            tester.on_invoke(call.worker, (call.asked, call.id)).map(drop)
        };
        if noted.is_err() {
            return false;
        }
    }
    tester.is_consistent()
}

pub(super) fn check(epoch: &Epoch, checked: &mut Checked, violations: &mut Vec<String>) {
    // Values of the other families end by themselves, or their calls are not about one key.
    let judged = |key: &u64| matches!(family(*key), Family::Hot | Family::Count | Family::Many);
    for key in (0..KEYS).filter(judged) {
        let (calls, complete) = answered(epoch, key);
        checked.skipped += u64::from(!complete);
        // Nothing is known of the version of a key that had no value.
        let stood = epoch.stood.get(&key);
        let cell = stood.map_or(Cell { version: 0, value: None }, |stood| Cell {
            version: stood.version,
            value: Some(stood.value),
        });
        window_by_window(cell, &calls, checked, violations);
    }
}

/// Whether a call is one of those that are judged, on one key and at its own time.
fn is_of(call: &Logged, key: u64) -> bool {
    call.key == key && !matches!(call.asked, Call::At { .. } | Call::Present | Call::RemoveAll)
}

/// The key's calls up to the first whose effect is unknown, in the order of their beginnings. A killed call without an
/// effect is left out. One with an effect ends when another call first saw the effect.
fn answered(epoch: &Epoch, key: u64) -> (Vec<Logged>, bool) {
    let found = unlearned(epoch);
    let told: HashSet<u64> = epoch.done().map(|(_, _, generation)| generation).collect();
    // An event that may be a killed call's, and does not tell whose it is.
    let unasked = epoch.story.events.iter().any(|event| {
        let anybodys = event.kind != MutationKind::Put || family(key) == Family::Count;
        event.key == key && anybodys && !told.contains(&event.generation)
    });
    let ours = || epoch.calls.iter().filter(|call| is_of(call, key));
    let sees = |version: u64| {
        let seen = ours().filter(|call| match call.answer {
            Some(Answer::Value { version: seen, .. } | Answer::Stands { version: seen }) => seen >= version,
            _ => call.change().is_some_and(|(seen, _)| seen >= version),
        });
        seen.filter_map(|call| call.end).min()
    };
    // Removals of a prefix that the observer missed are nobody's.
    let bulk = epoch.calls.iter().filter(|call| {
        call.asked == Call::RemoveAll && family(key) == Family::Many && epoch.story.missed > 0
    });
    let (mut calls, mut until) = (Vec::new(), bulk.map(|call| call.start).min().unwrap_or(u64::MAX));
    for call in ours() {
        let effect = found.get(&call.id).copied();
        match (call.end, effect) {
            (Some(_), _) => calls.push(*call),
            (None, Some((version, generation))) => match sees(version) {
                Some(end) => {
                    // What it was made from is not known, and not asked.
                    let answer = Some(Answer::Done { version, generation });
                    calls.push(Logged { end: Some(end.max(call.start)), answer, ..*call });
                }
                None => until = until.min(call.start),
            },
            (None, None) if !call.asked.changes() => {}
            (None, None) if epoch.story.missed == 0 && (call.asked.puts() || !unasked) => {}
            (None, None) => until = until.min(call.start),
        }
    }
    calls.sort_unstable_by_key(|call| call.start);
    let all = calls.len();
    // Calls that overlap one that is left out may have seen its effect, so they are left out, too.
    for call in calls.iter().rev() {
        if call.end.is_none_or(|end| end >= until) {
            until = until.min(call.start);
        }
    }
    calls.retain(|call| call.end.is_some_and(|end| end < until));
    let complete = calls.len() == all;
    (calls, complete)
}

fn window_by_window(mut cell: Cell, calls: &[Logged], checked: &mut Checked, violations: &mut Vec<String>) {
    let mut rest = calls;
    while !rest.is_empty() {
        let mut end = 0;
        let overlapping = rest.iter().take_while(|call| {
            let overlaps = end == 0 || call.start <= end;
            end = end.max(call.end.unwrap_or(u64::MAX));
            overlaps
        });
        let (window, later) = rest.split_at(overlapping.count());
        if window.len() <= LONGEST {
            checked.windows += 1;
            checked.window_calls += window.len() as u64;
            if !is_linearizable(&cell, window) {
                violations.push(format!("no order explains these calls after {cell:?}: {window:?}"));
                return;
            }
        } else {
            checked.skipped += 1;
        }
        let mut changes: Vec<_> =
            window.iter().filter_map(|call| call.change().map(|(version, _)| (version, call))).collect();
        changes.sort_unstable_by_key(|(version, _)| *version);
        for (version, call) in changes {
            let stood = match call.answer {
                Some(Answer::Updated { saw, .. }) => Some(saw),
                _ => cell.value,
            };
            cell = Cell { version, value: call.asked.effect(call.id, stood) };
        }
        rest = later;
    }
}
