//! The words by which two processes start, stop and ping each other. Each is on its own cache line.

use crate::{
    Outcome,
    row::{median, percentile},
};
use slateboard::{
    region::Mapping,
    sync::{AtomicU64, Ordering},
};
use std::{fs::File, path::Path, time::Instant};

/// Words from one wire to the next: two cache lines, because processors fetch them in pairs.
const SPAN: usize = 16;
/// Polls between two looks at whether to stop.
const POLLS: usize = 1 << 12;

/// A shared word.
#[derive(Clone, Copy, Debug)]
pub enum Wire {
    /// The second process is ready for the work.
    Ready,
    /// Begin.
    Go,
    /// End.
    Stop,
    /// Number of the ping-pong, from the first and from the second process.
    Ping,
    /// See [`Wire::Ping`].
    Pong,
    /// What the second process counted.
    Counted,
    /// Number of keys, for works that insert.
    Keys,
}

const WIRES: usize = 8;

/// The words.
pub struct Wires(Mapping);

impl Wires {
    /// Creates the words in this folder.
    pub fn create(folder: &Path) -> Outcome<Self> {
        let path = folder.join("wires");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len((WIRES * SPAN * 8) as u64)?;
        Ok(Self(Mapping::of_file(&file, true)?))
    }

    /// Opens the words that the first process created.
    pub fn open(folder: &Path) -> Outcome<Self> {
        let file = File::options().read(true).write(true).open(folder.join("wires"))?;
        Ok(Self(Mapping::of_file(&file, true)?))
    }

    /// A word.
    pub fn word(&self, wire: Wire) -> &AtomicU64 {
        &self.0.words()[wire as usize * SPAN]
    }

    /// The number in a word.
    pub fn load(&self, wire: Wire) -> u64 {
        self.word(wire).load(Ordering::Acquire)
    }

    /// Stores a number in a word.
    pub fn store(&self, wire: Wire, number: u64) {
        self.word(wire).store(number, Ordering::Release);
    }

    /// Adds one to a word, and returns the number before.
    pub fn next(&self, wire: Wire) -> u64 {
        self.word(wire).fetch_add(1, Ordering::AcqRel)
    }

    /// Polls until there is an answer; `None` when it is time to stop.
    pub fn poll<T>(&self, mut answer: impl FnMut() -> Outcome<Option<T>>) -> Outcome<Option<T>> {
        loop {
            for _ in 0..POLLS {
                if let Some(answer) = answer()? {
                    return Ok(Some(answer));
                }
            }
            if self.load(Wire::Stop) != 0 {
                return Ok(None);
            }
        }
    }
}

/// Trips of one ping-pong, after as many to warm up.
const TRIPS: u64 = 2_000;
/// Number that ends a ping-pong.
const LAST: u64 = u64::MAX;

/// The first side of the raw ping-pong: the median one way, nanoseconds.
pub fn ping(wires: &Wires, lost: impl Fn() -> bool) -> Outcome<f64> {
    let mut times = Vec::with_capacity(TRIPS as usize);
    let mut before = Instant::now();
    for number in 1..=2 * TRIPS {
        wires.store(Wire::Ping, number);
        let mut polls = 0_u64;
        while wires.load(Wire::Pong) != number {
            polls += 1;
            if polls.is_multiple_of(1 << 20) && lost() {
                return Err("the other process ended early".into());
            }
        }
        let now = Instant::now();
        if number > TRIPS {
            times.push((now - before).as_nanos() as f64 / 2.0);
        }
        before = now;
    }
    wires.store(Wire::Ping, LAST);
    while wires.load(Wire::Pong) != LAST {
        if lost() {
            return Err("the other process ended early".into());
        }
    }
    wires.store(Wire::Ping, 0);
    times.sort_unstable_by(f64::total_cmp);
    // Each trip includes one reading of the clock: its median is taken off.
    let clock = median(&mut (0..101).map(|_| clock_ns()).collect::<Vec<_>>());
    Ok(percentile(&times, 0.5) - clock / 2.0)
}

/// The time between two readings of the clock, nanoseconds.
fn clock_ns() -> f64 {
    let before = Instant::now();
    before.elapsed().as_nanos() as f64
}

/// The second side of the raw ping-pong.
pub fn pong(wires: &Wires) {
    let mut seen = 0;
    while seen != LAST {
        let number = wires.load(Wire::Ping);
        if number != seen {
            wires.store(Wire::Pong, number);
            seen = number;
        }
    }
    // The first side clears the number before it goes on.
    while wires.load(Wire::Ping) == LAST {}
    wires.store(Wire::Pong, 0);
}
