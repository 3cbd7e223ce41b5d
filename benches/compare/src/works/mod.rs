//! The works: what is done with every peer that can.

mod attach;
mod beside;
mod command;
mod contend;
mod gets;
mod idle;
mod slices;
mod sync;
pub mod ycsb;

use crate::{
    Outcome,
    folder::Folder,
    pair::{Second, unpin},
    peers::{self, Peer, Place, Visit},
    plan::Plan,
    row::Row,
};
use serde_json::Value;

/// A work, and what it is.
pub struct Work {
    /// As on the command line.
    pub name: &'static str,
    /// What is done.
    pub about: &'static str,
    /// Sizes of values, bytes.
    pub sizes: &'static [usize],
}

/// All works, in the order of tables.
pub const WORKS: [Work; 9] = [
    Work {
        name: "get",
        about: "a value copied out, 1,000 keys, one process",
        sizes: &[64, 1 << 10, 64 << 10],
    },
    Work { name: "put", about: "a value written, 1,000 keys, one process", sizes: &[64, 1 << 10, 64 << 10] },
    Work { name: "sync", about: "one way between two processes, 64 B put and read", sizes: &[64] },
    Work { name: "contend", about: "two processes add to one counter; the sum must be exact", sizes: &[64] },
    Work {
        name: "beside",
        about: "reads beside a process that writes the same value nonstop",
        sizes: &[64, 1 << 10],
    },
    Work { name: "attach", about: "open what others have open, read one value, close", sizes: &[64] },
    Work { name: "command", about: "a whole command that prints one value", sizes: &[64] },
    Work { name: "idle", about: "64 waiters for whom nothing happens; share of one core", sizes: &[64] },
    Work { name: "ycsb", about: "YCSB A to F, two processes, 1 KiB, zipfian (D: latest)", sizes: &[1 << 10] },
];

/// Does one work with one peer.
pub fn run(peer: &str, work: &str, plan: &Plan, folder: &Folder) -> Outcome<Vec<Row>> {
    let work = WORKS.iter().find(|known| known.name == work).ok_or("no such work; see `peers list`")?;
    let mut rows = Vec::new();
    for &size in work.sizes {
        let inner = Folder::new(Some(&folder.path().to_string_lossy()))?;
        rows.extend(peers::with(peer, size, Run { work: work.name, size, plan, folder: &inner })?);
    }
    Ok(rows)
}

/// Why a peer cannot do a work.
pub fn cannot(peer: &str, work: &str) -> Option<&'static str> {
    struct Ask<'a>(&'a str, &'a mut Option<&'static str>);
    impl Visit for Ask<'_> {
        fn visit<P: Peer>(self) -> Outcome<Vec<Row>> {
            *self.1 = P::cannot(self.0);
            Ok(Vec::new())
        }
    }
    let mut reason = None;
    let _ = peers::with(peer, 64, Ask(work, &mut reason));
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
    /// The work's name.
    pub work: &'static str,
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
}

impl Visit for Run<'_> {
    fn visit<P: Peer>(self) -> Outcome<Vec<Row>> {
        if let Some(reason) = P::cannot(self.work) {
            return Err(format!("{} cannot do {}: {reason}", P::NAME, self.work).into());
        }
        unpin()?;
        match self.work {
            "get" => gets::gets::<P>(&self),
            "put" => gets::puts::<P>(&self),
            "sync" => sync::run::<P>(&self),
            "contend" => contend::run::<P>(&self),
            "beside" => beside::run::<P>(&self),
            "attach" => attach::run::<P>(&self),
            "command" => command::run::<P>(&self),
            "idle" => idle::run::<P>(&self),
            _ => ycsb::run::<P>(&self),
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
