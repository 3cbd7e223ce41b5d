//! What ends by itself: a value is not ended before its time to live is over, and only a value that is bound to a session
//! ends with one.

use super::{Case, chronicle::State};
use slateboard::MutationKind;
use slateboard_kit::calls::{Family, KEYS, family};

pub fn check(case: &mut Case<'_>) {
    for key in 0..KEYS {
        let states = case.chronicle.states(key);
        for (index, pair) in states.windows(2).enumerate() {
            let (before, event) = (&pair[0], &pair[1]);
            if ends_itself(event) && case.chronicle.is_known(key, index) {
                let seen = case.chronicle.times.latest(event.generation);
                if let Some(what) = unexplained(key, before, event, seen) {
                    case.violated(what, &(key, before, event));
                }
            }
        }
    }
}

fn ends_itself(event: &State) -> bool {
    matches!(event.kind, MutationKind::Expire | MutationKind::Detached | MutationKind::Died)
}

/// Why a value cannot have ended by itself by the moment when its end was seen.
fn unexplained(key: u64, before: &State, event: &State, seen: u64) -> Option<&'static str> {
    let bound = matches!(family(key), Family::Cold | Family::Lease);
    match (before.value, event.kind) {
        (None, _) => Some("what had no value ended by itself"),
        (_, MutationKind::Expire) if before.until.is_none() => Some("a value without a time to live expired"),
        (_, MutationKind::Expire) if !before.may_be_over(seen) => Some("a value ended before its time"),
        (_, MutationKind::Detached | MutationKind::Died) if !bound => {
            Some("a value ended with a session that it was not bound to")
        }
        _ => None,
    }
}
