//! A worker's log: a mapped file, so that the records outlive the worker.
//!
//! Word 0 is the number of records. Records of eight words follow. A record counts once the number includes it.

use slateboard::{
    region::Mapping,
    sync::Ordering::{Acquire, Relaxed, Release},
};
use slateboard_kit::calls::{Answer, Call};
use std::{fs::OpenOptions, path::Path};

const RECORD: usize = 8;
/// Records of one log. A worker ends when its log is full.
pub const RECORDS: usize = 4_096;
/// Records that one operation adds, at most.
const OPERATION: usize = 40;

/// A set of keys, a bit for each.
pub type Keys = [u64; 4];

/// A record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// A call began.
    Called {
        /// The call's number, unlike any other's.
        id: u64,
        /// When, nanoseconds of `CLOCK_BOOTTIME`.
        at: u64,
        /// The key.
        key: u64,
        /// What was asked for.
        asked: Call,
    },
    /// A call ended.
    Answered {
        /// The call.
        id: u64,
        /// When.
        at: u64,
        /// What it was told.
        answer: Answer,
    },
    /// A list is told by two records after it has ended. This is the first.
    Asked {
        /// When it began.
        at: u64,
        /// The keys that it must have where they are present: those of its span, up to its last where it is limited.
        wanted: Keys,
    },
    /// The second: what was told.
    Listed {
        /// When it ended.
        at: u64,
        /// Whose generation it is, where it tells.
        generation: Option<u64>,
        /// Whether values are absent whose time to live was over meanwhile. A view of the past looks at no clock.
        present: bool,
        /// The keys in it.
        found: Keys,
    },
}

/// A log with one writer.
pub struct Log {
    mapping: Mapping,
}

impl Log {
    /// Makes an empty log.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.set_len(((1 + RECORDS * RECORD) * 8) as u64)?;
        Self::map(&file)
    }

    /// Opens a log that exists.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Self::map(&OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn map(file: &std::fs::File) -> std::io::Result<Self> {
        let mapping =
            Mapping::of_file(file, true).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self { mapping })
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        // Acquire: whoever reads the number also reads the records that it counts.
        self.mapping.words()[0].load(Acquire) as usize
    }

    /// Whether the log has no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for another operation.
    pub fn is_full(&self) -> bool {
        self.len() + OPERATION > RECORDS
    }

    /// Appends a record.
    pub fn note(&self, record: Record) {
        let len = self.len();
        for (target, word) in self.mapping.words()[1 + len * RECORD..].iter().zip(record.pack()) {
            // Relaxed: nobody reads the record before the number includes it.
            target.store(word, Relaxed);
        }
        // Release: whoever reads the number reads the record.
        self.mapping.words()[0].store(len as u64 + 1, Release);
    }

    /// All records; `None` if the words of one are no record.
    pub fn records(&self) -> Option<Vec<Record>> {
        let words = &self.mapping.words()[1..];
        let word = |index: usize, at: usize| words[index * RECORD + at].load(Relaxed);
        let record = |index| Record::unpack(std::array::from_fn(|at| word(index, at)));
        (0..self.len().min(RECORDS)).map(record).collect()
    }
}

impl Record {
    fn pack(self) -> [u64; RECORD] {
        match self {
            Self::Called { id, at, key, asked } => {
                let [kind, number, operand, last] = asked.pack();
                [1, id, at, key, kind, number, operand, last]
            }
            Self::Answered { id, at, answer } => {
                let [kind, version, generation, value] = answer.pack();
                [2, id, at, 0, kind, version, generation, value]
            }
            Self::Asked { at, wanted: [a, b, c, d] } => [3, 0, at, 0, a, b, c, d],
            Self::Listed { at, generation, present, found: [a, b, c, d] } => {
                [4, generation.map_or(0, |generation| generation + 1), at, u64::from(present), a, b, c, d]
            }
        }
    }

    fn unpack([kind, first, at, key, a, b, c, d]: [u64; RECORD]) -> Option<Self> {
        Some(match kind {
            1 => Self::Called { id: first, at, key, asked: Call::unpack([a, b, c, d])? },
            2 => Self::Answered { id: first, at, answer: Answer::unpack([a, b, c, d])? },
            3 => Self::Asked { at, wanted: [a, b, c, d] },
            4 => {
                Self::Listed { at, generation: first.checked_sub(1), present: key == 1, found: [a, b, c, d] }
            }
            _ => return None,
        })
    }
}
