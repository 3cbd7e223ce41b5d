//! Parties as transition systems. A party's code is deterministic, so where it stands is the sequence of
//! words it has been given. Each such sequence is a node of a tree; the node says which access comes
//! next. Code runs only when a sequence is met for the first time: from its start, on the words known.

use crate::{
    party::{Call, Party},
    scenario::Scenario,
    world::mix,
};
use slateboard::{
    layout::Geometry,
    protocol::{Core, Silent, sessions::Identity},
    sync::search::{Access, Stepper, stepped},
    sync::{AtomicU64, Ordering},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

/// Accesses that are run ahead on a copy of the words when a new sequence is met: what comes next if
/// nobody else moves. Only saves time.
const AHEAD: usize = 24;

/// What a party does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// This access to this word.
    Step(u32, Access),
    /// Nothing: it is done, and keeps so many blocks in its stash.
    Done(u32),
    /// Nothing: it panicked, with the message of this number.
    Panicked(u32),
}

/// No node.
const NONE: u32 = u32::MAX;

struct Node {
    /// The child met first, which is mostly the only one.
    first: (u64, u32),
    parent: u32,
    given: u64,
    next: Next,
    calls: u32,
    depth: u32,
}

/// A quick hasher of a node and a word.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }
    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
    }
}

/// All parties of a scenario.
pub struct Programs<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// Its geometry.
    pub geo: Geometry,
    /// Its keys.
    pub keys: Vec<String>,
    cells: Vec<AtomicU64>,
    nodes: Vec<Node>,
    children: HashMap<(u32, u64), u32, BuildHasherDefault<Spread>>,
    roots: Vec<u32>,
    calls: Vec<Vec<Call>>,
    known_calls: HashMap<String, u32>,
    messages: Vec<String>,
    /// Runs of code so far.
    pub runs: u64,
}

/// What one run of a party's code yielded behind the words it was given.
struct Run {
    steps: Vec<Ran>,
    end: Option<Result<usize, String>>,
    calls: Vec<Call>,
}

/// One access of a party: the word's index, what it did, the word as it was.
pub type Taken = (u32, Access, u64);

/// The same in a run: word, access, the word as it was (`None` where the run stopped), calls answered
/// before it.
type Ran = (u32, Access, Option<u64>, usize);

struct Stopped;

struct Script {
    base: usize,
    given: Vec<u64>,
    at: Cell<usize>,
    memory: RefCell<Vec<u64>>,
    steps: RefCell<Vec<Ran>>,
    calls: Rc<RefCell<Vec<Call>>>,
    ahead: usize,
}

impl Stepper for Script {
    fn step(&self, address: usize, access: Access) -> u64 {
        let at = self.at.get();
        self.at.set(at + 1);
        if let Some(&given) = self.given.get(at) {
            return given;
        }
        let index = (address - self.base) / size_of::<AtomicU64>();
        let answered = self.calls.borrow().len();
        let mut steps = self.steps.borrow_mut();
        if steps.len() >= self.ahead {
            steps.push((index as u32, access, None, answered));
            drop(steps);
            resume_unwind(Box::new(Stopped));
        }
        let mut memory = self.memory.borrow_mut();
        let old = memory[index];
        memory[index] = access.effect(old);
        steps.push((index as u32, access, Some(old), answered));
        old
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics of the parties' code, which are findings, from being printed as panics of this program.
pub fn quiet_panics() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !QUIET.get() {
            loud(info);
        }
    }));
}

impl<'s> Programs<'s> {
    /// The parties of the scenario, on a fresh board, and that board's words. One more
    /// word follows the region's: the sessions that wait to be reaped, one bit each.
    pub fn new(scenario: &'s Scenario) -> Result<(Self, Vec<u64>), String> {
        let mut shape = scenario.shape.clone();
        shape.sessions = scenario.sessions() as u64;
        let geo = Geometry::new(shape, 7)?;
        let keys = (scenario.keys)(&geo);
        let cells: Vec<_> = (0..=geo.words()).map(|_| AtomicU64::new(0)).collect();
        let programs = Self {
            scenario,
            geo,
            keys,
            cells,
            nodes: Vec::new(),
            children: HashMap::default(),
            roots: Vec::new(),
            calls: vec![Vec::new()],
            known_calls: HashMap::from([(String::from("[]"), 0)]),
            messages: Vec::new(),
            runs: 0,
        };
        programs.prepare()?;
        let words: Vec<u64> = programs.cells.iter().map(|cell| cell.load(Ordering::Relaxed)).collect();
        Ok((programs, words))
    }

