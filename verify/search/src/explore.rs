//! The search: depth first through all choices, each state once.
//!
//! A party whose next access no other living party can notice, or be noticed by, moves alone: whatever
//! comes in between gives the same states in another order. Which words are shared is found out by the
//! search itself: where it relied on a word's being one party's and then meets another at it, it begins
//! again with what it learned. So nothing is lost by it. Stores into a block that its owner has not
//! published count as one step unless the search is to be exact.

use crate::{
    party::{Call, Party, Told},
    places::does,
    programs::Taken,
    rest::{Rest, Session},
    scenario::Scenario,
    world::{Choice, Stand, Undo, World, mix},
};
use slateboard::sync::search::Access;
use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    time::Instant,
};

/// Accesses on one path after which somebody is taken to hang.
const DEPTH_MAX: usize = 20_000;
/// Value of the first put made when all is over.
const AFTERWARDS: u64 = 1000;

/// States entered between two looks at the clock and the memory.
const LOOK: u64 = 1 << 14;
/// Bytes of an entry of the table of states, with the byte that the table keeps for each.
const ENTRY: usize = size_of::<(u64, u8)>() + 1;

/// Bytes of this process that are in memory (`VmRSS`), or that were at most (`VmHWM`); 0 where the kernel does not tell.
pub fn memory(figure: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// A hasher of numbers that are hashes.
#[derive(Default)]
pub struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// States met, with the fewest preemptions that led there.
type Numbers = HashMap<u64, u8, BuildHasherDefault<Same>>;

/// How to search.
#[derive(Clone, Copy)]
pub struct Limits {
    /// States after which the search is cut.
    pub states: usize,
    /// When the search is cut; `None` for never.
    pub until: Option<Instant>,
    /// Bytes of memory at which the search is cut: see [`Search::is_over`].
    pub memory: usize,
    /// Whether stores into a private block are steps of their own.
    pub exact: bool,
    /// How often a party that could go on may be made to wait for others, on one path. Kills, and moves
    /// that nobody notices, do not count.
    pub preemptions: Option<u8>,
}

/// What a search found.
pub struct Report {
    /// States with more than one choice, or none.
    pub states: usize,
    /// Accesses and kills taken.
    pub transitions: u64,
    /// Different ends.
    pub terminals: usize,
    /// Longest path.
    pub depth: usize,
    /// What the parties were told, in all different ways.
    pub outcomes: BTreeSet<String>,
    /// Which limit cut it; `None` where all was seen.
    pub cut: Option<&'static str>,
    /// What was wrong, with the way there.
    pub failure: Option<String>,
    /// Runs of the parties' code, and sequences of words they were given.
    pub runs: (u64, usize),
}

struct Frame {
    first: usize,
    at: usize,
    undo: Option<Undo>,
    taken: Option<Step>,
    /// Preemptions on the path to here.
    preemptions: u8,
}

/// A choice as it was taken, for telling the way.
#[derive(Clone, Copy)]
pub struct Step {
    choice: Choice,
    access: Option<Taken>,
    private: bool,
    preempts: bool,
}

impl Step {
    /// The choice, with what it would do now.
    pub fn of(world: &World<'_>, choice: Choice) -> Self {
        let access = match choice {
            Choice::Step(actor) => world.next(actor),
            Choice::Kill(_) => None,
        };
        let access = access.map(|(index, access)| (index as u32, access, world.words[index]));
        Self { choice, access, private: false, preempts: false }
    }
}

/// Which parties read and write each word, one bit each; and whether the search relied on it.
#[derive(Clone, Copy, Default)]
struct Shared {
    readers: u64,
    writers: u64,
    relied: bool,
}

struct Search<'s> {
    world: World<'s>,
    limits: Limits,
    shared: Vec<Shared>,
    stale: bool,
    visited: Numbers,
    frames: Vec<Frame>,
    choices: Vec<Choice>,
    /// States entered, also again with fewer preemptions.
    entered: u64,
    report: Report,
}

