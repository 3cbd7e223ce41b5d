//! Leases: one session holds a key at a time. A lease's tenure begins with the event that took it, whose generation is its
//! token, and goes on while its renewals follow each other.

use super::{Case, Logged, chronicle::State};
use slateboard::MutationKind;
use slateboard_kit::calls::{Answer, Call, Family, keys, worker_of};
use std::collections::{HashMap, HashSet};

/// Whose lease an event belongs to: the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tenure {
    Nobody,
    /// The lease with this token.
    Of(u64),
    /// A part of the history is missing.
    Unknown,
}

pub fn check(case: &mut Case<'_>) {
    let tokens = |call: &Logged| Some(((call.key, call.caused()?), call.worker));
    let taken: HashMap<(u64, u64), u64> =
        case.epoch.calls.iter().filter(|call| call.asked == Call::Take).filter_map(tokens).collect();
    for key in keys(Family::Lease) {
        let ours: Vec<&Logged> = case.epoch.calls.iter().filter(|call| call.key == key).collect();
        let tenures = tenures(case, key, &taken, &ours);
        ours.iter().for_each(|call| judge(case, call, &tenures));
    }
}

/// The tenure of each state of a key. On the way it judges the events.
fn tenures(case: &mut Case<'_>, key: u64, taken: &HashMap<(u64, u64), u64>, ours: &[&Logged]) -> Vec<Tenure> {
    let pending = |call: &&&Logged| call.asked == Call::Take && call.answer.is_none();
    let takers: HashSet<u64> = ours.iter().filter(pending).map(|call| call.worker).collect();
    let removals: HashSet<u64> = ours
        .iter()
        .filter(|call| matches!(call.asked, Call::Remove(_)))
        .filter_map(|call| call.caused())
        .collect();
    let killed = ours.iter().any(|call| matches!(call.asked, Call::Remove(_)) && call.answer.is_none());
    let released: HashSet<u64> = ours.iter().filter_map(|call| released(call.asked)).collect();
    let (chronicle, mut tenures) = (case.chronicle, vec![Tenure::Nobody]);
    for (index, pair) in chronicle.states(key).windows(2).enumerate() {
        let ([before, event], tenure) = ([&pair[0], &pair[1]], tenures[index]);
        let (known, seen) = (chronicle.is_known(key, index), chronicle.times.latest(event.generation));
        let holder = event.value.and_then(worker_of);
        let is_take = taken.contains_key(&(key, event.generation))
            || (known
                && holder.is_some_and(|worker| takers.contains(&worker) && before.value != event.value));
        let by_caller = killed || removals.contains(&event.generation);
        let (next, what) = match holder {
            Some(_) if is_take => {
                let wrong = known && !before.may_be_over(seen);
                (Tenure::Of(event.generation), wrong.then_some("a lease was taken while another value stood"))
            }
            Some(_) if !known => (Tenure::Unknown, None),
            Some(_) => (tenure, unrenewable(case, before, event)),
            None if event.kind == MutationKind::Remove && known && !by_caller => {
                let own = matches!(tenure, Tenure::Of(token) if released.contains(&token));
                let wrong = !own && tenure != Tenure::Unknown;
                (Tenure::Nobody, wrong.then_some("a lease was released by another than its holder"))
            }
            None => (Tenure::Nobody, None),
        };
        what.into_iter().for_each(|what| case.violated(what, &(key, before, event)));
        tenures.push(next);
    }
    tenures
}

fn released(asked: Call) -> Option<u64> {
    match asked {
        Call::Release(token) => Some(token),
        _ => None,
    }
}

/// Why an event cannot renew the lease that stood before it.
fn unrenewable(case: &Case<'_>, before: &State, event: &State) -> Option<&'static str> {
    if before.value != event.value {
        return Some("a lease that was lost was renewed");
    }
    let begun = case.chronicle.times.earliest(event.generation);
    before.is_over(begun).then_some("a lease whose time was over was renewed")
}

/// Judges what a holder was told of its lease.
fn judge(case: &mut Case<'_>, call: &Logged, tenures: &[Tenure]) {
    let (Call::Held(token) | Call::Renew(token) | Call::Release(token)) = call.asked else { return };
    let met = case.chronicle.met(call.key, call.span());
    let Some(met) = case.known(met) else { return };
    let states = &case.chronicle.states(call.key)[met.clone()];
    let [start, end] = call.span();
    let mut both = states.iter().zip(&tenures[met]);
    let is = |tenure: Tenure| tenure == Tenure::Of(token);
    // It stood for the whole call, for certain; or at some moment of it, perhaps.
    let stood = both.clone().all(|(state, tenure)| is(*tenure) && !state.may_be_over(end));
    let may_stand =
        both.any(|(state, tenure)| (is(*tenure) || *tenure == Tenure::Unknown) && !state.is_over(start));
    let what = match (call.asked, call.answer) {
        (Call::Held(_), Some(Answer::Yes)) if !may_stand => {
            "a lease is said to be held that another may take"
        }
        (Call::Renew(_), Some(Answer::Yes)) if !may_stand => "a lease is said to be renewed that was lost",
        (Call::Held(_) | Call::Renew(_), Some(Answer::No)) if stood => {
            "a lease is said to be lost that is held"
        }
        (Call::Release(_), Some(Answer::Yes)) if stood => "a lease stands that was released",
        _ => return,
    };
    case.violated(what, &(call, states));
}
