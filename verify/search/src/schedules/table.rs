//! One board under one schedule: the words, who lives and who is dead, and the judge of every write. The
//! protocol's code asks here before each access; here the scheduler may let somebody else go on, and here an
//! actor is killed.

use super::family::Family;
use crate::{
    party::{Asked, Call, Party, Told},
    places::{Place, does, places},
    rest::{Rest, Session},
    watch::{Event, Writing, judge},
};
use fastrand::Rng;
use shuttle::{
    rand::RngCore,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};
use slateboard::{
    layout::{Geometry, Writer},
    protocol::{Core, Fault, Silent, sessions::Identity},
    sync::search::{Access, Stepper},
    sync::{AtomicU64, Ordering},
};
use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Accesses of one schedule after which somebody is taken to hang.
const ACCESSES_MAX: u64 = 400_000;
/// Lives beyond the actors' first ones, at most.
const LATER_LIVES: u32 = 8;
/// Accesses of a life before which it is killed, if it is.
const LIFE_MAX: u64 = 600;
/// One access in so many is a point where others may go on, in one of these ways for each schedule.
const POINTS: [u64; 4] = [1, 1, 4, 16];

/// The payload that ends a killed actor.
pub struct Killed;

/// What happened in the schedules so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Schedules.
    pub schedules: u64,
    /// Accesses to words of the region.
    pub accesses: u64,
    /// Events.
    pub events: u64,
    /// Actors killed.
    pub kills: u64,
    /// Of those, while they ended another's life.
    pub reapers_killed: u64,
    /// Lives ended by others.
    pub reaped: u64,
    /// Records that began another life.
    pub returns: u64,
    /// Calls answered.
    pub answers: u64,
    /// Of those, that something else stood there.
    pub conflicts: u64,
    /// That the board was full.
    pub full: u64,
    /// That the history had gone on.
    pub lagged: u64,
}

impl Tally {
    /// Adds what happened in other schedules.
    pub fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.accesses += other.accesses;
        self.events += other.events;
        self.kills += other.kills;
        self.reapers_killed += other.reapers_killed;
        self.reaped += other.reaped;
        self.returns += other.returns;
        self.answers += other.answers;
        self.conflicts += other.conflicts;
        self.full += other.full;
        self.lagged += other.lagged;
    }
}

/// An actor, as the table sees it.
#[derive(Clone, Copy, Default)]
struct Seat {
    session: usize,
    /// The dead session whose life it ends, and whether in that one's name.
    ends: Option<(usize, bool)>,
    /// Accesses left before it is killed.
    left: Option<u64>,
}

/// What belongs to one schedule.
struct Run {
    words: Vec<u64>,
    events: Vec<Event>,
    sessions: Vec<Session>,
    seats: Vec<Seat>,
    /// Who moves now; the last seat is the one that sets up and cleans up, alone.
    current: usize,
    /// Sessions that are dead, one bit each; those that nobody is ending; records that may be taken.
    dead: u64,
    waiting: u64,
    vacant: u64,
    lives: u32,
    point: u64,
    values: u64,
    accesses: u64,
    random: Rng,
    calls: Vec<Call>,
    failure: Option<String>,
    trace: Option<Vec<String>>,
}

