//! Removals of a whole prefix. Their callers are told a number, so each removal that nobody else asked for is theirs.

use super::{Case, Epoch, Logged, times::Times};
use slateboard::MutationKind;
use slateboard_kit::calls::{Answer, Call, Family, family, keys};
use std::collections::HashSet;

/// Adds a call for each removal that nobody was told of while a prefix was removed. Such a call has no caller, and no number.
pub fn attribute(epoch: &mut Epoch, violations: &mut Vec<String>) {
    let bulk: Vec<Logged> =
        epoch.calls.iter().filter(|call| call.asked == Call::RemoveAll).copied().collect();
    if bulk.is_empty() {
        return;
    }
    let (times, told) =
        (Times::of(epoch), epoch.done().map(|(.., generation)| generation).collect::<HashSet<_>>());
    let untold = epoch.story.events.iter().filter(|event| {
        event.kind == MutationKind::Remove
            && family(event.key) == Family::Many
            && !told.contains(&event.generation)
    });
    let removals: Vec<Logged> = untold
        .filter_map(|event| {
            let span = [times.earliest(event.generation), times.latest(event.generation)];
            let overlaps = |call: &&Logged| call.start <= span[1] && call.span()[1] >= span[0];
            bulk.iter().find(overlaps).map(|_| removal(event.key, event.version, event.generation, span))
        })
        .collect();
    count(epoch, &bulk, removals.len() as u64, violations);
    epoch.calls.extend(removals);
}

fn removal(key: u64, version: u64, generation: u64, [start, end]: [u64; 2]) -> Logged {
    let answer = Some(Answer::Done { version, generation });
    // Its worker is unlike any other, because it may overlap any other.
    Logged { worker: u64::MAX - generation, id: 0, key, asked: Call::REMOVE, start, end: Some(end), answer }
}

/// The callers were told of all removals together, and of no more.
fn count(epoch: &Epoch, bulk: &[Logged], removals: u64, violations: &mut Vec<String>) {
    let counts = bulk.iter().map(|call| match call.answer {
        Some(Answer::Count(count)) => Some(count),
        _ => None,
    });
    let told: u64 = counts.clone().flatten().sum();
    let all_told = counts.clone().all(|count| count.is_some());
    // A killed single removal may have made one of the events.
    let killed = epoch.calls.iter().any(|call| {
        call.end.is_none() && matches!(call.asked, Call::Remove(_)) && family(call.key) == Family::Many
    });
    if epoch.story.missed == 0 && (told > removals || (all_told && !killed && told < removals)) {
        violations.push(format!("removals of a prefix removed {removals} keys, and told of {told}"));
    }
}

/// No key of the prefix was present all the time while it was removed.
pub fn check(case: &mut Case<'_>) {
    for call in &case.epoch.calls {
        let Some(Answer::Count(_)) = call.answer else { continue };
        for key in keys(Family::Many) {
            let states = case.chronicle.during(key, call.span());
            let Some(states) = case.known(states) else { continue };
            if states.iter().all(|state| !state.may_be_over(call.span()[1])) {
                case.violated("a removal of a prefix left a key", &(call, key, states));
            }
        }
    }
}
