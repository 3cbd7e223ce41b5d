//! The rules of a sound board, and the findings where a board breaks one.

use std::fmt;

/// Every rule: its name, which a [`Finding`] carries, and what it requires.
pub const RULES: &[(&str, &str)] = &[
    (
        "header",
        "magic, version, fingerprint and byte order are those of this format, and the checksum is valid",
    ),
    (
        "geometry",
        "the numbers of the geometry are within their bounds, and the region has the size that they give",
    ),
    ("counters", "floor <= generation <= floor + events that the ring holds"),
    ("reserved", "no more extents are reserved than there are, and the others are untouched"),
    ("ring-word", "each word of the ring has the lap of the newest event of its place, and names a block"),
    ("ring-uncounted", "the ring has no event beyond the generation counter"),
    ("event-generation", "the block of an event stores the event's generation"),
    ("event-previous", "an event supersedes the previous record of its key, or nothing"),
    ("version", "a key's version rises by exactly one at every change while the key keeps its slot"),
    ("created", "a record stores the generation that created its key"),
    (
        "touched",
        "a touch follows a value and carries its bytes, its codec and the session that it ends with, under a deadline",
    ),
    ("record-shape", "the lengths and the kind of a record are valid, and the record fits its block"),
    ("record-checksum", "the checksum of a record is valid"),
    ("record-key", "the key of a record belongs to the chain of the slot that the record names"),
    ("writer", "the writer of a record is a life that its session record has had, under a finished name"),
    ("ephemeral", "an entry bound to a session exists only while that session lives"),
    ("head-kind", "a slot's head is FREED without a fingerprint, or LIVE, RETIRED or OPEN with one"),
    ("head-block", "a LIVE head names a counted record of its own slot"),
    ("head-counter", "a slot's counter rises by one at every change"),
    (
        "retired",
        "a slot without a key names no block, or is RETIRED and names a tombstone that has left the history",
    ),
    ("key-twice", "a key has one slot"),
    ("replay", "a slot's head names the slot's newest event of the history"),
    ("guard", "what a chain's guard asks for is done or can be done, and no slot is newer than the guard"),
    ("chain", "a chain of buckets ends, and each of its overflow buckets names the chain"),
    ("overflow-count", "a shard counts each of its overflow buckets once"),
    ("bucket-trace", "only linked overflow buckets are marked as buckets"),
    ("deadline", "one of a group's two deadlines is no later than that of each entry of the group"),
    ("shard-changes", "a shard's change counter is at least its newest event and at most the generation"),
    ("version-base", "a shard's version base is at least the version of every key that left the shard"),
    ("pieces", "a chained record lists blocks that name the record as their parent"),
    (
        "extent-class",
        "a reserved extent has no class or one that exists, and the reserve that of the longest tombstone",
    ),
    ("block-start", "a granule where no block starts is unused"),
    ("block-state", "a block in use is OWNED, or PART of a chained value, and belongs to no session"),
    ("double-use", "no block is used twice"),
    ("leak", "an unused block is FREE, or LIMBO and belongs to no session"),
    ("private", "only living sessions own private blocks"),
    (
        "weight",
        "a record stores how many granules it superseded, and the sessions' sums are what the history holds",
    ),
    ("intent", "no step of the floor is left unfinished"),
    ("session", "the records of living sessions are active, all others vacated"),
    ("name", "every entry of the name table is free or finished"),
    ("known-generation", "the generation is the number of known events"),
    ("known-event", "each event of the history is the known event of its generation"),
    ("known-key", "each key has the record of its newest known event"),
    ("known-private", "each session owns as many private blocks as are known"),
];

/// Findings that are kept. A damaged board may break a rule at every word.
const KEPT: usize = 1000;

/// A broken rule, and where it is broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The name of one of [`RULES`].
    pub rule: &'static str,
    /// What was found, and where.
    pub what: String,
}

impl Finding {
    pub(crate) fn new(rule: &'static str, what: String) -> Self {
        debug_assert!(RULES.iter().any(|(name, _)| *name == rule), "{rule} is not among the rules");
        Self { rule, what }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// The findings so far.
#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn push(&mut self, rule: &'static str, what: String) {
        self.add(Finding::new(rule, what));
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        if self.0.len() < KEPT {
            self.0.push(finding);
        }
    }

    /// Adds a finding unless `sound`. The text is made only then.
    pub(crate) fn require(&mut self, sound: bool, rule: &'static str, what: impl FnOnce() -> String) {
        if !sound {
            self.push(rule, what());
        }
    }

    pub(crate) fn none(self) -> Result<(), Vec<Finding>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
