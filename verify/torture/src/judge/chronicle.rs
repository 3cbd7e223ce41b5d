//! The history of every key, from what the observer read and what the callers were told. Where both missed a generation,
//! nobody knows whose it was: nothing is judged by a stretch of a key's history in which it may have been.

use super::{Epoch, Logged, times::Times};
use crate::observer::Seen;
use slateboard::MutationKind;
use slateboard_kit::calls::{self, Answer, Call, KEYS};
use std::{collections::HashMap, ops::Range};

/// What a key has from one generation on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// The generation.
    pub generation: u64,
    /// The key's version; 0 where it is not known, before the first event of an absent key.
    pub version: u64,
    /// The value; `None` where there is none.
    pub value: Option<u64>,
    /// What happened.
    pub kind: MutationKind,
    /// Between which moments the value's time to live ends.
    pub until: Option<[u64; 2]>,
}

impl State {
    /// No value, since a generation.
    fn nothing(generation: u64) -> Self {
        Self { generation, version: 0, value: None, kind: MutationKind::Remove, until: None }
    }

    /// Whether nobody finds a value from this moment on.
    pub fn is_over(&self, moment: u64) -> bool {
        self.value.is_none() || self.until.is_some_and(|[_, latest]| latest < moment)
    }

    /// Whether somebody may find no value at this moment.
    pub fn may_be_over(&self, moment: u64) -> bool {
        self.value.is_none() || self.until.is_some_and(|[earliest, _]| earliest <= moment)
    }

    /// What a caller may find between two moments: the value, and nothing.
    pub fn found(self, [start, end]: [u64; 2]) -> impl Iterator<Item = Option<Self>> {
        let value = (!self.is_over(start)).then_some(Some(self));
        value.into_iter().chain(self.may_be_over(end).then_some(None))
    }
}

/// A time to live of which nothing is known, not even whether there is one.
const ANY_TIME: Option<[u64; 2]> = Some([0, u64::MAX]);

/// The history of all keys.
pub struct Chronicle {
    /// When each generation happened.
    pub times: Times,
    keys: Vec<Vec<State>>,
    /// Generations of which nothing is known.
    gaps: Vec<u64>,
}

impl Chronicle {
    /// Puts together what is known.
    pub fn of(epoch: &Epoch) -> Self {
        let mut chronicle = Self { times: Times::of(epoch), keys: begun(epoch), gaps: Vec::new() };
        let told: HashMap<u64, &Logged> =
            epoch.calls.iter().filter_map(|call| Some((call.caused()?, call))).collect();
        let written = epoch.written();
        let mut seen = epoch.story.events.iter().peekable();
        for generation in epoch.since + 1..=epoch.ended.generation {
            while seen.next_if(|event| event.generation < generation).is_some() {}
            let call = told.get(&generation).copied();
            let event = seen.next_if(|event| event.generation == generation).copied();
            match event.or_else(|| unseen(call?, generation)) {
                Some(event) => {
                    let put = event.value.filter(|_| event.kind == MutationKind::Put);
                    let asked = call.or_else(|| written.get(&put?).copied());
                    chronicle.add(&event, asked.filter(|call| call.key == event.key));
                }
                None => chronicle.gaps.push(generation),
            }
        }
        chronicle
    }

    fn add(&mut self, event: &Seen, asked: Option<&Logged>) {
        let &Seen { generation, key, version, kind, value, .. } = event;
        let Some(states) = self.keys.get(key as usize) else { return };
        let (index, mut state) = (states.len(), State { generation, version, value, kind, until: None });
        self.keys[key as usize].push(state);
        let before = self.keys[key as usize][index - 1];
        let before = if self.is_known(key, index - 1) { before } else { State { until: ANY_TIME, ..before } };
        state.until = value.and_then(|value| self.until(event, value, asked, &before));
        self.keys[key as usize][index] = state;
    }

    /// Between which moments an event's value ends.
    fn until(&self, event: &Seen, value: u64, asked: Option<&Logged>, before: &State) -> Option<[u64; 2]> {
        let latest = self.times.latest(event.generation);
        let after =
            |start: u64, end: u64, ttl: u64| Some([start.saturating_add(ttl), end.saturating_add(ttl)]);
        match asked.map(|call| (call, call.asked)) {
            Some((call, Call::Put { .. } | Call::Touch(_))) if call.asked.ttl_ns().is_some() => {
                after(call.start, call.end.unwrap_or(latest), call.asked.ttl_ns()?)
            }
            Some((_, Call::Put { .. })) => None,
            // It keeps the deadline of the value that it replaces, unless that was over.
            Some((call, Call::Update | Call::Increment(_))) => match call.answer {
                Some(Answer::Updated { saw: 0, .. }) => None,
                Some(_) => before.until,
                None => before.until.and(ANY_TIME),
            },
            Some((call, Call::Take)) => {
                after(call.start, call.end.unwrap_or(latest), calls::lease_ttl(event.key) * 1_000_000)
            }
            _ if calls::worker_of(value).is_some() => {
                let start = self.times.earliest(before.generation);
                after(start, latest, calls::lease_ttl(event.key) * 1_000_000)
            }
            _ => ANY_TIME,
        }
    }

