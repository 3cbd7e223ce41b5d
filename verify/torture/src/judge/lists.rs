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
            let possible = possible(case, list, key);
            let Some(possible) = case.known(possible) else { continue };
            let mut possible = possible.into_iter();
            let (what, explained) = if is_in(&list.found) {
                ("a list has a key that was not present", possible.any(|found| found.is_some()))
            } else {
                ("a list misses a key that was present", possible.any(|found| found.is_none()))
            };
            if !explained {
                case.violated(what, &(key, list, case.chronicle.states(key)));
            }
        }
    }
}

/// What the list may have found of a key.
fn possible(case: &Case<'_>, list: &Listed, key: u64) -> Option<Vec<Option<State>>> {
    let Listed { span, generation, present, .. } = *list;
    let chronicle = case.chronicle;
    Some(match generation {
        Some(generation) => {
            chronicle.found_at(chronicle.at(key, generation)?, generation, present, span).collect()
        }
        None => chronicle.during(key, span)?.iter().flat_map(|state| state.found(span)).collect(),
    })
}
