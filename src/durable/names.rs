//! The names of durable files.

use super::frame::NUMBER_MAX;

/// What a file is, by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Name {
    /// A snapshot: line, generation.
    Snapshot(u32, u64),
    /// A segment.
    Segment(SegmentName),
}

/// The name of a segment. The order is that of the writers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SegmentName {
    /// The board's line.
    pub line: u32,
    /// The writer's epoch.
    pub epoch: u64,
    /// The number within the epoch.
    pub sequence: u64,
    /// Whether a snapshot covers all of it.
    pub is_archived: bool,
}

/// The ending of a snapshot that is being written.
pub const NEW: &str = ".new";
/// What stands between the name and the time of a file that was put aside.
pub const CORRUPT: &str = ".corrupt-";
/// The ending of the text that says why a file was put aside.
pub const WHY: &str = ".why";

impl Name {
    /// What the name says; `None` if the file is no durable file in use.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let kind = parts.next()?;
        let line = number(parts.next()?)?.try_into().ok()?;
        let first = number(parts.next()?)?;
        let parsed = match kind {
            "snapshot" => Self::Snapshot(line, first),
            "journal" | "archive" => {
                let sequence = number(parts.next()?)?;
                let is_archived = kind == "archive";
                Self::Segment(SegmentName { line, epoch: first, sequence, is_archived })
            }
            _ => return None,
        };
        parts.next().is_none().then_some(parsed)
    }
}

/// A number as names have it: digits without a sign and without leading zeros.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text && number <= NUMBER_MAX).then_some(number)
}

impl Name {
    /// The board's line.
    pub fn line(&self) -> u32 {
        match self {
            Self::Snapshot(line, _) => *line,
            Self::Segment(name) => name.line,
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Snapshot(line, generation) => write!(f, "snapshot-{line}-{generation}"),
            Self::Segment(name) => name.fmt(f),
        }
    }
}

impl std::fmt::Display for SegmentName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.is_archived { "archive" } else { "journal" };
        write!(f, "{kind}-{}-{}-{}", self.line, self.epoch, self.sequence)
    }
}

/// The snapshots among the names, the newest first.
pub fn snapshots(names: &[String]) -> Vec<(u32, u64)> {
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| match Name::parse(name)? {
            Name::Snapshot(line, generation) => Some((line, generation)),
            Name::Segment(_) => None,
        })
        .collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found
}

/// The segments among the names, in the order of their writers. A segment that has both of its names, because a rename was
/// not permanent, is there once.
pub fn segments(names: &[String]) -> Vec<SegmentName> {
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| match Name::parse(name)? {
            Name::Segment(name) => Some(name),
            Name::Snapshot(..) => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|name| (name.line, name.epoch, name.sequence));
    found
}