    /// What is known of a key, from the beginning.
    pub fn states(&self, key: u64) -> &[State] {
        &self.keys[key as usize]
    }

    /// Whether nothing is unknown of the key between a state and the next one, or this generation where that is earlier.
    fn is_unbroken(&self, states: &[State], index: usize, until: u64) -> bool {
        let (state, next) = (&states[index], states.get(index + 1));
        let until = next.map_or(until, |next| until.min(next.generation));
        let consecutive = next.is_some_and(|next| state.version != 0 && next.version == state.version + 1);
        let first = self.gaps.partition_point(|gap| *gap <= state.generation);
        consecutive || self.gaps.get(first).is_none_or(|gap| *gap > until)
    }

    /// Whether nothing is unknown of the key between two states that follow each other.
    pub fn is_known(&self, key: u64, index: usize) -> bool {
        self.is_unbroken(self.states(key), index, u64::MAX)
    }

    /// Which states a call between two moments may have met: from the last that had happened before it, to the last that
    /// may have happened before its end.
    pub fn met(&self, key: u64, [start, end]: [u64; 2]) -> Option<Range<usize>> {
        let states = self.states(key);
        let happened = states.partition_point(|state| self.times.latest(state.generation) < start);
        let first = happened.saturating_sub(1);
        let begun = states.partition_point(|state| self.times.earliest(state.generation) <= end);
        let met = first..begun.max(first + 1);
        let newest = self.times.newest_begun(end);
        met.clone().all(|index| self.is_unbroken(states, index, newest)).then_some(met)
    }

    /// As [`Chronicle::met`]: the states.
    pub fn during(&self, key: u64, span: [u64; 2]) -> Option<&[State]> {
        self.met(key, span).map(|met| &self.states(key)[met])
    }

    /// What a key had at a generation.
    pub fn at(&self, key: u64, generation: u64) -> Option<&State> {
        let states = self.states(key);
        let index = states.partition_point(|state| state.generation <= generation).checked_sub(1)?;
        self.is_unbroken(states, index, generation).then(|| &states[index])
    }

    /// What a view or a list of a generation may find between two moments where a key has this state. What looks at deadlines
    /// does so while its generation is the newest: before the next one had happened for certain.
    pub fn found_at(
        &self,
        state: &State,
        generation: u64,
        present: bool,
        [start, end]: [u64; 2],
    ) -> impl Iterator<Item = Option<State>> {
        let state = if present { *state } else { State { until: None, ..*state } };
        state.found([start, end.min(self.times.latest(generation + 1))])
    }

    /// An event of the key, with what stood before it.
    pub fn step(&self, key: u64, generation: u64) -> Option<[&State; 2]> {
        let states = self.states(key);
        let index = states.binary_search_by_key(&generation, |state| state.generation).ok()?;
        let before = index.checked_sub(1)?;
        self.is_unbroken(states, before, generation).then(|| [&states[before], &states[index]])
    }
}

/// What stood at the beginning.
fn begun(epoch: &Epoch) -> Vec<Vec<State>> {
    let first = |key| match epoch.stood.get(&key) {
        None => State::nothing(epoch.since),
        Some(&super::Stood { version, generation, value, deadline }) => State {
            generation,
            version,
            value: Some(value),
            kind: MutationKind::Put,
            until: (deadline != 0).then_some([deadline; 2]),
        },
    };
    (0..KEYS).map(|key| vec![first(key)]).collect()
}

/// An event that the observer missed, as its caller was told of it; `None` where it was not told the value.
fn unseen(call: &Logged, generation: u64) -> Option<Seen> {
    let (version, _) = call.change()?;
    let (kind, stood) = match (call.asked, call.answer) {
        (Call::Remove(_), _) => (MutationKind::Remove, None),
        (Call::Put { .. }, _) => (MutationKind::Put, None),
        (_, Some(Answer::Updated { saw, .. })) => (MutationKind::Put, Some(saw)),
        _ => return None,
    };
    let (key, value, at) = (call.key, call.asked.effect(call.id, stood), call.end.unwrap_or(u64::MAX));
    Some(Seen { generation, key, version, kind, value, previous: None, at })
}