/// A board, and what becomes of it in one schedule after the other.
pub struct Table {
    /// Its family.
    pub family: &'static Family,
    /// Its geometry.
    pub geo: Geometry,
    /// Its keys.
    pub keys: Vec<String>,
    /// Actors.
    pub actors: usize,
    cells: Vec<AtomicU64>,
    places: Vec<Place>,
    fresh: Vec<u64>,
    /// Whether the scheduler is to be asked before every access.
    always: bool,
    run: Mutex<Run>,
    tally: Mutex<Tally>,
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    /// A board of the family, with a session for each actor and one for what happens before and after.
    pub fn new(family: &'static Family, actors: usize, always: bool) -> Result<Self, String> {
        let mut shape = (family.shape)();
        shape.sessions = actors as u64 + 1;
        let geo = Geometry::new(shape, 7)?;
        let cells: Vec<_> = (0..=geo.words()).map(|_| AtomicU64::new(0)).collect();
        let core = Core::new(&cells, &[], &Silent, &geo).ok_or("too few words")?;
        core.raise_reserved(geo.extents());
        core.cut_reserve();
        (0..=actors).for_each(|session| {
            core.occupy(session, 0, &Identity::default());
        });
        let fresh: Vec<u64> = cells.iter().map(|cell| cell.load(Ordering::Relaxed)).collect();
        let run = Mutex::new(Run::new(&fresh, actors));
        let (places, keys) = (places(&geo), (family.keys)(&geo));
        let tally = Mutex::default();
        Ok(Self { family, geo, keys, actors, cells, places, fresh, always, run, tally })
    }

    /// Everything as at first. What is random from here on comes from the scheduler's one number.
    pub fn begin(&self, traced: bool) {
        let mut run = Run::new(&self.fresh, self.actors);
        run.random = Rng::with_seed(shuttle::rand::thread_rng().next_u64());
        run.point = if self.always { 1 } else { POINTS[run.random.usize(..POINTS.len())] };
        run.trace = traced.then(Vec::new);
        *open(&self.run) = run;
    }

    /// What happened so far.
    pub fn tally(&self) -> Tally {
        *open(&self.tally)
    }

    /// Why the schedule is a failure.
    pub fn failure(&self) -> Option<String> {
        open(&self.run).failure.clone()
    }

    /// The accesses of the schedule, if they were noted.
    pub fn trace(&self) -> Vec<String> {
        open(&self.run).trace.take().unwrap_or_default()
    }

    /// A number below the bound.
    pub fn below(&self, bound: u64) -> u64 {
        open(&self.run).random.u64(..bound)
    }

    /// A value that nobody has put yet.
    pub fn value(&self) -> u64 {
        let mut run = open(&self.run);
        run.values += 1;
        run.values
    }

