//! What a folder has, and what is missing: the plan from which a board is built anew.

use super::{
    Author, Disk, Journal, Limits, Record, Snapshot,
    aside::{prune_aside, put_aside},
    disk::{Held, LOCK},
    failed,
    merge::{Gap, Merge, Source},
    names::{self, CORRUPT, Name},
    record,
    save::{SAVING, remove_leftovers},
    segment,
};
use crate::error::{Error, ErrorKind, Result};
use std::{fmt, sync::Arc};

/// What a folder has.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it at a time")]
pub enum Recovery<'d> {
    /// No durable file: the board never had any.
    Nothing,
    /// What a board is built from.
    Plan(Plan<'d>),
}

/// Generations, from the first to the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// A file that was put aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    /// The name that it had.
    pub name: String,
    /// Why it cannot be used.
    pub why: String,
}

/// What a board is built from, and what is missing.
#[derive(Debug)]
pub struct Plan<'d> {
    disk: &'d dyn Disk,
    board: u128,
    _held: Box<dyn Held>,
    snapshot: Option<Snapshot>,
    sources: Vec<Source>,
    /// The last generation of what is there.
    pub last: u64,
    /// Events after the snapshot.
    pub events: u64,
    /// Generations that may be missing. Values that they changed are older than they were, unless a later event changed them too.
    pub missing: Vec<Range>,
    /// Why generations after the last that is known may be missing, too.
    pub doubt: Option<String>,
    /// Generations of which segments have different events; the newest epoch's is used.
    pub conflicts: Vec<u64>,
    /// What the journal says that it never had.
    pub gaps: Vec<Gap>,
    /// Places within segments that are damaged.
    pub damaged: u64,
    /// Files that were put aside.
    pub aside: Vec<Aside>,
    /// The largest generation that is known to have been written. The board goes on after it.
    pub known: u64,
    /// Up to this generation all is on disk for certain. Later events may only be in the system's memory.
    pub synced: u64,
    /// The line that the board goes on in.
    pub next_line: u32,
}

/// A step of building a board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replay<'r> {
    /// An entry of the snapshot.
    Entry(&'r Record<'r>),
    /// A later event: its generation, and all that it changed.
    Event(u64, &'r [Record<'r>]),
}

/// Looks through the folder of a board. Files that cannot be used are put aside.
///
/// # Errors
/// `Corrupt` if there are files and none of them can be used; `Incompatible` if one is of a newer version; `Refused` if one belongs
/// to another board; `Contended` while another process saves or recovers; `Io`.
pub fn recover(disk: &dyn Disk, board: u128, now_ns: u64) -> Result<Recovery<'_>> {
    let held = disk.lock(SAVING).map_err(|error| failed(disk, LOCK, "locked", error))?;
    let held = held.ok_or_else(|| {
        Error::new(ErrorKind::Contended, "another process is saving a snapshot, or recovering")
            .hint("try again")
            .at_path(disk.path())
    })?;
    remove_leftovers(disk)?;
    // A snapshot's writer may have been killed before its name was on disk.
    disk.sync_folder().map_err(|error| failed(disk, "", "synced", error))?;
    let names = disk.list().map_err(|error| failed(disk, "", "listed", error))?;
    let mut search = Search { disk, board, now_ns, aside: Vec::new() };
    let sources = search.sources(&names)?;
    let snapshot = search.snapshot(&names, &sources)?;
    let is_durable = |name: &String| Name::parse(name).is_some() || name.contains(CORRUPT);
    if snapshot.is_none() && sources.is_empty() {
        return match names.iter().any(is_durable) {
            false => Ok(Recovery::Nothing),
            true => Err(search.nothing_valid()),
        };
    }
    let (line, floor) = snapshot.as_ref().map_or((0, 0), |snapshot| {
        let head = snapshot.head();
        (head.line, head.generation)
    });
    let lines = names.iter().filter_map(|name| Some(Name::parse(name.split(CORRUPT).next()?)?.line()));
    let next_line = lines.max().map_or(0, |line| line.saturating_add(1));
    // What this recovery put aside, and what an earlier one did before it was interrupted.
    let earlier = names.iter().filter_map(|name| Some(name.split_once(CORRUPT)?.0));
    let aside = earlier.chain(search.aside.iter().map(|aside| &*aside.name));
    let mut lost: Vec<_> = aside.filter_map(Name::parse).filter(|name| name.line() >= line).collect();
    lost.sort_unstable();
    let sources: Vec<_> = sources.into_iter().filter(|source| source.name.line >= line).collect();
    let mut plan = Plan {
        disk,
        board,
        _held: held,
        snapshot,
        sources,
        last: floor,
        events: 0,
        missing: Vec::new(),
        doubt: None,
        conflicts: Vec::new(),
        gaps: Vec::new(),
        damaged: 0,
        aside: search.aside.clone(),
        known: floor,
        synced: floor,
        next_line,
    };
    plan.look(floor, &lost)?;
    Ok(Recovery::Plan(plan))
}

