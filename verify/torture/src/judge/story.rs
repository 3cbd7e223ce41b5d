//! Compares the answers with the history. Every acknowledged change is an event, and somebody asked for every event.

use super::{Case, Epoch, Logged, chronicle::State};
use crate::observer::Seen;
use slateboard::MutationKind;
use slateboard_kit::calls::{Answer, Call, Family, family, worker_of};
use std::collections::{HashMap, HashSet};

pub fn check(case: &mut Case<'_>) {
    let (epoch, written) = (case.epoch, case.epoch.written());
    let told: HashMap<u64, &Logged> =
        epoch.calls.iter().filter_map(|call| Some((call.caused()?, call))).collect();
    let mut pending: HashMap<u64, Vec<&Logged>> = HashMap::new();
    for call in epoch.calls.iter().filter(|call| call.end.is_none()) {
        pending.entry(call.key).or_default().push(call);
    }
    for event in &epoch.story.events {
        let what = match told.get(&event.generation) {
            Some(call) => differs(event, call),
            None => {
                let before = case.chronicle.step(event.key, event.generation).map(|[before, _]| before);
                let pending = pending.get(&event.key).map_or(&[][..], Vec::as_slice);
                unasked(event, before, &written, pending)
            }
        };
        what.into_iter().for_each(|what| case.violated(what, event));
    }
    previous(epoch, case.violations);
    missing(epoch, case.violations);
}

/// Why an event does not fit the call that was told its generation.
fn differs(event: &Seen, call: &Logged) -> Option<&'static str> {
    let same = match (call.asked, call.change()) {
        (Call::Take, _) => event.value.and_then(worker_of) == Some(call.worker),
        (Call::Remove(_), Some((version, _))) => (event.version, event.value) == (version, None),
        (asked, Some((version, _))) if asked.puts() => {
            (event.version, event.value) == (version, Some(call.id))
        }
        // What it made is judged by what stood before.
        (_, change) => change.is_none_or(|(version, _)| event.version == version),
    };
    (!same || event.key != call.key).then_some("an event differs from what its caller was told")
}

/// Why nobody can have asked for an event whose generation nobody was told.
fn unasked(
    event: &Seen,
    before: Option<&State>,
    written: &HashMap<u64, &Logged>,
    pending: &[&Logged],
) -> Option<&'static str> {
    if let Some(put) = event.value.and_then(|value| written.get(&value)).filter(|put| put.key == event.key)
        && event.kind == MutationKind::Put
    {
        return put.answer.is_some().then_some("an event of a call that was told something else");
    }
    // Leases are renewed and released by their holders alone, and values end by themselves: both are judged elsewhere.
    let elsewhere = match event.kind {
        MutationKind::Put => event.value.is_some_and(|value| worker_of(value).is_some()),
        MutationKind::Remove => family(event.key) == Family::Lease,
        kind => kind != MutationKind::Touch,
    };
    let made = |call: &&Logged| match (call.asked, event.kind) {
        (Call::Remove(_), MutationKind::Remove) => true,
        (Call::Increment(_), MutationKind::Put) | (Call::Touch(_), MutationKind::Touch) => {
            before.is_none_or(|state| {
                [state.value, None].iter().any(|&stood| call.asked.effect(call.id, stood) == event.value)
            })
        }
        _ => false,
    };
    if elsewhere || pending.iter().any(made) {
        return None;
    }
    Some(if event.value.is_some() {
        "an event that nobody asked for"
    } else {
        "a removal that nobody asked for"
    })
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

/// Version and generation of each put whose caller was killed before it was told, by the call's number. A touch puts the
/// same value again, with a higher version.
pub fn unlearned(epoch: &Epoch) -> HashMap<u64, (u64, u64)> {
    let pending = |call: &&Logged| call.answer.is_none() && call.asked.puts();
    let pending: HashSet<u64> = epoch.calls.iter().filter(pending).map(|call| call.id).collect();
    let touched: HashSet<u64> = epoch.done().map(|(.., generation)| generation).collect();
    let events = epoch.story.events.iter().filter(|event| event.kind == MutationKind::Put);
    let events = events.filter_map(|event| Some((event.value?, event.version, event.generation)));
    let reads = epoch.calls.iter().filter_map(|call| match call.answer {
        Some(Answer::Value { version, generation, value }) => Some((value, version, generation)),
        _ => None,
    });
    let mut found: HashMap<u64, (u64, u64)> = HashMap::new();
    for (value, version, generation) in events.chain(reads) {
        if pending.contains(&value) && !touched.contains(&generation) {
            let first = found.entry(value).or_insert((version, generation));
            *first = (version, generation).min(*first);
        }
    }
    found
}
