//! What a model is, and how one is explored. Models are written with [`scene`].

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
mod scene;
mod sessions;
mod slots;
mod stall;
mod told;
mod tombstones;
mod view;
mod wake;

use std::{
    any::Any,
    collections::BTreeSet,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Preemptions of one execution: first few, so that every place of a schedule is reached within the budget,
/// then as many as most flaws need.
const PREEMPTIONS: [usize; 2] = [1, 3];
/// The explorations that the long form adds: their preemptions, where `None` is any number.
const LONG_PREEMPTIONS: [Option<usize>; 3] = [Some(1), Some(3), None];
/// How many times the quick budget each of these may take.
const LONG: u64 = 100;
/// Executions after which the quick mode cuts a model that names no budget.
const BUDGET: u64 = 4_000;

/// One property, and how much must be explored before it counts as shown.
pub struct Model {
    name: &'static str,
    run: fn(&Run),
    budget: u64,
    least: u64,
    must_see: &'static [&'static str],
}

/// A model, named after its property. The function sets the board up, runs the roles, and checks what they left.
pub const fn model(name: &'static str, run: fn(&Run)) -> Model {
    Model { name, run, budget: BUDGET, least: 1, must_see: &[] }
}

impl Model {
    /// Cuts each exploration after so many executions in quick mode. A model with kills has one exploration for each.
    pub const fn budget(self, budget: u64) -> Self {
        Self { budget, ..self }
    }

    /// Demands so many executions, over all explorations.
    pub const fn least(self, least: u64) -> Self {
        Self { least, ..self }
    }

    /// Demands that each of these was seen to happen in some execution.
    pub const fn must_see(self, must_see: &'static [&'static str]) -> Self {
        Self { must_see, ..self }
    }
}

/// The exploration that a model's function is called for.
pub type Run = Arc<Exploration>;

/// One exploration: where its roles die or stand still, which begins first, and what it saw.
///
/// A model is explored once for every store before which its victim may die, or for every two accesses before which
/// its role may stand still. Each of these is explored with each role first: loom sees an access race with the last
/// one of the same word only, and so misses schedules that it finds when the roles begin in another order.
#[derive(Default)]
pub struct Exploration {
    /// Stores the victim makes before it dies, or accesses of a role before it first stands still.
    stores: u32,
    /// Accesses that it then makes before it stands still again.
    then: u32,
    /// Which role begins first.
    pub first: usize,
    roles: Mutex<usize>,
    seen: Mutex<BTreeSet<&'static str>>,
    executions: Mutex<u64>,
    killed: Mutex<bool>,
    stood_twice: Mutex<bool>,
}

impl Exploration {
    /// Notes that this happened.
    fn saw(&self, what: &'static str) {
        lock(&self.seen).insert(what);
    }

    /// Notes that so many roles begin, and returns which is the first.
    fn begin(&self, roles: usize) -> usize {
        *lock(&self.roles) = roles;
        self.first
    }

    /// Runs the victim until it dies. `None` where it did.
    pub fn victim<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        let ended = slateboard::sync::modelled::killed_after(self.stores, work);
        *lock(&self.killed) |= ended.is_none();
        ended
    }

    /// Runs a role that stands still twice, while first the one and then the other interruption happens.
    /// loom's own schedules reach such places too, but rarely within a budget.
    fn stalled<R>(&self, work: impl FnOnce() -> R, once: Interruption, again: Interruption) -> R {
        let interruptions = vec![(self.stores, once), (self.then, again)];
        let (value, left) = slateboard::sync::modelled::interrupted(interruptions, work);
        *lock(&self.killed) |= left < 2;
        *lock(&self.stood_twice) |= left == 0;
        value
    }
}

/// What others do while a role stands still.
type Interruption = Box<dyn FnOnce()>;

/// The guard, also after another execution panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What exploring a model found.
#[derive(Default)]
struct Explored {
    executions: u64,
    cut: Option<&'static str>,
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
    .into_iter()
    .flatten()
    .collect()
}

/// Within what a model is explored.
#[derive(Clone, Copy)]
struct Bounds {
    /// Preemptions of one execution.
    preemptions: Option<usize>,
    /// How many times the model's budget.
    times: u64,
    /// When the exploration is cut.
    until: Option<Instant>,
}

impl Bounds {
    /// The time that is left; `None` for any.
    fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }
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
        ["run", name] => run(name, |_, _| None),
        ["long", name] => run(name, |model, text| explore_long(model, None, text)),
        ["long", name, seconds] if seconds.parse::<u64>().is_ok() => run(name, |model, text| {
            let until = seconds
                .parse()
                .ok()
                .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
            explore_long(model, until, text)
        }),
        _ => {
            eprintln!("suite list, suite run NAME, or suite long NAME [SECONDS]");
            ExitCode::FAILURE
        }
    }
}

