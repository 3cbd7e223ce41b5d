//! Changes: each was made from what stood immediately before it, and only where its condition was met. One that was
//! refused met something that its condition forbids.

use super::{Case, Logged, chronicle::State};
use slateboard_kit::calls::{Answer, Call};

pub fn check(case: &mut Case<'_>) {
    for call in &case.epoch.calls {
        if let Some((_, generation)) = call.change() {
            let step = case.chronicle.step(call.key, generation);
            let Some([before, event]) = case.known(step) else { continue };
            if let Some(what) = unexplained(call, before, event) {
                case.violated(what, &(call, before, event));
            }
        } else if let Some(forbids) = refusal(call) {
            let states = case.chronicle.during(call.key, call.span());
            let Some(states) = case.known(states) else { continue };
            if !states.iter().any(|state| state.found(call.span()).any(&forbids)) {
                case.violated("a change was refused that nothing forbids", &(call, states));
            }
        }
    }
}

/// Why a change cannot have been made from what stood before it.
fn unexplained(call: &Logged, before: &State, event: &State) -> Option<&'static str> {
    let follows = match before.value {
        Some(_) => event.version == before.version + 1,
        // The slot of a key without a value may have been another's meanwhile. Its versions then continue from higher up.
        None => event.version > before.version,
    };
    if !follows {
        return Some("a change has not the version after the one before it");
    }
    let [read, met, made] = [reads, meets, makes]
        .map(|judge| before.found(call.span()).any(|found| judge(call, found.as_ref(), event)));
    match (call.asked, read, met, made) {
        (Call::Update | Call::Increment(_), false, ..) => Some("an update replaced what it had not read"),
        (.., false, _) => Some("a change happened where its condition was not met"),
        (.., false) => Some("a change made another value than was asked for"),
        _ => None,
    }
}

/// Whether an update was given what was found.
fn reads(call: &Logged, found: Option<&State>, _: &State) -> bool {
    match call.answer {
        Some(Answer::Updated { saw, .. }) => saw == value(found).unwrap_or(0),
        _ => true,
    }
}

fn meets(call: &Logged, found: Option<&State>, _: &State) -> bool {
    call.asked.is_met(found.map(|state| (state.version, state.generation)))
}

fn makes(call: &Logged, found: Option<&State>, event: &State) -> bool {
    event.value == call.asked.effect(call.id, value(found))
}

fn value(found: Option<&State>) -> Option<u64> {
    found.and_then(|state| state.value)
}

/// What a refused call must have found.
fn refusal(call: &Logged) -> Option<impl Fn(Option<State>) -> bool> {
    let asked = call.asked;
    let refused = match call.answer? {
        Answer::Conflict { .. } => true,
        Answer::Absent => asked.changes(),
        _ => false,
    };
    refused.then_some(move |found: Option<State>| {
        !asked.is_met(found.map(|state| (state.version, state.generation)))
    })
}
