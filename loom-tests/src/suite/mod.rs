//! What a model is, and how one is explored.

mod blocks;
mod board;
mod chain;
mod expire;
mod fsck;
mod history;
mod moved;
mod publish;
mod read;
mod reap;
mod sessions;
mod slots;
mod stall;
mod told;
mod tombstones;
mod view;
mod wake;

use board::{end, role};
use std::{
    any::Any,
    collections::BTreeSet,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Preemptions of one execution: first few, so that every place of a schedule is reached within the budget,
/// then as many as most flaws need.
const PREEMPTIONS: [usize; 2] = [1, 3];
/// How many times the quick budget a model may take with `--long`.
const LONG: u64 = 100;

/// One property, and the roles that might break it.
pub struct Model {
    /// Named after the property.
    pub name: &'static str,
    /// Executions after which the quick mode cuts it; of each kill, where it has kills.
    pub budget: u64,
    /// Executions it must at least explore, over all kills.
    pub least: u64,
    /// What must have been seen to happen in some execution.
    pub must_see: &'static [&'static str],
    /// Whether it is explored once for every store before which its victim may die, or for every two accesses
    /// before which its role may stand still.
    pub kills: bool,
    /// How many roles it has. loom sees an access race with the last one of the same word only, and so
    /// misses schedules that it finds when the roles begin in another order: each of them begins once.
    pub roles: u32,
    /// Sets the board up, spawns the roles, joins them, and checks what they left.
    pub run: fn(&Arc<Run>),
}

/// One exploration: what it may do, and what it saw.
pub struct Run {
    /// Stores the victim makes before it dies, or accesses of a role before it first stands still.
    stores: u32,
    /// Accesses that it then makes before it stands still again.
    then: u32,
    /// Which role is spawned first.
    first: u32,
    seen: Mutex<BTreeSet<&'static str>>,
    executions: Mutex<u64>,
    killed: Mutex<bool>,
    stood_twice: Mutex<bool>,
}

impl Run {
    fn new(stores: u32, then: u32, first: u32) -> Arc<Self> {
        Arc::new(Self {
            stores,
            then,
            first,
            seen: Mutex::default(),
            executions: Mutex::default(),
            killed: Mutex::default(),
            stood_twice: Mutex::default(),
        })
    }

    /// Notes that this happened.
    pub fn saw(&self, what: &'static str) {
        lock(&self.seen).insert(what);
    }

    /// Notes it if it did.
    pub fn saw_if(&self, happened: bool, what: &'static str) {
        if happened {
            self.saw(what);
        }
    }

    /// Runs two roles side by side to their ends.
    pub fn two<A, B>(
        &self,
        a: impl FnOnce() -> A + Send + 'static,
        b: impl FnOnce() -> B + Send + 'static,
    ) -> (A, B)
    where
        A: Send + 'static,
        B: Send + 'static,
    {
        if self.first == 0 {
            let (a, b) = (role(a), role(b));
            (end(a), end(b))
        } else {
            let (b, a) = (role(b), role(a));
            (end(a), end(b))
        }
    }

    /// Runs three roles side by side to their ends.
    pub fn three<A, B, C>(
        &self,
        a: impl FnOnce() -> A + Send + 'static,
        b: impl FnOnce() -> B + Send + 'static,
        c: impl FnOnce() -> C + Send + 'static,
    ) -> (A, B, C)
    where
        A: Send + 'static,
        B: Send + 'static,
        C: Send + 'static,
    {
        let (a, b, c) = match self.first {
            0 => (role(a), role(b), role(c)),
            1 => {
                let (b, c, a) = (role(b), role(c), role(a));
                (a, b, c)
            }
            _ => {
                let (c, a, b) = (role(c), role(a), role(b));
                (a, b, c)
            }
        };
        (end(a), end(b), end(c))
    }

    /// Runs the victim until it dies. `None` where it did.
    pub fn victim<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        let ended = slateboard::sync::modelled::killed_after(self.stores, f);
        *lock(&self.killed) |= ended.is_none();
        ended
    }
}

/// What others do while a role stands still.
type Interruption = Box<dyn FnOnce()>;

impl Run {
    /// Runs a role that stands still twice, while first the one and then the other interruption happens.
    /// loom's own schedules reach such places too, but rarely within a budget.
    pub fn stalled<R>(&self, f: impl FnOnce() -> R, once: Interruption, again: Interruption) -> R {
        let interruptions = vec![(self.stores, once), (self.then, again)];
        let (value, left) = slateboard::sync::modelled::interrupted(interruptions, f);
        *lock(&self.killed) |= left < 2;
        *lock(&self.stood_twice) |= left == 0;
        value
    }
}