struct Search<'d> {
    disk: &'d dyn Disk,
    board: u128,
    now_ns: u64,
    aside: Vec<Aside>,
}

impl Search<'_> {
    fn put_aside(&mut self, name: String, why: String) -> Result<()> {
        put_aside(self.disk, &name, &why, self.now_ns)
            .and_then(|()| prune_aside(self.disk))
            .map_err(|error| failed(self.disk, &name, "put aside", error))?;
        self.aside.push(Aside { name, why });
        Ok(())
    }

    /// The segments that can be read.
    fn sources(&mut self, names: &[String]) -> Result<Vec<Source>> {
        let segments = names::segments(names);
        let mut sources = Vec::new();
        for (at, name) in segments.iter().enumerate() {
            let next = segments.get(at + 1);
            let is_last = next.is_none_or(|next| (next.line, next.epoch) != (name.line, name.epoch));
            match segment::open(self.disk, *name, self.board)? {
                Ok(frames) => {
                    let first = frames.head().generation;
                    sources.push(Source { name: *name, first, void_from: u64::MAX, is_last });
                }
                Err(why) => self.put_aside(name.to_string(), why)?,
            }
        }
        // The first segment of a line says up to where the earlier lines were recovered.
        let firsts: Vec<_> = sources.iter().map(|source| (source.name.line, source.first)).collect();
        for source in &mut sources {
            let later = firsts.iter().filter(|(line, _)| *line > source.name.line);
            source.void_from = later.map(|(_, first)| *first).min().unwrap_or(u64::MAX);
        }
        Ok(sources)
    }

    /// The newest snapshot that is sound and not void.
    fn snapshot(&mut self, names: &[String], sources: &[Source]) -> Result<Option<Snapshot>> {
        for (line, generation) in names::snapshots(names) {
            let is_void = sources.iter().any(|source| source.name.line > line && source.first <= generation);
            if is_void {
                continue;
            }
            let name = Name::Snapshot(line, generation).to_string();
            match Snapshot::open(self.disk, &name, self.board)? {
                Ok(snapshot) if (snapshot.head().line, snapshot.head().generation) == (line, generation) => {
                    return Ok(Some(snapshot));
                }
                Ok(_) => self.put_aside(name, "it is another snapshot than its name says".into())?,
                Err(why) => self.put_aside(name, why)?,
            }
        }
        Ok(None)
    }

    fn nothing_valid(&self) -> Error {
        let reasons: Vec<_> =
            self.aside.iter().map(|aside| format!("{}: {}", aside.name, aside.why)).collect();
        let what = format!("no snapshot and no journal of this board can be used ({})", reasons.join("; "));
        Error::new(ErrorKind::Corrupt, what)
            .hint("restore the folder from a backup, or move it away to begin with an empty board")
            .at_path(self.disk.path())
    }
}

