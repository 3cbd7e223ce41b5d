//! The events of several segments, by generation.
//!
//! Each segment is read once, from its first frame to its last. Only those are open that may have the next generation, each with
//! one event in memory.

use super::{
    Disk, failed,
    frame::{Frame, FrameKind, Frames, Step},
    names::SegmentName,
    record, segment,
};
use crate::error::Result;

/// A segment that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its name.
    pub name: SegmentName,
    /// Its first generation.
    pub first: u64,
    /// From this generation on its line is void.
    pub void_from: u64,
    /// Whether its epoch has no later segment.
    pub is_last: bool,
}

/// Generations that a segment says that it never had.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Gap {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// The generation of the snapshot that bridges them; 0 for none.
    pub bridge: u64,
}

/// An event, as the segments have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Merged<'m> {
    /// Its generation.
    pub generation: u64,
    /// Its mutations: see [`record::read_all`].
    pub payload: &'m [u8],
    /// Whether segments differ; the newest epoch's is here.
    pub is_conflict: bool,
}

/// The events of some segments after a generation, one after the other.
#[derive(Debug)]
pub struct Merge<'d> {
    disk: &'d dyn Disk,
    board: u128,
    /// What is not open yet, the last generations first.
    waiting: Vec<Source>,
    open: Vec<Cursor>,
    floor: u64,
    event: Vec<u8>,
    /// What the segments say besides their events.
    pub told: Told,
}

/// What segments say besides their events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// The largest generation that is known to have been written.
    pub known: u64,
    /// Up to this generation all is on disk for certain.
    pub synced: u64,
    /// Generations that were never there.
    pub gaps: Vec<Gap>,
    /// Last segments of their epochs that end with bytes that are no frame: name, and the last generation before these.
    pub torn: Vec<(SegmentName, u64)>,
    /// Places within segments that are damaged.
    pub damaged: u64,
}

impl Told {
    fn is_synced(&mut self, generation: u64) {
        self.synced = self.synced.max(generation);
        self.known = self.known.max(generation);
    }
}

#[derive(Debug)]
struct Cursor {
    source: Source,
    frames: Frames,
    /// The event that is next.
    generation: u64,
    payload: Vec<u8>,
}

impl<'d> Merge<'d> {
    /// The events after `floor`.
    pub fn new(disk: &'d dyn Disk, board: u128, sources: &[Source], floor: u64) -> Self {
        let mut waiting = sources.to_vec();
        waiting.sort_unstable_by_key(|source| std::cmp::Reverse((source.first, source.name)));
        let told = Told { known: floor, synced: floor, ..Told::default() };
        Self { disk, board, waiting, open: Vec::new(), floor, event: Vec::new(), told }
    }

    /// The next event.
    ///
    /// # Errors
    /// `Io`.
    #[allow(clippy::should_implement_trait, reason = "the event borrows the merge's buffer")]
    pub fn next(&mut self) -> Result<Option<Merged<'_>>> {
        self.open_next()?;
        let Some(generation) = self.open.iter().map(|cursor| cursor.generation).min() else {
            return Ok(None);
        };
        let here = |cursor: &&mut Cursor| cursor.generation == generation;
        let newest = self.open.iter_mut().filter(here).max_by_key(|cursor| cursor.source.name);
        if let Some(newest) = newest {
            self.event.clone_from(&newest.payload);
        }
        let is_conflict =
            self.open.iter().any(|cursor| cursor.generation == generation && cursor.payload != self.event);
        let mut at = 0;
        while let Some(cursor) = self.open.get_mut(at) {
            if cursor.generation != generation || cursor.advance(self.disk, self.floor, &mut self.told)? {
                at += 1;
            } else {
                self.open.swap_remove(at);
            }
        }
        self.told.known = self.told.known.max(generation);
        Ok(Some(Merged { generation, payload: &self.event, is_conflict }))
    }

    /// Opens the segments that may have the next generation.
    fn open_next(&mut self) -> Result<()> {
        while let Some(source) = self.waiting.last() {
            let next = self.open.iter().map(|cursor| cursor.generation).min();
            if next.is_some_and(|next| source.first > next) {
                break;
            }
            let source = *source;
            self.waiting.pop();
            if source.first <= source.void_from {
                self.told.is_synced(source.first.saturating_sub(1));
            }
            let Ok(frames) = segment::open(self.disk, source.name, self.board)? else { continue };
            let mut cursor = Cursor { source, frames, generation: 0, payload: Vec::new() };
            if cursor.advance(self.disk, self.floor, &mut self.told)? {
                self.open.push(cursor);
            }
        }
        Ok(())
    }
}

impl Cursor {
    /// Goes to the next event after `floor`. Returns whether there is one.
    fn advance(&mut self, disk: &dyn Disk, floor: u64, told: &mut Told) -> Result<bool> {
        let Source { name, void_from, is_last, .. } = self.source;
        let is_wanted = |number: u64| number > floor && number < void_from;
        loop {
            let step = self.frames.next().map_err(|error| failed(disk, &name.to_string(), "read", error))?;
            match step {
                Step::Frame(Frame { kind: FrameKind::Event, number, payload, .. }) => {
                    // Generations rise within a segment; a frame of another order is none of this writer's.
                    if number <= self.generation || !is_event(number, payload) {
                        told.damaged += 1;
                    } else {
                        self.generation = number;
                        if is_wanted(number) {
                            self.payload.clear();
                            self.payload.extend_from_slice(payload);
                            return Ok(true);
                        }
                    }
                }
                Step::Frame(Frame { kind: FrameKind::Gap, number, payload, .. }) => {
                    if let Some((last, bridge)) = segment::gap(payload).filter(|_| is_wanted(number)) {
                        told.known = told.known.max(last.min(void_from - 1));
                        told.gaps.push(Gap { first: number, last, bridge });
                    }
                }
                Step::Frame(Frame { kind: FrameKind::Synced, number, .. }) => {
                    if is_wanted(number) {
                        told.is_synced(number);
                    }
                }
                Step::Frame(_) => told.damaged += 1,
                Step::Damage(damage) => {
                    told.damaged += 1;
                    if damage.at_end && is_last {
                        told.torn.push((name, self.generation.max(self.source.first.saturating_sub(1))));
                    }
                }
                Step::End => return Ok(false),
            }
        }
    }
}

/// Whether the payload is an event of this generation: one or more mutations.
fn is_event(generation: u64, payload: &[u8]) -> bool {
    let records = record::read_all(payload).unwrap_or_default();
    !records.is_empty() && records.iter().all(|record| record.generation == generation)
}
