//! The one judge of a board at rest: reads the words of a board by `docs/format.md` alone, and reports every rule that
//! they break.
//!
//! It shares no code and no type with the engine, so that an error of the engine cannot hide itself: offsets, packed
//! words, hashes and checksums are computed anew from the format. The board must be *at rest*: no call is under way, and
//! dead sessions were reaped. Living sessions may own private blocks.
//!
//! [`check`] judges a board of the product, whose header says how it is laid out. [`check_known`] judges any region: a
//! [`Profile`] gives the sizes of the build, which are smaller in the models, and [`Known`] what the caller knows besides
//! the words.
//!
//! No rule judges what the words alone cannot tell: the identity and the heartbeat of a session, the counters that are shown
//! (the weights have a rule), hints, the serial of a class, how often a name was taken, the tag of a free block, the time and
//! the codec of a record, and the cause of a removal. A touch is the exception: it carries what it follows.
//!
//! ```no_run
//! # let bytes: Vec<u8> = Vec::new();
//! let (words, _) = bytes.as_chunks::<8>();
//! let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
//! match slateboard_fsck::check(&words, &[]) {
//!     Ok(summary) => println!("{} keys at generation {}", summary.keys.len(), summary.generation),
//!     Err(findings) => findings.iter().for_each(|finding| println!("{finding}")),
//! }
//! ```

mod board;
mod finding;
mod history;
mod keys;
mod known;
mod layout;
mod profile;
mod record;
mod sessions;
mod slots;
mod uses;
mod words;

pub use finding::{Finding, RULES};
pub use known::{Known, KnownEvent};
pub use layout::Layout;
pub use profile::Profile;

use board::Board;
use finding::Findings;
use uses::Uses;

/// The contents of a sound board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The newest generation.
    pub generation: u64,
    /// Generations up to this one have left the history.
    pub floor: u64,
    /// The keys that have a value, in the order of their bytes.
    pub keys: Vec<KeyState>,
    /// The events of the history, oldest first.
    pub events: Vec<EventState>,
    /// How the data area is used.
    pub blocks: Blocks,
    /// The session records, each with its index.
    pub sessions: Vec<SessionState>,
    /// Buckets of the longest chain.
    pub longest_chain: usize,
}

/// A key that has a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyState {
    /// The key.
    pub key: Vec<u8>,
    /// Its version.
    pub version: u64,
    /// The generation that wrote it.
    pub generation: u64,
    /// The value.
    pub value: Vec<u8>,
    /// How the value is encoded.
    pub codec: u8,
    /// Deadline in nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub deadline: u64,
    /// Writer word of the session that the entry is bound to; 0 for none.
    pub ephemeral: u64,
    /// Writer word of the session that wrote it.
    pub writer: u64,
}

/// What an event did to its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It has a value.
    Put,
    /// Its deadline was set anew; it has the value that it had.
    Touched,
    /// It was removed.
    Removed,
    /// Its deadline passed.
    Expired,
    /// The session that it was bound to detached.
    Detached,
    /// The session that it was bound to died.
    Died,
}

impl Kind {
    /// Whether the key has a value behind the event.
    pub fn has_value(self) -> bool {
        matches!(self, Kind::Put | Kind::Touched)
    }
}

/// An event of the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventState {
    /// Its generation.
    pub generation: u64,
    /// The key that it changed.
    pub key: Vec<u8>,
    /// The key's version after it.
    pub version: u64,
    /// What it did to the key.
    pub kind: Kind,
    /// The value that the key has behind it.
    pub value: Option<Vec<u8>>,
    /// Version of the record that it superseded, which may be a tombstone; `None` where the key was new in its slot.
    pub previous_version: Option<u64>,
    /// Writer word of the session that made it.
    pub writer: u64,
}

/// The use of the data area in granules. Each granule is counted once, so the other numbers add up to `granules`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Blocks {
    /// Records of the keys that have a value.
    pub live: u64,
    /// Records that an event of the history superseded.
    pub history: u64,
    /// Tombstones: newest records of keys without a value, and those that RETIRED heads name.
    pub tombstones: u64,
    /// Overflow buckets.
    pub buckets: u64,
    /// Pieces of chained values, live and superseded.
    pub pieces: u64,
    /// Private blocks of living sessions.
    pub private: u64,
    /// The rest: free blocks, extents that are not cut or not reserved, and the remainders of extents.
    pub free: u64,
    /// The whole data area.
    pub granules: u64,
}

/// A session record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionState {
    /// Index of the record.
    pub record: u16,
    /// Whether a session is attached.
    pub active: bool,
    /// How many sessions the record has had.
    pub incarnation: u32,
}

/// Checks the region of a board of the product at rest. `living` are the records of the attached sessions; every other
/// record must be vacated and own nothing.
///
/// # Errors
/// Every finding; only that about the header where the rest cannot be read without it.
pub fn check(words: &[u64], living: &[u16]) -> Result<Summary, Vec<Finding>> {
    let layout = Layout::of(words).map_err(|finding| vec![finding])?;
    check_known(words, &layout, &Known { living, ..Known::default() })
}

/// Checks a region at rest with this layout, and against what the caller knows.
///
/// # Errors
/// Every finding; only that about the region's size where the rest cannot be read without it.
pub fn check_known(words: &[u64], layout: &Layout, known: &Known<'_>) -> Result<Summary, Vec<Finding>> {
    layout.check_size(words.len()).map_err(|finding| vec![finding])?;
    let board = Board::new(words, layout);
    let mut out = Findings::default();
    let mut uses = Uses::new(layout);
    let sessions = sessions::check(&board, known.living, &mut out);
    let history = history::read(&board, &mut out);
    known::check_history(&board, &history, known, &mut out);
    let slots = slots::read(&board, &mut uses, &mut out);
    let events = history::check(&board, &history, &mut uses, &mut out);
    let keys = keys::check(&board, &history, &slots, known, &mut uses, &mut out);
    sessions::check_weight(&board, &history, &mut out);
    sessions::check_writers(&board, &history, known.living, &keys, &mut out);
    let blocks = uses::check(&board, &uses, known, &mut out);
    out.none().map(|()| Summary {
        generation: history.generation,
        floor: history.floor,
        keys,
        events,
        blocks,
        sessions,
        longest_chain: slots.longest_chain,
    })
}
