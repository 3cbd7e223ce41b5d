//! What can be wrong, each with a name of its own.

use std::fmt;

/// The rules: the name that a [`Finding`] gives, and what it asks for.
pub const RULES: &[(&str, &str)] = &[
    (
        "header",
        "magic, version, fingerprint and byte order are this format's; the checksum is that of the words",
    ),
    (
        "geometry",
        "the numbers of the geometry are within their bounds, and the region has the size that follows",
    ),
    ("counters", "floor <= generation <= floor + events of the ring"),
    ("reserved", "no more extents are reserved than there are, and those that are not are untouched"),
    ("ring-word", "each word of the ring has the lap of the newest event at its place, and names a block"),
    ("ring-uncounted", "no event is in the ring that the generation counter does not show"),
    ("event-generation", "the block of an event says exactly the event's generation"),
    ("event-previous", "an event follows the record that its key had before, or nothing"),
    (
        "version",
        "versions of a key rise by exactly one while it lives in one slot, together with generations",
    ),
    ("created", "a record says which generation created its key"),
    ("record-shape", "lengths and kind of a record can be, and it fits into its block"),
    ("record-checksum", "the checksum is that of the record"),
    ("record-key", "a record's key belongs to the slot that the record names"),
    ("writer", "a record's writer is a life that its session record had, under a finished name"),
    ("ephemeral", "an entry that ends with a session is there only while that session lives"),
    ("head-kind", "a slot's head is FREED, LIVE, RETIRED or OPEN, and its hash says the same"),
    ("head-block", "a LIVE head names a published record in the history or older than it, of this slot"),
    ("head-counter", "a slot's counter rises by one at every change"),
    (
        "retired",
        "a slot without a key names nothing, or is RETIRED with its last key's tombstone, out of the history",
    ),
    ("key-twice", "a key has one slot"),
    ("replay", "a slot's head names the newest event of the history in that slot"),
    ("guard", "what a chain's guard asks for is done, or can be; slots were written by guards up to it"),
    ("chain", "a chain of buckets ends, and its overflow buckets say whose they are"),
    ("overflow-count", "a shard counts as many overflow buckets as its chains have, each of them once"),
    ("bucket-trace", "no block but a linked bucket says that it is one"),
    ("deadline", "an entry with a time to live has a group that says so, with a deadline that is no later"),
    ("shard-changes", "a shard's counter shows its newest event, and nothing beyond the generation"),
    ("version-base", "a shard's version base is at least the version of every key that left it"),
    ("pieces", "a chained record lists its pieces, and each says whose it is"),
    (
        "extent-class",
        "a reserved extent has a class that exists or none; the reserve holds the longest tombstone",
    ),
    ("block-start", "where no block starts, nothing is in use"),
    ("block-state", "what is named by a slot, an event, a chain or a record is owned by the board"),
    ("double-use", "no block is named twice"),
    ("leak", "a block that nothing names is free, or a tombstone that was given back"),
    ("private", "only living sessions keep private blocks"),
    (
        "weight",
        "a record says how many granules it superseded; what sessions count of them is what the history holds",
    ),
    ("intent", "no floor step is left half done"),
    ("session", "only living sessions have active records"),
    ("name", "every entry of the name table is free, or finished"),
];

/// Findings that are kept; a damaged board may break a rule at every word.
const KEPT: usize = 1000;

/// A rule that is broken, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// One of [`RULES`].
    pub rule: &'static str,
    /// What was found.
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

/// What was found so far.
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

    /// Adds a finding unless `sound`; the words are made only then.
    pub(crate) fn unless(&mut self, sound: bool, rule: &'static str, what: impl FnOnce() -> String) {
        if !sound {
            self.push(rule, what());
        }
    }

    pub(crate) fn none(self) -> Result<(), Vec<Finding>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
