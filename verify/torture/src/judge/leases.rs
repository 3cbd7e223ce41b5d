//! Leases: one session holds a key at a time. A lease's tenure begins with the event that took it, whose generation is its
//! token, and goes on while its renewals follow each other.

use super::{Case, Logged, chronicle::State};
use slateboard::MutationKind;
use slateboard_kit::calls::{Answer, Call, Family, keys, worker_of};
use std::collections::HashSet;

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
    for key in keys(Family::Lease) {
        let ours: Vec<&Logged> = case.epoch.calls.iter().filter(|call| call.key == key).collect();
        let tenures = tenures(case, key, &Deeds::of(&ours));
        ours.iter().for_each(|call| judge(case, call, &tenures));
    }
}

/// What was asked for on one key.
struct Deeds {
    /// Generations of the events that took it, as their callers were told.
    taken: HashSet<u64>,
    /// Workers that were killed when they took it.
    takers: HashSet<u64>,
    /// Tokens of the leases that were released.
    released: HashSet<u64>,
    /// Generations of the removals by force.
    removed: HashSet<u64>,
    /// Whether a worker was killed when it removed it by force.
    removing: bool,
}

impl Deeds {
    fn of(ours: &[&Logged]) -> Self {
        let asked = |wanted: fn(Call) -> bool| ours.iter().filter(move |call| wanted(call.asked));
        let take = |call: Call| call == Call::Take;
        let remove = |call: Call| matches!(call, Call::Remove(_));
        let killed = |call: &&&Logged| call.answer.is_none();
        let token = |call: &&Logged| match call.asked {
            Call::Release(token) => Some(token),
            _ => None,
        };
        Self {
            taken: asked(take).filter_map(|call| call.caused()).collect(),
            takers: asked(take).filter(killed).map(|call| call.worker).collect(),
            released: ours.iter().filter_map(token).collect(),
            removed: asked(remove).filter_map(|call| call.caused()).collect(),
            removing: asked(remove).any(|call| call.answer.is_none()),
        }
    }

    /// Whether an event of this holder took the lease.
    fn took(&self, event: &State, holder: u64, before: Option<&State>) -> bool {
        let killed =
            self.takers.contains(&holder) && before.is_some_and(|before| before.value != event.value);
        self.taken.contains(&event.generation) || killed
    }

    /// Whether a removal may be somebody's who holds no lease, or the holder's of this tenure.
    fn may_remove(&self, event: &State, tenure: Tenure) -> bool {
        let own = match tenure {
            Tenure::Of(token) => self.released.contains(&token),
            Tenure::Nobody => false,
            Tenure::Unknown => true,
        };
        own || self.removing || self.removed.contains(&event.generation)
    }
}

/// The tenure of each state of a key. On the way it judges the events.
fn tenures(case: &mut Case<'_>, key: u64, deeds: &Deeds) -> Vec<Tenure> {
    let (chronicle, mut tenures) = (case.chronicle, vec![Tenure::Nobody]);
    for (index, pair) in chronicle.states(key).windows(2).enumerate() {
        let before = Some(&pair[0]).filter(|_| chronicle.is_known(key, index));
        let (next, what) = tenure(case, deeds, before, &pair[1], tenures[index]);
        what.into_iter().for_each(|what| case.violated(what, &(key, before, &pair[1])));
        tenures.push(next);
    }
    tenures
}

/// The tenure of an event, after one with this tenure; and what is wrong with it. What stood before may not be known.
fn tenure(
    case: &Case<'_>,
    deeds: &Deeds,
    before: Option<&State>,
    event: &State,
    last: Tenure,
) -> (Tenure, Option<&'static str>) {
    match (event.value.and_then(worker_of), before) {
        (Some(holder), _) if deeds.took(event, holder, before) => {
            let seen = case.chronicle.times.latest(event.generation);
            let wrong = before.is_some_and(|before| !before.may_be_over(seen));
            (Tenure::Of(event.generation), wrong.then_some("a lease was taken while another value stood"))
        }
        (Some(_), None) => (Tenure::Unknown, None),
        (Some(_), Some(before)) => (last, unrenewable(case, before, event)),
        (None, Some(_)) if event.kind == MutationKind::Remove && !deeds.may_remove(event, last) => {
            (Tenure::Nobody, Some("a lease was released by another than its holder"))
        }
        (None, _) => (Tenure::Nobody, None),
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
