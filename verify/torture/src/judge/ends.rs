//! Compares the answers and the history with the board after all workers have ended.

use super::{Case, Epoch, Logged, Stood, stood};
use slateboard_kit::calls::{Call, Family, KEYS, family};
use std::collections::HashMap;

pub fn check(case: &mut Case<'_>) {
    let epoch = case.epoch;
    let stands = match stood(&epoch.ended) {
        Ok(stands) => stands,
        Err(what) => {
            case.violations.push(what);
            return;
        }
    };
    if let Some(key) = epoch.ended.keys.iter().find(|key| key.ephemeral != 0) {
        let name = String::from_utf8_lossy(&key.key);
        case.violations.push(format!("{name} was to end with a session, and all have ended"));
    }
    acknowledged(case, &stands);
    for key in 0..KEYS {
        let (last, stands) = (case.chronicle.at(key, epoch.ended.generation), stands.get(&key));
        let Some(last) = case.known(last) else { continue };
        let same = match (last.value, stands) {
            (value, Some(stands)) => {
                (last.version, last.generation, value)
                    == (stands.version, stands.generation, Some(stands.value))
            }
            (value, None) => value.is_none(),
        };
        if !same {
            case.violated("a key does not have what its last event says", &(key, last, stands));
        }
    }
}

/// The newest acknowledged change of each key stands, or a newer one.
fn acknowledged(case: &mut Case<'_>, stands: &HashMap<u64, Stood>) {
    let epoch = case.epoch;
    let mut newest: HashMap<u64, (u64, &Logged)> = HashMap::new();
    for (call, version, _) in epoch.done() {
        let entry = newest.entry(call.key).or_insert((version, call));
        if version > entry.0 {
            *entry = (version, call);
        }
    }
    for (&key, &(version, call)) in &newest {
        let removes = matches!(call.asked, Call::Remove(_));
        let what = match stands.get(&key) {
            Some(stands) if stands.version < version => Some("an acknowledged change is missing"),
            Some(stands) if stands.version == version => {
                let other = removes || (call.asked.puts() && stands.value != call.id);
                other.then_some("something else stands under the version of an acknowledged change")
            }
            Some(_) => None,
            None if removes || call.asked == Call::BIND || ends_itself(key) => None,
            None if call.asked == Call::Update && may_be_bound(epoch, key, version) => None,
            None if may_be_removed(epoch, key) => None,
            None => Some("an acknowledged put is missing"),
        };
        what.into_iter().for_each(|what| case.violated(what, &(call, stands.get(&key))));
    }
}

/// Whether a value of this key may end without a call.
fn ends_itself(key: u64) -> bool {
    matches!(family(key), Family::Brief | Family::Lease)
}

/// Whether a killed call may have removed the key, or put a bound value after this one.
fn may_be_removed(epoch: &Epoch, key: u64) -> bool {
    let pending = |call: &&Logged| call.key == key && call.answer.is_none();
    epoch.calls.iter().filter(pending).any(|call| matches!(call.asked, Call::REMOVE | Call::BIND))
        || (family(key) == Family::Many
            && epoch.calls.iter().any(|call| call.asked == Call::RemoveAll && call.answer.is_none()))
}

/// Whether an update with this version may have kept the binding of the value before it. That is so if only updates lie
/// between it and a bound value, or a version whose caller was killed before it was told.
fn may_be_bound(epoch: &Epoch, key: u64, version: u64) -> bool {
    let of_key = |call: &&Logged| call.key == key;
    let ops: HashMap<u64, Call> = epoch
        .done()
        .filter(|(call, ..)| of_key(call))
        .map(|(call, version, _)| (version, call.asked))
        .collect();
    let before = (1..version).rev().map(|version| ops.get(&version)).find(|op| *op != Some(&Call::Update));
    match before.flatten() {
        Some(op) => *op == Call::BIND,
        None => {
            let untold =
                |call: &Logged| call.answer.is_none() && matches!(call.asked, Call::BIND | Call::Update);
            family(key) == Family::Cold && epoch.calls.iter().filter(of_key).any(untold)
        }
    }
}
