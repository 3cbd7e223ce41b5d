//! One state of a scenario: the words, where each party stands, the events so far. A step can be taken
//! back, so that the search keeps one world and a path.

use crate::{
    party::{Call, Told},
    places::{self, Place},
    programs::{Next, Programs},
    rest::Rest,
    scenario::Lead,
    watch::{self, Event, Writing},
};
use slateboard::{
    layout::{State, StateKind},
    protocol::Fault,
    sync::search::Access,
};

/// Where a party stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stand {
    /// At a node of its tree.
    At(u32),
    /// Done, with these calls answered and so many blocks in its stash.
    Done(u32, u32),
    /// Killed, with these calls answered.
    Killed(u32),
}

/// A choice of the scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The party takes its next access.
    Step(usize),
    /// The party is killed before its next access.
    Kill(usize),
}

/// What takes a step back.
pub struct Undo {
    actor: usize,
    stand: Stand,
    word: Option<(usize, u64)>,
    mail: u64,
    event: bool,
    last: Option<usize>,
}

/// What code that ran alone was told, and the words and events it left.
pub type Played = (Vec<Call>, Vec<u64>, Vec<Event>);

/// A state.
pub struct World<'s> {
    /// The parties' code.
    pub programs: Programs<'s>,
    /// The words, the one outside of the region last.
    pub words: Vec<u64>,
    /// What each word is.
    pub places: Vec<Place>,
    /// Where each party stands.
    pub stands: Vec<Stand>,
    /// The events so far.
    pub events: Vec<Event>,
    /// Events before the parties began.
    pub before: usize,
    /// Who moved last.
    pub last: Option<usize>,
    dead: u64,
    sum: u64,
}

/// Spreads a number's bits over all of it.
pub fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

fn weigh(index: usize, word: u64) -> u64 {
    mix(mix(index as u64).wrapping_add(word))
}

impl<'s> World<'s> {
    /// The scenario's first state: its set-up, run alone and watched, and nobody has moved.
    pub fn new(programs: Programs<'s>, words: Vec<u64>) -> Result<Self, String> {
        let places = places::places(&programs.geo);
        let setup = programs.scenario.setup;
        let mut world = Self {
            programs,
            words,
            places,
            stands: Vec::new(),
            events: Vec::new(),
            before: 0,
            last: None,
            dead: 0,
            sum: 0,
        };
        let (calls, words, events) = world.played(setup)?;
        if let Some(fault) = calls.iter().find_map(|call| world.fault(call)) {
            return Err(format!("set-up: {fault}"));
        }
        (world.words, world.events) = (words, events);
        world.start();
        Ok(world)
    }

