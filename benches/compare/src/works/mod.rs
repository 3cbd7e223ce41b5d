//! The works: what is done with every peer that can.

mod attach;
mod beside;
mod command;
mod contend;
mod gets;
mod idle;
pub mod scaling;
mod slices;
mod sync;
mod whole;
pub mod ycsb;

use crate::{
    Outcome,
    folder::Folder,
    local::{Form, interleave},
    pair::{Second, unpin},
    peers::{self, Peer, Place, Visit},
    plan::Plan,
    row::{Row, Unit},
};
use serde_json::Value;

/// A work, and what it is.
#[derive(PartialEq, Eq, Hash)]
pub struct Work {
    /// As on the command line.
    pub name: &'static str,
    /// What is done.
    pub about: &'static str,
    /// Sizes of values, bytes. For works of the board alone that have sizes of their own, any one.
    pub sizes: &'static [usize],
    /// Whether it is done with the board alone, beside raw limits that take turns with it in the same process.
    pub alone: bool,
}

impl Work {
    const fn of_all(name: &'static str, about: &'static str, sizes: &'static [usize]) -> Self {
        Self { name, about, sizes, alone: false }
    }

    const fn of_the_board(name: &'static str, about: &'static str) -> Self {
        Self { name, about, sizes: &[64], alone: true }
    }
}

/// All works, in the order of tables.
pub const WORKS: [Work; 15] = [
    Work::of_all("get", "copies a value out; 1,000 keys, one process", &[64, 1 << 10, 64 << 10]),
    Work::of_all("put", "writes a value; 1,000 keys, one process", &[64, 1 << 10, 64 << 10]),
    Work::of_all("sync", "puts 64 B in one process and reads them in another, one way", &[64]),
    Work::of_all("contend", "adds to one counter from two processes; the sum must be exact", &[64]),
    Work::of_all(
        "beside",
        "reads while another process writes the same value without a pause",
        &[64, 1 << 10],
    ),
    Work::of_all("attach", "opens what another process has open, reads one value, closes", &[64]),
    Work::of_all("command", "runs a whole command that prints one value", &[64]),
    Work::of_all("idle", "lets 64 waiters wait while nothing happens; share of one core", &[64]),
    Work::of_all("ycsb", "YCSB A to F, two processes, 1 KiB, zipfian (D: latest)", &[1 << 10]),
    Work::of_the_board("whole", "lists 1,000 keys, reads 1,000 events, opens views"),
    Work::of_the_board(
        "scaling-sessions",
        "get, put, attaching, beats and reaping over the number of sessions",
    ),
    Work::of_the_board("scaling-keys", "get, put, list, memory, beats and reaping over the number of keys"),
    Work::of_the_board("scaling-values", "get and put over the size of the value"),
    Work::of_the_board("scaling-history", "put over the length of the history"),
    Work::of_the_board("scaling-waiters", "waking and idle waiting over the number of waiters"),
];

/// Does one work with one peer.
pub fn run(peer: &str, work: &str, plan: &Plan, folder: &Folder) -> Outcome<Vec<Row>> {
    let work = WORKS.iter().find(|known| known.name == work).ok_or("no such work; see `peers list`")?;
    if let Some(reason) = cannot(peer, work) {
        return Err(format!("{peer} cannot do {}: {reason}", work.name).into());
    }
    let mut rows = Vec::new();
    for &size in work.sizes {
        let inner = Folder::new(Some(folder.path()))?;
        rows.extend(peers::with(peer, size, Run { work, size, plan, folder: &inner })?);
    }
    Ok(rows)
}

/// Why a peer cannot do a work.
pub fn cannot(peer: &str, work: &Work) -> Option<&'static str> {
    if work.alone {
        return (peer != peers::OURS).then_some("it is a work of the board alone");
    }
    struct Ask<'a>(&'a str, &'a mut Option<&'static str>);
    impl Visit for Ask<'_> {
        fn visit<P: Peer>(self) -> Outcome<Vec<Row>> {
            *self.1 = P::cannot(self.0);
            Ok(Vec::new())
        }
    }
    let mut reason = None;
    let _ = peers::with(peer, 64, Ask(work.name, &mut reason));
    reason
}

/// Where a peer does less than a board.
pub fn less(peer: &str) -> &'static str {
    struct Ask<'a>(&'a mut &'static str);
    impl Visit for Ask<'_> {
        fn visit<P: Peer>(self) -> Outcome<Vec<Row>> {
            *self.0 = P::LESS;
            Ok(Vec::new())
        }
    }
    let mut less = "";
    let _ = peers::with(peer, 64, Ask(&mut less));
    less
}

/// One work with values of one size.
pub struct Run<'r> {
    /// The work.
    pub work: &'static Work,
    /// Bytes of a value.
    pub size: usize,
    /// How long.
    pub plan: &'r Plan,
    /// Where.
    pub folder: &'r Folder,
}

impl Run<'_> {
    /// One of the stores.
    pub fn place(&self, part: &'static str) -> Place<'_> {
        Place { folder: self.folder, part }
    }

    /// The rows of a peer's forms, which take turns. Those of limits are of [`RAW`].
    pub fn measure(&self, peer: &str, mut forms: Vec<Form<'_>>) -> Outcome<Vec<Row>> {
        let turns = if self.work.alone { self.plan.turns_alone } else { self.plan.turns };
        let times = interleave(self.plan, turns, &mut forms)?;
        let row = |(form, time): (Form<'_>, f64)| {
            let peer = if form.raw { RAW } else { peer };
            Row::new(peer, self.work.name, form.what, Unit::Nanoseconds, time)
        };
        Ok(forms.into_iter().zip(times).map(row).collect())
    }
}

/// Who limits are measured with, where that is no peer.
pub const RAW: &str = "raw limit";

impl Visit for Run<'_> {
    fn visit<P: Peer>(self) -> Outcome<Vec<Row>> {
        unpin()?;
        match self.work.name {
            "get" => gets::gets::<P>(&self),
            "put" => gets::puts::<P>(&self),
            "sync" => sync::run::<P>(&self),
            "contend" => contend::run::<P>(&self),
            "beside" => beside::run::<P>(&self),
            "attach" => attach::run::<P>(&self),
            "command" => command::run::<P>(&self),
            "idle" => idle::run::<P>(&self),
            "ycsb" => ycsb::run::<P>(&self),
            "whole" => whole::run(&self),
            "scaling-sessions" => scaling::sessions::run(&self),
            "scaling-keys" => scaling::keys::run(&self),
            "scaling-values" => scaling::values::run(&self),
            "scaling-history" => scaling::history::run(&self),
            "scaling-waiters" => scaling::waiters::run(&self),
            name => Err(format!("no work {name}").into()),
        }
    }
}

/// What the second process does; what it says ends up with the first.
pub fn play<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    match second.role {
        "sync" => sync::echo::<P>(second),
        "contend" => contend::add::<P>(second),
        "beside" => beside::write::<P>(second),
        "attach" => attach::come_and_go::<P>(second),
        "idle" => idle::apart::<P>(second),
        "idle together" => idle::together(second),
        "ycsb" => ycsb::second::<P>(second),
        role => Err(format!("no role {role}").into()),
    }
}

/// A value's size as tables show it.
pub fn label(size: usize) -> String {
    match size {
        size if size < 1 << 10 => format!("{size} B"),
        size => format!("{} KiB", size >> 10),
    }
}
