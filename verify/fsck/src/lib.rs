//! Reads the bytes of a board by `docs/format.md` alone, and says whether they keep its promises.
//!
//! No code and no type of the engine is used here, so that an error of the engine's cannot hide itself: offsets,
//! packed words, hashes and checksums are worked out anew from the format. The board must be *at rest*: no call
//! is under way, and whoever died was reaped. Living sessions may keep private blocks at hand, nothing else.
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
mod layout;
mod names;
mod record;
mod sessions;
mod slots;
mod words;

pub use finding::{Finding, RULES};

use board::Board;
use finding::Findings;
use layout::Layout;
use names::Names;

/// What a sound board holds.
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
    /// Who uses the data area.
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
    /// Nanoseconds of `CLOCK_BOOTTIME`; 0 for none.
    pub deadline: u64,
    /// Writer word of the session that the entry ends with; 0 for none.
    pub ephemeral: u64,
    /// Writer word of who wrote it.
    pub writer: u64,
}

/// What an event made of its key.
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
    /// The key's version behind it.
    pub version: u64,
    /// What it made of the key.
    pub kind: Kind,
    /// The value that the key has behind it.
    pub value: Option<Vec<u8>>,
    /// Version of the key's record that it superseded, which may be a tombstone; `None` where the key came anew
    /// into its slot.
    pub previous_version: Option<u64>,
    /// Writer word of who made it.
    pub writer: u64,
}

/// The data area in granules, each counted once: the numbers before `granules` add up to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Blocks {
    /// In the records of the keys that have a value.
    pub live: u64,
    /// In records that an event of the history superseded.
    pub history: u64,
    /// In tombstones: the newest record of a key without a value, or one that is to be given back.
    pub tombstones: u64,
    /// In overflow buckets.
    pub buckets: u64,
    /// In pieces of chained values, live and superseded.
    pub pieces: u64,
    /// In blocks that living sessions keep at hand.
    pub private: u64,
    /// In none of these: free blocks, extents that are not cut or not reserved, what cutting leaves over.
    pub free: u64,
    /// Of the whole data area.
    pub granules: u64,
}

/// A session record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionState {
    /// Index of the record.
    pub record: u16,
    /// Whether a session is attached.
    pub active: bool,
    /// Which life of the record.
    pub incarnation: u32,
}

/// Checks a region at rest. `living`: records of sessions that may hold private blocks; every other record must be
/// vacated and own nothing.
///
/// # Errors
/// Everything that was found to be wrong; only the header's where that makes the rest unreadable.
pub fn check(words: &[u64], living: &[u16]) -> Result<Summary, Vec<Finding>> {
    let layout = Layout::of(words).map_err(|finding| vec![finding])?;
    let board = Board::new(words, &layout);
    let mut out = Findings::default();
    let mut names = Names::new(&layout);
    let sessions = sessions::check(&board, living, &mut out);
    let history = history::read(&board, &mut out);
    let slots = slots::read(&board, &mut names, &mut out);
    let events = history::check(&board, &history, &mut names, &mut out);
    let keys = keys::check(&board, &history, &slots, &mut names, &mut out);
    sessions::check_weight(&board, &history, &mut out);
    sessions::check_writers(&board, &history, living, &keys, &mut out);
    let blocks = names::check(&board, &names, living, &mut out);
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