/// Searches a scenario.
pub fn search(scenario: &Scenario, limits: Limits) -> Result<Report, String> {
    let (programs, words) = crate::programs::Programs::new(scenario)?;
    let mut world = World::new(programs, words)?;
    world.lead()?;
    let shared = vec![Shared::default(); world.words.len()];
    let mut search = Search {
        world,
        limits,
        shared,
        stale: false,
        visited: Numbers::default(),
        frames: Vec::new(),
        choices: Vec::new(),
        entered: 0,
        report: Report::empty(),
    };
    loop {
        search.run();
        if !search.stale || search.report.failure.is_some() {
            break;
        }
        search.begin_again();
    }
    let Search { world, visited, mut report, .. } = search;
    report.states = visited.len();
    report.runs = (world.programs.runs, world.programs.nodes());
    Ok(report)
}

impl Report {
    fn empty() -> Self {
        Self {
            states: 0,
            transitions: 0,
            terminals: 0,
            depth: 0,
            outcomes: BTreeSet::new(),
            cut: None,
            failure: None,
            runs: (0, 0),
        }
    }
}

impl Search<'_> {
    fn begin_again(&mut self) {
        while let Some(frame) = self.frames.pop() {
            if let Some(undo) = frame.undo {
                self.world.back(&undo);
            }
        }
        self.stale = false;
        self.visited.clear();
        self.choices.clear();
        self.report = Report::empty();
        for shared in &mut self.shared {
            shared.relied = false;
        }
    }

    fn run(&mut self) {
        self.enter(None, None);
        while let Some(frame) = self.frames.last_mut() {
            if frame.at == self.choices.len() {
                let first = frame.first;
                self.choices.truncate(first);
                if let Some(undo) = self.frames.pop().and_then(|frame| frame.undo) {
                    self.world.back(&undo);
                }
                // The frame below goes on with its next choice.
                continue;
            }
            let choice = self.choices[frame.at];
            frame.at += 1;
            // Choices behind `at` belong to this frame until it ends; those of frames above are gone.
            if !self.follow(choice) || self.stale {
                return;
            }
        }
    }

    /// Takes a choice and enters the state behind it. Whether the search goes on.
    fn follow(&mut self, choice: Choice) -> bool {
        self.report.transitions += 1;
        let step = self.step_of(choice);
        if let Some((index, access, _)) = step.access {
            self.share(choice, index as usize, access);
        }
        match self.world.take(choice) {
            Ok(undo) => self.enter(Some(undo), Some(step)),
            Err((undo, reason)) => {
                self.enter_path(Some(undo), Some(step));
                self.fail(reason);
                false
            }
        }
    }

    fn step_of(&self, choice: Choice) -> Step {
        let mut step = Step::of(&self.world, choice);
        if let (Choice::Step(actor), Some((index, access, _))) = (choice, step.access) {
            step.private = !self.limits.exact && self.world.is_private(actor, index as usize, access);
            step.preempts = self.preempts(actor) && !self.is_forced();
        }
        step
    }

    /// Whether a move of this party makes the one that moved last wait.
    fn preempts(&self, actor: usize) -> bool {
        self.world.last.is_some_and(|last| last != actor && self.world.next(last).is_some())
    }

    /// Whether the state leaves no choice of who moves.
    fn is_forced(&self) -> bool {
        let Some(frame) = self.frames.last() else { return true };
        let moves = self.choices[frame.first..].iter().filter(|choice| matches!(choice, Choice::Step(_)));
        moves.count() == 1
    }

    fn share(&mut self, choice: Choice, index: usize, access: Access) {
        let Choice::Step(actor) = choice else { return };
        let shared = &mut self.shared[index];
        let bits = if access.is_load() { &mut shared.readers } else { &mut shared.writers };
        if *bits >> actor & 1 == 0 {
            *bits |= 1 << actor;
            self.stale |= shared.relied;
        }
    }

    fn enter_path(&mut self, undo: Option<Undo>, taken: Option<Step>) {
        let first = self.choices.len();
        let before = self.frames.last().map_or(0, |frame| frame.preemptions);
        let preemptions = before + u8::from(taken.is_some_and(|step| step.preempts));
        self.frames.push(Frame { first, at: first, undo, taken, preemptions });
    }

    /// Enters a state: notes its choices, unless it was met before. Whether the search goes on.
    fn enter(&mut self, undo: Option<Undo>, taken: Option<Step>) -> bool {
        self.enter_path(undo, taken);
        self.report.depth = self.report.depth.max(self.frames.len());
        if self.frames.len() > DEPTH_MAX {
            return self.fail(format!("{DEPTH_MAX} accesses and no end: somebody hangs"));
        }
        let first = self.choices.len();
        let alone = self.choose();
        if alone && self.choices.len() == first + 1 {
            return true;
        }
        if !self.is_new() {
            self.choices.truncate(first);
            return true;
        }
        if self.choices.len() == first {
            self.report.terminals += 1;
            return match conclude(&self.world) {
                Ok(outcome) => {
                    self.report.outcomes.insert(outcome);
                    true
                }
                Err(reason) => self.fail(reason),
            };
        }
        self.report.cut = self.is_over();
        if self.report.cut.is_some() {
            self.choices.truncate(first);
        }
        self.report.cut.is_none()
    }

    /// Which limit the search has reached. Memory is what the kernel counts as resident, and what the table of states takes
    /// while it grows: then its entries are in two tables, and the new one is twice as large.
    fn is_over(&mut self) -> Option<&'static str> {
        let states = self.visited.len();
        if states >= self.limits.states {
            return Some("states");
        }
        self.entered += 1;
        let grows = states + 1 >= self.visited.capacity();
        if !grows && !self.entered.is_multiple_of(LOOK) {
            return None;
        }
        let growth = if grows { self.visited.capacity() * 8 / 7 * 2 * ENTRY } else { 0 };
        if memory("VmRSS").saturating_add(growth) > self.limits.memory {
            return Some("memory");
        }
        self.limits.until.is_some_and(|until| Instant::now() >= until).then_some("time")
    }

    /// Whether the state was not met before, or only with more preemptions.
    fn is_new(&mut self) -> bool {
        let used = self.frames.last().map_or(0, |frame| frame.preemptions);
        let mut number = self.world.number();
        let mut used = used;
        if self.limits.preemptions.is_some() {
            // Who moved last decides who may move at no cost.
            number ^= mix(self.world.last.map_or(0, |last| last as u64 + 1));
        } else {
            used = 0;
        }
        match self.visited.entry(number) {
            Entry::Vacant(entry) => {
                entry.insert(used);
                true
            }
            Entry::Occupied(mut entry) if *entry.get() > used => {
                entry.insert(used);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Whether the party may move: not where that would be one preemption too many.
    fn may_move(&self, actor: usize) -> bool {
        let used = self.frames.last().map_or(0, |frame| frame.preemptions);
        self.limits.preemptions.is_none_or(|most| used < most || !self.preempts(actor))
    }

    /// Appends the choices of the state. Whether somebody moves alone.
    fn choose(&mut self) -> bool {
        let first = self.choices.len();
        let mut alone = false;
        let actors = self.world.stands.len();
        let alive =
            (0..actors).filter(|&actor| self.world.is_alive(actor)).fold(0u64, |alive, a| alive | 1 << a);
        let start = self.world.last.unwrap_or(0);
        for actor in (0..actors).map(|at| (start + at) % actors) {
            let Some((index, access)) = self.world.next(actor) else { continue };
            let private = !self.limits.exact && self.world.is_private(actor, index, access);
            if private || self.is_alone(actor, index, access, alive) {
                self.choices.truncate(first);
                self.choices.push(Choice::Step(actor));
                alone = true;
                break;
            }
            if self.may_move(actor) {
                self.choices.push(Choice::Step(actor));
            }
        }
        let within = |frame: &Frame| frame.taken.is_some_and(|step| step.private);
        if let Some(actor) = self.world.last.filter(|&actor| self.world.may_die(actor)) {
            let next = self.world.next(actor);
            let filling = next.is_some_and(|(index, access)| self.world.is_private(actor, index, access));
            if self.limits.exact || !filling || !self.frames.last().is_some_and(within) {
                self.choices.push(Choice::Kill(actor));
            }
        }
        alone
    }

    /// Whether no other living party ever meets this access.
    fn is_alone(&mut self, actor: usize, index: usize, access: Access, alive: u64) -> bool {
        if index + 1 == self.world.words.len() {
            return false;
        }
        let shared = &mut self.shared[index];
        let met = if access.is_load() { shared.writers } else { shared.readers | shared.writers };
        let alone = met & alive & !(1 << actor) == 0;
        shared.relied |= alone;
        alone
    }

    fn fail(&mut self, reason: String) -> bool {
        let steps: Vec<Step> = self.frames.iter().filter_map(|frame| frame.taken).collect();
        self.report.failure = Some(format!("{reason}\n{}", tell(&self.world, &steps)));
        false
    }
}

/// The way to a state, one access a line.
fn tell(world: &World<'_>, steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let line = match (step.choice, step.access) {
            (Choice::Kill(actor), _) => format!("    {} is killed", world.programs.name(actor)),
            (Choice::Step(actor), Some((index, access, old))) => {
                let did = does(world.places[index as usize], access, old);
                format!("    {}: {did}", world.programs.name(actor))
            }
            (Choice::Step(actor), None) => format!("    {} waits", world.programs.name(actor)),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Checks a state in which nobody has anything left to do, and says what the parties were told.
fn conclude(world: &World<'_>) -> Result<String, String> {
    rest(world, &world.words, &world.events).check()?;
    let rest_now = rest(world, &world.words, &world.events);
    let mut told = Vec::new();
    for (actor, stand) in world.stands.iter().enumerate() {
        let (calls, killed) = match *stand {
            Stand::Done(calls, _) => (calls, false),
            Stand::Killed(calls) => (calls, true),
            Stand::At(node) => (world.programs.calls_at(node), false),
        };
        let calls = world.programs.calls(calls);
        for call in calls {
            rest_now.explains(&world.programs.keys[call.key], call)?;
        }
        if actor < world.programs.scenario.roles.len() {
            told.push(summary(&world.programs.name(actor), calls, killed));
        } else if killed {
            told.push("reaper killed".into());
        }
    }
    let events =
        world.events[world.before..].iter().map(|event| event.value.map_or("-".into(), |v| v.to_string()));
    let history = events.collect::<Vec<_>>().join(" ");
    afterwards(world)?;
    Ok(format!("{} => {history}", told.join(", ")))
}

fn rest<'b>(world: &'b World<'_>, words: &'b [u64], events: &'b [crate::watch::Event]) -> Rest<'b> {
    let session = |stand: &Stand| Session {
        stashed: if let Stand::Done(_, stashed) = *stand { stashed as usize } else { 0 },
        killed: matches!(stand, Stand::Killed(_)),
    };
    let mut sessions: Vec<Session> = world.stands.iter().map(session).collect();
    sessions.push(Session { stashed: 0, killed: false });
    Rest { geo: &world.programs.geo, words, events, sessions }
}

/// Whether every key can still be put, read and removed.
fn afterwards(world: &World<'_>) -> Result<(), String> {
    let run = |party: &Party<'_>| party.use_every_key(AFTERWARDS);
    let (calls, words, events) = world.played(run).map_err(|reason| format!("afterwards: {reason}"))?;
    if let Some(fault) = calls.iter().find_map(|call| world.fault(call)) {
        return Err(format!("afterwards: {fault}"));
    }
    rest(world, &words, &events).is_usable(&world.programs.keys, &calls)
}

fn summary(name: &str, calls: &[Call], killed: bool) -> String {
    let mut parts: Vec<String> = calls
        .iter()
        .map(|call| match &call.told {
            Told::Done { version, .. } => format!("v{version}"),
            Told::Conflict(version) => format!("conflict with v{version}"),
            Told::Nothing => "nothing".into(),
            Told::Value { version, .. } => format!("saw v{version}"),
            Told::Absent => "saw none".into(),
            Told::Event { version, .. } => format!("event v{version}"),
            Told::Fault(fault) => format!("{fault:?}"),
            Told::Torn => "torn".into(),
            Told::Said(said) => said.clone(),
        })
        .collect();
    if killed {
        parts.push("killed".into());
    }
    format!("{name}: {}", parts.join(" "))
}