impl Plan<'_> {
    /// The snapshot; `None` if there is none, and the journal is all there is.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// Reads all segments, and notes what is missing.
    fn look(&mut self, floor: u64, lost: &[Name]) -> Result<()> {
        let mut merge = Merge::new(self.disk, self.board, &self.sources, floor);
        let mut expected = floor + 1;
        while let Some(event) = merge.next()? {
            if event.generation > expected {
                self.missing.push(Range { first: expected, last: event.generation - 1 });
            }
            if event.is_conflict {
                self.conflicts.push(event.generation);
            }
            expected = event.generation + 1;
            self.last = event.generation;
            self.events += 1;
        }
        let told = merge.told;
        // The name of a snapshot that was put aside says, too, what was there.
        let named = lost.iter().map(|name| match name {
            Name::Snapshot(_, generation) => *generation,
            Name::Segment(_) => 0,
        });
        self.known = named.fold(told.known.max(self.last), u64::max);
        if self.known >= expected {
            self.missing.push(Range { first: expected, last: self.known });
        }
        let newest = self.sources.iter().map(|source| source.name).max();
        let is_of_the_end = |(name, last): &&_| {
            let newest = newest.is_some_and(|newest| (newest.line, newest.epoch) == epoch(name));
            newest || *last >= self.last
        };
        let torn = told.torn.iter().find(is_of_the_end);
        let newest_line = newest.map_or(0, |newest| newest.line);
        let lost = lost.iter().find(|name| matches!(name, Name::Segment(name) if name.line >= newest_line));
        self.doubt = match (torn, lost) {
            (Some((name, _)), _) => Some(format!("{name} ends with bytes that are no whole frame")),
            (None, Some(name)) => Some(format!("{name} could not be read, and was put aside")),
            (None, None) => None,
        };
        (self.gaps, self.damaged, self.synced) = (told.gaps, told.damaged, told.synced);
        Ok(())
    }

    /// Passes the snapshot's entries and then the later events to the closure, in order of generation.
    ///
    /// # Errors
    /// Those of the closure; `Corrupt` if a file changed since; `Io`.
    pub fn replay(&self, mut step: impl FnMut(Replay<'_>) -> Result<()>) -> Result<()> {
        let mut floor = 0;
        if let Some(snapshot) = &self.snapshot {
            floor = snapshot.head().generation;
            snapshot.for_each(self.disk, |record| step(Replay::Entry(record)))?;
        }
        let mut merge = Merge::new(self.disk, self.board, &self.sources, floor);
        while let Some(event) = merge.next()? {
            let records = record::read_all(event.payload).unwrap_or_default();
            step(Replay::Event(event.generation, &records))?;
        }
        Ok(())
    }
}

impl Plan<'_> {
    /// Begins the board's next line: its journal, in which the board goes on after [`Plan::known`]. What is there is on disk then,
    /// even what only the system's memory had. Until this returns, another recovery finds the same as this one.
    ///
    /// # Errors
    /// `Full`, `Io`.
    pub fn begin_line(&self, disk: &Arc<dyn Disk>, author: &Author, limits: Limits) -> Result<Journal> {
        let author = Author { line: self.next_line, ..*author };
        Journal::begin_line(disk, &author, limits, self.synced, |journal| {
            let mut merge = Merge::new(self.disk, self.board, &self.sources, self.synced);
            while let Some(event) = merge.next()? {
                journal.gap(event.generation - 1, 0)?;
                journal.copy(event.generation, event.payload)?;
            }
            journal.gap(self.known, 0)
        })
    }
}

fn epoch(name: &names::SegmentName) -> (u32, u64) {
    (name.line, name.epoch)
}

/// What was recovered, and what may be missing, in one line.
impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generations up to {} are there, from ", self.last)?;
        match &self.snapshot {
            Some(snapshot) => write!(f, "{} and {} later events", snapshot.name(), self.events)?,
            None => write!(f, "{} events of the journal", self.events)?,
        }
        for Range { first, last } in &self.missing {
            write!(f, "; {first} to {last} may be missing")?;
        }
        for Gap { first, last, bridge } in &self.gaps {
            write!(f, "; the journal never had {first} to {last}")?;
            if *bridge != 0 {
                write!(f, ", which the snapshot of generation {bridge} bridges")?;
            }
        }
        if let Some(doubt) = &self.doubt {
            write!(f, "; generations after {} may be missing: {doubt}", self.known)?;
        }
        if !self.conflicts.is_empty() {
            write!(f, "; {} generations have different events in two segments", self.conflicts.len())?;
        }
        for Aside { name, why } in &self.aside {
            write!(f, "; {name} was put aside: {why}")?;
        }
        Ok(())
    }
}
