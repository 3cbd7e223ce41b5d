//! The second process of a work: this program again, with a role, on the other core.

use crate::{
    Outcome,
    folder::Folder,
    peers::{self, Peer, Place, Shape, Visit},
    plan::Plan,
    row::Row,
    wires::{Wire, Wires, ping, pong},
    works,
};
use rustix::{
    process::{Signal, set_parent_process_death_signal},
    thread::{CpuSet, sched_setaffinity},
};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    fs,
    process::{Child, Command, Stdio},
};

/// What the second process is told: who, what, on what store.
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

/// The other process. It ends with this value, whatever happens.
pub struct Partner {
    child: RefCell<Child>,
    /// Words that both share.
    pub wires: Wires,
    /// Median of the raw ping-pong before the work, nanoseconds one way.
    before: f64,
    /// How often this thread had lost its core before the work.
    switches: u64,
}

/// What a work of two processes leaves behind.
pub struct Done {
    /// What the second process has to say.
    pub said: Value,
    /// Medians of the raw ping-pong before and after, nanoseconds one way.
    ping: [f64; 2],
    /// How often both lost their cores to others.
    switches: u64,
}

impl Done {
    /// The row with what is known about its run.
    pub fn mark(&self, row: Row) -> Row {
        Row { ping: Some(self.ping), switches: Some(self.switches), ..row }
    }
}

/// How often the calling thread had to leave its core to others.
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
        let child = Command::new(std::env::current_exe()?)
            .args(["--role", role.peer, role.role])
            .arg(role.folder.path())
            .args(shape)
            .args(plan.flag)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
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
        self.child.borrow().id()
    }

    /// Whether it has ended.
    pub fn is_lost(&self) -> bool {
        !matches!(self.child.borrow_mut().try_wait(), Ok(None))
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
        let mut said = String::new();
        let pipe = self.child.borrow_mut().stdout.take();
        if let Some(mut pipe) = pipe {
            std::io::Read::read_to_string(&mut pipe, &mut said)?;
        }
        let status = self.child.borrow_mut().wait()?;
        if !status.success() {
            return Err(format!("the other process failed: {status}").into());
        }
        let both: Value = serde_json::from_str(said.trim())?;
        let switches = mine + both["switches"].as_u64().unwrap_or(0);
        Ok(Done { said: both["said"].clone(), ping: [self.before, after], switches })
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Plays the second process: peer, role, folder, keys, spare keys, bytes, number.
pub fn play(arguments: &[&str]) -> Outcome<()> {
    let [peer, role, folder, keys, spare, size, number, options @ ..] = arguments else {
        return Err("a role needs a peer, a folder and a shape".into());
    };
    // Ends with the process that started it, also when that is killed.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    pin(1)?;
    let folder = Folder::of(folder);
    let shape = Shape { keys: keys.parse()?, spare: spare.parse()?, size: size.parse()? };
    let wires = Wires::open(folder.path())?;
    pong(&wires);
    let plan = Plan::of(options)?;
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
