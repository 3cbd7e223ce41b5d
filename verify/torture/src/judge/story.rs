//! Compares the answers with the history. Every acknowledged change is an event, and somebody asked for every event.

use super::{Epoch, Logged};
use crate::observer::Seen;
use slateboard_kit::calls::{Answer, Call, HOT};
use std::collections::{HashMap, HashSet};

pub fn check(epoch: &Epoch, written: &HashMap<u64, &Logged>, violations: &mut Vec<String>) {
    let done: HashMap<u64, (&Logged, u64)> =
        epoch.done().map(|(call, version, generation)| (generation, (call, version))).collect();
    let pending: HashSet<u64> = epoch
        .calls
        .iter()
        .filter(|call| call.end.is_none() && call.asked == Call::REMOVE)
        .map(|call| call.key)
        .collect();
    for event in &epoch.story.events {
        let what = match done.get(&event.generation) {
            Some((call, version)) => differs(event, call, *version),
            None => unasked(event, written, &pending),
        };
        violations.extend(what.map(|what| format!("{what}: {event:?}")));
    }
    previous(epoch, violations);
    missing(epoch, violations);
}

/// Why an event does not fit the call that was told its generation.
fn differs(event: &Seen, call: &Logged, version: u64) -> Option<&'static str> {
    let value = call.asked.puts().then_some(call.id);
    let same = (event.key, event.version, event.value) == (call.key, version, value);
    (!same).then_some("an event differs from what its caller was told")
}

/// Why nobody can have asked for an event whose generation nobody was told.
fn unasked(event: &Seen, written: &HashMap<u64, &Logged>, removing: &HashSet<u64>) -> Option<&'static str> {
    match event.value {
        Some(value) => match written.get(&value) {
            Some(call) if call.key == event.key && call.answer.is_none() => None,
            Some(call) if call.key == event.key => Some("an event of a call that was told something else"),
            _ => Some("an event that nobody asked for"),
        },
        // Reapers remove values that are bound to a session. No hot key has such a value.
        None if event.key >= HOT || removing.contains(&event.key) => None,
        None => Some("a removal that nobody asked for"),
    }
}

/// An event's previous value is that of the event of the key before it, if none was missed between them.
fn previous(epoch: &Epoch, violations: &mut Vec<String>) {
    let mut last: HashMap<u64, Option<u64>> =
        epoch.stood.iter().map(|(&key, stood)| (key, Some(stood.generation))).collect();
    let mut expected = epoch.since + 1;
    for event in &epoch.story.events {
        if event.generation != expected {
            last.clear();
        }
        expected = event.generation + 1;
        if last.get(&event.key).is_some_and(|&last| last != event.previous) {
            violations.push(format!("an event follows another than the key's last: {event:?}"));
        }
        last.insert(event.key, event.value.map(|_| event.generation));
    }
}

/// Every acknowledged change was read or counted as missed.
fn missing(epoch: &Epoch, violations: &mut Vec<String>) {
    let read: HashSet<u64> = epoch.story.events.iter().map(|event| event.generation).collect();
    let all = epoch.ended.generation - epoch.since;
    // The events after the last that was read are those of the judge's own reaping.
    let behind = epoch.ended.generation - read.iter().max().copied().unwrap_or(epoch.since);
    if read.len() as u64 + epoch.story.missed + behind != all {
        let (missed, read) = (epoch.story.missed, read.len());
        violations
            .push(format!("{all} events, {read} were read, {missed} missed, {behind} are behind the last"));
    }
    let first = read.iter().min().copied().unwrap_or(u64::MAX);
    if epoch.story.missed == 0 {
        let lost =
            epoch.done().filter(|(_, _, generation)| *generation >= first && !read.contains(generation));
        violations.extend(lost.map(|(call, ..)| format!("no event has what was told: {call:?}")));
    }
}

/// Version and generation of each put whose caller was killed before it was told, by the call's number.
pub fn unlearned(epoch: &Epoch) -> HashMap<u64, (u64, u64)> {
    let pending: HashSet<u64> =
        epoch.calls.iter().filter(|call| call.answer.is_none()).map(|call| call.id).collect();
    let events =
        epoch.story.events.iter().filter_map(|event| Some((event.value?, event.version, event.generation)));
    let mut found: HashMap<_, _> = events
        .filter(|(value, ..)| pending.contains(value))
        .map(|(value, version, generation)| (value, (version, generation)))
        .collect();
    for call in &epoch.calls {
        if let Some(Answer::Value { version, generation, value }) = call.answer
            && pending.contains(&value)
        {
            found.insert(value, (version, generation));
        }
    }
    found
}