    /// The board's words, for whoever lives as a session.
    pub fn core(&self) -> Option<Core<'_>> {
        Core::new(&self.cells, &[], &Silent, &self.geo)
    }

    /// A party that lives as `writer`.
    pub fn party<'t>(&'t self, core: Core<'t>, writer: Writer) -> Party<'t> {
        Party::attached(core, writer, &self.keys, &self.cells[self.geo.words()])
    }

    /// The actor begins to move, in its first life.
    pub fn sit_down(&self, actor: usize) {
        let mut run = open(&self.run);
        run.current = actor;
        let fate = run.fate();
        run.seats[actor] = Seat { session: actor, ends: None, left: fate };
    }

    /// A vacant record for the actor to live on as, sometimes.
    pub fn next_life(&self, actor: usize) -> Option<usize> {
        let mut run = open(&self.run);
        let session = run.vacant.trailing_zeros() as usize;
        if run.vacant == 0 || run.lives == LATER_LIVES || run.failure.is_some() || run.random.u64(..4) == 0 {
            return None;
        }
        run.vacant &= !(1 << session);
        run.lives += 1;
        open(&self.tally).returns += 1;
        let fate = run.fate();
        run.sessions[session] = Session { stashed: 0, killed: false };
        run.seats[actor] = Seat { session, ends: None, left: fate };
        Some(session)
    }

    /// Takes the lock byte of a dead session, if there is one to be had.
    pub fn take_dead(&self, own_name: bool) -> Option<usize> {
        let mut run = open(&self.run);
        let dead = run.waiting.trailing_zeros() as usize;
        if run.waiting == 0 {
            return None;
        }
        run.waiting &= !(1 << dead);
        let current = run.current;
        run.seats[current].ends = Some((dead, !own_name));
        Some(dead)
    }

    /// Lets the lock byte go; the record is vacant if the life was ended.
    pub fn let_go(&self, dead: usize, ended: bool) {
        let mut run = open(&self.run);
        let current = run.current;
        run.seats[current].ends = None;
        if ended {
            run.dead &= !(1 << dead);
            run.vacant |= 1 << dead;
            open(&self.tally).reaped += 1;
        } else {
            run.waiting |= 1 << dead;
        }
    }

    /// Notes a party's answers, and how many blocks it keeps if it lives.
    pub fn note(&self, party: &Party<'_>, living: bool) {
        let calls = party.calls().take();
        let mut run = open(&self.run);
        let session = run.seats[run.current].session;
        if living {
            party.done();
            run.sessions[session].stashed = party.stashed().get();
        }
        let mut tally = open(&self.tally);
        for call in &calls {
            tally.answers += 1;
            tally.conflicts += u64::from(matches!(call.told, Told::Conflict(_)));
            tally.full += u64::from(matches!(call.told, Told::Fault(Fault::Full(_))));
            tally.lagged += u64::from(matches!(call.told, Told::Fault(Fault::Lagged)));
        }
        run.calls.extend(calls);
    }

    /// Ends the schedule as a failure, unless it is one already.
    pub fn fail(&self, reason: String) {
        let mut run = open(&self.run);
        let who = run.name(run.current);
        run.failure.get_or_insert(format!("{who}: {reason}"));
    }

    /// Whether what a party has just been told is true now.
    pub fn shows(&self, calls: &[Call]) -> Result<(), String> {
        let run = open(&self.run);
        let rest = run.rest(&self.geo);
        for call in calls {
            let lawful = match (&call.told, call.asked) {
                (Told::Fault(Fault::Full(_) | Fault::Lagged), _) => true,
                (Told::Fault(Fault::Future), Asked::GetAt(_)) => true,
                (Told::Fault(_) | Told::Torn, _) => false,
                _ => true,
            };
            if !lawful {
                return Err(format!("{:?} answered {:?}", call.asked, call.told));
            }
            rest.shows(&self.keys[call.key], call)?;
        }
        Ok(())
    }

    /// The one that cleans up moves from now on.
    pub fn all_over(&self) {
        open(&self.run).current = self.actors;
    }

    /// Whether the board at rest, and all that anybody was told, is as promised.
    pub fn check(&self) -> Result<(), String> {
        let run = open(&self.run);
        let rest = run.rest(&self.geo);
        rest.check()?;
        run.calls.iter().try_for_each(|call| rest.explains(&self.keys[call.key], call))
    }

    /// Whether the board served the one that used every key when all was over.
    pub fn is_usable(&self, calls: &[Call]) -> Result<(), String> {
        open(&self.run).rest(&self.geo).is_usable(&self.keys, calls)
    }

    /// Adds the schedule to what happened.
    pub fn count(&self) {
        let (run, mut tally) = (open(&self.run), open(&self.tally));
        tally.schedules += 1;
        tally.accesses += run.accesses;
        tally.events += run.events.len() as u64;
    }
}

impl Run {
    fn new(fresh: &[u64], actors: usize) -> Self {
        Self {
            words: fresh.to_vec(),
            events: Vec::new(),
            sessions: (0..=actors).map(|_| Session { stashed: 0, killed: false }).collect(),
            seats: (0..=actors).map(|session| Seat { session, ..Seat::default() }).collect(),
            current: actors,
            dead: 0,
            waiting: 0,
            vacant: 0,
            lives: 0,
            point: 1,
            values: 0,
            accesses: 0,
            random: Rng::with_seed(0),
            calls: Vec::new(),
            failure: None,
            trace: None,
        }
    }

    /// Whether, and before which access, a new life is to be cut off.
    fn fate(&mut self) -> Option<u64> {
        (self.random.u64(..2) == 0).then(|| self.random.u64(..LIFE_MAX))
    }

