//! The second process of a work: this program again, with a role, on the other core.

use crate::{
    Outcome,
    child::{self, Child},
    folder::Folder,
    peers::{self, Peer, Place, Shape, Visit},
    plan::Plan,
    row::Row,
    wires::{Wire, Wires, ping, pong},
    works,
};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};
use std::{cell::RefCell, fs, iter};

/// What the second process is told.
#[derive(Clone, Copy)]
pub struct Role<'r> {
    /// The peer's name.
    pub peer: &'r str,
    /// The part that it plays: [`works::play`] knows them.
    pub role: &'r str,
    /// The store.
    pub shape: Shape,
    /// Where.
    pub folder: &'r Folder,
    /// A number whose meaning is the role's.
    pub number: usize,
}

/// The other process. It is ended when this value is dropped.
pub struct Partner {
    child: RefCell<Child>,
    /// Words that both share.
    pub wires: Wires,
    /// Median of the raw ping-pong before the work, nanoseconds one way.
    before: f64,
    /// How often this thread had lost its core before the work.
    switches: u64,
}

/// The result of a work of two processes, and what is known about its run.
pub struct Done {
    /// What the second process reports.
    pub said: Value,
    /// Medians of the raw ping-pong before and after, nanoseconds one way.
    ping: [f64; 2],
    /// How often both lost their cores to other programs.
    switches: u64,
}

impl Done {
    /// The row with what is known about its run.
    pub fn mark(&self, row: Row) -> Row {
        Row { ping: Some(self.ping), switches: Some(self.switches), ..row }
    }
}

/// How often the calling thread lost its core to other programs.
fn switches() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

impl Partner {
    /// Starts it on the second core, pings it, and returns when it is ready for the work. The caller is on the first.
    pub fn start(plan: &Plan, role: Role<'_>) -> Outcome<Self> {
        pin(0)?;
        let wires = Wires::create(role.folder.path())?;
        wires.store(Wire::Keys, role.shape.keys as u64);
        let shape = [role.shape.keys, role.shape.spare, role.shape.size, role.number]
            .map(|number| number.to_string());
        let folder = role.folder.path().to_string_lossy();
        let arguments = [role.peer, role.role, &folder].into_iter().chain(shape.iter().map(String::as_str));
        let child = child::start("second", arguments.chain(iter::once(plan.flag.unwrap_or_default())))?;
        let mut partner = Self { child: RefCell::new(child), wires, before: 0.0, switches: 0 };
        partner.before = ping(&partner.wires, || partner.is_lost())?;
        while partner.wires.load(Wire::Ready) == 0 {
            if partner.is_lost() {
                return Err("the other process ended early".into());
            }
            std::thread::yield_now();
        }
        partner.switches = switches();
        Ok(partner)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.borrow().pid().as_raw().unsigned_abs()
    }

    /// Whether it has ended.
    pub fn is_lost(&self) -> bool {
        self.child.borrow().has_ended()
    }

    /// Lets it begin.
    pub fn go(&self) {
        self.wires.store(Wire::Go, 1);
    }

    /// Ends the work and pings again.
    pub fn finish(self) -> Outcome<Done> {
        self.wires.store(Wire::Stop, 1);
        let mine = switches() - self.switches;
        let after = ping(&self.wires, || self.is_lost())?;
        let said = self.child.borrow_mut().line().ok_or("the other process ended early")?;
        if !self.child.borrow_mut().ends_well() {
            return Err("the other process failed".into());
        }
        let both: Value = serde_json::from_str(&said)?;
        let switches = mine + both["switches"].as_u64().unwrap_or(0);
        Ok(Done { said: both["said"].clone(), ping: [self.before, after], switches })
    }
}

/// Plays the second process: peer, role, folder, keys, spare keys, bytes, number, flag of the plan.
pub fn play(arguments: &[&str]) -> Outcome<()> {
    let [peer, role, folder, keys, spare, size, number, flag] = arguments else {
        return Err("the second process needs a peer, a role, a folder and a shape".into());
    };
    pin(1)?;
    let folder = Folder::of(folder);
    let shape = Shape { keys: keys.parse()?, spare: spare.parse()?, size: size.parse()? };
    let wires = Wires::open(folder.path())?;
    pong(&wires);
    let plan = Plan::of(Some(flag));
    let second = Second { role, wires: &wires, folder: &folder, shape, number: number.parse()?, plan };
    let (said, before) = (RefCell::new(Value::Null), switches());
    let outcome = peers::with(peer, shape.size, Play(second, &said));
    if let Err(error) = outcome {
        eprintln!("{peer}, {role}: {error}");
        return Err(error);
    }
    let switches = switches() - before;
    pong(&wires);
    println!("{}", json!({ "said": *said.borrow(), "switches": switches }));
    Ok(())
}

/// What the second process knows.
pub struct Second<'s> {
    /// The part it plays.
    pub role: &'s str,
    /// Words that both share.
    pub wires: &'s Wires,
    /// Where.
    pub folder: &'s Folder,
    /// The store.
    pub shape: Shape,
    /// A number whose meaning is the role's.
    pub number: usize,
    /// How long to measure.
    pub plan: Plan,
}

impl Second<'_> {
    /// One of the stores.
    pub fn place(&self, part: &'static str) -> Place<'_> {
        Place { folder: self.folder, part }
    }

    /// Says that it is ready, and returns when it may begin.
    pub fn ready(&self) -> Outcome<()> {
        self.wires.store(Wire::Ready, 1);
        self.wires.poll(|| Ok((self.wires.load(Wire::Go) != 0).then_some(())))?;
        Ok(())
    }
}

struct Play<'s>(Second<'s>, &'s RefCell<Value>);

impl Visit for Play<'_> {
    fn visit<P: Peer>(self) -> Outcome<Vec<Row>> {
        *self.1.borrow_mut() = works::play::<P>(&self.0)?;
        Ok(Vec::new())
    }
}

/// Lets the calling thread and what it starts run anywhere: a peer's server is not bound to a core of its users.
pub fn unpin() -> Outcome<()> {
    let mut set = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| set.set(core));
    Ok(sched_setaffinity(None, &set)?)
}

/// Keeps the calling thread on the first or the second core of the machine.
pub fn pin(core: usize) -> Outcome<()> {
    let mut set = CpuSet::new();
    set.set(core);
    let refused = |error| format!("two processes are measured on cores 0 and 1, and {core} refuses: {error}");
    sched_setaffinity(None, &set).map_err(|error| refused(error).into())
}
