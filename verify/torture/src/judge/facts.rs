//! Compares the answers with each other. Each key has one chain of versions. Each generation belongs to one change. No read
//! returns an older version than one that was known before it began, nor a value that nobody wrote.

use super::{Epoch, Logged};
use slateboard::Expect;
use slateboard_kit::calls::{Answer, Call};
use std::collections::HashMap;

pub fn check(epoch: &Epoch, written: &HashMap<u64, &Logged>, violations: &mut Vec<String>) {
    chains(epoch, violations);
    let newest = Newest::of(epoch);
    for call in &epoch.calls {
        let fail = |what: &str| Some(format!("{what}: {call:?}"));
        let violation = match call.answer {
            Some(Answer::Wrong) => fail("an answer that must not be"),
            Some(Answer::Value { version, generation, value }) => {
                let wrong =
                    if version < newest.before(call) { Some("an old version was read") } else { None };
                wrong
                    .or_else(|| unexplained(epoch, written, call, [version, generation, value]))
                    .and_then(fail)
            }
            Some(Answer::Done { version, .. }) if version <= newest.before(call) => {
                fail("a change has a version that was given before")
            }
            Some(Answer::Done { version, .. }) => match call.asked {
                Call::Put { expect: Expect::Version(expected), .. } if version != expected + 1 => {
                    fail("a compare-and-swap succeeded on another version")
                }
                _ => None,
            },
            _ => None,
        };
        violations.extend(violation);
    }
}

/// Why a value cannot have been read.
fn unexplained(
    epoch: &Epoch,
    written: &HashMap<u64, &Logged>,
    read: &Logged,
    [version, generation, value]: [u64; 3],
) -> Option<&'static str> {
    if let Some(stood) = epoch.stood.get(&read.key).filter(|stood| stood.value == value) {
        let same = (stood.version, stood.generation) == (version, generation);
        return (!same).then_some("a value of before has another version");
    }
    let Some(write) = written.get(&value).filter(|write| write.key == read.key) else {
        return Some("a value that nobody wrote was read");
    };
    if read.end.is_some_and(|end| end < write.start) {
        return Some("a value was read before it was written");
    }
    match write.answer {
        None => None,
        Some(Answer::Done { version: told, generation: at }) if (told, at) == (version, generation) => None,
        Some(Answer::Done { .. }) => Some("a value was read with another version than its writer was told"),
        _ => Some("a value was read whose writer was told that nothing happened"),
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
                Some(Answer::Done { version, .. } | Answer::Value { version, .. }) => version,
                _ => continue,
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