    /// Runs code alone on a copy of the words, watched; yields its calls, the words, and the events.
    pub fn played(&self, run: impl Fn(&crate::party::Party<'_>)) -> Result<Played, String> {
        let (taken, calls) = self.programs.alone(&self.words, run)?;
        let (mut words, mut events) = (self.words.clone(), self.events.clone());
        let session = self.programs.scenario.sessions() - 1;
        for (index, access, old) in taken {
            let (index, new) = (index as usize, access.effect(old));
            words[index] = new;
            if writes(access, old) {
                let who = Writing { session, reaps: false, dead: 0 };
                let place = self.places[index];
                let event = watch::judge(&self.programs.geo, &words, &events, place, (old, new), who)?;
                events.extend(event);
            }
        }
        Ok((calls, words, events))
    }

    /// Everybody stands at the start.
    fn start(&mut self) {
        self.before = self.events.len();
        self.programs.start(&self.words);
        self.stands = (0..self.programs.actors()).map(|actor| Stand::At(self.programs.root(actor))).collect();
        (self.last, self.dead) = (None, 0);
        self.sum =
            self.words.iter().enumerate().map(|(at, &word)| weigh(at, word)).fold(0, u64::wrapping_add);
    }

    /// Lets the first party go alone as far as the scenario says.
    pub fn lead(&mut self) -> Result<(), String> {
        let lead = self.programs.scenario.lead;
        let mut there = lead == Lead::Nowhere;
        while let Some((index, access)) = self.next(0).filter(|_| !there) {
            let head = matches!(self.places[index], Place::Head(_));
            there = head && (lead == Lead::Looked || !access.is_load());
            self.take(Choice::Step(0)).map_err(|(_, reason)| reason)?;
        }
        self.last = None;
        Ok(())
    }

    fn is_reaper(&self, actor: usize) -> bool {
        actor >= self.programs.scenario.roles.len()
    }

    /// Number of the state: equal states have equal numbers, and unlike ones unlike numbers but for one in
    /// 2^64. The words, what each party was given, and the events.
    pub fn number(&self) -> u64 {
        let mut number = self.sum;
        for (actor, stand) in self.stands.iter().enumerate() {
            let (kind, value) = match *stand {
                Stand::At(node) => (0, u64::from(node)),
                Stand::Done(calls, stashed) => (1, u64::from(calls) << 32 | u64::from(stashed)),
                Stand::Killed(calls) => (2, u64::from(calls)),
            };
            number = number.wrapping_add(mix(mix((actor as u64) << 8 | kind | 1 << 40) ^ value));
        }
        for event in &self.events[self.before..] {
            let (block, tag) = (u64::from(event.block), event.tag);
            let value = mix(event.version ^ event.value.unwrap_or(0).rotate_left(32));
            number = mix(number ^ value ^ mix(block << 40 ^ tag ^ u64::from(event.superseded) << 20));
        }
        number
    }

    /// Sessions that are dead.
    pub fn dead(&self) -> u64 {
        self.dead
    }

    fn mail(&self) -> u64 {
        self.words[self.words.len() - 1]
    }

    /// Whether the party stands at its start.
    fn is_fresh(&self, actor: usize) -> bool {
        self.stands[actor] == Stand::At(self.programs.root(actor))
    }

    /// The access the party would take now. A reaper waits for deaths, and for other reapers: the lock of
    /// the dead session's byte lets one in.
    pub fn next(&self, actor: usize) -> Option<(usize, Access)> {
        let Stand::At(node) = self.stands[actor] else { return None };
        let Next::Step(index, access) = self.programs.next(node) else { return None };
        if self.is_reaper(actor) && self.is_fresh(actor) {
            let first = self.programs.scenario.roles.len();
            let busy = (first..actor).any(|other| matches!(self.stands[other], Stand::At(_)));
            if busy || self.mail() == 0 {
                return None;
            }
        }
        Some((index as usize, access))
    }

    /// Whether the party may still take part: it runs, or is a reaper whose time may come.
    pub fn is_alive(&self, actor: usize) -> bool {
        match self.stands[actor] {
            Stand::At(_) if self.is_reaper(actor) && self.is_fresh(actor) => {
                self.mail() != 0 || self.kills_left() > 0
            }
            Stand::At(_) => true,
            _ => false,
        }
    }

    fn kills_left(&self) -> usize {
        self.programs.scenario.kills - self.dead().count_ones() as usize
    }

    /// Whether the party may be killed now. A kill does not depend on what others do before it, so only
    /// who moved last is killed: any other kill could have come at once after its victim's own last move.
    pub fn may_die(&self, actor: usize) -> bool {
        let scenario = self.programs.scenario;
        let mortal = match scenario.roles.get(actor) {
            Some(role) => role.mortal,
            None => scenario.mortal_reapers,
        };
        mortal
            && self.last == Some(actor)
            && self.kills_left() > 0
            && matches!(self.stands[actor], Stand::At(_))
    }

    /// Takes the choice.
    pub fn take(&mut self, choice: Choice) -> Result<Undo, (Undo, String)> {
        match choice {
            Choice::Kill(actor) => Ok(self.kill(actor)),
            Choice::Step(actor) => self.step(actor),
        }
    }

    fn kill(&mut self, actor: usize) -> Undo {
        let undo = self.undo(actor, None);
        let mut mail = self.mail() | 1 << actor;
        if let Stand::At(node) = self.stands[actor] {
            self.stands[actor] = Stand::Killed(self.programs.calls_at(node));
            if self.is_reaper(actor) {
                // What it was to reap is the next one's.
                mail |= self.programs.first_given(node);
            }
        }
        self.set_mail(mail);
        self.dead |= 1 << actor;
        self.last = None;
        undo
    }

    fn undo(&self, actor: usize, word: Option<(usize, u64)>) -> Undo {
        Undo { actor, stand: self.stands[actor], word, mail: self.mail(), event: false, last: self.last }
    }

    fn set(&mut self, index: usize, word: u64) {
        let old = std::mem::replace(&mut self.words[index], word);
        if old == word {
            return;
        }
        self.sum = self.sum.wrapping_sub(weigh(index, old)).wrapping_add(weigh(index, word));
    }

    fn set_mail(&mut self, mail: u64) {
        self.set(self.words.len() - 1, mail);
    }

    fn step(&mut self, actor: usize) -> Result<Undo, (Undo, String)> {
        let Stand::At(node) = self.stands[actor] else { return Ok(self.undo(actor, None)) };
        let Some((index, access)) = self.next(actor) else { return Ok(self.undo(actor, None)) };
        let (old, new) = (self.words[index], access.effect(self.words[index]));
        let given = self.mail();
        let mut undo = self.undo(actor, Some((index, old)));
        self.last = Some(actor);
        self.set(index, new);
        if writes(access, old) {
            let who = Writing { session: actor, reaps: self.is_reaper(actor), dead: self.dead() };
            let geo = &self.programs.geo;
            match watch::judge(geo, &self.words, &self.events, self.places[index], (old, new), who) {
                Ok(event) => {
                    undo.event = event.is_some();
                    self.events.extend(event);
                }
                Err(reason) => return Err((undo, reason)),
            }
        }
        let fresh = self.is_reaper(actor) && node == self.programs.root(actor);
        let child = self.programs.child(actor, node, access.given(old), &self.words);
        self.stands[actor] = Stand::At(child);
        if fresh {
            // These are this reaper's; later deaths are for the next one.
            self.set_mail(self.mail() & !given);
        }
        let answered = self.programs.calls_at(child) != self.programs.calls_at(node);
        let shown = if answered { self.shown(child) } else { Ok(()) };
        match shown.and_then(|()| self.arrive(actor, child)) {
            Ok(()) => Ok(undo),
            Err(reason) => Err((undo, reason)),
        }
    }

    /// Whether the counters show the change that a party has just been told of.
    fn shown(&self, node: u32) -> Result<(), String> {
        let Some(call) = self.programs.calls(self.programs.calls_at(node)).last() else { return Ok(()) };
        let geo = &self.programs.geo;
        let rest = Rest { geo, words: &self.words, events: &self.events, sessions: Vec::new() };
        rest.shows(&self.programs.keys[call.key], call)
    }

    /// Looks whether a party is done, and whether its new answers may be.
    fn arrive(&mut self, actor: usize, node: u32) -> Result<(), String> {
        match self.programs.next(node) {
            Next::Step(..) => {}
            Next::Panicked(number) => {
                let (name, message) = (self.programs.name(actor), self.programs.message(number));
                return Err(format!("{name} panicked: {message}"));
            }
            Next::Done(stashed) => {
                let calls = self.programs.calls_at(node);
                if let Some(fault) = self.programs.calls(calls).iter().find_map(|call| self.fault(call)) {
                    return Err(format!("{}: {fault}", self.programs.name(actor)));
                }
                self.stands[actor] = Stand::Done(calls, stashed);
            }
        }
        Ok(())
    }

    /// Why an answer is one that no party may ever get.
    pub fn fault(&self, call: &Call) -> Option<String> {
        let scenario = self.programs.scenario;
        let lawful = match call.told {
            Told::Fault(Fault::Full(_)) => scenario.may_fill,
            Told::Fault(Fault::Lagged) => scenario.may_lag,
            Told::Fault(_) | Told::Torn => false,
            _ => true,
        };
        (!lawful).then(|| format!("{:?} answered {:?}", call.asked, call.told))
    }

    /// Takes a step back.
    pub fn back(&mut self, undo: &Undo) {
        if matches!(self.stands[undo.actor], Stand::Killed(_)) {
            self.dead &= !(1 << undo.actor);
        }
        self.stands[undo.actor] = undo.stand;
        self.set_mail(undo.mail);
        if let Some((index, word)) = undo.word {
            self.set(index, word);
        }
        if undo.event {
            self.events.pop();
        }
        self.last = undo.last;
    }

    /// Whether the access fills the party's own block, which is not published: no other party's result
    /// depends on where among them it comes.
    pub fn is_private(&self, actor: usize, index: usize, access: Access) -> bool {
        let Place::Data(granule, _) = self.places[index] else { return false };
        let geo = &self.programs.geo;
        let extent = granule / geo.extent_granules();
        let size = geo.classes().granules(self.words[geo.extent(extent)] as u8).unwrap_or(1);
        let first = extent * geo.extent_granules();
        let start = first + (granule - first) / size * size;
        let Some(block) = geo.block(start) else { return false };
        let state = State(self.words[geo.state(block)]);
        !access.is_load()
            && usize::from(state.owner()) == actor + 1
            && matches!(state.kind(), StateKind::Claimed | StateKind::Inflight)
    }
}

fn writes(access: Access, old: u64) -> bool {
    match access {
        Access::Load => false,
        Access::CompareExchange { current, .. } => old == current,
        _ => true,
    }
}
