//! Lists: each key in one was present at the list's generation, or at some moment of the call where it does not tell it. No
//! key is missing that was present all the time.

use super::{Case, Listed, chronicle::State};
use slateboard_kit::calls::KEYS;

pub fn check(case: &mut Case<'_>) {
    for list in &case.epoch.lists {
        for key in 0..KEYS {
            let is_in = |keys: &[u64; 4]| keys[key as usize / 64] >> (key % 64) & 1 == 1;
            if !is_in(&list.wanted) {
                continue;
            }
            let states = states(case, list, key);
            let Some(states) = case.known(states) else { continue };
            let mut possible = states.iter().flat_map(|state| state.found(list.span));
            let (what, explained) = if is_in(&list.found) {
                ("a list has a key that was not present", possible.any(|found| found.is_some()))
            } else {
                ("a list misses a key that was present", possible.any(|found| found.is_none()))
            };
            if !explained {
                case.violated(what, &(key, list, states));
            }
        }
    }
}

/// What the list may have met of a key.
fn states(case: &Case<'_>, list: &Listed, key: u64) -> Option<Vec<State>> {
    let states = match list.generation {
        None => case.chronicle.during(key, list.span)?,
        Some(generation) => std::slice::from_ref(case.chronicle.at(key, generation)?),
    };
    let timed = |state: &State| if list.present { *state } else { State { until: None, ..*state } };
    Some(states.iter().map(timed).collect())
}