    fn core(&self) -> Result<Core<'_>, String> {
        Core::new(&self.cells, &[], &Silent, &self.geo).ok_or_else(|| "too few words".into())
    }

    /// Makes the board and lets every session attach, before anything is watched.
    fn prepare(&self) -> Result<(), String> {
        let core = self.core()?;
        core.raise_reserved(self.geo.extents());
        core.cut_reserve();
        for session in 0..self.scenario.sessions() {
            core.occupy(session, 0, &Identity::default());
        }
        Ok(())
    }

    /// Runs code alone, as the last session, from these words on; yields its accesses, each with the word
    /// as it was, and its calls.
    pub fn alone(&self, words: &[u64], run: impl Fn(&Party<'_>)) -> Result<(Vec<Taken>, Vec<Call>), String> {
        let session = self.scenario.sessions() - 1;
        let party = Party::new(self.core()?, session, &self.keys, &self.cells[self.geo.words()]);
        let script = Rc::new(self.script(Vec::new(), words, party.calls(), usize::MAX));
        QUIET.set(true);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            stepped(script.clone(), || {
                run(&party);
                party.empty_stash();
            });
        }));
        QUIET.set(false);
        ran.map_err(|payload| format!("panicked: {}", message(&*payload)))?;
        let taken = script.steps.take().into_iter();
        let taken = taken.filter_map(|(index, access, old, _)| old.map(|old| (index, access, old)));
        Ok((taken.collect(), party.calls().take()))
    }

    fn script(&self, given: Vec<u64>, words: &[u64], calls: Rc<RefCell<Vec<Call>>>, ahead: usize) -> Script {
        Script {
            base: std::ptr::from_ref(&self.cells[0]).addr(),
            given,
            at: Cell::new(0),
            memory: RefCell::new(words.to_vec()),
            steps: RefCell::default(),
            calls,
            ahead,
        }
    }

    /// Runs each party from its start, on these words.
    pub fn start(&mut self, words: &[u64]) {
        for actor in 0..self.actors() {
            let root = self.nodes.len() as u32;
            self.nodes.push(Node {
                first: (0, NONE),
                parent: root,
                given: 0,
                next: Next::Done(0),
                calls: 0,
                depth: 0,
            });
            self.roots.push(root);
            let run = self.run(actor, Vec::new(), words);
            self.grow(root, run);
        }
    }

    /// Parties: the roles, then the reapers.
    pub fn actors(&self) -> usize {
        self.scenario.roles.len() + self.scenario.kills
    }
    /// A party's name.
    pub fn name(&self, actor: usize) -> String {
        match self.scenario.roles.get(actor) {
            Some(role) => role.name.into(),
            None => format!("reaper {}", actor - self.scenario.roles.len() + 1),
        }
    }
    /// Where a party starts.
    pub fn root(&self, actor: usize) -> u32 {
        self.roots[actor]
    }
    /// What comes next at a node.
    pub fn next(&self, node: u32) -> Next {
        self.nodes[node as usize].next
    }
    /// Number of the calls answered before a node.
    pub fn calls_at(&self, node: u32) -> u32 {
        self.nodes[node as usize].calls
    }
    /// Calls by their number.
    pub fn calls(&self, number: u32) -> &[Call] {
        &self.calls[number as usize]
    }
    /// What a panic said.
    pub fn message(&self, number: u32) -> &str {
        &self.messages[number as usize]
    }
    /// Sequences met.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The node behind `node` when its access was given `given`. `words` are the words after the access.
    pub fn child(&mut self, actor: usize, node: u32, given: u64, words: &[u64]) -> u32 {
        if let Some(child) = self.known_child(node, given) {
            return child;
        }
        let child = self.add_child(node, given);
        let run = self.run(actor, self.history(child), words);
        self.grow(child, run);
        child
    }

    fn known_child(&self, node: u32, given: u64) -> Option<u32> {
        match self.nodes[node as usize].first {
            (_, NONE) => None,
            (first, child) if first == given => Some(child),
            _ => self.children.get(&(node, given)).copied(),
        }
    }

    fn add_child(&mut self, parent: u32, given: u64) -> u32 {
        let child = self.nodes.len() as u32;
        let Node { calls, depth, .. } = self.nodes[parent as usize];
        self.nodes.push(Node {
            first: (0, NONE),
            parent,
            given,
            next: Next::Done(0),
            calls,
            depth: depth + 1,
        });
        let first = &mut self.nodes[parent as usize].first;
        if first.1 == NONE {
            *first = (given, child);
        } else {
            self.children.insert((parent, given), child);
        }
        child
    }

    fn history(&self, node: u32) -> Vec<u64> {
        let mut given = Vec::with_capacity(self.nodes[node as usize].depth as usize);
        let mut at = node;
        while self.nodes[at as usize].depth > 0 {
            given.push(self.nodes[at as usize].given);
            at = self.nodes[at as usize].parent;
        }
        given.reverse();
        given
    }

    /// The first word that was given before a node; 0 at the start.
    pub fn first_given(&self, node: u32) -> u64 {
        self.history(node).first().copied().unwrap_or(0)
    }

    /// Appends what a run yielded behind `node`.
    fn grow(&mut self, node: u32, run: Run) {
        let mut node = node;
        for (index, access, given, answered) in run.steps {
            let calls = self.intern(&run.calls[..answered]);
            let here = &mut self.nodes[node as usize];
            (here.next, here.calls) = (Next::Step(index, access), calls);
            let Some(given) = given.map(|old| access.given(old)) else { return };
            match self.known_child(node, given) {
                Some(_) => return,
                None => node = self.add_child(node, given),
            }
        }
        let calls = self.intern(&run.calls);
        let next = match run.end {
            Some(Ok(stashed)) => Next::Done(stashed as u32),
            Some(Err(message)) => {
                self.messages.push(message);
                Next::Panicked(self.messages.len() as u32 - 1)
            }
            None => Next::Done(0),
        };
        let here = &mut self.nodes[node as usize];
        (here.next, here.calls) = (next, calls);
    }

    fn intern(&mut self, calls: &[Call]) -> u32 {
        if calls.is_empty() {
            return 0;
        }
        let text = format!("{calls:?}");
        if let Some(&number) = self.known_calls.get(&text) {
            return number;
        }
        self.calls.push(calls.to_vec());
        let number = self.calls.len() as u32 - 1;
        self.known_calls.insert(text, number);
        number
    }

    /// Runs a party's code from its start: first on the words given, then a little ahead on a copy.
    fn run(&mut self, actor: usize, given: Vec<u64>, words: &[u64]) -> Run {
        self.runs += 1;
        let Ok(core) = self.core() else {
            return Run { steps: Vec::new(), end: Some(Err("too few words".into())), calls: Vec::new() };
        };
        let party = Party::new(core, actor, &self.keys, &self.cells[self.geo.words()]);
        let script = Rc::new(self.script(given, words, party.calls(), AHEAD));
        let reap: fn(&Party<'_>) = |party| party.reap();
        let run = self.scenario.roles.get(actor).map_or(reap, |role| role.run);
        QUIET.set(true);
        let ended = catch_unwind(AssertUnwindSafe(|| stepped(script.clone(), || run(&party))));
        QUIET.set(false);
        let end = match ended {
            Ok(()) => {
                party.done();
                Some(Ok(party.stashed().get()))
            }
            Err(payload) if payload.is::<Stopped>() => None,
            Err(payload) => Some(Err(message(&*payload))),
        };
        Run { steps: script.steps.take(), end, calls: party.calls().take() }
    }
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
