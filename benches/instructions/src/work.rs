//! What is counted.

use crate::Outcome;
use slateboard::{Board, KeyHandle, Session, Verify};
use std::{hint::black_box, path::Path, time::Duration};

/// Callgrind collects between the entry and the return of this function.
pub const COUNTED: &str = "counted_operations";

const KEYS: usize = 256;
/// Short, so that it is soon full: a put then lets an old event go and takes a used block, as it does for ever after.
const HISTORY: u64 = 512;
/// Puts before counting: the history laps several times.
const WARM_UP: u64 = 4 * HISTORY;

/// An operation on values of a size.
#[derive(Clone, Copy)]
pub struct Work {
    is_put: bool,
    by_key: bool,
    verify: Verify,
    size: usize,
}

impl Work {
    /// Every work that is counted. Puts verify nothing.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for size in [64, 1 << 10] {
            for by_key in [false, true] {
                for verify in [Verify::Always, Verify::Scrub] {
                    all.push(Self { is_put: false, by_key, verify, size });
                }
            }
        }
        for size in [64, 1 << 10] {
            all.extend([false, true].map(|by_key| Self {
                is_put: true,
                by_key,
                verify: Verify::Always,
                size,
            }));
        }
        all
    }

    pub fn name(&self) -> String {
        let operation = if self.is_put { "put" } else { "get" };
        let size = if self.size == 64 { "64 B" } else { "1 KiB" };
        let by = if self.by_key { "by key" } else { "by handle" };
        let verify = if self.verify == Verify::Scrub { ", Verify::Scrub" } else { "" };
        format!("{operation} {size}, {by}{verify}")
    }

    /// Makes a board, warms it up and does the operations in `counted_operations`.
    pub fn run(&self, operations: u64) -> Outcome<()> {
        let folder = folder()?;
        // No beat falls into a count.
        let options = Board::options().history(HISTORY).verify(self.verify).beat(Duration::from_secs(3600));
        let session = options.create(folder.path().join("board"))?.attach("instructions")?;
        let names: Vec<String> = (0..KEYS).map(|number| format!("bench/{number:04}")).collect();
        let value = vec![7; self.size];
        for number in 0..WARM_UP {
            session.put(&names[number as usize % KEYS], &value)?;
        }
        let keys = names.iter().map(|name| session.key(name)).collect::<slateboard::Result<Vec<_>>>()?;
        self.count(operations, &session, &keys, &names, &value)
    }

    fn count(
        &self,
        operations: u64,
        session: &Session,
        keys: &[KeyHandle],
        names: &[String],
        value: &[u8],
    ) -> Outcome<()> {
        let mut buffer = Vec::with_capacity(2 * value.len());
        match (self.is_put, self.by_key) {
            (true, false) => counted_operations(operations, |at| keys[at].put(value).map(drop)),
            (true, true) => counted_operations(operations, |at| session.put(&names[at], value).map(drop)),
            (false, false) => counted_operations(operations, |at| {
                keys[at].get_into(&mut buffer).map(|meta| _ = black_box(meta))
            }),
            (false, true) => counted_operations(operations, |at| {
                session.get_into(&names[at], &mut buffer).map(|meta| _ = black_box(meta))
            }),
        }?;
        if !self.is_put && buffer != value {
            return Err("a value is not what was put".into());
        }
        Ok(())
    }
}

/// All that callgrind collects.
#[inline(never)]
fn counted_operations(operations: u64, mut once: impl FnMut(usize) -> slateboard::Result<()>) -> Outcome<()> {
    for number in 0..operations {
        // Another order than that of the warm-up, and every key as often as the others.
        once((number as usize).wrapping_mul(97) % KEYS)?;
    }
    Ok(())
}

/// A folder on memory where there is one.
fn folder() -> Outcome<tempfile::TempDir> {
    let built = tempfile::Builder::new().prefix("slate-instructions-").tempdir_in(Path::new("/dev/shm"));
    Ok(built.or_else(|_| tempfile::tempdir())?)
}