    fn name(&self, seat: usize) -> String {
        match seat + 1 == self.seats.len() {
            true => "the last one".into(),
            false => format!("actor {seat} (session {})", self.seats[seat].session),
        }
    }

    fn rest<'r>(&'r self, geo: &'r Geometry) -> Rest<'r> {
        let session = |session: &Session| Session { stashed: session.stashed, killed: session.killed };
        let sessions = self.sessions.iter().map(session).collect();
        Rest { geo, words: &self.words, events: &self.events, sessions }
    }

    fn kill(&mut self, tally: &mut Tally) {
        let seat = self.seats[self.current];
        self.dead |= 1 << seat.session;
        self.waiting |= 1 << seat.session;
        self.sessions[seat.session] = Session { stashed: 0, killed: true };
        tally.kills += 1;
        if let Some((dead, _)) = seat.ends {
            self.waiting |= 1 << dead;
            tally.reapers_killed += 1;
        }
        let line = format!("    {} is killed", self.name(self.current));
        self.trace.iter_mut().for_each(|trace| trace.push(line.clone()));
    }

    /// Carries out an access, and judges it.
    fn access(&mut self, table: &Table, index: usize, access: Access) -> Result<u64, String> {
        let (old, place) = (self.words[index], table.places[index]);
        let new = access.effect(old);
        self.words[index] = new;
        if self.trace.is_some() {
            let line = format!("    {}: {}", self.name(self.current), does(place, access, old));
            self.trace.iter_mut().for_each(|trace| trace.push(line.clone()));
        }
        self.accesses += 1;
        if self.accesses > ACCESSES_MAX {
            return Err(format!("{ACCESSES_MAX} accesses and no end: somebody hangs"));
        }
        if access.is_load() || matches!(access, Access::CompareExchange { current, .. } if old != current) {
            return Ok(old);
        }
        let seat = self.seats[self.current];
        let session = match seat.ends {
            Some((dead, true)) => dead,
            _ => seat.session,
        };
        let who = Writing { session, reaps: seat.ends.is_some(), dead: self.dead };
        let event = judge(&table.geo, &self.words, &self.events, place, (old, new), who)?;
        self.events.extend(event);
        Ok(old)
    }
}

/// Who answers the protocol's accesses.
pub struct Driver {
    /// The board.
    pub table: Arc<Table>,
    point: AtomicBool,
}

impl Driver {
    /// For this board.
    pub fn new(table: Arc<Table>) -> Self {
        Self { table, point: AtomicBool::new(false) }
    }

    /// Lets the scheduler choose who goes on, now and then; never while nobody else moves.
    fn yield_now_and_then(&self) {
        let mut run = open(&self.table.run);
        let current = run.current;
        let every = run.point;
        if current == self.table.actors || (every > 1 && run.random.u64(..every) > 0) {
            return;
        }
        drop(run);
        // Any access to one of shuttle's atomics is a point where others may go on.
        self.point.load(SeqCst);
        open(&self.table.run).current = current;
    }
}

impl Stepper for Driver {
    fn step(&self, address: usize, access: Access) -> u64 {
        self.yield_now_and_then();
        let base = std::ptr::from_ref(&self.table.cells[0]).addr();
        let index = (address - base) / size_of::<AtomicU64>();
        let mut run = open(&self.table.run);
        let current = run.current;
        if run.failure.is_some() {
            drop(run);
            resume_unwind(Box::new(Killed));
        }
        match &mut run.seats[current].left {
            Some(0) => {
                run.kill(&mut open(&self.table.tally));
                drop(run);
                resume_unwind(Box::new(Killed));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        match run.access(&self.table, index, access) {
            Ok(old) => old,
            Err(reason) => {
                let who = run.name(current);
                run.failure.get_or_insert(format!("{who}: {reason}"));
                drop(run);
                resume_unwind(Box::new(Killed));
            }
        }
    }
}
