//! Compares the answers with each other. Each key has one chain of versions. Each generation belongs to one change. No read
//! returns an older version than one that was known before it began.

use super::{Case, Epoch, Logged};
use slateboard_kit::calls::{Answer, Call};
use std::collections::HashMap;

pub fn check(case: &mut Case<'_>) {
    chains(case.epoch, case.violations);
    let newest = Newest::of(case.epoch);
    for call in &case.epoch.calls {
        let known = newest.before(call);
        let what = match (call.asked, call.answer) {
            (_, Some(Answer::Wrong)) => "an answer that must not be",
            (Call::Get | Call::Newer(_), Some(Answer::Value { version, .. })) if version < known => {
                "an old version was read"
            }
            _ if call.change().is_some_and(|(version, _)| version <= known) => {
                "a change has a version that was given before"
            }
            _ => continue,
        };
        case.violated(what, call);
    }
}

/// Generations are unique and of this epoch. Versions and generations of a key rise together.
fn chains(epoch: &Epoch, violations: &mut Vec<String>) {
    let mut generations = HashMap::new();
    let mut keys: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
    for (call, version, generation) in epoch.done() {
        if generation <= epoch.since || generation > epoch.ended.generation {
            violations.push(format!("a generation that has not been: {call:?}"));
        }
        if let Some(other) = generations.insert(generation, call) {
            violations.push(format!("two changes with one generation: {other:?}, {call:?}"));
        }
        keys.entry(call.key).or_default().push((version, generation));
    }
    for (key, mut chain) in keys {
        chain.extend(epoch.stood.get(&key).map(|stood| (stood.version, stood.generation)));
        chain.sort_unstable();
        for pair in chain.windows(2).filter(|pair| pair[0].0 == pair[1].0 || pair[0].1 >= pair[1].1) {
            violations.push(format!("key {key}: (version, generation) {:?}, then {:?}", pair[0], pair[1]));
        }
    }
}

/// For each key, the newest version that anybody had been told by a moment.
struct Newest(HashMap<u64, Vec<(u64, u64)>>);

impl Newest {
    fn of(epoch: &Epoch) -> Self {
        let mut keys: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
        for call in &epoch.calls {
            let version = match call.answer {
                Some(Answer::Value { version, .. } | Answer::Stands { version }) => version,
                _ => match call.change() {
                    Some((version, _)) => version,
                    None => continue,
                },
            };
            keys.entry(call.key).or_default().extend(call.end.map(|end| (end, version)));
        }
        for told in keys.values_mut() {
            told.sort_unstable();
            let mut newest = 0;
            for (_, version) in told {
                newest = newest.max(*version);
                *version = newest;
            }
        }
        Self(keys)
    }

    /// The newest version that was told before the call began; 0 for none.
    fn before(&self, call: &Logged) -> u64 {
        let Some(told) = self.0.get(&call.key) else { return 0 };
        let count = told.partition_point(|&(end, _)| end < call.start);
        count.checked_sub(1).map_or(0, |last| told[last].1)
    }
}
