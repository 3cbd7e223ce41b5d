//! What is counted.

use crate::Outcome;
use slateboard::{Board, Verify};
use slateboard_micro::{Filled, memory};
use std::{hint::black_box, time::Duration};

/// Callgrind collects between the entry and the return of this function.
pub const COUNTED: &str = "counted_operations";

const KEYS: usize = 256;
/// Short, so that it is soon full: a put then lets an old event go and takes a used block, as it does for ever after.
const HISTORY: u64 = 512;
/// Puts before counting: the history laps several times.
const WARM_UP: usize = 4 * HISTORY as usize;

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
        // No beat falls into a count.
        let options = Board::options().history(HISTORY).verify(self.verify).beat(Duration::from_secs(3600));
        let filled = Filled::new(&memory(), options, KEYS, self.size, WARM_UP)?;
        let (session, keys, names, value) =
            (&filled.session, &filled.keys[..], &filled.names[..], &filled.value[..]);
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
