//! Reads: each was told what the key had at some moment of the call, or at the generation that it asked for.

use super::{Case, Logged, chronicle::State};
use slateboard_kit::calls::{Answer, Call};

pub fn check(case: &mut Case<'_>) {
    for call in &case.epoch.calls {
        let Some(answer) = call.answer else { continue };
        match (call.asked, answer) {
            (Call::Present, Answer::Generation(generation)) => present(case, call, generation),
            (Call::At { generation, .. }, Answer::Lagged) if generation > case.epoch.ended.floor => {
                case.violated("a generation was refused that is in the history", call);
            }
            (Call::At { generation, present }, answer) => {
                let state = case.chronicle.at(call.key, generation);
                let Some(state) = case.known(state) else { continue };
                let mut possible = case.chronicle.found_at(state, generation, present, call.span());
                if !possible.any(|found| is_told(call.asked, answer, found)) {
                    case.violated("a view shows what did not stand at its generation", &(call, state));
                }
            }
            (Call::Get | Call::Newer(_) | Call::Version, answer) => {
                let states = case.chronicle.during(call.key, call.span());
                let Some(states) = case.known(states) else { continue };
                let told =
                    |state: &State| state.found(call.span()).any(|found| is_told(call.asked, answer, found));
                if !states.iter().any(told) {
                    case.violated("a read was told what did not stand", &(call, states));
                }
            }
            _ => {}
        }
    }
}

/// A view of the present is not older than what anybody knew before, and not newer than what has happened.
fn present(case: &mut Case<'_>, call: &Logged, generation: u64) {
    let times = &case.chronicle.times;
    let [start, end] = call.span();
    if generation < times.newest_before(start) {
        case.violated("a view of the present is of the past", call);
    } else if times.earliest(generation) > end {
        case.violated("a view is of a generation that had not happened", call);
    }
}

/// Whether a read that found this is told that.
fn is_told(asked: Call, answer: Answer, found: Option<State>) -> bool {
    let newer = |state: &State| !matches!(asked, Call::Newer(version) if state.version <= version);
    match (answer, found) {
        (Answer::Absent, found) => !found.as_ref().is_some_and(newer),
        (Answer::Value { version, generation, value }, Some(state)) => {
            newer(&state)
                && (state.version, state.generation, state.value) == (version, generation, Some(value))
        }
        (Answer::Stands { version }, Some(state)) => state.version == version,
        // Nothing is said of what an error hides; one that nothing explains is found elsewhere.
        (Answer::Value { .. } | Answer::Stands { .. }, None) => false,
        _ => true,
    }
}
