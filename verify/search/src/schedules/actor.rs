//! What an actor does: random calls, in one life after the other.

use super::{
    family::Act,
    table::{Killed, Table},
};
use crate::party::{Party, Told};
use slateboard::{
    layout::Writer,
    protocol::{Fault, publish::Expect, sessions::Identity},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Value of the first put made when all is over.
const AFTERWARDS: u64 = 1 << 40;

/// Calls made before the actors begin, at most.
const BEFORE: u64 = 10;

/// An actor's lives. It returns when the last one is over.
pub fn live(table: &Table, actor: usize) {
    table.sit_down(actor);
    let mut next = Some((actor, false));
    while let Some((session, again)) = next {
        guarded(table, |table| {
            let Some(core) = table.core() else { return };
            let writer = if again {
                core.occupy(session, 0, &Identity::default())
            } else {
                Writer { name: 0, session: session as u16, incarnation: 1 }
            };
            let party = table.party(core, writer);
            let calls = 1 + table.below(table.family.calls);
            let ended = catch_unwind(AssertUnwindSafe(|| (0..calls).for_each(|_| act(table, &party))));
            table.note(&party, ended.is_ok());
            ended.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        });
        next = table.next_life(actor).map(|session| (session, true));
    }
}

/// Runs code that may be killed; a panic of any other kind is a failure.
fn guarded(table: &Table, run: impl FnOnce(&Table)) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| run(table)))
        && !payload.is::<Killed>()
    {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        table.fail(format!("panicked: {}", text.unwrap_or_default()));
    }
}

/// One random call, and whether what it told is true.
fn act(table: &Table, party: &Party<'_>) {
    let before = party.calls().borrow().len();
    let key = table.below(table.keys.len() as u64) as usize;
    match chosen(table) {
        Act::Put => put(table, party, key, Expect::Any),
        Act::PutAbsent => put(table, party, key, Expect::Absent),
        Act::PutPresent => put(table, party, key, Expect::Present),
        Act::PutEphemeral => drop(party.put_ephemeral(key, table.value())),
        Act::Update => drop(party.update(key, table.value())),
        Act::Remove => drop(party.remove(key)),
        Act::Expire => drop(party.expire(key, recent(table, party))),
        Act::Get => drop(party.get(key)),
        Act::GetPast => past(table, party, key),
        Act::List => party.list(),
        Act::Events => events(party),
        Act::Reap => drop(reap(table, party)),
        Act::Tend => {
            party.floor(table.below(4) == 0);
            party.finish_pending();
        }
        Act::Sweep => party.sweep_open(),
        // As in the product, before anything else: a session that has written never makes another name.
        Act::Intern if before == 0 => party.intern(if table.below(2) == 0 { "n" } else { "m" }),
        Act::Intern => {}
    }
    if let Err(reason) = table.shows(&party.calls().borrow()[before..]) {
        table.fail(reason);
    }
}

fn chosen(table: &Table) -> Act {
    let acts = table.family.acts;
    let mut number = table.below(acts.iter().map(|(weight, _)| weight).sum());
    for &(weight, act) in acts {
        match number.checked_sub(weight) {
            Some(rest) => number = rest,
            None => return act,
        }
    }
    Act::Get
}

fn put(table: &Table, party: &Party<'_>, key: usize, expect: Expect) {
    let (least, most) = table.family.words;
    let words = least + table.below(most - least + 1);
    party.put_words(key, table.value(), words as usize, expect);
}

/// A generation of which the history may still know, or will soon.
fn recent(table: &Table, party: &Party<'_>) -> u64 {
    (party.core().generation() + 1).saturating_sub(table.below(4)).max(1)
}

/// Reads a key at a generation that may be the next one: only that is in the future.
fn past(table: &Table, party: &Party<'_>, key: usize) {
    let newest = party.core().generation();
    let generation = recent(table, party);
    let told = party.get_at(key, generation);
    if generation <= newest && told == Told::Fault(Fault::Future) {
        table.fail(format!("generation {generation} was said to be in the future at generation {newest}"));
    }
}

/// Reads what the history holds, from its oldest event to its newest.
fn events(party: &Party<'_>) {
    let (floor, generation) = (party.core().floor(), party.core().generation());
    for event in floor + 1..=generation {
        party.event(event);
    }
}

/// Takes the lock byte of a dead session and ends its life, by the actor's own lane or in the dead session's name, as a board
/// does it. Whether there was one. As a board does, it asks whether the record is still occupied: a reaper that was killed may
/// have ended the life before it let the byte go.
fn reap(table: &Table, party: &Party<'_>) -> bool {
    let own_name = table.below(2) == 0;
    let Some(dead) = table.take_dead(own_name) else { return false };
    let end = || if own_name { party.end(dead) } else { party.end_in_its_name(dead) };
    let ended = !party.core().is_occupied(dead) || end();
    table.let_go(dead, ended);
    ended
}

fn last_one(table: &Table) -> Option<Party<'_>> {
    let writer = Writer { name: 0, session: table.actors as u16, incarnation: 1 };
    Some(table.party(table.core()?, writer))
}

/// What happens before the actors begin: a few calls, alone.
pub fn prepare(table: &Table) {
    guarded(table, |table| {
        let Some(party) = last_one(table) else { return };
        (0..table.below(BEFORE)).for_each(|_| act(table, &party));
        party.empty_stash();
        table.note(&party, true);
    });
}

/// What happens when all actors are done or dead: the dead are reaped, the board is checked, and used.
pub fn clean_up(table: &Table) {
    table.all_over();
    guarded(table, |table| {
        let Some(party) = last_one(table) else { return };
        while reap(table, &party) {}
        party.empty_stash();
        table.note(&party, true);
        if let Err(reason) = table.check() {
            return table.fail(reason);
        }
        party.use_every_key(AFTERWARDS);
        party.empty_stash();
        let calls = party.calls().take();
        let used = table.shows(&calls).and_then(|()| table.is_usable(&calls));
        if let Err(reason) = used {
            table.fail(reason);
        }
    });
}
