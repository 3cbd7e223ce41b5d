//! Compares the answers with the board after all workers have ended.

use super::{Epoch, Logged, stood};
use slateboard_kit::calls::{Call, HOT};
use std::collections::HashMap;

pub fn check(epoch: &Epoch, written: &HashMap<u64, &Logged>, violations: &mut Vec<String>) {
    let stands = match stood(&epoch.ended) {
        Ok(stands) => stands,
        Err(what) => {
            violations.push(what);
            return;
        }
    };
    if let Some(key) = epoch.ended.keys.iter().find(|key| key.ephemeral != 0) {
        let name = String::from_utf8_lossy(&key.key);
        violations.push(format!("{name} was to end with a session, and all have ended"));
    }
    let mut newest: HashMap<u64, (u64, &Logged)> = HashMap::new();
    for (call, version, _) in epoch.done() {
        let entry = newest.entry(call.key).or_insert((version, call));
        if version > entry.0 {
            *entry = (version, call);
        }
    }
    for (&key, &(version, call)) in &newest {
        let what = match stands.get(&key) {
            Some(stands) if stands.version < version => Some("an acknowledged change is missing"),
            Some(stands) if stands.version == version && !(call.asked.puts() && stands.value == call.id) => {
                Some("something else stands under the version of an acknowledged change")
            }
            Some(_) => None,
            None if !call.asked.puts() || call.asked == Call::BIND => None,
            None if call.asked == Call::Update && may_be_bound(epoch, key, version) => None,
            None if may_be_removed(epoch, key) => None,
            None => Some("an acknowledged put is missing"),
        };
        violations.extend(what.map(|what| format!("{what}: {call:?}, at the end {:?}", stands.get(&key))));
    }
    for (key, stands) in &stands {
        let before = epoch.stood.get(key).is_some_and(|stood| stood == stands);
        let asked = written.get(&stands.value).is_some_and(|call| call.key == *key);
        if !before && !asked {
            violations.push(format!("key {key} has a value that nobody wrote: {stands:?}"));
        }
    }
}

/// Whether a killed call may have removed the key, or put a bound value after this one.
fn may_be_removed(epoch: &Epoch, key: u64) -> bool {
    let pending = |call: &&Logged| call.key == key && call.answer.is_none();
    epoch
        .calls
        .iter()
        .filter(pending)
        .any(|call| call.asked == Call::REMOVE || (key >= HOT && call.asked == Call::BIND))
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
            key >= HOT && epoch.calls.iter().filter(of_key).any(untold)
        }
    }
}