/// Runs a model and prints one line: `ok`, `failed` (in an execution) or `unseen` (explored too little). Where it is `ok`, it
/// does what `then` adds, which appends to the line and returns a failure.
fn run(name: &str, then: impl FnOnce(&Model, &mut String) -> Option<String>) -> ExitCode {
    let Some(model) = all().into_iter().find(|model| model.name == name) else {
        eprintln!("no model is called {name}: see `suite list`");
        return ExitCode::FAILURE;
    };
    panic::set_hook(Box::new(|_| {}));
    let mut explored = Explored::default();
    for preemptions in PREEMPTIONS {
        explored.cut = None;
        if explored.failure.is_none() {
            explored.kills = 0;
            let bounds = Bounds { preemptions: Some(preemptions), times: 1, until: None };
            explore_kills(model, bounds, &mut explored);
        }
    }
    let mut text = explored.text();
    if let Some(failure) = explored.failure {
        println!("failed after {text}: {failure}");
        return ExitCode::FAILURE;
    }
    let missing: Vec<&str> =
        model.must_see.iter().filter(|what| !explored.seen.contains(*what)).copied().collect();
    if explored.executions < model.least || !missing.is_empty() {
        println!("unseen after {text}: at least {} expected, never seen: {missing:?}", model.least);
        return ExitCode::FAILURE;
    }
    if let Some(failure) = then(model, &mut text) {
        println!("failed after {text}: {failure}");
        return ExitCode::FAILURE;
    }
    println!("ok {text}");
    ExitCode::SUCCESS
}

/// Explores the model with a hundred times its budget, within more and more preemptions. Each of these takes an equal part of
/// the time that is left. Returns what failed.
fn explore_long(model: &Model, until: Option<Instant>, text: &mut String) -> Option<String> {
    for (at, preemptions) in LONG_PREEMPTIONS.into_iter().enumerate() {
        let left = Bounds { preemptions, times: LONG, until }.left();
        let until = left.map(|left| Instant::now() + left / (LONG_PREEMPTIONS.len() - at) as u32);
        let mut explored = Explored::default();
        explore_kills(model, Bounds { preemptions, times: LONG, until }, &mut explored);
        let within = preemptions.map_or("any number".into(), |most| most.to_string());
        *text += &format!("; within preemptions {within}: {}", explored.text());
        if explored.failure.is_some() {
            return explored.failure;
        }
    }
    None
}

impl Explored {
    /// How much was explored.
    fn text(&self) -> String {
        let steps = if self.kills > 0 { format!(" over {} steps", self.kills) } else { String::new() };
        let end = self.cut.map_or("complete".into(), |limit| format!("cut by {limit}"));
        format!("{} executions{steps}, {end}", self.executions)
    }
}

/// Explores the model for every place where its victim may die or its role may stand still, until it lives to the end.
fn explore_kills(model: &Model, bounds: Bounds, explored: &mut Explored) {
    for stores in 0.. {
        let mut killed = false;
        for then in 0.. {
            let run = Exploration { stores, then, ..Exploration::default() };
            let Some((died, stood_twice)) = explore_orders(model, bounds, run, explored) else {
                return;
            };
            killed |= died;
            if !stood_twice {
                break;
            }
        }
        if !killed {
            return;
        }
        explored.kills += 1;
    }
}

/// Explores the model with each role first. Returns whether it died, and whether it stood still twice; `None` after a
/// failure, and when the time is over.
fn explore_orders(
    model: &Model,
    bounds: Bounds,
    run: Exploration,
    explored: &mut Explored,
) -> Option<(bool, bool)> {
    let Exploration { stores, then, .. } = run;
    let (mut killed, mut stood_twice) = (false, false);
    let mut first = 0;
    loop {
        let run = Arc::new(Exploration { stores, then, first, ..Exploration::default() });
        let ended = explore(model, bounds, &run);
        let executions = *lock(&run.executions);
        explored.executions += executions;
        if executions >= model.budget * bounds.times {
            explored.cut.get_or_insert("executions");
        }
        explored.seen.append(&mut lock(&run.seen));
        killed |= *lock(&run.killed);
        stood_twice |= *lock(&run.stood_twice);
        if let Err(failure) = ended {
            let step =
                if stores + then > 0 { format!("after step {stores}+{then}: ") } else { String::new() };
            explored.failure = Some(step + &failure);
            return None;
        }
        if bounds.left() == Some(Duration::ZERO) {
            explored.cut = Some("time");
            return None;
        }
        first += 1;
        if first >= *lock(&run.roles) {
            return Some((killed, stood_twice));
        }
    }
}

fn explore(model: &Model, bounds: Bounds, run: &Run) -> Result<(), String> {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 50_000;
    builder.preemption_bound = bounds.preemptions;
    builder.max_permutations = Some((model.budget * bounds.times) as usize + 1);
    builder.max_duration = bounds.left();
    // The limits are looked at every so many executions.
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