/// The guard, also after another execution panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What exploring a model found.
#[derive(Default)]
struct Explored {
    executions: u64,
    cut: bool,
    kills: u32,
    seen: BTreeSet<&'static str>,
    failure: Option<String>,
}

fn all() -> Vec<&'static Model> {
    [
        publish::MODELS,
        history::MODELS,
        read::MODELS,
        view::MODELS,
        told::MODELS,
        slots::MODELS,
        tombstones::MODELS,
        blocks::MODELS,
        chain::MODELS,
        reap::MODELS,
        expire::MODELS,
        wake::MODELS,
        sessions::MODELS,
        moved::MODELS,
        stall::MODELS,
    ]
    .concat()
}

/// Lists the models, or runs one of them.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => {
            all().iter().for_each(|model| println!("{}", model.name));
            ExitCode::SUCCESS
        }
        ["run", name] => run(name, false),
        ["run", name, "--long"] => run(name, true),
        _ => {
            eprintln!("suite list, or suite run NAME [--long]");
            ExitCode::FAILURE
        }
    }
}

/// Runs a model and prints one line: `ok`, `failed` (in an execution) or `unseen` (explored too little).
fn run(name: &str, long: bool) -> ExitCode {
    let Some(model) = all().into_iter().find(|model| model.name == name) else {
        eprintln!("no model is called {name}: see `suite list`");
        return ExitCode::FAILURE;
    };
    panic::set_hook(Box::new(|_| {}));
    let mut explored = Explored::default();
    for preemptions in PREEMPTIONS {
        explored.cut = false;
        if explored.failure.is_none() {
            explored.kills = 0;
            explore_kills(model, Some(preemptions), if long { LONG } else { 1 }, &mut explored);
        }
    }
    let mut executions = format!("{} executions", explored.executions);
    if model.kills {
        executions += &format!(" over {} steps", explored.kills);
    }
    executions += if explored.cut { ", cut" } else { ", complete" };
    if long && explored.failure.is_none() {
        let mut unbounded = Explored::default();
        explore_kills(model, None, LONG, &mut unbounded);
        let end = if unbounded.cut { "cut" } else { "complete" };
        executions += &format!("; unbounded {}, {end}", unbounded.executions);
        explored.failure = unbounded.failure;
    }
    if let Some(failure) = explored.failure {
        println!("failed after {executions}: {failure}");
        return ExitCode::FAILURE;
    }
    let missing: Vec<&str> =
        model.must_see.iter().filter(|what| !explored.seen.contains(*what)).copied().collect();
    if explored.executions < model.least || !missing.is_empty() {
        println!("unseen after {executions}: at least {} expected, never seen: {missing:?}", model.least);
        return ExitCode::FAILURE;
    }
    println!("ok {executions}");
    ExitCode::SUCCESS
}

/// Explores the model with each role first; where it has kills, once for each store before which its
/// victim may die, until it lives to the end.
fn explore_kills(model: &Model, preemptions: Option<usize>, times: u64, explored: &mut Explored) {
    for stores in 0.. {
        let mut killed = false;
        for then in 0.. {
            let mut again = false;
            for first in 0..model.roles {
                let run = Run::new(stores, then, first);
                let ended = explore(model, preemptions, times, &run);
                let executions = *lock(&run.executions);
                explored.executions += executions;
                explored.cut |= executions >= model.budget * times;
                explored.seen.append(&mut lock(&run.seen));
                killed |= *lock(&run.killed);
                again |= *lock(&run.stood_twice);
                if let Err(failure) = ended {
                    let step =
                        if model.kills { format!("after step {stores}+{then}: ") } else { String::new() };
                    explored.failure = Some(step + &failure);
                    return;
                }
            }
            if !again {
                break;
            }
        }
        if !killed {
            return;
        }
        explored.kills += 1;
    }
}

fn explore(model: &Model, preemptions: Option<usize>, times: u64, run: &Arc<Run>) -> Result<(), String> {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 50_000;
    builder.preemption_bound = preemptions;
    builder.max_permutations = Some((model.budget * times) as usize + 1);
    // The limit is looked at every so many executions.
    builder.checkpoint_interval = 1;
    let (run, body) = (run.clone(), model.run);
    let explored = panic::catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            *lock(&run.executions) += 1;
            body(&run);
        });
    }));
    explored.map_err(|payload| text_of(payload.as_ref()))
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "a panic without text".into()).replace('\n', " ")
}
