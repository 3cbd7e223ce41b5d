//! What outlives the machine: snapshots, the journal, and recovery from both. `docs/format.md` has the bytes.
//!
//! This is the layer of files. It knows folders, frames and entries, and nothing of a region; the board connects the two.
//!
//! ```text
//! recover      what is there, what is missing, and a stream of it        Recovery · Plan
//! merge        frames of several segments, by generation                 Merge
//! journal      appends, syncs, rotates, mends                            Journal
//! prune        what snapshots cover, within a budget                     prune
//! save · load  a snapshot is written and verified · read                 Save · Snapshot
//! segment      one segment read to its end                               scan
//! frame        heads and frames, with their checks                       Head · Frames
//! record       an entry, a mutation                                      Record
//! disk         every call to the operating system                        Disk
//! ```
//!
//! **All calls to the operating system go through [`Disk`]**, so that tests make each of them fail, and cut the power after
//! each. Three rules follow from what file systems promise:
//!
//! - A file's bytes are on disk after its sync, and its name is on disk after its folder's. A rename comes after the sync of the bytes.
//! - A sync that failed is never repeated on the same file. The kernel may have dropped the pages and report success the next
//!   time. [`Journal`] begins another segment and writes everything again that was not on disk.
//! - Damage is told, never guessed away: [`Plan`] names the generations that may be missing.

pub mod aside;
pub mod disk;
pub mod frame;
pub mod journal;
pub mod load;
pub mod merge;
pub mod names;
pub mod prune;
pub mod record;
pub mod recover;
pub mod save;
pub mod segment;

pub use disk::{Disk, DiskFile, Folder};
pub use journal::{Journal, Limits};
pub use load::Snapshot;
pub use prune::prune;
pub use record::Record;
pub use recover::{Plan, Recovery, recover};
pub use save::{Save, Saved};

/// Who writes a file: goes into its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Author {
    /// The board's UUID, as a number.
    pub board: u128,
    /// The board's line: how often it was recovered or restored.
    pub line: u32,
    /// The wall time, nanoseconds since 1970.
    pub now_ns: u64,
    /// A random word. The salts of the files are derived from it.
    pub salt: u64,
}

use crate::error::{Error, ErrorKind, Result};
use frame::{Head, VERSION_NUMBER};
use std::io;

/// An operation on a file that failed.
fn failed(disk: &dyn Disk, name: &str, what: &str, error: io::Error) -> Error {
    Error::io(format!("the file could not be {what}"), error).at_path(&disk.path().join(name))
}

/// Refuses a file of a newer version, and of another board.
fn check_head(disk: &dyn Disk, name: &str, head: &Head, board: u128) -> Result<()> {
    let refused =
        |kind, what: String, next| Err(Error::new(kind, what).hint(next).at_path(&disk.path().join(name)));
    if head.version != VERSION_NUMBER {
        let what = format!(
            "version {} of the format of durable files wrote this file, and this build knows version {VERSION_NUMBER}",
            head.version
        );
        return refused(ErrorKind::Incompatible, what, "update slateboard here; nothing was changed");
    }
    if head.board != board {
        let what = format!("the file belongs to the board {:032x}, and not to {board:032x}", head.board);
        return refused(ErrorKind::Refused, what, "give each board a folder of its own");
    }
    Ok(())
}
