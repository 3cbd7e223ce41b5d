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

/// A record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// A call began.
    Called {
        /// The call's number, unlike any other's.
        id: u64,
        /// When, nanoseconds of `CLOCK_MONOTONIC`.
        at: u64,
        /// The key.
        key: u64,
        /// What was asked for.
        asked: Call,
    },
    /// The last call ended.
    Answered {
        /// When.
        at: u64,
        /// What it was told.
        answer: Answer,
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

    /// Whether there is no room for another call with its answer.
    pub fn is_full(&self) -> bool {
        self.len() + 2 > RECORDS
    }

    /// Appends a record.
    pub fn note(&self, record: Record) {
        let words: [u64; RECORD] = match record {
            Record::Called { id, at, key, asked } => {
                let [kind, number, operand] = asked.pack();
                [1, id, at, key, kind, number, operand, 0]
            }
            Record::Answered { at, answer } => {
                let [kind, version, generation, value] = answer.pack();
                [2, 0, at, 0, kind, version, generation, value]
            }
        };
        let len = self.len();
        for (target, word) in self.mapping.words()[1 + len * RECORD..].iter().zip(words) {
            // Relaxed: nobody reads the record before the number includes it.
            target.store(word, Relaxed);
        }
        // Release: whoever reads the number reads the record.
        self.mapping.words()[0].store(len as u64 + 1, Release);
    }

    /// All records; `None` if the words of one are no record.
    pub fn records(&self) -> Option<Vec<Record>> {
        let words = &self.mapping.words()[1..];
        let record = |index: usize| {
            let word = |at: usize| words[index * RECORD + at].load(Relaxed);
            let at = word(2);
            match word(0) {
                1 => Some(Record::Called {
                    id: word(1),
                    at,
                    key: word(3),
                    asked: Call::unpack([word(4), word(5), word(6)])?,
                }),
                2 => Some(Record::Answered {
                    at,
                    answer: Answer::unpack([word(4), word(5), word(6), word(7)])?,
                }),
                _ => None,
            }
        };
        (0..self.len().min(RECORDS)).map(record).collect()
    }
}
